"""Adopt: go on with the calls that an earlier process placed, and that live on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from callsheet.core.calling import Dial
from callsheet.core.campaign import MachineDetection
from callsheet.core.errors import Unavailable
from callsheet.core.ids import AttemptKey, decode_attempt
from callsheet.core.run import Run, Sender
from callsheet.engine.calling.call_events import CallEvents
from callsheet.engine.calling.leader import Leader
from callsheet.engine.calling.leading import end
from callsheet.engine.calling.live_call import LiveCall
from callsheet.engine.calling.slots import AGENTLESS, Limit, Slots
from callsheet.store.ringing import Ringing, Told
from callsheet.voice.base import Found, Hear

log = structlog.get_logger()

AWAY_SECONDS: Final = 1.0
RunOf = Callable[[int], Awaitable[Run | None]]
"""Returns a run by its number."""
Sleep = Callable[[float], Awaitable[None]]


class Adoption:
    """Takes up the calls of one engine that nobody here has placed."""

    def __init__(self, leader: Leader, slots: Slots, store: Ringing, run_of: RunOf, sleep: Sleep) -> None:
        self._leader = leader
        self._slots = slots
        self._store = store
        self._run_of = run_of
        self._sleep = sleep
        self._tasks: set[asyncio.Task[None]] = set()

    def found(self, found: Found) -> Hear | None:
        """Say who hears a call from now on; None: it is none of ours."""
        key = decode_attempt(found.call.id)
        if key is None:
            return None
        events = CallEvents()
        task = asyncio.get_running_loop().create_task(self._adopt(key, found, events), name="adopt call")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return events.put_nowait

    async def _adopt(self, key: AttemptKey, found: Found, events: CallEvents) -> None:
        run, told = await self._ask(key)
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

    async def _ask(self, key: AttemptKey) -> tuple[Run | None, Told | None]:
        """Return the run of an attempt, and what was told of it; the call goes on while the store is away."""
        while True:
            try:
                run = await self._run_of(key.run_no)
                return run, await self._store.told(run.app, key) if run is not None else None
            except Unavailable:
                await self._sleep(AWAY_SECONDS)


def _dial(run: Run, sender: Sender, found: Found) -> Dial:
    """Return how it was dialed, as far as that is asked for any more."""
    plan, definition = run.definition.voice, run.definition
    detection = plan.machine_detection if plan is not None else MachineDetection.no
    ring_seconds, label, longest = definition.ring_seconds, sender.label, run.settings.longest_call_seconds
    return Dial(found.call.id, "", label, ring_seconds, detection, run.campaign_id, longest)
