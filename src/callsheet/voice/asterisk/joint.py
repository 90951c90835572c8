"""A joint: two calls of one node hear each other, through a bridge of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callsheet.voice.asterisk.link import NodeAway
from callsheet.voice.asterisk.wire import Ask
from callsheet.voice.base import CannotJoin

if TYPE_CHECKING:
    from callsheet.voice.asterisk.node import Node


class Joint:
    """The bridge of two calls. A call that ends leaves it by itself; the other one stays in it, alone."""

    def __init__(self, node: Node, first_id: str, second_id: str) -> None:
        self._node = node
        self._calls = f"{first_id},{second_id}"
        self._bridge = f"{first_id}.{node.stamp()}.joint"

    async def open(self) -> None:
        """Join them. Raises CannotJoin."""
        self._node.bridges.add(self._bridge)
        try:
            await self._ask(Ask("POST", f"bridges/{self._bridge}", {"type": "mixing"}))
            await self._ask(Ask("POST", f"bridges/{self._bridge}/addChannel", {"channel": self._calls}))
        except CannotJoin:
            await self.close()
            raise

    async def close(self) -> None:
        """Take the bridge away; whoever is still in it is alone."""
        self._node.bridges.discard(self._bridge)
        try:
            await self._node.ask(Ask("DELETE", f"bridges/{self._bridge}"))
        except NodeAway:
            return  # what is left over is found when the node is there again

    async def _ask(self, ask: Ask) -> None:
        try:
            reply = await self._node.ask(ask)
        except NodeAway as error:
            raise CannotJoin(str(error)) from None
        if not reply.is_ok:
            raise CannotJoin(f"the node answered {reply.status_code} {reply.reason_phrase}")
