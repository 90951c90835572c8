"""Adopt: go on with the calls that an earlier process placed, and that live on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from callsheet.clock import Clock
from callsheet.core.calling import Dial
from callsheet.core.campaign import MachineDetection
from callsheet.core.errors import Unavailable
from callsheet.core.ids import AttemptKey, decode_attempt
from callsheet.core.run import Run, Sender
from callsheet.engine.calling.call_events import CallEvents
from callsheet.engine.calling.leader import GRACE_SECONDS, Leader
from callsheet.engine.calling.leading import end
from callsheet.engine.calling.live_call import LiveCall
from callsheet.engine.calling.patience import Patience
from callsheet.engine.calling.slots import AGENTLESS, Limit, Slots
from callsheet.store.ringing import Ringing, Told
from callsheet.voice.base import Found, Hear

log = structlog.get_logger()

RunOf = Callable[[int], Awaitable[Run | None]]
"""Returns a run by its number."""
Known = tuple[Run | None, Told | None]


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
        task = asyncio.get_running_loop().create_task(self._adopt(key, found, events), name="adopt call")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return events.put_nowait

    async def _adopt(self, key: AttemptKey, found: Found, events: CallEvents) -> None:
        asking = asyncio.get_running_loop().create_task(self._ask(key, found))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        run, told = await asking
        if run is None or told is None:
            log.warning("call.unknown")
            await end(found.call)
            return
        log.info("call.adopted", run=run.id, is_answered=found.is_answered)
        sender = run.sender_of(told.sender_no)
        live = LiveCall(key, run, found.call, sender.trunk_no, events)
        if found.is_answered:
            # What was recorded of it is not by the same clock, nor of the answer itself.
            live.answered_from = found.answered_at or found.placed_at
        found = found._replace(answered_at=found.answered_at or told.answered_at)
        limits = Limit(run.app, AGENTLESS, 0), Limit(run.app, sender.trunk_id, 0)
        self._slots.occupy(limits)
        try:
            await self._leader.adopt(live, _dial(run, sender, found), found, told.codes)
        finally:
            self._slots.give_back(limits)
            self._slots.on_free()

    async def _ask(self, key: AttemptKey, found: Found) -> Known:
        """Return the run of an attempt, and what was told of it; a phone rings on while the store is away.

        Nobody who has answered holds the line for long: who cannot be known by then is nobody's.
        """
        while True:
            try:
                return await self._patience.ask(partial(self._known, key))
            except Unavailable:
                if found.is_answered:
                    return None, None

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


def _dial(run: Run, sender: Sender, found: Found) -> Dial:
    """Return how it was dialed, as far as that is asked for any more."""
    plan, definition = run.definition.voice, run.definition
    detection = plan.machine_detection if plan is not None else MachineDetection.no
    ring_seconds, label, longest = definition.ring_seconds, sender.label, run.settings.longest_call_seconds
    return Dial(found.call.id, "", label, ring_seconds, detection, run.campaign_id, longest)
