"""An ear: the other side's audio of one call, brought to us as long as somebody listens.

A snoop channel hears the call, a media channel brings what it hears to us, and a bridge joins the two. What a bridge is
told to take in must have been given to us before, so both channels are awaited first.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from callsheet.voice.asterisk.link import NodeAway
from callsheet.voice.asterisk.wire import APP, MEDIA_CLIENT, Ask, ChannelEvent, StasisStart
from callsheet.voice.base import CannotHear, HearAudio

if TYPE_CHECKING:
    from callsheet.voice.asterisk.node import Node

FRAME_OCTETS: Final = 320
"""20 ms of 8 kHz, mono, 16 bits."""
_OPENING_SECONDS: Final = 8.0


class Ear:
    """What hears one call."""

    def __init__(self, node: Node, call_id: str, hear: HearAudio) -> None:
        stamp = node.stamp()
        self._node = node
        self._call_id = call_id
        self._hear: HearAudio | None = hear
        self._snoop = f"{call_id}.{stamp}.snoop"
        self._media = f"{call_id}.{stamp}.media"
        self._bridge = f"{call_id}.{stamp}.bridge"
        self._missing = {self._snoop, self._media}
        self._there = asyncio.Event()
        self._rest = b""
        self._there_at: tuple[datetime, float] | None = None
        """When the channels were there: by the clock of the node, and when we heard of it, by ours."""

    async def open(self) -> datetime:
        """Begin to hear, and return from when on, by the clock of the node. Raises CannotHear."""
        self._node.helpers.update(dict.fromkeys((self._snoop, self._media), self._take))
        self._node.ears[self._media] = self.feed
        self._node.bridges.add(self._bridge)
        try:
            async with asyncio.timeout(_OPENING_SECONDS):
                await asyncio.gather(
                    self._ask("POST", f"channels/{self._call_id}/snoop", app=APP, spy="in", snoopId=self._snoop),
                    self._ask(
                        "POST", "channels/externalMedia", app=APP, channelId=self._media, external_host=MEDIA_CLIENT,
                        transport="websocket", encapsulation="none", connection_type="client", format="slin",
                    ),
                    self._ask("POST", f"bridges/{self._bridge}", type="mixing"),
                )  # fmt: skip
                await self._there.wait()
                await self._ask("POST", f"bridges/{self._bridge}/addChannel", channel=f"{self._snoop},{self._media}")
        except (NodeAway, TimeoutError) as error:
            raise CannotHear(str(error) or "the node did not bring the audio in time") from None
        return self._heard_from()

    def _heard_from(self) -> datetime:
        """Return from when on it is heard: what we took to join the channels, when they were there, is ours."""
        assert self._there_at is not None, "both are there"
        at, heard_at = self._there_at
        return at + timedelta(seconds=asyncio.get_running_loop().time() - heard_at)

    def feed(self, octets: bytes) -> None:
        """Take audio from the node, and tell it 20 ms at a time."""
        if self._rest or len(octets) != FRAME_OCTETS:
            octets = self._rest + octets
            whole = len(octets) - len(octets) % FRAME_OCTETS
            octets, self._rest = octets[:whole], octets[whole:]
        for start in range(0, len(octets), FRAME_OCTETS):
            if self._hear is not None:
                self._hear(octets[start : start + FRAME_OCTETS])

    def hush(self) -> None:
        """Hear nothing more; `close` puts away what brought it."""
        self._hear = None

    async def close(self) -> None:
        """Hear nothing more: the channels go first, the bridge after them."""
        self.hush()
        node = self._node
        for channel in (self._snoop, self._media):
            node.helpers.pop(channel, None)
        node.ears.pop(self._media, None)
        node.bridges.discard(self._bridge)
        for uri in (f"channels/{self._media}", f"channels/{self._snoop}", f"bridges/{self._bridge}"):
            try:
                await node.ask(Ask("DELETE", uri))
            except NodeAway:
                return  # what is left over is found when the node is there again

    def _take(self, event: ChannelEvent) -> None:
        if isinstance(event, StasisStart):
            self._missing.discard(event.channel.id)
            if not self._missing:
                self._there_at = event.at, asyncio.get_running_loop().time()
                self._there.set()

    async def _ask(self, method: str, uri: str, **query: str) -> None:
        reply = await self._node.ask(Ask(method, uri, query))
        if not reply.is_ok:
            raise CannotHear(f"the node answered {reply.status_code} {reply.reason_phrase}")
