"""Prompts: what a flow says in a call becomes sounds that can be played: recordings of the app, and spoken texts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

import structlog

from callsheet.core.flow.document import Container
from callsheet.core.flow.effects import Say
from callsheet.core.flow.speaking import constant_prompts, is_url
from callsheet.engine.calling.speech import Speech, manner_of
from callsheet.store.sounds import UploadedSound
from callsheet.store.store import Store
from callsheet.voice.audio.ringing import ringing
from callsheet.voice.audio.shelf import SoundShelf, key_of
from callsheet.voice.base import Sound
from callsheet.voice.speech.base import CannotSpeak, Manner, Speaker

log = structlog.get_logger()

RINGING: Final = "tone:ringing"
"""Named as a sound: that somebody else's phone rings. It comes before a sound of an app that is called so."""
_A_URL: Final = "A recording is named by its name, and not by a URL: upload it, and name it in the flow."
_NO_APP: Final = "The app is not there any more."
_NOT_KEPT: Final = "The sound could not be kept on the disk of this node."


class Unspoken(NamedTuple):
    """Something that cannot be said. Nothing of it is played."""

    why: str
    """For people; it does not quote what was to be said."""


class Prompts:
    """Makes the sounds of all apps, each once."""

    def __init__(self, store: Store, speech: Speech, shelf: SoundShelf, trial: Speech) -> None:
        """`trial` speaks for people who listen to texts, so that no call waits for them."""
        self._store = store
        self._speech = speech
        self._trial = trial
        self._shelf = shelf
        self._making: dict[str, asyncio.Task[Sound]] = {}

    async def prepare(self, app: int, say: Say, language: str) -> Sequence[Sound] | Unspoken:
        """Return what is played for a prompt, in this order; nothing where it says nothing.

        `language` is the flow's, as `core.flow.speaking.language_named` says it; empty: the app's usual one. Where a
        recording is not there, the text beside it is spoken. Raises Unavailable when the database is away.
        """
        return await self._prepare(app, say, language, is_passing=True)

    async def prefetch(self, app: int, container: Container) -> int:
        """Make what a flow says in calls in the same words to everybody; return how much of it cannot be said."""
        unspoken = 0
        for say, language in constant_prompts(container):
            made = await self._prepare(app, say, language, is_passing=False)
            if isinstance(made, Unspoken):
                log.warning("prompt.unspoken", flow=container.uuid, block=say.block, reason=made.why)
                unspoken += 1
        return unspoken

    async def speak(self, app: int, words: str, manner: Manner, service: str | None) -> Sound:
        """Return a text as it is spoken by a service, for somebody who listens to it. Raises CannotSpeak.

        None: the built-in speech.
        """
        speaker = await self._trial.speaker(app, service)
        return await self._spoken(app, words, manner, speaker, is_passing=True)

    async def close(self) -> None:
        """End what is being made."""
        making = list(self._making.values())
        for task in making:
            task.cancel()
        await asyncio.gather(*making, return_exceptions=True)

    async def _prepare(self, app: int, say: Say, language: str, *, is_passing: bool) -> Sequence[Sound] | Unspoken:
        try:
            if say.audio and (sound := await self._recording(app, say)) is not None:
                return (sound,)
            if not say.text.strip():
                return ()
            found = await self._store.apps.by_no(app)
            if found is None:
                return Unspoken(_NO_APP)
            settings = found.settings
            manner = manner_of(settings, language)
            return (await self._speak(app, say.text, manner, settings.speech_service, is_passing=is_passing),)
        except CannotSpeak as error:
            return Unspoken(str(error))

    async def _recording(self, app: int, say: Say) -> Sound | None:
        """Return a recording; None: it is not there, and there is a text instead. Raises CannotSpeak."""
        said = say.audio
        if said == RINGING:
            return await self._once(key_of(RINGING), partial(asyncio.to_thread, ringing), is_passing=False)
        found = None if is_url(said) else await self._store.sounds.called(app, said)
        if found is not None:
            return await self._once(key_of("sound", found.digest), lambda: self._read(app, found), is_passing=False)
        why = _A_URL if is_url(said) else f"The app has no sound {said[:128]}."
        if not say.text.strip():
            raise CannotSpeak(why)
        log.warning("prompt.no_sound", block=say.block, reason=why)
        return None

    async def _read(self, app: int, sound: UploadedSound) -> bytes:
        wav = await self._store.sounds.audio(app, sound)
        if wav is None:
            raise CannotSpeak("The sound was changed, or deleted, at this moment.")
        return wav

    async def _speak(self, app: int, words: str, manner: Manner, service: str | None, *, is_passing: bool) -> Sound:
        speaker = await self._speech.speaker(app, service)
        return await self._spoken(app, words, manner, speaker, is_passing=is_passing)

    async def _spoken(self, app: int, words: str, manner: Manner, speaker: Speaker, *, is_passing: bool) -> Sound:
        # By app: what one pays a service for is not heard by another, and one tells nothing of what the other says.
        key = key_of(str(app), speaker.key, manner.language, manner.voice, words)
        return await self._once(key, lambda: speaker.say(words, manner), is_passing=is_passing)

    async def _once(self, key: str, make: Callable[[], Awaitable[bytes]], *, is_passing: bool) -> Sound:
        """Return what is on the shelf, or make it; whoever asks for the same meanwhile waits for the same."""
        making = self._making.get(key)
        if making is None:
            making = self._making[key] = asyncio.create_task(self._make(key, make, is_passing=is_passing))
            making.add_done_callback(lambda _: self._making.pop(key, None))
            # Whoever began it may go away; then nobody would look at what became of it.
            making.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(making)

    async def _make(self, key: str, make: Callable[[], Awaitable[bytes]], *, is_passing: bool) -> Sound:
        try:
            kept = await self._shelf.get(key)
            return kept if kept is not None else await self._shelf.put(key, await make(), is_passing=is_passing)
        except OSError as error:
            log.exception("prompt.not_kept")
            raise CannotSpeak(_NOT_KEPT) from error
