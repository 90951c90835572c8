"""Speech services: who speaks the texts of an app in calls, where it is not the built-in speech."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Instant, Limit, LongName, Page, Sifted, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.errors import BodyTooLarge, InUse, NameTaken
from callsheet.core.sound_errors import SpeechServiceNotFound
from callsheet.engine import speech_services
from callsheet.engine.runtime import Runtime
from callsheet.store.speech_services import SpeechService
from callsheet.voice.speech.account import SpeechAccount

router = Router(prefix="/v1/apps/{app}/speech-services", tags=["speech"])

Settings = dict[str, Any]


def _of_service(settings: Settings) -> Settings:
    """Look at settings together with the rest of the body, so that one answer names whatever is wrong."""
    SpeechAccount.model_validate(settings)
    return settings


class NewSpeechService(Sifted):
    """A service to be: anything that takes a text over HTTP and answers with a WAV, MP3 or OGG file."""

    name: LongName
    """What people call it; no two of an app have one name."""
    settings: Annotated[Settings, AfterValidator(_of_service)]
    """How to ask it, as the page on speech says; its secret too, which is not shown again."""


class ChangedSpeechService(Sifted):
    """What is to change; what is not named stays as it is."""

    name: LongName | None = None
    """What people call it."""
    settings: Settings | None = None
    """What is to change of them, merged into what is there (RFC 7396): null takes a field back to its default, and a
    secret that is not named stays."""


class ShownSpeechService(BaseModel):
    """A service. Its secret is not shown."""

    id: str
    name: str
    settings: Settings
    """How to ask it, without the secret."""
    secrets_set: list[str]
    """Which secrets there are, by their path in the settings."""
    created_at: Instant
    updated_at: Instant


@router.post("", status_code=201, responses=problems(NameTaken, BodyTooLarge))
async def create_speech_service(runtime: Served, app: Tenant, new: NewSpeechService) -> ShownSpeechService:
    """Make a speech service known. It is not asked anything now."""
    return _show(runtime, await speech_services.create(runtime, app, new.name, new.settings))


@router.get("")
async def list_speech_services(
    runtime: Served, app: Tenant, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownSpeechService]:
    """Return the speech services, oldest first."""
    services = runtime.store.speech_services
    last = await services.find(app.no, after) if after else None
    if after and last is None:
        raise no_cursor()
    found = await services.of_app(app.no, after=last.no if last is not None else 0, limit=limit + 1)
    return page_of([_show(runtime, one) for one in found], limit, lambda one: one.id)


@router.get("/{speech_service_id}", responses=problems(SpeechServiceNotFound))
async def get_speech_service(runtime: Served, app: Tenant, speech_service_id: str) -> ShownSpeechService:
    """Return a speech service."""
    return _show(runtime, await speech_services.find(runtime, app, speech_service_id))


@router.patch("/{speech_service_id}", responses=problems(SpeechServiceNotFound, NameTaken, BodyTooLarge))
async def change_speech_service(
    runtime: Served, app: Tenant, speech_service_id: str, changed: ChangedSpeechService
) -> ShownSpeechService:
    """Change a speech service. What is spoken from now on goes by it."""
    return _show(
        runtime,
        await speech_services.change(
            runtime, app, speech_service_id, changed.name, changed.settings, wrong=changed.faults
        ),
    )


@router.delete("/{speech_service_id}", status_code=204, responses=problems(SpeechServiceNotFound, InUse))
async def delete_speech_service(runtime: Served, app: Tenant, speech_service_id: str) -> None:
    """Delete a speech service that the app's settings do not name."""
    await speech_services.delete(runtime, app, speech_service_id)


def _show(runtime: Runtime, found: SpeechService) -> ShownSpeechService:
    return ShownSpeechService(
        id=found.id,
        name=found.name,
        settings=dict(found.settings),
        secrets_set=speech_services.secrets_set(runtime, found),
        created_at=found.created_at,
        updated_at=found.updated_at,
    )
