"""The engine for real telephony: calls go through Asterisk nodes that connect to us."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from callsheet import meters
from callsheet.clock import Clock
from callsheet.core.asking import Leave
from callsheet.core.attempt import Kind
from callsheet.core.calling import Dial
from callsheet.core.condition import Condition, State
from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.link import Link
from callsheet.voice.asterisk.node import Node
from callsheet.voice.asterisk.nodes import Nodes
from callsheet.voice.asterisk.patience import Patience
from callsheet.voice.asterisk.place import NodePlace
from callsheet.voice.asterisk.placing import place
from callsheet.voice.asterisk.server import NodeServer
from callsheet.voice.base import Call, CallGone, Found, Hear, HearAudio, NotDialed

_AS_USUAL: Final = Patience()


class AsteriskEngine:
    """Calls through Asterisk."""

    def __init__(
        self,
        clock: Clock,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        patience: Patience = _AS_USUAL,
    ) -> None:
        """Keep where nodes connect to; port 0: any that is free."""
        self.on_found: Callable[[Found], Hear | None] = lambda _: None
        self.on_free: Callable[[], None] = lambda: None
        self._clock = clock
        self._patience = patience
        self._nodes = Nodes()
        self._trunks: dict[str, SipTrunk] = {}
        self._server = NodeServer(self._secret_of, self.serve, self.ear_of, host=host, port=port, tls=tls)
        self._is_open = False

    @property
    def port(self) -> int:
        """Where nodes connect to; 0: nowhere yet."""
        return self._server.port

    def let_in(self, node: NodePlace) -> None:
        """Let a node connect, or take notice of what is new of one that we know."""
        known = self._nodes.get(node.name)
        if known is None:
            self._nodes.add(Node(node, self._clock, self._patience, self._find, self._tell_free))
        else:
            known.place = node
            self._tell_free()

    def use(self, trunks: Iterable[SipTrunk]) -> None:
        """Take these trunks instead of those before; the nodes are told by whoever configures them."""
        self._trunks = {trunk.id: trunk for trunk in trunks}
        self._tell_free()

    # Calls.

    def room(self, trunk_id: str) -> int:
        """Return how many more calls the nodes bear for a trunk now."""
        return self._nodes.room(trunk_id) if self._is_open and trunk_id in self._trunks else 0

    def bears(self, trunk_ids: Collection[str]) -> int:
        """Return how many calls the nodes bear at once through any of these trunks."""
        return self._nodes.bears(self._trunks.keys() & trunk_ids) if self._is_open else 0

    def condition(self, trunk_id: str) -> Condition:
        """Return how a trunk stands."""
        if not self._is_open:
            return Condition(State.closed)
        if trunk_id not in self._trunks:
            return Condition(State.closed, "the voice nodes do not have this trunk")
        return self._nodes.condition(trunk_id)

    async def dial(self, trunk_id: str, dial: Dial, leave: Leave, hear: Hear, beside: Call | None = None) -> Call:
        """Place a call on the node with the most room, or on that of another call. Raises NotDialed."""
        trunk = self._trunks.get(trunk_id)
        if trunk is None:
            raise NotDialed(Kind.refused, "no_trunk", "The voice nodes do not have this trunk.")
        if self._nodes.has(dial.reference):
            raise NotDialed(Kind.uncertain, "already_placed", "A call of this attempt goes on already.")
        node = self._pick(trunk_id, beside) if self._is_open else None
        if node is None:
            raise NotDialed(Kind.refused, "no_node", "No voice node takes a call.")
        return await place(node, trunk, dial, leave, hear)

    def _pick(self, trunk_id: str, beside: Call | None) -> Node | None:
        if beside is None:
            return self._nodes.pick(trunk_id)
        node = self._nodes.get(beside.node)
        return node if node is not None and node.place.may_use(trunk_id) and node.room() else None

    def living(self) -> Sequence[str]:
        """Return the ids of the calls that live."""
        return self._nodes.calls()

    # Nodes.

    async def is_well(self, name: str) -> bool:
        """Tell whether a node answers."""
        node = self._nodes.get(name)
        return node is not None and await node.is_well()

    def lose(self, name: str, why: str) -> None:
        """Take notice that a node is dead: its calls are lost."""
        node = self._nodes.get(name)
        if node is not None:
            node.lose_all(why)

    def node(self, name: str) -> Node | None:
        """Return the node of a name."""
        return self._nodes.get(name)

    def nodes(self) -> Sequence[Node]:
        """Return all nodes that may connect."""
        return sorted(self._nodes, key=lambda node: node.name)

    def drain(self, name: str) -> bool:
        """Give a node no more calls; those that it has go on. False: there is no such node."""
        return self._set_draining(name, is_draining=True)

    def resume(self, name: str) -> bool:
        """Give a node calls again; False: there is no such node."""
        is_known = self._set_draining(name, is_draining=False)
        self._tell_free()
        return is_known

    async def end(self, name: str) -> None:
        """Hang up the calls of a node, and wait until they are over; not for ever."""
        node = self._nodes.get(name)
        if node is not None:
            await self._end_calls([node])

    def calls_on(self, name: str) -> int:
        """Return how many calls a node has."""
        node = self._nodes.get(name)
        return 0 if node is None else len(node.channels)

    # Beginning and end.

    async def open(self) -> None:
        """Begin to listen for nodes. Raises OSError: the port is taken."""
        await self._server.open()
        self._is_open = True

    async def close(self) -> None:
        """End: calls that live are hung up, and told."""
        self._is_open = False
        await self._end_calls(list(self._nodes))
        # A node comes back at once: the door first.
        await self._server.stop_listening()
        for node in self._nodes:
            await node.close()
        await self._server.close()

    async def _end_calls(self, nodes: Sequence[Node]) -> None:
        """Hang up, and wait until all calls are over; not for ever."""
        deadline = self._clock.monotonic() + self._patience.closing_seconds
        # Again and again: a call that was asked for a moment ago may come yet.
        while _hang_up_all(nodes) and self._clock.monotonic() < deadline:
            await self._clock.sleep(0.05)

    def _set_draining(self, name: str, *, is_draining: bool) -> bool:
        node = self._nodes.get(name)
        if node is not None:
            node.is_draining = is_draining
        return node is not None

    def _find(self, found: Found) -> Hear | None:
        # A call is where we placed it: whoever else says to have it has it not.
        elsewhere = any(found.call.id in node.channels for node in self._nodes if node.name != found.call.node)
        return None if elsewhere else self.on_found(found)

    def _tell_free(self) -> None:
        meters.asterisk_nodes.set(self._nodes.connected())
        self.on_free()

    def _secret_of(self, name: str) -> str | None:
        node = self._nodes.get(name)
        return None if node is None else node.place.secret

    async def serve(self, name: str, link: Link) -> None:
        """Be connected to a node by a link, until it ends."""
        node = self._nodes.get(name)
        if node is not None:
            await node.serve(link)

    def ear_of(self, name: str, channel_id: str) -> HearAudio | None:
        """Return who hears the audio of a node's channel; None: nobody does any more."""
        node = self._nodes.get(name)
        return None if node is None else node.ears.get(channel_id)


def _hang_up_all(nodes: Sequence[Node]) -> bool:
    """Begin to end all calls; return whether there are any."""
    there = [node for node in nodes if node.is_connected and node.channels]
    for node in there:
        for channel in node.channels.values():
            if channel.is_heard and not channel.is_ending:
                node.begin(_hang_up(channel))
    return bool(there)


async def _hang_up(channel: Call) -> None:
    try:
        await channel.hang_up()
    except CallGone:
        return
