"""Speech: listen to a text as calls would hear it."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from callsheet.client.call import Call
from callsheet.client.method import Mode, Resource, Single


class Speech(Resource[Mode]):
    """Speech: listen to a text as calls would hear it."""

    @Single
    def save(
        self, text: str, to: Path | BinaryIO, *, language: str = "", voice: str = "", service: str = ""
    ) -> Call[None]:
        """Write a text into a file as it is spoken: WAV, 8 kHz, mono, 16 bits."""
        body = {"text": text, "language": language, "voice": voice, "service": service}
        return Call("POST", "/v1/apps/{app}/speech", type(None), body=body, save_to=to)
