"""Sounds that an app uploads: converted when they come, and kept while a flow of a campaign names them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from callsheet.core.errors import BodyTooLarge, InUse
from callsheet.core.flow.amiss import BadExpression
from callsheet.core.flow.speaking import sounds_named
from callsheet.core.names import key_of
from callsheet.core.sound_errors import BadAudio, SoundNotFound
from callsheet.engine.flow_shelf import read_body
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.sounds import Audio, UploadedSound
from callsheet.voice.audio.question import MOST_BYTES, Refused
from callsheet.voice.audio.shelf import digest_of

_SHOWN = 5


async def find(runtime: Runtime, app: App, sound_id: str) -> UploadedSound:
    """Return a sound by its id. Raises SoundNotFound."""
    found = await runtime.store.sounds.find(app.no, sound_id)
    if found is None:
        raise SoundNotFound
    return found


async def upload(runtime: Runtime, app: App, name: str, file: AsyncIterator[bytes]) -> UploadedSound:
    """Take a file as a new sound. Raises BadAudio, BodyTooLarge, NameTaken and LimitReached."""
    audio = await _convert(runtime, file)
    return await runtime.store.sounds.create(app.no, name, audio, runtime.clock.now())


async def replace_audio(runtime: Runtime, app: App, sound_id: str, file: AsyncIterator[bytes]) -> UploadedSound:
    """Take a file in the place of what a sound has. Raises SoundNotFound, BadAudio and BodyTooLarge."""
    found = await find(runtime, app, sound_id)
    audio = await _convert(runtime, file)
    changed = await runtime.store.sounds.change(app.no, found.id, runtime.clock.now(), audio=audio)
    if changed is None:
        raise SoundNotFound
    return changed


async def delete(runtime: Runtime, app: App, sound_id: str) -> None:
    """Delete a sound that no campaign needs. Raises SoundNotFound and InUse."""
    sound = await find(runtime, app, sound_id)
    users = [
        name
        for name, body in await runtime.store.sounds.flows_with_audio(app.no)
        if {key_of(sound.name), sound.id} & await _named_in(body)
    ]
    if users:
        shown = ", ".join(users[:_SHOWN]) + (" and more" if len(users) > _SHOWN else "")
        raise InUse(f"Flows that campaigns use play this: {shown}.")
    if not await runtime.store.sounds.delete(app.no, sound.id):
        raise SoundNotFound


async def _named_in(body: str) -> set[str]:
    """Return the keys of the sounds that a flow names; none where this release cannot read it any more."""
    try:
        return {key_of(said) for said in sounds_named(await read_body(body))}
    except (BadExpression, ValueError):
        return set()


async def _convert(runtime: Runtime, file: AsyncIterator[bytes]) -> Audio:
    body = bytearray()
    async for chunk in file:
        body += chunk
        if len(body) > MOST_BYTES:
            raise BodyTooLarge(f"A sound is a file of at most {MOST_BYTES // 1024**2} MiB.")
    converted = await runtime.converter.convert(bytes(body))
    if isinstance(converted, Refused):
        raise BadAudio(converted.why)
    return Audio(converted.wav, digest_of(converted.wav), converted.milliseconds, converted.source)
