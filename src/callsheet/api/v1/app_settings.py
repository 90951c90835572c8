"""What an app's owner can choose."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field, StrictBool, StrictInt

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import Body
from callsheet.core.campaign import UncertainPolicy
from callsheet.core.errors import BodyTooLarge
from callsheet.core.gate import Cap
from callsheet.core.phone import known_region
from callsheet.core.run import AppSettings, OutsideHours, ZoneSource

router = APIRouter(prefix="/v1/apps/{app}/settings", tags=["settings"])

_MOST = 1_000_000_000


def _region(text: str) -> str:
    region = text.strip().upper()
    if not known_region(region):
        raise ValueError("This is not a region with phone numbers of its own, such as IN or US")
    return region


class ShownCap(BaseModel):
    """At most so many attempts to one person within so many hours."""

    attempts: int
    hours: int


class NewCap(Body):
    """At most so many attempts to one person within so many hours."""

    attempts: Annotated[StrictInt, Field(ge=1, le=1000)]
    hours: Annotated[StrictInt, Field(ge=1, le=24 * 366)]


class ShownSettings(BaseModel):
    """An app's settings."""

    start_on_create: bool
    zones: ZoneSource
    outside_hours: OutsideHours
    dnc_for_sms: bool
    one_run_per_list: bool
    unique_names: bool
    requests_per_minute: int | None
    messages_per_minute: int | None
    uncertain_policy: UncertainPolicy
    region: str | None
    cap: ShownCap | None


class ChangedSettings(Body):
    """Settings to change; those that are not named stay as they are."""

    start_on_create: StrictBool = False
    zones: ZoneSource = ZoneSource.campaign
    outside_hours: OutsideHours = OutsideHours.defer
    dnc_for_sms: StrictBool = True
    one_run_per_list: StrictBool = True
    unique_names: StrictBool = True
    requests_per_minute: Annotated[StrictInt, Field(ge=1, le=_MOST)] | None = None
    messages_per_minute: Annotated[StrictInt, Field(ge=1, le=_MOST)] | None = None
    uncertain_policy: UncertainPolicy = UncertainPolicy.at_most_once
    region: Annotated[str, AfterValidator(_region)] | None = None
    cap: NewCap | None = None


@router.get("")
async def get_settings(app: Tenant) -> ShownSettings:
    """Return the app's settings."""
    return _show(app.settings)


@router.patch("", responses=problems(BodyTooLarge))
async def change_settings(runtime: Served, app: Tenant, changed: ChangedSettings) -> ShownSettings:
    """Change some settings. Runs that are on follow them at once."""
    chosen = {name: getattr(changed, name) for name in changed.model_fields_set}
    if chosen.get("cap") is not None:
        chosen["cap"] = Cap(changed.cap.attempts, changed.cap.hours) if changed.cap else None
    settings = await runtime.store.apps.change_settings(app.no, chosen)
    runtime.conductor.wake()
    return _show(settings)


def _show(settings: AppSettings) -> ShownSettings:
    return ShownSettings.model_validate(msgspec.to_builtins(settings))
