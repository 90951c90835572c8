"""What a speaker is."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

MOST_CHARACTERS: Final = 5000
"""A longer text is not spoken at once."""


class Manner(NamedTuple):
    """How a text is spoken."""

    language: str
    """As a flow or a contact names it: `hi`, `hi-IN`, `hin`, `Hindi`."""
    voice: str = ""
    """What the speaker calls a voice; empty: its usual one of the language."""


class CannotSpeak(Exception):
    """There is no sound of a text. The sentence says why, for people; it does not quote the text."""


class Speaker(Protocol):
    """Speaks texts."""

    @property
    def key(self) -> str:
        """What makes its sounds different from those of others: the same text in the same manner may be kept by it."""

    async def say(self, text: str, manner: Manner) -> bytes:
        """Return a WAV file: 8 kHz, mono, 16 bits. Raises CannotSpeak."""
