"""Speech: listen to a text as calls would hear it."""

from __future__ import annotations

import asyncio
from typing import Annotated

from pydantic import StringConstraints
from starlette.responses import Response

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import Body
from callsheet.api.v1.sounds import WAV, wav_response
from callsheet.api.v1.strict import Router
from callsheet.core.errors import BodyTooLarge
from callsheet.core.sound_errors import NotSpoken
from callsheet.engine.calling.speech import BUILT_IN, manner_of
from callsheet.voice.speech.base import MOST_CHARACTERS, CannotSpeak

router = Router(prefix="/v1/apps/{app}/speech", tags=["speech"])

_Text = Annotated[str, StringConstraints(min_length=1, max_length=MOST_CHARACTERS)]
_Word = Annotated[str, StringConstraints(max_length=128)]


class SpokenText(Body):
    """A text that is to be spoken."""

    text: _Text
    """What is said."""
    language: _Word = ""
    """How it is written: `hi`, `hi-IN`, `hin`, `Hindi`; empty: the setting `speech_language` of the app."""
    voice: _Word = ""
    """What the service calls a voice; empty: the app's, or the usual one of the language."""
    service: _Word = ""
    """A speech service by its name or id, or `built-in`; empty: the one that the app has chosen."""


@router.post("", response_class=Response, responses=WAV | problems(NotSpoken, BodyTooLarge))
async def speak(runtime: Served, app: Tenant, spoken: SpokenText) -> Response:
    """Return a text as it is spoken: a WAV file, 8 kHz, mono, 16 bits."""
    manner = manner_of(app.settings, spoken.language, spoken.voice)
    service = app.settings.speech_service if not spoken.service else spoken.service
    if service == BUILT_IN:
        service = None
    try:
        sound = await runtime.prompts.speak(app.no, spoken.text, manner, service)
    except CannotSpeak as error:
        raise NotSpoken(str(error)) from None
    return wav_response("speech", await asyncio.to_thread(sound.path.read_bytes))
