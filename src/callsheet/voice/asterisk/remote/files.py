"""The files of a node elsewhere: it fetches sounds from us, brings recordings, and says what its call records say."""

from __future__ import annotations

import asyncio
import errno
from collections import Counter, deque
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from callsheet.clock import Clock
from callsheet.voice.asterisk.records import Record
from callsheet.voice.asterisk.remote.helm import Helm
from callsheet.voice.asterisk.remote.words import Bring, Done, RecordsOf, Said, Shelve, records_of
from callsheet.voice.asterisk.shelf import KEPT_SECONDS, SOUNDS
from callsheet.voice.base import Sound

_FRESH_SECONDS: Final = KEPT_SECONDS / 6
"""So long a sound is surely there; after that the node is asked again, and keeps it longer."""
_MOST_KNOWN: Final = 5000
_AWAY_SECONDS: Final = 30.0
"""So long a recording waits for a node that is away, each time: as long as its calls are waited for."""
BRING_SECONDS: Final = 300.0
"""So long it may take until a recording is here, however often the connection ends meanwhile."""
_MOST_BROUGHT: Final = 1000
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
        self._expected: dict[str, asyncio.Future[None]] = {}
        """Recordings that are asked for: each is done when it is here."""
        self._brought: deque[str] = deque(maxlen=_MOST_BROUGHT)

    def offered(self, sound: str) -> Path | None:
        """Return a sound that it may fetch now."""
        return self._offered.get(sound)

    def is_expected(self, recording: str) -> bool:
        """Tell whether it is asked to bring a recording now."""
        return recording in self._expected

    def was_brought(self, recording: str) -> bool:
        """Tell whether a recording is here already: the node that brings it again did not hear so."""
        return recording in self._brought

    async def keep(self, recording: str, partial_file: Path) -> bool:
        """Take a recording that is whole; False: nobody waits for it any more, so it stays with the node.

        Raises OSError.
        """
        arrival = self._expected.pop(recording, None)
        if arrival is None:
            return recording in self._brought
        try:
            await asyncio.to_thread(partial_file.replace, self._path(recording))
            self._brought.append(recording)
        finally:
            arrival.set_result(None)
        return True

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
        """Let it bring a recording that is whole; one that nobody takes stays with the node.

        It is here when it has been brought, whatever the node can still tell of that.
        """
        arrival = self._expected[name] = asyncio.get_running_loop().create_future()
        asking = asyncio.create_task(self._ask_for(name))
        try:
            await asyncio.wait({arrival, asking}, timeout=BRING_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asking.cancel()
            if self._expected.pop(name, None) is None:
                # It is being put in its place.
                await arrival
        return self._path(name) if name in self._brought else None

    async def _ask_for(self, name: str) -> None:
        """Ask for a recording, until there is an answer: where the connection ends meanwhile, it is asked for again."""
        while await self._helm.comes(_AWAY_SECONDS):
            if await self._helm.ask(partial(Bring, recording=name), seconds=BRING_SECONDS) is not None:
                return

    def _path(self, recording: str) -> Path:
        return self._recordings / f"{recording}.wav"

    async def find_records(self, ids: Collection[str]) -> Mapping[str, Record]:
        """Return what its call records say of calls."""
        answer = await self._helm.ask(partial(RecordsOf, ids=list(ids)), seconds=_RECORDS_SECONDS)
        return records_of(answer) if isinstance(answer, Said) else {}
