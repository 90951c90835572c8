"""Sounds: audio that flows play in calls."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from msgspec import UNSET

from callsheet.client.call import Call, Given, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record
from callsheet.client.upload import Source, Upload

_ALL = "/v1/apps/{app}/sounds"
_ONE = "/v1/apps/{app}/sounds/{sound_id}"
_ANY_FILE = "application/octet-stream"


class Sound(Record, frozen=True):
    """A sound. `source` says what was uploaded: wav, mp3 or ogg; `digest` is the SHA-256 of the converted file."""

    id: str
    name: str
    seconds: float
    source: str
    digest: str
    created_at: datetime
    updated_at: datetime


class Sounds(Resource[Mode]):
    """Sounds: audio that flows play in calls."""

    @Single
    def upload(self, name: str, source: Source) -> Call[Sound]:
        """Hand a WAV, MP3 or OGG file over, which is converted to what telephones play."""
        return Call("POST", _ALL, Sound, query={"name": name}, upload=_upload(source))

    @Paged
    def list(self, *, limit: int | None = None) -> Call[Page[Sound]]:
        """Give the sounds, oldest first."""
        return Call("GET", _ALL, Page[Sound], query={"limit": limit})

    @Single
    def get(self, sound_id: str) -> Call[Sound]:
        """Return a sound."""
        return Call("GET", _ONE, Sound, {"sound_id": sound_id})

    @Single
    def save(self, sound_id: str, to: Path | BinaryIO) -> Call[None]:
        """Write the converted audio into a file: WAV, 8 kHz, mono, 16 bits."""
        return Call("GET", f"{_ONE}/audio", type(None), {"sound_id": sound_id}, save_to=to)

    @Single
    def replace(self, sound_id: str, source: Source) -> Call[Sound]:
        """Hand another file over, in the place of what the sound has."""
        return Call("PUT", f"{_ONE}/audio", Sound, {"sound_id": sound_id}, upload=_upload(source))

    @Single
    def change(self, sound_id: str, *, name: Given[str] = UNSET) -> Call[Sound]:
        """Give a sound another name."""
        return Call("PATCH", _ONE, Sound, {"sound_id": sound_id}, body=given(name=name))

    @Single
    def delete(self, sound_id: str) -> Call[None]:
        """Delete a sound that no flow of a campaign names."""
        return Call("DELETE", _ONE, type(None), {"sound_id": sound_id})


def _upload(source: Source) -> Upload:
    return Upload(source, source.name if isinstance(source, Path) else "", _ANY_FILE)
