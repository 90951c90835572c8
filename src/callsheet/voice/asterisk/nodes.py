"""The nodes of this process: which takes the next call, and how one is emptied."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from callsheet.core.condition import Condition, State
from callsheet.voice.asterisk.node import Node
from callsheet.voice.asterisk.place import Registration

_SETTLED: Final = frozenset({Registration.registered, Registration.rejected})
_REFUSED: Final = (
    "the provider refuses our registration (voice node: {names}): look at username, password and realm, and whether "
    "the account is locked there; a test call says more"
)
_NOT_YET: Final = (
    "it is not registered (voice node: {names}): the provider has not answered yet, does not, or could not register "
    "it; a test call says more"
)


class Nodes:
    """All nodes that may connect."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    def add(self, node: Node) -> None:
        """Let a node connect."""
        self._nodes[node.name] = node

    def get(self, name: str) -> Node | None:
        """Return the node of a name."""
        return self._nodes.get(name)

    def pick(self, trunk_id: str) -> Node | None:
        """Return the node with the most room for a trunk, in proportion; None: none has any."""
        return max((node for node in self._using(trunk_id) if node.room()), key=_share, default=None)

    def room(self, trunk_id: str) -> int:
        """Return how many more calls they take through a trunk."""
        return sum(node.room() for node in self._using(trunk_id))

    def bears(self, trunk_ids: Collection[str]) -> int:
        """Return how many calls may go on at once through any of these trunks, on nodes that take calls."""
        there = (node for node in self if node.is_connected and not node.is_draining)
        return sum(node.place.most_calls for node in there if any(map(node.place.may_use, trunk_ids)))

    def connected(self) -> int:
        """Return how many are there."""
        return sum(node.is_connected for node in self)

    def condition(self, trunk_id: str) -> Condition:
        """Return how a trunk stands: broken when its provider refuses all nodes that are there for it."""
        there = [node.place for node in self if node.is_connected and node.place.has(trunk_id)]
        if not there:
            return Condition(State.connecting, "no voice node is connected")
        stands = {place.name: place.registrations.get(trunk_id, Registration.registered) for place in there}
        refused = sorted(name for name, one in stands.items() if one is Registration.rejected)
        waiting = sorted(name for name, one in stands.items() if one not in _SETTLED)
        why = _REFUSED.format(names=", ".join(refused)) if refused else ""
        if waiting and not refused:
            why = _NOT_YET.format(names=", ".join(waiting))
        state = State.broken if len(refused) == len(stands) else State.open
        return Condition(state, why, sessions=len(stands))

    def _using(self, trunk_id: str) -> Iterator[Node]:
        return (node for node in self if node.place.may_use(trunk_id))

    def has(self, call_id: str) -> bool:
        """Tell whether a call goes on."""
        return any(call_id in node.channels for node in self)

    def calls(self) -> list[str]:
        """Return the ids of all calls."""
        return [call_id for node in self for call_id in node.channels]


def _share(node: Node) -> float:
    return node.room() / node.place.most_calls
