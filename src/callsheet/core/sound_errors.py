"""Errors about what calls play. They belong to the family of `errors.py`."""

from __future__ import annotations

from callsheet.core.errors import CallsheetError, NotFound


class SoundNotFound(NotFound):
    """There is no such sound in this app."""

    code = "sound_not_found"


class SpeechServiceNotFound(NotFound):
    """There is no such speech service in this app."""

    code = "speech_service_not_found"


class BadAudio(CallsheetError):
    """This is no audio that can be played."""

    status = 400
    code = "bad_audio"


class NotSpoken(CallsheetError):
    """The text cannot be spoken."""

    status = 409
    code = "not_spoken"
