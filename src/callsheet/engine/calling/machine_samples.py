"""Sample machines: keep what was heard of some of them, so that somebody can listen to whether they were any.

It is kept beside the call, after the verdict: neither a slow store nor a full disk lets anybody wait for a word.
"""

from __future__ import annotations

import asyncio

import structlog

from callsheet.clock import Clock
from callsheet.core.errors import Unavailable
from callsheet.engine.calling.live_call import LiveCall
from callsheet.engine.calling.recordings import RecordingKeeper
from callsheet.store.recordings import Purpose
from callsheet.voice.audio.wave import write_wav

log = structlog.get_logger()

MOST_WAITING = 20
"""So many samples wait to be kept, each up to a megabyte; more of them are dropped."""
DRAIN_SECONDS = 5.0
"""So long a process that stops waits for them."""


class MachineSamples:
    """Keeps samples, each in a task of its own; one that cannot be kept is dropped: the call matters more."""

    def __init__(self, keeper: RecordingKeeper, clock: Clock) -> None:
        self._keeper = keeper
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def keep(self, live: LiveCall, heard: bytes) -> None:
        """Begin to keep what was heard of a call: 8 kHz, mono, 16 bits."""
        if len(self._tasks) >= MOST_WAITING:
            log.warning("call.sample_lost", run=live.run.id)
            return
        task = asyncio.get_running_loop().create_task(self._keep(live, heard), name="keep machine sample")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Return when nothing is left to be kept; what takes too long is dropped."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=DRAIN_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _keep(self, live: LiveCall, heard: bytes) -> None:
        try:
            await self._keeper.keep_audio(live, write_wav(heard), Purpose.machine, self._clock.now())
        except (Unavailable, asyncio.CancelledError) as error:
            log.warning("call.sample_lost", run=live.run.id, why=type(error).__name__)
        except Exception:
            log.exception("call.sample_broke", run=live.run.id)
