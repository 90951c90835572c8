"""Listening: what is pressed, or spoken, in a call becomes what its flow is given."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final, Protocol

import structlog

from callsheet.clock import Clock
from callsheet.core.errors import Unavailable
from callsheet.core.flow.effects import Effect, Say
from callsheet.core.flow.gathering import Gathering, gathering_of
from callsheet.core.flow.given import Reply, TimedOut
from callsheet.engine.calling.live_call import LiveCall
from callsheet.engine.calling.patience import Patience
from callsheet.engine.calling.talking import Talking
from callsheet.store.recordings import Purpose, new_recording_id
from callsheet.voice.base import Pressed, Recording

log = structlog.get_logger()

SHORTEST_SECONDS: Final = 0.5
"""A shorter recording is a click: nobody answered."""


class Keeps(Protocol):
    """Keeps what was recorded."""

    async def keep(self, live: LiveCall, made: str, recording: Recording, purpose: Purpose, at: datetime) -> None:
        """Keep a recording of a call, once: `made` is its id. Raises Unavailable."""


class Listener:
    """Listens to callers."""

    def __init__(self, keeps: Keeps, clock: Clock) -> None:
        self._keeps = keeps
        self._clock = clock
        self._patience = Patience(clock)

    async def listen(self, talking: Talking, effects: Sequence[Effect], seconds: float) -> Reply | TimedOut | None:
        """Return what a caller answers to a question; None: the call was over before.

        `seconds`: so long the first key, or word, is waited for; the prompts are through. Raises CallGone, and
        Unavailable when what was spoken could not be kept, as the store was away for too long.
        """
        asked = next((effect for effect in reversed(effects) if isinstance(effect, Say)), None)
        if asked is not None and asked.listens_seconds:
            return await self._record(talking, asked)
        return await self._gather(talking, gathering_of(effects, seconds))

    async def _gather(self, talking: Talking, gathering: Gathering) -> Reply | TimedOut | None:
        while True:
            while talking.keys and not gathering.is_done:
                gathering = gathering.press(talking.keys.popleft())
            if gathering.is_done:
                break
            event = await talking.hear(gathering.waits_seconds)
            if event is None:
                break
            if talking.is_over:
                return None
        return gathering.reply(self._clock.now())

    async def _record(self, talking: Talking, asked: Say) -> Reply | TimedOut | None:
        """Record what is said until a key ends it; whoever hangs up then has answered, too."""
        call = talking.live.call
        talking.keys.clear()
        await call.record(both_sides=False)
        try:
            async with asyncio.timeout(asked.listens_seconds):
                while not talking.is_over:
                    if isinstance(event := await talking.hear(), Pressed) and event.digit in asked.ends_with:
                        break
        except TimeoutError:
            pass
        talking.keys.clear()
        recording = await call.stop_recording(both_sides=False)
        if recording is None or not recording.is_whole or recording.seconds < SHORTEST_SECONDS:
            _drop(recording)
            return None if talking.is_over else TimedOut(self._clock.now())
        # Whoever hung up meanwhile has answered: it is kept all the same.
        made, at = new_recording_id(), self._clock.now()
        try:
            await self._patience.ask(partial(self._keeps.keep, talking.live, made, recording, Purpose.answer, at))
        except Unavailable:
            raise
        except Exception:
            # Its audio is gone, or nowhere to be put: the flow goes on as if nobody had answered.
            log.exception("call.answer_not_kept")
            return TimedOut(self._clock.now())
        finally:
            _drop(recording)
        talking.note(self._clock.now(), "recorded", recording=made, seconds=recording.seconds)
        return Reply(made, self._clock.now())


def _drop(recording: Recording | None) -> None:
    if recording is not None:
        recording.path.unlink(missing_ok=True)
