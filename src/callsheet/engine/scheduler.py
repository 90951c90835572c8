"""Schedule: see which runs are active, which doors open when, and complete what has nothing left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog

from callsheet import meters
from callsheet.clock import Clock
from callsheet.core.attempt import Kind
from callsheet.core.errors import Unavailable
from callsheet.core.retrying import waits_for_receipts
from callsheet.core.run import Run, retry_policy
from callsheet.engine.agenda import Agenda, RunState
from callsheet.engine.holds import Holds
from callsheet.store.protocol import Work
from callsheet.store.store import Store

log = structlog.get_logger()

BREATH_SECONDS = 0.05
"""Looks are at least this far apart, however much changes."""

RUNS_AT_ONCE = 500
"""Of so many runs the store is asked at once: others want it too."""


class Scheduler:
    """Keeps the agenda true."""

    def __init__(
        self, store: Store, agenda: Agenda, holds: Holds, clock: Clock, *, node_no: int, tick_seconds: float
    ) -> None:
        self._store = store
        self._agenda = agenda
        self._holds = holds
        self._clock = clock
        self._node_no = node_no
        self._tick_seconds = tick_seconds
        self._stopping = False
        self.on_agenda: Callable[[], None] = lambda: None
        """Called when the agenda is new: dispatchers look for work."""

    def stop(self) -> None:
        """End after the present look."""
        self._stopping = True
        self._agenda.changed.set()

    async def run(self) -> None:
        """Look when something changed, when a door opens, and at every tick."""
        while not self._stopping:
            self._agenda.changed.clear()
            try:
                wait = await self.look()
            except Unavailable:
                log.warning("scheduler.store_away")
                wait = self._tick_seconds
            await self._clock.sleep(BREATH_SECONDS)
            await self._wait(wait)

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._agenda.changed.wait()
        except TimeoutError:
            return

    async def look(self) -> float:
        """Take in the active runs and return how many seconds nothing changes by itself."""
        for dropped in await self._agenda.update(await self._store.runs.active(self._agenda.leave_out)):
            # Whoever resumes the run, perhaps another node, goes on where we stood.
            await self._store.hot.release(self._node_no, dropped)
        meters.active_runs.set(len(self._agenda.states))
        meters.held_intents.set(len(self._holds))
        now = await self._store.hot.now()
        calling_back = await self._store.callbacks.awaited()
        states = list(self._agenda.states.values())
        instants: list[datetime] = []
        for start in range(0, len(states), RUNS_AT_ONCE):
            instants += await self._look_at(states[start : start + RUNS_AT_ONCE], now, calling_back)
        self.on_agenda()
        soonest = min(instants, default=now + timedelta(seconds=self._tick_seconds))
        return min(self._tick_seconds, max(0.0, (soonest - now) / timedelta(seconds=1)))

    async def _look_at(
        self, states: Sequence[RunState], now: datetime, calling_back: Collection[int]
    ) -> Sequence[datetime]:
        """See what is left of runs, complete those of which nothing is, and return when they change by themselves.

        `calling_back`: callbacks wait in these.
        """
        calls_back_at: dict[int, datetime | None] = {}
        for state in states:
            if state.run.no in calling_back:
                with _alone(state.run):
                    calls_back_at[state.run.no] = await self._store.callbacks.queue(state.run, now)
        seen = []
        # Nothing is waited for in between: a dispatcher that goes on meanwhile knows better than what was read before.
        for state, work in await self._work(states):
            with _alone(state.run):
                state.see(work, now)
                seen.append((state, work))
        instants: list[datetime] = []
        for state, work in seen:
            with _alone(state.run):
                instants += await self._conclude(state, work, now, calls_back_at.get(state.run.no))
        return instants

    async def _work(self, states: Sequence[RunState]) -> Sequence[tuple[RunState, Work]]:
        """Ask what is left to do, leaving out runs of which that cannot be said."""
        try:
            return list(zip(states, await self._store.hot.work([state.run for state in states]), strict=True))
        except Unavailable:
            raise
        except Exception:
            if len(states) > 1:
                half = len(states) // 2
                return [*await self._work(states[:half]), *await self._work(states[half:])]
            with _alone(states[0].run):
                raise
            return ()

    async def _conclude(
        self, state: RunState, work: Work, now: datetime, calls_back_at: datetime | None
    ) -> Sequence[datetime]:
        """Complete a run of which nothing is left, and return when it changes by itself."""
        is_idle = not work.groups and not work.due and state.chunk is None and calls_back_at is None
        state.idle_since = (state.idle_since or now) if is_idle else None
        waits_until = await self._waits_until(state, now)
        is_done = is_idle and waits_until is None and not work.in_flight
        if is_done and await self._store.hot.complete(state.run):
            log.info("run.completed", run=state.run.id, campaign=state.run.campaign_id)
            self._agenda.forget(state.run.no)
            return []
        instants = [at for at in (*state.due.values(), calls_back_at, waits_until) if at is not None and at > now]
        return instants if state.look_again_at is None else [*instants, state.look_again_at]

    async def _waits_until(self, state: RunState, now: datetime) -> datetime | None:
        """Return until when an idle run waits for receipts that may send somebody round again."""
        policy = retry_policy(state.run.definition, state.run.settings)
        if state.idle_since is None or policy.max_attempts == 1:
            return None
        counters = await self._store.reports.counters(state.run.app, state.run.no)
        return waits_for_receipts(policy, counters.get(Kind.accepted, 0), state.idle_since, now)


@contextmanager
def _alone(run: Run) -> Iterator[None]:
    """Let one run that cannot be judged not stand in the way of the others."""
    try:
        yield
    except Unavailable:
        raise
    except Exception:
        log.exception("run.unclear", run=run.id, campaign=run.campaign_id)
