"""A recording of one call: made by the node from a snoop channel, and fetched from its folder."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from callsheet.voice.asterisk.link import NodeAway
from callsheet.voice.asterisk.wire import APP, Ask, ChannelEvent, StasisStart
from callsheet.voice.base import Recording

if TYPE_CHECKING:
    from callsheet.voice.asterisk.node import Node

_WAIT_SECONDS: Final = 8.0
_HEADER_OCTETS: Final = 44
_OCTETS_PER_SECOND: Final = 16_000


class Taping:
    """One recording."""

    def __init__(self, node: Node, call_id: str, *, both_sides: bool) -> None:
        stamp = node.stamp()
        self._node = node
        self._call_id = call_id
        self._spy = "both" if both_sides else "in"
        self._snoop = f"{call_id}.{stamp}.tape"
        self._name = f"{call_id}-{stamp}"
        self._there = asyncio.Event()
        self._over = asyncio.Event()
        self._is_whole = False
        self._has_begun = False

    async def open(self) -> None:
        """Begin to record; where that fails, there is nothing to return later."""
        self._node.helpers[self._snoop] = self._take
        self._node.tapes[self._name] = self._finish
        snoop = {"app": APP, "spy": self._spy, "snoopId": self._snoop}
        tape = {"name": self._name, "format": "wav", "ifExists": "overwrite"}
        if await self._ask(f"channels/{self._call_id}/snoop", snoop) and await _came(self._there):
            self._has_begun = await self._ask(f"channels/{self._snoop}/record", tape)
        if not self._has_begun:
            self.end()
            self._forget()

    def end(self) -> None:
        """Take notice that the call is over: the node ends the recording by itself, if one has begun."""
        self._node.helpers.pop(self._snoop, None)
        if not self._has_begun:
            self._over.set()

    async def close(self) -> Recording | None:
        """Stop, and return what was recorded."""
        if not self._has_begun:
            return None
        if not self._over.is_set():
            await self._ask(f"recordings/live/{self._name}/stop", {})
        await _came(self._over)
        self._forget()
        await self._remove()
        files = self._node.place.files
        path = await files.take_recording(self._name) if self._is_whole else None
        octets = 0 if path is None else await asyncio.to_thread(_size, path)
        if path is None or octets <= _HEADER_OCTETS:
            await files.drop_recording(self._name)
            return None
        return Recording(path, (octets - _HEADER_OCTETS) / _OCTETS_PER_SECOND)

    def _take(self, event: ChannelEvent) -> None:
        if isinstance(event, StasisStart):
            self._there.set()

    def _finish(self, *, is_whole: bool) -> None:
        self._is_whole = is_whole
        self._forget()
        self._over.set()

    def _forget(self) -> None:
        self._node.helpers.pop(self._snoop, None)
        self._node.tapes.pop(self._name, None)

    async def _ask(self, uri: str, query: dict[str, str]) -> bool:
        try:
            return (await self._node.ask(Ask("POST", uri, query))).is_ok
        except NodeAway:
            return False

    async def _remove(self) -> None:
        try:
            await self._node.ask(Ask("DELETE", f"channels/{self._snoop}"))
        except NodeAway:
            return  # it is found when the node is there again


async def _came(event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(_WAIT_SECONDS):
            await event.wait()
    except TimeoutError:
        return False
    return True


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
