"""Ring back: a caller hears that somebody else's phone rings, or what their flow plays meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

from callsheet.clock import Clock
from callsheet.core.errors import Unavailable
from callsheet.core.flow.effects import Say
from callsheet.engine.calling.playing import Player
from callsheet.engine.calling.talking import Talking
from callsheet.voice.base import CallGone

log = structlog.get_logger()

LEAST_SECONDS: Final = 1.0
"""What is shorter is not played more often."""


class RingBack:
    """Plays to callers while they wait for somebody."""

    def __init__(self, player: Player, clock: Clock) -> None:
        self._player = player
        self._clock = clock

    @asynccontextmanager
    async def heard(self, talking: Talking, say: Say, language: str) -> AsyncIterator[None]:
        """Play something again and again until the block ends: then nothing plays. What cannot be played is silence."""
        playing = asyncio.get_running_loop().create_task(self._play(talking, say, language), name="ring back")
        try:
            yield
        finally:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
            with suppress(CallGone):
                await talking.live.call.stop_playing()

    async def _play(self, talking: Talking, say: Say, language: str) -> None:
        try:
            sounds = await self._player.prepare(talking, say, language)
            if not sounds:
                return
            seconds = max(LEAST_SECONDS, sum(sound.seconds for sound in sounds))
            is_first = True
            while True:
                # The next one waits while one plays: there is no gap between them.
                for sound in [*sounds, *(sounds if is_first else ())]:
                    await talking.live.call.play(sound)
                is_first = False
                await self._clock.sleep(seconds)
        except (CallGone, Unavailable):
            return
        except Exception:
            log.exception("call.ring_back_broke")
