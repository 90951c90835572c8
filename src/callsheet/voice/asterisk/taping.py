"""A recording of one call: made by the node from a snoop channel, and fetched from its folder.

A node whose disk is full stops to record and says that it is through; one that dies leaves a file without its length.
What there is of either is fetched, and said not to be whole.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from callsheet.voice.asterisk.link import NodeAway
from callsheet.voice.asterisk.wire import APP, Ask, ChannelEvent, StasisStart
from callsheet.voice.audio.wave import wave_header
from callsheet.voice.base import Recording

if TYPE_CHECKING:
    from callsheet.voice.asterisk.node import Node

_WAIT_SECONDS: Final = 8.0
_HEADER_OCTETS: Final = 44
_OCTETS_PER_SECOND: Final = 16_000
_EARLY_SECONDS: Final = 1.0
"""A recording that was through so long before we, or the call, ended it broke off."""


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
        self._clock = asyncio.get_running_loop().time
        self._through_at: float | None = None
        self._ended_at: float | None = None

    async def open(self) -> bool:
        """Begin to record; False: that failed, and there is nothing to return later."""
        self._node.helpers[self._snoop] = self._take
        self._node.tapes[self._name] = self._finish
        snoop = {"app": APP, "spy": self._spy, "snoopId": self._snoop}
        tape = {"name": self._name, "format": "wav", "ifExists": "overwrite"}
        if await self._ask(f"channels/{self._call_id}/snoop", snoop) and await _came(self._there):
            self._has_begun = await self._ask(f"channels/{self._snoop}/record", tape)
        if not self._has_begun:
            self.end()
            self._forget()
        return self._has_begun

    def end(self) -> None:
        """Take notice that the call is over: the node ends the recording by itself, if one has begun."""
        self._node.helpers.pop(self._snoop, None)
        self._ended_at = self._ended_at or self._clock()
        if not self._has_begun:
            self._over.set()

    async def close(self) -> Recording | None:
        """Stop, and return what was recorded."""
        if not self._has_begun:
            return None
        self._ended_at = self._ended_at or self._clock()
        if not self._over.is_set():
            await self._ask(f"recordings/live/{self._name}/stop", {})
        await _came(self._over)
        self._forget()
        await self._remove()
        path = await self._node.place.files.take_recording(self._name)
        if path is None:
            return None
        octets = await asyncio.to_thread(_size, path)
        if octets <= _HEADER_OCTETS:
            await asyncio.to_thread(path.unlink, missing_ok=True)
            return None
        is_whole = self._is_whole and not self._broke_off(self._ended_at)
        if not is_whole:
            await asyncio.to_thread(_mend, path, octets)
        return Recording(path, (octets - _HEADER_OCTETS) / _OCTETS_PER_SECOND, is_whole)

    def _broke_off(self, ended_at: float) -> bool:
        return self._through_at is not None and ended_at - self._through_at > _EARLY_SECONDS

    def _take(self, event: ChannelEvent) -> None:
        if isinstance(event, StasisStart):
            self._there.set()

    def _finish(self, *, is_whole: bool) -> None:
        self._is_whole = is_whole
        self._through_at = self._clock()
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


def _mend(path: Path, octets: int) -> None:
    """Write the length of what there is into the head of a file."""
    try:
        with path.open("r+b") as file:
            file.write(wave_header(octets - _HEADER_OCTETS))
    except OSError:
        return  # it cannot be written: whoever reads it sees so


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
