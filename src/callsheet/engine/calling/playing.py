"""Playing: prompts are played in a call, until they are through or a key is pressed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final, Protocol

import structlog

from callsheet.clock import Clock
from callsheet.core.errors import Unavailable
from callsheet.core.flow.effects import Say
from callsheet.engine.calling.patience import Patience
from callsheet.engine.calling.prompts import Unspoken
from callsheet.engine.calling.talking import Talking
from callsheet.voice.base import CallGone, Played, Pressed, Sound

log = structlog.get_logger()

GRACE_SECONDS: Final = 10.0
"""So much longer than its length a prompt may take before it counts as played: no engine makes a call wait for ever."""
_BROKE: Final = "What speaks texts is broken."
_NO_WORDS: Final = "There was nothing to say."


class Prompts(Protocol):
    """Makes sounds of what flows say."""

    async def prepare(self, app: int, say: Say, language: str) -> Sequence[Sound] | Unspoken:
        """Return what is played for something that is said in a language; nothing is said, nothing is played."""


class Player:
    """Plays what flows say."""

    def __init__(self, prompts: Prompts, clock: Clock) -> None:
        self._prompts = prompts
        self._clock = clock
        self._patience = Patience(clock)

    async def make_ready(self, talking: Talking, said: Sequence[Say], language: str) -> str:
        """Make prompts before they are to be said, so that nothing but the call can break them; empty: they are.

        Else return why not, in a sentence: there is nothing to say, too. Raises Unavailable when the store stays away,
        CallGone.
        """
        made: dict[Say, Sequence[Sound]] = {}
        for say in said:
            sounds = await self._make(talking, say, language)
            if isinstance(sounds, Unspoken):
                talking.note(self._clock.now(), "not_said", block=say.block, why=sounds.why)
                return sounds.why
            made[say] = sounds
        talking.ready.update(made)
        return "" if any(made.values()) else _NO_WORDS

    async def say(self, talking: Talking, said: Sequence[Say], language: str, *, until_key: bool) -> None:
        """Play prompts, and return when they are through, the call is over, or, if wished, a key was pressed.

        Raises CallGone, and Unavailable when the store stays away: who cannot be told what they are asked is not kept
        in silence. A prompt that cannot be spoken is left out: the question that it asked is answered by none.
        """
        call = talking.live.call
        waiting: dict[str, float] = {}
        try:
            for say in said:
                if until_key and talking.keys:
                    break
                sounds = await self.prepare(talking, say, language)
                for sound in sounds:
                    waiting[await call.play(sound)] = sound.seconds
                if sounds:
                    talking.note(self._clock.now(), "said", block=say.block, text=say.text, audio=say.audio)
            is_through = await self._await_end(talking, waiting, until_key=until_key)
        except TimeoutError:
            log.warning("call.prompt_never_ended")
            is_through = False
        if not is_through and not talking.is_over:
            await call.stop_playing()

    async def _await_end(self, talking: Talking, waiting: dict[str, float], *, until_key: bool) -> bool:
        """Wait until all is played. False: a key stops it, or the call is over."""
        async with asyncio.timeout(sum(waiting.values()) + GRACE_SECONDS):
            while waiting and not talking.is_over:
                if until_key and talking.keys:
                    return False
                match await talking.hear():
                    case Played(token=token):
                        waiting.pop(token, None)
                    case Pressed() if until_key:
                        return False
        return not waiting

    async def prepare(self, talking: Talking, say: Say, language: str) -> Sequence[Sound]:
        """Return the sounds of a prompt; what cannot be spoken is noted, and nothing.

        Raises CallGone, and Unavailable when the store stays away.
        """
        ready = talking.ready.pop(say, None)
        sounds = await self._make(talking, say, language) if ready is None else ready
        if isinstance(sounds, Unspoken):
            talking.note(self._clock.now(), "not_said", block=say.block, why=sounds.why)
            return ()
        return sounds

    async def _make(self, talking: Talking, say: Say, language: str) -> Sequence[Sound] | Unspoken:
        if not say.text and not say.audio:
            return ()
        make = partial(self._prompts.prepare, talking.app, say, language)
        try:
            return await self._patience.ask_while(talking.live, make, is_slow=True)
        except (CallGone, Unavailable):
            raise
        except Exception:
            log.exception("call.prompt_broke", block=say.block)
            return Unspoken(_BROKE)
