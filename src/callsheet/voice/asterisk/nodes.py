"""The nodes of this process: which takes the next call, and how one is emptied."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from callsheet.voice.asterisk.node import Node


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

    def connected(self, trunk_id: str | None = None) -> int:
        """Return how many are there; of those that call through a trunk, if one is named."""
        return sum(node.is_connected for node in (self if trunk_id is None else self._using(trunk_id)))

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
