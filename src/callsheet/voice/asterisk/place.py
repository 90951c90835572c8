"""A node as we know it besides what it tells by its link: its name and secret, its files, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from callsheet.core.sip import USUAL_NODE_CALLS
from callsheet.voice.asterisk.files import NodeFiles


class Registration(StrEnum):
    """How a node is registered with a provider, in Asterisk's words. Its `Rejected` is ours where that was said."""

    registered = "Registered"
    unregistered = "Unregistered"
    """The provider did not answer yet, does not, or could not register it. The node calls through the trunk all the
    same: its registrar may be away while it takes calls, and the trunk's breaker finds out whether it does."""
    rejected = "Rejected"
    """The provider said that it refuses us: the node does not call through the trunk."""
    stopped = "Stopped"


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

    registrations: Mapping[str, Registration] = field(default_factory=dict)
    """How it is registered for its trunks, as far as it has said."""

    def has(self, trunk_id: str) -> bool:
        """Tell whether a trunk is one of its own."""
        return self.trunks is None or trunk_id in self.trunks

    def may_use(self, trunk_id: str) -> bool:
        """Tell whether it calls through a trunk: its own, and no provider refuses it."""
        return self.has(trunk_id) and self.registrations.get(trunk_id) is not Registration.rejected
