"""A node as we know it before it connects: its name and secret, its files, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass, field

from callsheet.core.sip import USUAL_NODE_CALLS
from callsheet.voice.asterisk.files import NodeFiles


@dataclass(frozen=True, slots=True)
class NodePlace:
    """A node that may connect to us."""

    name: str
    secret: str = field(repr=False)
    files: NodeFiles
    most_calls: int = USUAL_NODE_CALLS
    """So many calls may go on at once on it."""
    trunks: frozenset[str] | None = None
    """It calls through these only; None: through all."""

    def may_use(self, trunk_id: str) -> bool:
        """Tell whether it calls through a trunk."""
        return self.trunks is None or trunk_id in self.trunks
