"""Spool: put an upload on the disk, in bounded memory, before anything is promised about it.

What lies in the folder is UTF-8 or another encoding that agrees with ASCII, without a byte order mark: UTF-16 is
written down as UTF-8. It holds numbers of people as they came, so nobody else on the machine may read it, and it is
deleted as soon as it was imported.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO, Self, TypeVar, TypeVarTuple

from callsheet.core.errors import BodyTooLarge, Unavailable

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

MOST_BYTES = 4 * 1024**3
"""The largest file that is taken: some fifty million contacts."""
TOO_LARGE = f"The file is larger than {MOST_BYTES // 1024**3} GiB; split it, and import the parts."

_WRITE_BYTES = 1024**2
_HALF_A_CHARACTER = "\ud800"
"""Stands for a character that the end of the file cut in two; the row that has it is rejected as unreadable."""


async def spool(folder: Path, name: str, chunks: AsyncIterator[bytes]) -> int:
    """Write a file durably and return its size; when anything goes wrong nothing of it is left.

    Raises BodyTooLarge, Unavailable when the disk does not take it, and whatever `chunks` raises.
    """
    part, whole = folder / f"{name}.part", folder / name
    try:
        await _on_disk(folder.mkdir, 0o700, True, True)
        with _Writer(part) as writer:
            await _on_disk(writer.open)
            await _copy(chunks, writer)
            size = await _on_disk(writer.finish)
        await _on_disk(_keep, part, whole)
    except BaseException:
        remove(part, whole)
        raise
    return size


def remove(*paths: Path) -> None:
    """Delete files that may be gone already."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


async def _copy(chunks: AsyncIterator[bytes], writer: _Writer) -> None:
    pieces: list[bytes] = []
    waiting = total = 0
    async for chunk in chunks:
        pieces.append(chunk)
        waiting += len(chunk)
        total += len(chunk)
        if total > MOST_BYTES:
            raise BodyTooLarge(TOO_LARGE)
        if waiting >= _WRITE_BYTES:
            await _on_disk(writer.write, b"".join(pieces))
            pieces, waiting = [], 0
    await _on_disk(writer.write, b"".join(pieces))


async def _on_disk(do: Callable[[*Ts], T], *args: *Ts) -> T:
    """Do a step in a thread. Whoever is cancelled meanwhile goes on when it has ended, to clean up what it left."""
    step = asyncio.ensure_future(asyncio.to_thread(do, *args))
    try:
        return await asyncio.shield(step)
    except asyncio.CancelledError:
        await asyncio.wait([step])
        raise
    except OSError as error:
        raise Unavailable from error


def _keep(part: Path, whole: Path) -> None:
    part.rename(whole)
    folder = os.open(whole.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class _Writer:
    """A file that is being written, in plain form."""

    _file: BinaryIO

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_open = False
        self._plain = Plain()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._is_open:
            self._file.close()

    def open(self) -> None:
        """Begin the file, which must not be there."""
        self._file = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._is_open = True

    def write(self, data: bytes) -> None:
        """Write on."""
        self._file.write(self._plain.take(data))

    def finish(self) -> int:
        """Write what is left, see that the disk has it, and return the size."""
        self._file.write(self._plain.finish())
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()


class Plain:
    """Makes of the bytes of a file, piece by piece, those that rows are read from: no mark, and UTF-16 as UTF-8."""

    def __init__(self) -> None:
        self._head: bytes | None = b""
        self._decoder: codecs.IncrementalDecoder | None = None

    def take(self, data: bytes) -> bytes:
        """Return what can be said so far."""
        if self._head is not None:
            self._head += data
            if len(self._head) < 4:
                return b""
            data, self._head = self._begin(self._head), None
        return self._decode(data)

    def finish(self) -> bytes:
        """Return what is left."""
        left = self._decode(self._begin(self._head)) if self._head is not None else b""
        if self._decoder is not None:
            try:
                self._decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                left += _HALF_A_CHARACTER.encode(errors="surrogatepass")
        return left

    def _decode(self, data: bytes) -> bytes:
        return data if self._decoder is None else self._decoder.decode(data).encode(errors="surrogatepass")

    def _begin(self, head: bytes) -> bytes:
        """Take the byte order mark away and note the encoding, if it is one that does not agree with ASCII."""
        if head.startswith(codecs.BOM_UTF8):
            return head[len(codecs.BOM_UTF8) :]
        encoding = _utf16(head)
        if encoding is None:
            return head
        # Halves of pairs pass, so that the row that has one can be rejected with its number.
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
        return head.removeprefix(codecs.BOM_UTF16_LE if encoding == "utf-16-le" else codecs.BOM_UTF16_BE)


def _utf16(head: bytes) -> str | None:
    """Tell UTF-16 by its mark, or by the zero in each of the first two characters, which a header has in ASCII."""
    if head.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    zeros = [byte == 0 for byte in head[:4]]
    if zeros == [False, True, False, True]:
        return "utf-16-le"
    return "utf-16-be" if zeros == [True, False, True, False] else None
