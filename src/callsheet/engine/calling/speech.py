"""Speech: who speaks the texts of an app, and how each language is spoken."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from callsheet.account import merge, read_account
from callsheet.core.asking import Ask
from callsheet.core.errors import Invalid
from callsheet.core.run import AppSettings
from callsheet.store.rows import DAMAGE
from callsheet.store.speech_services import SpeechService
from callsheet.store.store import Store
from callsheet.voice.audio.converter import Converter
from callsheet.voice.speech.account import SpeechAccount
from callsheet.voice.speech.base import CannotSpeak, Manner, Speaker
from callsheet.voice.speech.espeak import Espeak
from callsheet.voice.speech.http import HttpSpeaker
from callsheet.voice.speech.voices import find_voice

BUILT_IN: Final = "built-in"
"""What the built-in speech is called where a service could be named."""

Document = Mapping[str, Any]


class Speech:
    """The speakers of all apps. No process runs before the first text."""

    def __init__(self, store: Store, ask: Ask) -> None:
        self._store = store
        self._ask = ask
        self._converter = Converter()
        self._espeak = Espeak()

    async def close(self) -> None:
        """End their processes."""
        await self._espeak.close()
        await self._converter.close()

    async def speaker(self, app: int, service: str | None) -> Speaker:
        """Return who speaks by a name or an id; None: the built-in speech. Raises CannotSpeak."""
        if service is None:
            return self._espeak
        found = await self._store.speech_services.called(app, service)
        if found is None:
            raise CannotSpeak(f"The app has no speech service {service}.")
        return HttpSpeaker(self._account(found), self._ask, self._converter)

    def _account(self, service: SpeechService) -> SpeechAccount:
        try:
            return read_account(
                SpeechAccount, merge(service.settings, self._store.speech_services.open_secrets(service))
            )
        except (*DAMAGE, Invalid):
            why = f"What is stored of the speech service {service.name} cannot be read: give it its secret again."
            raise CannotSpeak(why) from None


def manner_of(settings: AppSettings, language: str, voice: str = "") -> Manner:
    """Return how an app speaks a language; empty: its usual one. A voice that is given goes before that of the app."""
    spoken = language.strip() or settings.speech_language
    return Manner(spoken, voice or _voice(tuple(settings.voices.items()), spoken))


@lru_cache(maxsize=1024)
def _voice(voices: tuple[tuple[str, str], ...], language: str) -> str:
    by_language = {name.strip().casefold().replace("_", "-"): voice for name, voice in voices}
    return find_voice(by_language, language) or ""
