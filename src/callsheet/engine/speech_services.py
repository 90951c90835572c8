"""Speech services of an app: made and changed, so that they can be asked and their secrets go to nobody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from callsheet.account import names_of, split
from callsheet.core.errors import FieldError, InUse, Invalid
from callsheet.core.sound_errors import SpeechServiceNotFound
from callsheet.engine.accounts import change_account, read_reachable
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.rows import DAMAGE
from callsheet.store.speech_services import SpeechService
from callsheet.voice.speech.account import SpeechAccount

Document = Mapping[str, Any]


async def find(runtime: Runtime, app: App, service_id: str) -> SpeechService:
    """Return a service by its id. Raises SpeechServiceNotFound."""
    found = await runtime.store.speech_services.find(app.no, service_id)
    if found is None:
        raise SpeechServiceNotFound
    return found


async def create(runtime: Runtime, app: App, name: str, settings: Document) -> SpeechService:
    """Create a service. Raises NameTaken, and Invalid, which names every wrong field of its settings."""
    account = read_reachable(runtime.outside.fence, SpeechAccount, settings)
    return await runtime.store.speech_services.create(app.no, name, *split(account), runtime.clock.now())


async def change(
    runtime: Runtime,
    app: App,
    service_id: str,
    name: str | None,
    settings: Document | None,
    wrong: Sequence[FieldError] = (),
) -> SpeechService:
    """Change a name, and merge settings into those of before; secrets that are not named stay.

    Raises SpeechServiceNotFound, NameTaken, and Invalid, with what was found `wrong` before.
    """

    def settle(before: Document, secrets: Document) -> tuple[Document, Document]:
        faults = list(wrong)
        account = None
        try:
            account = change_account(runtime.outside.fence, SpeechAccount, before, secrets, settings or {})
        except Invalid as error:
            faults += error.fields
        if faults or account is None:
            raise Invalid(faults)
        return split(account)

    services, now = runtime.store.speech_services, runtime.clock.now()
    asks = settings is not None or wrong
    changed = await services.change(app.no, service_id, now, name=name, settle=settle if asks else None)
    if changed is None:
        raise SpeechServiceNotFound
    return changed


async def delete(runtime: Runtime, app: App, service_id: str) -> None:
    """Delete a service that is not the app's own choice. Raises SpeechServiceNotFound and InUse."""
    service = await find(runtime, app, service_id)
    chosen = app.settings.speech_service
    if chosen is not None and await runtime.store.speech_services.called(app.no, chosen) == service:
        raise InUse("The setting speech_service of the app names this.")
    if not await runtime.store.speech_services.delete(app.no, service.id):
        raise SpeechServiceNotFound


def secrets_set(runtime: Runtime, service: SpeechService) -> list[str]:
    """Return the path of each secret that a service has; none when they cannot be read."""
    try:
        return sorted(names_of(runtime.store.speech_services.open_secrets(service)))
    except DAMAGE:
        return []
