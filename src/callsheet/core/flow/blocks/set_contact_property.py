"""`Core.SetContactProperty`: sets columns of the contact, as any block can when it is left, and does nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from callsheet.core.flow.blocks.kind import Finding, Leave, Look, Outcome, Passing, Turn
from callsheet.core.flow.document import Block, Json, Reader, settings_of


class SetContactProperty(Passing):
    """Columns of the contact. What they are, and what is wrong with one, is read for every kind of block."""

    def read(self, config: Json, reader: Reader) -> Any:  # noqa: ARG002 (as every kind)
        """It has nothing but what every block can have."""
        return None

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:  # noqa: ARG002 (as every kind)
        """Find that there is nothing to set."""
        if not settings_of(config):
            yield Finding(f"{at}.set_contact_property", "Give at least one property with property_key and value.")

    def enter(self, turn: Turn, block: Block) -> Outcome:  # noqa: ARG002 (as every kind)
        """Leave: that is when they are set."""
        return Leave()
