"""The files of a node elsewhere: it fetches sounds from us, brings recordings, and says what its call records say."""

from __future__ import annotations

import asyncio
import errno
from collections import Counter
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from callsheet.clock import Clock
from callsheet.voice.asterisk.records import Record
from callsheet.voice.asterisk.remote.helm import Helm
from callsheet.voice.asterisk.remote.words import Bring, Done, Drop, RecordsOf, Said, Shelve, records_of
from callsheet.voice.asterisk.shelf import KEPT_SECONDS, SOUNDS
from callsheet.voice.base import Sound

_FRESH_SECONDS: Final = KEPT_SECONDS / 6
"""So long a sound is surely there; after that the node is asked again, and keeps it longer."""
_MOST_KNOWN: Final = 5000
_AWAY_SECONDS: Final = 30.0
"""So long a recording waits for a node that is away: as long as its calls are waited for."""
_BRING_SECONDS: Final = 300.0
_RECORDS_SECONDS: Final = 5.0


class RemoteFiles:
    """Those of one node."""

    def __init__(self, helm: Helm, recordings: Path, clock: Clock) -> None:
        """Keep where recordings come to."""
        self._helm = helm
        self._recordings = recordings
        self._clock = clock
        self._there: dict[str, float] = {}
        """Sounds that it has, and since when we know that."""
        self._visit = 0
        self._offered: dict[str, Path] = {}
        self._asking: Counter[str] = Counter()
        self._expected: set[str] = set()
        self._staying: set[str] = set()

    def offered(self, sound: str) -> Path | None:
        """Return a sound that it may fetch now."""
        return self._offered.get(sound)

    def expected(self, recording: str) -> Path | None:
        """Return where a recording goes that it is asked to bring; None: it was not asked."""
        return self._recordings / f"{recording}.wav" if recording in self._expected else None

    async def shelve(self, sound: Sound) -> str:
        """Let it fetch a sound, once; return its name there. Raises OSError."""
        if self._visit != self._helm.visits:
            self._visit = self._helm.visits
            self._there.clear()
        name, now = f"sound:{SOUNDS}/{sound.id}", self._clock.monotonic()
        if now - self._there.get(sound.id, -_FRESH_SECONDS) < _FRESH_SECONDS:
            return name
        self._offered[sound.id] = sound.path
        self._asking[sound.id] += 1
        try:
            answer = await self._helm.ask(partial(Shelve, sound=sound.id))
        finally:
            self._asking[sound.id] -= 1
            if not self._asking[sound.id]:
                del self._asking[sound.id], self._offered[sound.id]
        if not (isinstance(answer, Done) and answer.is_done):
            raise OSError(errno.EIO, "the voice node did not fetch the sound")
        if len(self._there) >= _MOST_KNOWN:
            self._there.clear()
        self._there[sound.id] = now
        return name

    async def take_recording(self, name: str) -> Path | None:
        """Let it bring a recording that is whole; one that nobody takes stays with the node."""
        self._expected.add(name)
        try:
            answer = await self._bring(name)
        finally:
            self._expected.discard(name)
        if isinstance(answer, Done) and answer.is_done:
            return self._recordings / f"{name}.wav"
        self._staying.add(name)
        return None

    async def _bring(self, name: str) -> Done | Said | None:
        """Return whether it was brought; where the connection ends meanwhile, it is asked for again."""
        deadline = self._clock.monotonic() + _AWAY_SECONDS
        while (left := deadline - self._clock.monotonic()) > 0:
            word = partial(Bring, recording=name)
            answer = await self._helm.ask(word, seconds=_BRING_SECONDS, away_seconds=left)
            if answer is not None:
                return answer
        return None

    async def drop_recording(self, name: str) -> None:
        """Delete a recording that nobody wants, here and there; one that could not be brought is left to the node."""
        await asyncio.to_thread((self._recordings / f"{name}.wav").unlink, missing_ok=True)
        if name in self._staying:
            self._staying.discard(name)
            return
        await self._helm.ask(partial(Drop, recording=name))

    async def find_records(self, ids: Collection[str]) -> Mapping[str, Record]:
        """Return what its call records say of calls."""
        answer = await self._helm.ask(partial(RecordsOf, ids=list(ids)), seconds=_RECORDS_SECONDS)
        return records_of(answer) if isinstance(answer, Said) else {}
