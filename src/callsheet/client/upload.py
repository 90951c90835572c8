"""A file on its way to the server, in constant memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

CHUNK_BYTES = 256 * 1024
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_KINDS = {"csv": "text/csv", "xlsx": XLSX, "wav": "audio/wav", "mp3": "audio/mpeg", "ogg": "audio/ogg"}
"""By the ending of a name."""


@runtime_checkable
class Readable(Protocol):
    """A file that is open for reading, or anything like it."""

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes; none at the end."""


Source: TypeAlias = bytes | Path | Readable | Iterable[bytes] | AsyncIterable[bytes]
"""Where a file's content comes from. Anything but bytes and paths can be read once only, so it is not sent again."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is sent as the body of a call."""

    source: Source
    filename: str
    otherwise: str = "text/csv"
    """What it is where its name does not tell."""

    @property
    def content_type(self) -> str:
        """Say what it is, as far as its name tells."""
        ending = self.filename.lower().rpartition(".")[2]
        return _KINDS.get(ending, self.otherwise)

    @property
    def is_repeatable(self) -> bool:
        """Tell whether it can be sent a second time."""
        return isinstance(self.source, bytes | Path)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the content, from the beginning."""
        source = self.source
        match source:
            case bytes():
                yield source
            case Path():
                with await asyncio.to_thread(source.open, "rb") as file:
                    async for chunk in _read(file):
                        yield chunk
            case Readable():
                async for chunk in _read(source):
                    yield chunk
            case AsyncIterable():
                async for chunk in source:
                    yield chunk
            case _:
                for chunk in source:
                    yield chunk


async def _read(file: Readable) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
        yield chunk
