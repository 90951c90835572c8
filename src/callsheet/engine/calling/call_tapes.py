"""Tape calls: both sides of a whole call, where its campaign says so, or a part of it, when somebody asks for that.

A recording never holds a call up, and what goes wrong with it ends no call: it goes on, and its record says that the
recording failed. What is asked of calls stands with their records, so that it does not matter which node is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Final

import structlog

from callsheet import meters
from callsheet.clock import Clock
from callsheet.core.errors import Unavailable
from callsheet.core.ids import AttemptKey
from callsheet.core.outcome import Outcome
from callsheet.core.recording import Recorded
from callsheet.engine.calling.call_records import CallRecords
from callsheet.engine.calling.live_call import LiveCall
from callsheet.engine.calling.recordings import RecordingKeeper
from callsheet.engine.loop import Loop
from callsheet.store.recordings import Purpose, new_recording_id
from callsheet.store.store import Store
from callsheet.voice.base import CallGone, Recording

log = structlog.get_logger()

LOOK_SECONDS: Final = 1.0
IDLE_SECONDS: Final = 3600.0
"""While nobody talks there is nothing to look for."""
RETRY_SECONDS: Final = 2.0
KEEP_TRIES: Final = 30
"""So often it is tried to keep a recording while the store is away."""
LAST_TRIES: Final = 3
"""How often when the process is to stop."""
DRAIN_SECONDS: Final = 20.0
"""So long it is waited then for what a node has to bring, and the store to keep."""
MOST_KEPT_AT_ONCE: Final = 2
"""Each is read, sealed and written whole."""


@dataclass(slots=True, eq=False)
class _Taped:
    """A call that was answered."""

    live: LiveCall
    is_new: bool = False
    """It was taken over, and nobody has looked yet what was asked of it before."""
    purpose: Purpose = Purpose.campaign
    """Why it is recorded now."""
    is_touched: bool = False
    """It is, or was, to be recorded."""
    is_on: bool = False
    has_failed: bool = False
    """Something of it was not recorded."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Begin and end are done in their order."""


