"""Shelf: sounds on the disk of this node, by what they were made of, so that nothing is made twice.

Two kinds are kept. What everybody hears stays until the shelf is full; then what was not asked for longest goes. What
was said to one person may name them: it passes, an hour after it was last asked for, and at the end of the process.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from callsheet.clock import Clock
from callsheet.voice.audio.wave import HEADER_BYTES, seconds_of
from callsheet.voice.base import Sound

MOST_BYTES: Final = 512 * 1024 * 1024
"""Some nine hours."""
PASSING_SECONDS: Final = 3600.0
LEAST_SECONDS: Final = 300.0
"""Whatever was asked for so lately stays: it may play at this moment."""
_DIGEST: Final = 32
_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600


def digest_of(wav: bytes) -> str:
    """Return what a file is known by, wherever it is: SHA-256, in hexadecimal digits."""
    return hashlib.sha256(wav).hexdigest()


def key_of(*parts: str) -> str:
    """Return the key of what is made of these parts."""
    digest = hashlib.sha256()
    for part in parts:
        said = part.encode("utf-8", "surrogatepass")
        digest.update(len(said).to_bytes(8, "big") + said)
    return digest.hexdigest()[:_DIGEST]


@dataclass(slots=True)
class _Kept:
    sound: Sound
    size: int
    used_at: float
    is_passing: bool


class SoundShelf:
    """The sounds in a folder that is this process's alone."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        *,
        most_bytes: int = MOST_BYTES,
        passing_seconds: float = PASSING_SECONDS,
        least_seconds: float = LEAST_SECONDS,
    ) -> None:
        self._lasting = folder / "lasting"
        self._passing = folder / "passing"
        self._clock = clock
        self._most_bytes = most_bytes
        self._passing_seconds = passing_seconds
        self._least_seconds = least_seconds
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._is_open = False
        self._turn = asyncio.Lock()
        self._sweep: asyncio.TimerHandle | None = None

    async def get(self, key: str) -> Sound | None:
        """Return what was put under a key; None: nothing was, or it is gone."""
        await self._open()
        kept = self._kept.get(key)
        if kept is None:
            return None
        if not await asyncio.to_thread(kept.sound.path.exists):
            self._kept.pop(key, None)
            return None
        kept.used_at = self._clock.monotonic()
        if key in self._kept:
            self._kept.move_to_end(key)
        return kept.sound

    async def put(self, key: str, wav: bytes, *, is_passing: bool) -> Sound:
        """Keep a file that `write_wav` made. Raises OSError where the disk does not take it."""
        await self._open()
        seconds = seconds_of(wav)
        assert seconds is not None, "everything here was converted"
        content = digest_of(wav)[:_DIGEST]
        path = (self._passing if is_passing else self._lasting) / f"{key}-{content}.wav"
        await asyncio.to_thread(_write, path, wav)
        sound = Sound(content, path, seconds)
        before = self._kept.pop(key, None)
        self._kept[key] = _Kept(sound, len(wav), self._clock.monotonic(), is_passing)
        gone = [before.sound.path] if before is not None and before.sound.path != path else []
        await self._remove([*gone, *self._overdue(), *self._overfull()])
        if is_passing:
            self._plan_sweep()
        return sound

    async def close(self) -> None:
        """Take what passes away."""
        if self._sweep is not None:
            self._sweep.cancel()
        if self._is_open:
            await self._remove([one.sound.path for one in self._kept.values() if one.is_passing])
        self._kept.clear()
        self._is_open = False

    async def _open(self) -> None:
        async with self._turn:
            if not self._is_open:
                now = self._clock.monotonic()
                found = await asyncio.to_thread(self._look)
                self._kept.update((key, _Kept(sound, size, now, is_passing=False)) for key, sound, size in found)
                self._is_open = True

    def _look(self) -> list[tuple[str, Sound, int]]:
        """Find what an earlier process kept, the oldest first; what passes, and what it did not finish, goes."""
        for folder in (self._lasting, self._passing):
            folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        _unlink((*self._passing.iterdir(), *self._lasting.glob(".*")))
        found = sorted((path.stat().st_mtime, path) for path in self._lasting.glob("*.wav"))
        return [read for _, path in found if (read := _read(path)) is not None]

    def _overdue(self) -> Iterator[Path]:
        oldest = self._clock.monotonic() - self._passing_seconds
        for key in [key for key, one in self._kept.items() if one.is_passing and one.used_at <= oldest]:
            yield self._kept.pop(key).sound.path

    def _overfull(self) -> Iterator[Path]:
        size = sum(one.size for one in self._kept.values())
        newest = self._clock.monotonic() - self._least_seconds
        for key, one in list(self._kept.items()):
            if size <= self._most_bytes or one.used_at > newest:
                return
            size -= one.size
            yield self._kept.pop(key).sound.path

    async def _remove(self, paths: list[Path]) -> None:
        if paths:
            await asyncio.to_thread(_unlink, paths)

    def _plan_sweep(self) -> None:
        """See to it that what passes goes although nobody comes any more."""
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(self._passing_seconds, self._sweep_passing)

    def _sweep_passing(self) -> None:
        self._sweep = None
        _unlink(self._overdue())
        if any(one.is_passing for one in self._kept.values()):
            self._plan_sweep()


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _write(path: Path, wav: bytes) -> None:
    """Write a file as a whole: whoever looks sees all of it, or nothing, also after the power failed."""
    fresh = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(wav)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _read(path: Path) -> tuple[str, Sound, int] | None:
    key, _, content = path.stem.partition("-")
    size = path.stat().st_size
    with path.open("rb") as file:
        seconds = seconds_of(file.read(HEADER_BYTES), size)
    if seconds is None or len(key) != _DIGEST or len(content) != _DIGEST:
        path.unlink(missing_ok=True)
        return None
    return key, Sound(content, path, seconds), size
