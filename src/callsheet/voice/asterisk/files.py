"""The files of a node, as who leads its calls sees them: its sounds, its recordings, and its call records.

Where the node is beside us they are files of this machine. Those of a node elsewhere are fetched, and brought.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from callsheet.voice.asterisk.guarded import is_plain
from callsheet.voice.asterisk.records import Record, find_records
from callsheet.voice.asterisk.shelf import shelve
from callsheet.voice.base import Sound


class NodeFiles(Protocol):
    """The files of one node."""

    async def shelve(self, sound: Sound) -> str:
        """Put a sound where the node finds it, once; return its name there. Raises OSError."""

    async def take_recording(self, name: str) -> Path | None:
        """Return a recording that is whole, as a file of this machine; None: the node does not give it.

        Whoever asked moves the file away, or deletes it.
        """

    async def find_records(self, ids: Collection[str]) -> Mapping[str, Record]:
        """Return what the call records say of calls, as far as they say anything."""


TAKEN: Final = "taken"
"""The folder, beside that of recordings, of those that were taken over: only we come there."""


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """Those of a node on this machine."""

    sounds: Path
    """Its `sounds` folder: `astdatadir/sounds`."""
    recordings: Path
    """Where it records to: `astspooldir/recording`."""
    records: Path | None = None
    """Its call detail records (`Master.csv`), where we can read them."""

    async def shelve(self, sound: Sound) -> str:
        """Put a sound where the node finds it, once; return its name there. Raises OSError."""
        return await shelve(self.sounds, sound)

    async def take_recording(self, name: str) -> Path | None:
        """Return a recording that is whole; whoever asked moves it away, or deletes it."""
        return await asyncio.to_thread(_take, self.recordings / f"{name}.wav", self.recordings.parent / TAKEN)

    async def find_records(self, ids: Collection[str]) -> Mapping[str, Record]:
        """Return what the call records say of calls."""
        if self.records is None or not ids:
            return {}
        return await asyncio.to_thread(find_records, self.records, ids)


def _take(recorded: Path, folder: Path) -> Path | None:
    """Move a file to where the node cannot change any more what it is; None: it is no plain file."""
    taken = folder / recorded.name
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        recorded.replace(taken)
        if is_plain(taken.lstat()):
            return taken
        taken.unlink()
    except OSError:
        return None
    return None