class CallTapes(Loop):
    """Records the calls of this node, and lets their records be written when that is done."""

    def __init__(self, store: Store, clock: Clock, records: CallRecords) -> None:
        super().__init__()
        self._wishes = store.recording_wishes
        self._keeper = RecordingKeeper(store)
        self._clock = clock
        self._records = records
        self._taped: dict[AttemptKey, _Taped] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_draining = False
        self._keeping = asyncio.Semaphore(MOST_KEPT_AT_ONCE)

    def answered(self, live: LiveCall) -> None:
        """Take a call that was answered, or that was when it was found: somebody may have ended its recording since."""
        self._records.dialed(live)
        taped = self._taped[live.key] = _Taped(live, is_new=live.is_taken_over)
        if _campaign_records(live) and not taped.is_new:
            self._begin_soon(taped)
        self.wake()

    def ended(self, live: LiveCall, outcome: Outcome) -> None:
        """Take a call that is over."""
        taped = self._taped.pop(live.key, None)
        if taped is None or not taped.is_touched:
            self._records.ended(live, outcome)
        else:
            self._do(self._finish(taped, outcome))

    async def run(self) -> None:
        """See to what is asked for, until `stop`."""
        while not self._stopping:
            self._wake.clear()
            try:
                await self.look()
            except Unavailable:
                log.warning("call_tapes.store_away")
            await self._rest(LOOK_SECONDS if self._taped else IDLE_SECONDS)

    async def look(self) -> None:
        """Begin and end recordings as somebody asked for."""
        if not self._taped:
            return
        wishes = await self._wishes.of_node(self._records.node_no)
        for key, taped in list(self._taped.items()):
            self._see_to(taped, wishes.get(key))

    def _see_to(self, taped: _Taped, asked: bool | None) -> None:
        """Begin or end a recording as somebody asked for; None: nobody did."""
        is_new, taped.is_new = taped.is_new, False
        wanted = asked if asked is not None else taped.is_on or (is_new and _campaign_records(taped.live))
        if is_new and wanted:
            # What was recorded before is gone with the process that did.
            self._fail(taped)
        if wanted == taped.is_on or taped.turn.locked():
            return
        if not wanted:
            self._do(self._end(taped))
            return
        if asked:
            taped.purpose = Purpose.request
        self._begin_soon(taped)

    async def drain(self) -> None:
        """Return when nothing is left to be kept; what cannot be kept soon is not, and its record says so."""
        self._is_draining = True
        deadline = self._clock.monotonic() + DRAIN_SECONDS
        while self._tasks and (left := deadline - self._clock.monotonic()) > 0:
            pause = asyncio.create_task(self._clock.sleep(left))
            await asyncio.wait({pause, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
            pause.cancel()
        left_over = list(self._tasks)
        for task in left_over:
            task.cancel()
        await asyncio.gather(*left_over, return_exceptions=True)

    def _begin_soon(self, taped: _Taped) -> None:
        taped.is_touched = True
        self._do(self._begin(taped))

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="tape call")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _begin(self, taped: _Taped) -> None:
        live = taped.live
        async with taped.turn:
            if taped.is_on or live.end is not None:
                return
            try:
                taped.is_on = await live.call.record(both_sides=True)
            except CallGone:
                return
            except Exception:
                log.exception("call.recording_broke")
            if taped.is_on:
                self._stand(taped, Recorded.on, "recording")
            else:
                self._fail(taped)
            if live.end is None:
                self._records.dialed(live)

    async def _end(self, taped: _Taped) -> None:
        async with taped.turn:
            await self._fetch(taped)
            if taped.live.end is None:
                self._records.dialed(taped.live)

    async def _finish(self, taped: _Taped, outcome: Outcome) -> None:
        """Keep what was recorded of a call that is over; its record is whole then."""
        try:
            async with taped.turn:
                await self._fetch(taped)
        finally:
            self._records.ended(taped.live, outcome)

    async def _fetch(self, taped: _Taped) -> None:
        """End a recording, and keep it."""
        if not taped.is_on:
            return
        taped.is_on = False
        recording = kept = None
        try:
            recording = await taped.live.call.stop_recording(both_sides=True)
            if recording is not None:
                kept = await self._keep(taped, recording)
        except asyncio.CancelledError:
            self._fail(taped)
            raise
        except Exception:
            log.exception("call.recording_broke")
        finally:
            if recording is not None:
                await asyncio.to_thread(recording.path.unlink, missing_ok=True)
        is_whole = recording is not None and kept is not None and recording.is_whole
        meters.recordings.labels(Recorded.kept if is_whole else Recorded.failed).inc()
        if not is_whole:
            self._fail(taped)
        if recording is not None and kept is not None:
            how = Recorded.failed if taped.has_failed else Recorded.kept
            self._stand(taped, how, "call_recorded", recording=kept, seconds=recording.seconds)

    async def _keep(self, taped: _Taped, recording: Recording) -> str | None:
        """Return the id of what was kept; None: the store was away for too long."""
        made, at = new_recording_id(), self._clock.now()
        for tried in range(1, KEEP_TRIES + 1):
            try:
                async with self._keeping:
                    await self._keeper.keep(taped.live, made, recording, taped.purpose, at)
                    return made
            except Unavailable:
                log.warning("call_tapes.store_away")
            if self._is_draining and tried >= LAST_TRIES:
                break
            await self._clock.sleep(RETRY_SECONDS)
        return None

    def _fail(self, taped: _Taped) -> None:
        """Say that something of a call was not recorded; once is enough, however often it is tried again."""
        if not taped.has_failed:
            taped.has_failed = True
            log.warning("call.not_recorded", run=taped.live.run.id)
            self._stand(taped, Recorded.failed, "not_recorded")

    def _stand(self, taped: _Taped, how: Recorded, what: str, **facts: str | float) -> None:
        """Note how the recording of a call stands."""
        taped.live.note(self._clock.now(), what, **facts)
        taped.live.recording = how


def _campaign_records(live: LiveCall) -> bool:
    """Tell whether the campaign of a call records its calls."""
    plan = live.run.definition.voice
    return plan is not None and plan.record_calls
