"""Adopt: go on with the calls that an earlier process placed, and that live on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import structlog

from callsheet.clock import Clock
from callsheet.core.attempt import Kind
from callsheet.core.calling import Dial, Outcome, result_of
from callsheet.core.campaign import MachineDetection
from callsheet.core.errors import Unavailable
from callsheet.core.ids import AttemptKey, decode_attempt
from callsheet.core.run import Run, Sender
from callsheet.engine.calling.call_events import CallEvents
from callsheet.engine.calling.leader import GRACE_SECONDS, Leader
from callsheet.engine.calling.leading import end
from callsheet.engine.calling.live_call import LiveCall
from callsheet.engine.calling.patience import MOST_AWAY_SECONDS, RETRY_SECONDS, Patience
from callsheet.engine.calling.slots import AGENTLESS, Limit, Slots
from callsheet.store.ringing import Ringing, Told
from callsheet.voice.base import Found, Hear

log = structlog.get_logger()

RunOf = Callable[[int], Awaitable[Run | None]]
"""Returns a run by its number."""
Known = tuple[Run | None, Told | None]


class _Taken(NamedTuple):
    """A call that was taken up, and counted."""

    live: LiveCall
    dial: Dial
    found: Found
    told: Mapping[str, str]
    """What came of it so far, code by kind."""
    limits: tuple[Limit, ...]


class Adoption:
    """Takes up the calls of one engine that nobody here has placed."""

    def __init__(self, leader: Leader, slots: Slots, store: Ringing, run_of: RunOf, clock: Clock) -> None:
        self._leader = leader
        self._slots = slots
        self._store = store
        self._run_of = run_of
        self._clock = clock
        self._patience = Patience(clock)
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: set[asyncio.Task[Known]] = set()
        self._is_stopping = False

    def found(self, found: Found) -> Hear | None:
        """Say who hears a call from now on; None: it is none of ours, or we stop, and it is hung up."""
        key = decode_attempt(found.call.id)
        if key is None or self._is_stopping:
            return None
        events = CallEvents()
        # Whoever looks for a free slot next must not find one that this call has.
        self._slots.begin_counting()
        task = asyncio.get_running_loop().create_task(self._adopt(key, found, events), name="adopt call")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return events.put_nowait

    async def _adopt(self, key: AttemptKey, found: Found, events: CallEvents) -> None:
        try:
            try:
                taken = await self._take_up(key, found, events)
            finally:
                self._slots.end_counting()
            if taken is not None:
                await self._lead(*taken)
        except Exception:
            # Nobody leads it: it must hold no place, and whoever answers hears nothing.
            log.exception("call.broke")
            await end(found.call)

    async def _take_up(self, key: AttemptKey, found: Found, events: CallEvents) -> _Taken | None:
        """Find out whose call it is, and count it; None: nobody's, and it is hung up."""
        run, told = await self._learn(key, found, events)
        if run is None or told is None:
            log.warning("call.unknown")
            await end(found.call)
            return None
        log.info("call.adopted", run=run.id, is_answered=found.is_answered)
        sender = run.sender_of(told.sender_no)
        live = LiveCall(key, run, found.call, sender.trunk_no, events)
        if found.is_answered:
            # What was recorded of it is not by the same clock, nor of the answer itself.
            live.answered_from = found.answered_at or found.placed_at
        found = found._replace(answered_at=found.answered_at or told.answered_at)
        limits = Limit(run.app, AGENTLESS, 0), Limit(run.app, sender.trunk_id, 0)
        self._slots.occupy(limits)
        return _Taken(live, _dial(run, sender, found), found, told.codes, limits)

    async def _lead(
        self, live: LiveCall, dial: Dial, found: Found, told: Mapping[str, str], limits: tuple[Limit, ...]
    ) -> None:
        try:
            await self._leader.adopt(live, dial, found, told)
        finally:
            self._slots.give_back(limits)
            self._slots.on_free()

    async def _learn(self, key: AttemptKey, found: Found, events: CallEvents) -> Known:
        """Return the run of a call, and what was told of it, however long the store is away.

        A phone rings on meanwhile. Nobody who has answered holds the line for long: they are hung up on, and what came
        of the call is recorded when the store is back.
        """
        loop = asyncio.get_running_loop()
        asking, holding = loop.create_task(self._ask(key)), loop.create_task(_hold(found, events))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        try:
            await asyncio.wait({asking, holding}, return_when=asyncio.FIRST_COMPLETED)
            was_kept = not asking.done()
            if was_kept and not events.over.is_set():
                log.warning("call.held_in_vain")
                await end(found.call)
            run, told = await asking
        finally:
            holding.cancel()
        was_answered = found.is_answered or events.answered.is_set()
        if told is not None and was_answered and (was_kept or events.over.is_set()) and result_of(told.codes) is None:
            told = told._replace(codes={**told.codes, Kind.delivered: Outcome.lost})
        return run, told

    async def _ask(self, key: AttemptKey) -> Known:
        while True:
            with suppress(Unavailable):
                return await self._patience.ask(partial(self._known, key))
            await self._clock.sleep(RETRY_SECONDS)

    async def _known(self, key: AttemptKey) -> Known:
        run = await self._run_of(key.run_no)
        return run, await self._store.told(run.app, key) if run is not None else None

    async def drain(self, grace_seconds: float) -> None:
        """Let no call go on, as the leader does; those that are being taken up are led to their end with the others."""
        began = self._clock.monotonic()
        await asyncio.gather(self._leader.drain(grace_seconds), self._settle())
        await self._leader.drain(max(0.0, grace_seconds - (self._clock.monotonic() - began)))
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _settle(self) -> None:
        """Take up no more calls, and wait for no store for long: what nobody knows then the engine hangs up."""
        self._is_stopping = True
        if self._asking:
            await asyncio.wait(self._asking, timeout=GRACE_SECONDS)
        for asking in self._asking:
            log.warning("call.not_adopted")
            asking.cancel()


async def _hold(found: Found, events: CallEvents) -> None:
    """Return when whoever answered has held the line for long enough, or has hung up."""
    if not found.is_answered:
        await events.answered.wait()
    with suppress(TimeoutError):
        async with asyncio.timeout(MOST_AWAY_SECONDS):
            await events.over.wait()


def _dial(run: Run, sender: Sender, found: Found) -> Dial:
    """Return how it was dialed, as far as that is asked for any more."""
    plan, definition = run.definition.voice, run.definition
    detection = plan.machine_detection if plan is not None else MachineDetection.no
    ring_seconds, label, longest = definition.ring_seconds, sender.label, run.settings.longest_call_seconds
    return Dial(found.call.id, "", label, ring_seconds, detection, run.campaign_id, longest)
