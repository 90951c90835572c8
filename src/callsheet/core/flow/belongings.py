"""What an app has of the things that flows name."""

from __future__ import annotations

from dataclasses import dataclass

from callsheet.core.names import key_of


@dataclass(frozen=True, slots=True)
class Belongings:
    """The AI endpoints, the queues and the sounds of an app: the keys of their names."""

    endpoints: frozenset[str]
    queues: frozenset[str]
    sounds: frozenset[str] = frozenset()
    """Their ids as well."""

    def has_endpoint(self, name: str) -> bool:
        """Tell whether there is an AI endpoint of a name."""
        return key_of(name) in self.endpoints

    def has_queue(self, name: str) -> bool:
        """Tell whether there is a queue of a name."""
        return key_of(name) in self.queues

    def has_sound(self, said: str) -> bool:
        """Tell whether there is a sound of a name, or of an id."""
        return key_of(said) in self.sounds
