"""Sounds: audio that flows play in calls. The body of an upload is the file itself."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import Responses, problems
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, Instant, Limit, LongName, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.errors import BodyTooLarge, InUse, LimitReached, MalformedBody, NameTaken
from callsheet.core.sound_errors import BadAudio, SoundNotFound
from callsheet.engine import sounds
from callsheet.store.sounds import UploadedSound

router = Router(prefix="/v1/apps/{app}/sounds", tags=["sounds"])

WAV: Responses = {200: {"content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}}}
"""Declares in the contract that a route answers with a sound."""
_KINDS = ("audio/wav", "audio/mpeg", "audio/ogg", "application/octet-stream")
_A_FILE = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _KINDS},
    }
}


class ChangedSound(Body):
    """What is to change; what is not named stays as it is."""

    name: LongName | None = None
    """What flows call it."""


class ShownSound(BaseModel):
    """A sound."""

    id: str
    name: str
    seconds: float
    source: str
    """What was uploaded: `wav`, `mp3` or `ogg`."""
    digest: str
    """SHA-256 of the converted file."""
    created_at: Instant
    updated_at: Instant


@router.post(
    "",
    status_code=201,
    openapi_extra=_A_FILE,
    responses=problems(BadAudio, MalformedBody, NameTaken, LimitReached, BodyTooLarge),
)
async def upload_sound(
    runtime: Served,
    app: Tenant,
    request: Request,
    name: Annotated[LongName, Query(description="What flows call it; no two of an app have one name.")],
) -> ShownSound:
    """Take a WAV, MP3 or OGG file, which is converted to what telephones play."""
    _refuse_form(request)
    return _show(await sounds.upload(runtime, app, name, request.stream()))


@router.get("")
async def list_sounds(
    runtime: Served, app: Tenant, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownSound]:
    """Return the sounds, oldest first."""
    last = await runtime.store.sounds.find(app.no, after) if after else None
    if after and last is None:
        raise no_cursor()
    found = await runtime.store.sounds.of_app(app.no, after=last.no if last is not None else 0, limit=limit + 1)
    return page_of([_show(one) for one in found], limit, lambda one: one.id)


@router.get("/{sound_id}", responses=problems(SoundNotFound))
async def get_sound(runtime: Served, app: Tenant, sound_id: str) -> ShownSound:
    """Return a sound."""
    return _show(await sounds.find(runtime, app, sound_id))


@router.get("/{sound_id}/audio", response_class=Response, responses=WAV | problems(SoundNotFound))
async def get_sound_audio(runtime: Served, app: Tenant, sound_id: str) -> Response:
    """Return the converted file: WAV, 8 kHz, mono, 16 bits."""
    found = await sounds.find(runtime, app, sound_id)
    audio = await runtime.store.sounds.audio(app.no, found)
    if audio is None:
        raise SoundNotFound
    return wav_response(found.id, audio)


@router.put(
    "/{sound_id}/audio", openapi_extra=_A_FILE, responses=problems(BadAudio, MalformedBody, SoundNotFound, BodyTooLarge)
)
async def replace_sound_audio(runtime: Served, app: Tenant, sound_id: str, request: Request) -> ShownSound:
    """Take another file in the place of what the sound has. What begins to play from now on plays this."""
    _refuse_form(request)
    return _show(await sounds.replace_audio(runtime, app, sound_id, request.stream()))


@router.patch("/{sound_id}", responses=problems(SoundNotFound, NameTaken, BodyTooLarge))
async def change_sound(runtime: Served, app: Tenant, sound_id: str, changed: ChangedSound) -> ShownSound:
    """Give a sound another name. Flows that call it by the old one do not find it any more."""
    found = await runtime.store.sounds.change(app.no, sound_id, runtime.clock.now(), name=changed.name)
    if found is None:
        raise SoundNotFound
    return _show(found)


@router.delete("/{sound_id}", status_code=204, responses=problems(SoundNotFound, InUse))
async def delete_sound(runtime: Served, app: Tenant, sound_id: str) -> None:
    """Delete a sound that no flow of a campaign names."""
    await sounds.delete(runtime, app, sound_id)


def wav_response(name: str, wav: bytes) -> Response:
    """Answer with a sound that a browser plays, and saves under a name without its ending."""
    headers = {"Content-Disposition": f'inline; filename="{name}.wav"', "X-Content-Type-Options": "nosniff"}
    return Response(wav, media_type="audio/wav", headers=headers)


def _refuse_form(request: Request) -> None:
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        raise MalformedBody("Send the file itself as the body, not as a form: curl --data-binary @welcome.mp3.")


def _show(found: UploadedSound) -> ShownSound:
    return ShownSound(
        id=found.id,
        name=found.name,
        seconds=found.milliseconds / 1000,
        source=found.source,
        digest=found.digest,
        created_at=found.created_at,
        updated_at=found.updated_at,
    )
