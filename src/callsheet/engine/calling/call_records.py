"""Call records: what became of each call, written down in batches, and kept here until the store has it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from callsheet import meters
from callsheet.clock import Clock
from callsheet.core.attempt import Happening, Kind
from callsheet.core.calling import happening_of, outcome_of_left
from callsheet.core.campaign import MachineDetection
from callsheet.core.clearing import meaning_of
from callsheet.core.errors import Unavailable
from callsheet.core.ids import AttemptKey
from callsheet.core.outcome import Outcome
from callsheet.engine.calling.awaiting_beep import BEEP, GREETING_OVER
from callsheet.engine.calling.live_call import ANSWERED, ANSWERED_LATE, LiveCall
from callsheet.engine.loop import Loop
from callsheet.engine.recorder import Recorder
from callsheet.store.calls import CallRow, Noted
from callsheet.store.store import Store
from callsheet.voice.base import HungUp, Lost

log = structlog.get_logger()

FULL: Final = 200
"""So many are written in one transaction: each has its timeline."""
MOST_KEPT: Final = 20_000
"""While the store is away so many are kept here; of more the oldest are dropped, and said to be: first those of
calls that go on."""
LEASE_SECONDS: Final = 60.0
"""So long after this node was last heard of, another one may close its calls."""
TICK_SECONDS: Final = LEASE_SECONDS / 3
ALONE_SECONDS: Final = 3600.0
"""Where no other node works on the store nobody's calls are to be closed, once those of an earlier process are: then
recordings that are too old are all that is looked for."""
FIND_SECONDS: Final = 20.0
"""So long the calls that an earlier process placed may take to be found again; then nobody leads them."""
RETRY_SECONDS: Final = 1.0
LAST_TRIES: Final = 3
"""How often a batch is tried when the process is to stop."""
MOST_CLOSED: Final = 200
MOST_SWEPT: Final = 50
"""So many recordings are deleted at once: each is large."""
ORPHANED: Final = timedelta(minutes=5)
"""A conversation that is older, and of whose call nothing was written down, is led by nobody."""

_BEGAN: Final = "dialed"
_RANG: Final = frozenset({"ringing", "early_media"})
_ANSWERED: Final = frozenset({ANSWERED, ANSWERED_LATE})
_DETECTED: Final = "detected"


class CallRecords(Loop):
    """Writes down the calls of this node, and closes those of nodes that died."""

    def __init__(
        self, store: Store, recorder: Recorder, clock: Clock, *, node_no: int = 0, sole_owner: bool = False
    ) -> None:
        """`sole_owner`: there is no other node, and what others led nobody leads any more."""
        super().__init__()
        self._sole_owner = sole_owner
        self._store = store
        self._recorder = recorder
        self._clock = clock
        self._kept: dict[AttemptKey, CallRow] = {}
        """What the store does not have yet, by attempt: the latest of each, the oldest first."""
        self._orphans_at: float | None = 0.0
        """When conversations without a call are looked for, on the monotonic clock; None: no more."""
        self.node_no = node_no
        self.on_over: Callable[[], None] = lambda: None
        """Called when it was written down that calls are over: a run may have nothing left."""

    def dialed(self, live: LiveCall) -> None:
        """Take a call that was placed, or found again."""
        self._keep(_row(live, self._clock.now()))

    def ended(self, live: LiveCall, outcome: Outcome) -> None:
        """Take a call that is over."""
        now = self._clock.now()
        self._keep(_closed(_row(live, now), live, outcome, now))

    def _keep(self, row: CallRow) -> None:
        self._kept.pop(row.key, None)
        self._kept[row.key] = row
        if len(self._kept) > MOST_KEPT:
            # One that goes on is written again when it is over; of one that is over nobody would ever know.
            oldest = next(iter(self._kept))
            del self._kept[next((key for key, kept in self._kept.items() if kept.ended_at is None), oldest)]
            _say_dropped()
        self.wake()

    async def run(self) -> None:
        """Write until `stop`, and then what is left."""
        next_look = self._clock.monotonic() + FIND_SECONDS
        while not self._stopping:
            self._wake.clear()
            try:
                await self._write_some()
                if self._clock.monotonic() >= next_look:
                    await self.look()
                    is_done = self._sole_owner and self._orphans_at is None
                    next_look = self._clock.monotonic() + (ALONE_SECONDS if is_done else TICK_SECONDS)
                if not self._kept:
                    await self._rest(max(0.0, next_look - self._clock.monotonic()))
            except Unavailable:
                log.warning("calls.store_away", waiting=len(self._kept))
                await self._clock.sleep(RETRY_SECONDS)
        await self._finish()

    async def _flush(self) -> None:
        """Write what is kept; what changes meanwhile is written again."""
        while self._kept:
            await self._write_some()

    async def _write_some(self) -> None:
        """Write the oldest of what is kept; no more, for under load there is always more, and leases wait for us.

        That a call is over is written when it is durable what came of it: until then it holds its run, and whoever was
        called.
        """
        taken = list(itertools.islice(self._kept.values(), FULL))
        over = [row for row in taken if row.ended_at is not None]
        await self._write([row for row in taken if row.ended_at is None])
        if over:
            await self._recorder.settled()
            await self._write(over)
            self.on_over()

    async def _write(self, rows: Sequence[CallRow]) -> None:
        """Write rows; one that cannot be written is written without what it tells, and holds up no other."""
        if not rows:
            return
        now = await self._store.hot.now()
        try:
            await self._store.calls.write(rows, self.node_no, now + timedelta(seconds=LEASE_SECONDS))
        except Unavailable:
            raise
        except Exception:
            log.exception("calls.record_broke", count=len(rows))
            await self._write_singly(rows)
        for row in rows:
            if self._kept.get(row.key) is row:
                del self._kept[row.key]

    async def _write_singly(self, rows: Sequence[CallRow]) -> None:
        if len(rows) > 1:
            for row in rows:
                await self._write([row])
        elif rows[0].timeline or rows[0].detection:
            await self._write([replace(rows[0], timeline=(), detection={})])
        else:
            _say_dropped()

    async def look(self) -> None:
        """Say that this node leads its calls still, close what nobody leads, and delete recordings that are too old."""
        now = await self._store.hot.now()
        await self._store.calls.renew(self.node_no, now + timedelta(seconds=LEASE_SECONDS))
        await self._close_left(now)
        while await self._store.recordings.sweep(now, MOST_SWEPT):
            continue
        if self._orphans_at is not None and self._clock.monotonic() >= self._orphans_at:
            await self._store.calls.end_orphans(now - ORPHANED, now)
            # Those that were opened just before the process before this one died are too young at first.
            is_first, later = not self._orphans_at, self._clock.monotonic() + ORPHANED / timedelta(seconds=1)
            self._orphans_at = later if is_first else None

    async def _close_left(self, now: datetime) -> None:
        """Say what came of calls that nobody leads any more, as far as anybody can know, and close them."""
        until = now + timedelta(seconds=LEASE_SECONDS) if self._sole_owner else now
        while left := await self._store.calls.left(until, self.node_no, MOST_CLOSED):
            for one in left:
                outcome = outcome_of_left(one.state)
                if outcome is not None:
                    self._recorder.note(Happening(*one.key, *_said_of(outcome, now)))
            await self._recorder.settled()
            closed = await self._store.calls.close_left(left, until, self.node_no, now)
            if not closed:
                return  # another node closes them just now
            log.warning("calls.closed", count=closed)
            self.on_over()

    async def _finish(self) -> None:
        """Write what is left, unless the store stays away: the attempts say then what came of those calls."""
        for _ in range(LAST_TRIES):
            try:
                await self._flush()
            except Unavailable:
                await self._clock.sleep(RETRY_SECONDS)
            else:
                return
        log.error("calls.gave_up", count=len(self._kept))


def _say_dropped() -> None:
    meters.dropped_call_records.inc()
    log.error("calls.record_dropped")


def _said_of(outcome: Outcome, now: datetime) -> tuple[Kind, datetime, str]:
    kind, code = happening_of(outcome, MachineDetection.no)
    return kind, now, code


def _row(live: LiveCall, now: datetime) -> CallRow:
    """Return how a call stands."""
    noted = live.timeline
    run = live.run
    return CallRow(
        run.app,
        live.key,
        live.trunk_no,
        live.call.node,
        _first(noted, {_BEGAN}) or now,
        _first(noted, _RANG),
        _first(noted, _ANSWERED),
        timeline=tuple(noted),
        session_no=live.session_no,
        recording=live.recording,
    )


def _closed(row: CallRow, live: LiveCall, outcome: Outcome, now: datetime) -> CallRow:
    """Return how a call ended."""
    end = live.end
    found = next((facts for _, what, facts in live.timeline if what == _DETECTED), {})
    return replace(
        row,
        ended_at=end.at if end is not None else now,
        cause=end.cause if isinstance(end, HungUp) else 0,
        sip_status=end.sip_status if isinstance(end, HungUp) else 0,
        outcome=outcome.value,
        ended_by=_ended_by(row, end),
        detection={**found, **{what: 1 for _, what, _ in live.timeline if what in (BEEP, GREETING_OVER)}},
    )


def _ended_by(row: CallRow, end: HungUp | Lost | None) -> str:
    """Return who ended a call: `us`, `them` or `network`; empty where nobody knows.

    One that nobody answered was ended by the network, as far as we did not: whose phone was busy did nothing.
    """
    match end:
        case HungUp(by_us=True):
            return "us"
        case HungUp(cause=cause):
            is_broken = meaning_of(cause, 0).outcome is Outcome.trunk_failed
            return "network" if row.answered_at is None or is_broken else "them"
        case Lost():
            return "network"
        case None:
            return ""


def _first(noted: Sequence[Noted], words: Iterable[str]) -> datetime | None:
    """Return when the first of these happened."""
    wanted = set(words)
    return next((at for at, what, _ in noted if what in wanted), None)
