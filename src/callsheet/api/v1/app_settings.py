"""What an app's owner can choose."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from fastapi import Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt

from callsheet.api.caller import note
from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import Body, LongName
from callsheet.api.v1.strict import Router
from callsheet.core.answering import fault_of
from callsheet.core.campaign import (
    AGENTLESS_CONCURRENT_CALLS,
    MOST_AGENTLESS_CONCURRENT_CALLS,
    MOST_VOICE_CAMPAIGNS,
    UncertainPolicy,
)
from callsheet.core.errors import BodyTooLarge, FieldError, Invalid
from callsheet.core.gate import Cap
from callsheet.core.phone import known_region
from callsheet.core.run import (
    LEAST_LONGEST_CALL_SECONDS,
    MOST_LONGEST_CALL_SECONDS,
    MOST_RECORDING_DAYS,
    USUAL_LONGEST_CALL_SECONDS,
    USUAL_RECORDING_DAYS,
    AppSettings,
    OutsideHours,
    ZoneSource,
)
from callsheet.core.schedule import MOST_LATENESS_MINUTES
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App

router = Router(prefix="/v1/apps/{app}/settings", tags=["settings"])

_LONGEST_ANSWER = 500
_MOST_VOICES = 100
_MOST = 1_000_000_000

Most = Annotated[StrictInt, Field(ge=0, le=_MOST)] | None


def _region(text: str) -> str:
    region = text.strip().upper()
    if not known_region(region):
        raise ValueError("This is not a region with phone numbers of its own, such as IN or US")
    return region


def _cost(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text):
        raise ValueError("This must be a decimal number in a text, such as 0.0075")
    return text


def _currency(text: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", currency := text.strip().upper()):
        raise ValueError("This must be the three letters of a currency, such as EUR")
    return currency


def _answer(text: str) -> str:
    if fault := fault_of(text):
        raise ValueError(fault)
    return text.strip()


def _language(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,40}([-_][A-Za-z0-9]{1,12}){0,4}", language := text.strip()):
        raise ValueError("This must be a language, such as hi, hi-IN, hin or Hindi")
    return language


Language = Annotated[str, AfterValidator(_language)]
Answer = Annotated[str, Field(max_length=_LONGEST_ANSWER), AfterValidator(_answer)] | None


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
    most_voice_campaigns: int
    agentless_concurrent_calls: int
    unique_names: bool
    requests_per_minute: int | None
    messages_per_minute: int | None
    uncertain_policy: UncertainPolicy
    region: str | None
    most_contact_lists: int | None
    most_contacts_per_list: int | None
    most_contacts: int | None
    most_dnc_lists: int | None
    most_dnc_numbers_per_list: int | None
    most_dnc_numbers: int | None
    segment_cost: str | None
    currency: str | None
    schedule_lateness_minutes: int
    recurrence_precedence: bool
    require_preflight: bool
    stop_reply: str | None
    help_reply: str | None
    start_reply: str | None
    longest_call_seconds: int
    recording_days: int
    machine_sample_share: float
    speech_service: str | None
    speech_language: str
    voices: dict[str, str]
    cap: ShownCap | None


def _say_no_default(schema: dict[str, Any]) -> None:
    """Take the defaults out of a schema in which a field that is absent means no change."""
    for field in schema["properties"].values():
        field.pop("default", None)


class ChangedSettings(Body):
    """Settings to change; those that are not named stay as they are."""

    model_config = ConfigDict(json_schema_extra=_say_no_default)

    start_on_create: StrictBool = False
    """Whether a created campaign starts by itself, without a call."""
    zones: ZoneSource = ZoneSource.campaign
    """Where the zone of a contact without its own comes from: the campaign's hours, or what its number tells."""
    outside_hours: OutsideHours = OutsideHours.defer
    """What becomes of a contact whose hours are closed: it waits for the next open moment, or is skipped."""
    dnc_for_sms: StrictBool = True
    """Whether the global DNC list of the app spares its people from SMS too."""
    one_run_per_list: StrictBool = True
    """Whether campaigns that share a contact list are kept from running at the same time."""
    most_voice_campaigns: Annotated[StrictInt, Field(ge=1, le=_MOST)] = MOST_VOICE_CAMPAIGNS
    """How many voice campaigns may run at the same time."""
    agentless_concurrent_calls: Annotated[StrictInt, Field(ge=1, le=MOST_AGENTLESS_CONCURRENT_CALLS)] = (
        AGENTLESS_CONCURRENT_CALLS
    )
    """How many calls without an agent may go on at the same time, over all campaigns and nodes."""
    unique_names: StrictBool = True
    """Whether a second campaign of the same name is refused."""
    requests_per_minute: Annotated[StrictInt, Field(ge=1, le=_MOST)] | None = None
    """Calls of the documented API in a minute, of all apps of the account together; null: any number."""
    messages_per_minute: Annotated[StrictInt, Field(ge=1, le=_MOST)] | None = None
    """Message segments that leave in a minute, over all senders of the app; null: any number."""
    uncertain_policy: UncertainPolicy = UncertainPolicy.at_most_once
    """Whether an attempt that nobody can know about is repeated, at the risk of a second message."""
    region: Annotated[str, AfterValidator(_region)] | None = None
    """The region (ISO 3166-1 alpha-2, such as IN) in which local numbers are read; null: local numbers are rejected."""
    most_contact_lists: Most = None
    """Contact lists that the app may have; null: any number."""
    most_contacts_per_list: Most = None
    """Contacts that one list may have; null: any number."""
    most_contacts: Most = None
    """Contacts that all lists of the app may have together; null: any number."""
    most_dnc_lists: Most = None
    """DNC lists that the app may have, the global one included; null: any number."""
    most_dnc_numbers_per_list: Most = None
    """Numbers that one DNC list may have; null: any number."""
    most_dnc_numbers: Most = None
    """Numbers that all DNC lists of the app may have together; null: any number."""
    segment_cost: Annotated[str, AfterValidator(_cost)] | None = None
    """What a segment of a message costs, as a decimal text such as "0.0075", for previews; null: unknown."""
    currency: Annotated[str, AfterValidator(_currency)] | None = None
    """The currency of that cost (ISO 4217, such as EUR); null: not said."""
    schedule_lateness_minutes: Annotated[StrictInt, Field(ge=1, le=MOST_LATENESS_MINUTES)] = 60
    """How many minutes late an occurrence of a schedule may start at most, where the schedule does not say."""
    recurrence_precedence: StrictBool = False
    """Whether schedules may say that their occurrences go before the calling hours. DNC lists and opt-outs stay."""
    require_preflight: StrictBool = False
    """Whether a campaign starts only after a preflight that is not stale and found nothing in the way."""
    stop_reply: Answer = None
    """What is answered once to a STOP; null: the usual text, empty: nothing. {{brand}} is the name of the app."""
    help_reply: Answer = None
    """What is answered to HELP; null: the usual text, empty: nothing."""
    start_reply: Answer = None
    """What is answered to a START that took an opt-out back; null: the usual text, empty: nothing."""
    longest_call_seconds: Annotated[StrictInt, Field(ge=LEAST_LONGEST_CALL_SECONDS, le=MOST_LONGEST_CALL_SECONDS)] = (
        USUAL_LONGEST_CALL_SECONDS
    )
    """After so many seconds a call is ended, whatever its flow does."""
    recording_days: Annotated[StrictInt, Field(ge=1, le=MOST_RECORDING_DAYS)] = USUAL_RECORDING_DAYS
    """How many days what was recorded of calls is kept."""
    machine_sample_share: Annotated[float, Field(ge=0, le=1, strict=True)] = 0.0
    """Of which share of the calls that a machine answered what was heard is recorded, for a look at the verdict."""
    speech_service: LongName | None = None
    """The speech service, by its name or id, that speaks texts in calls; null: the built-in speech."""
    speech_language: Language = "en"
    """In which language a flow speaks in calls that says none."""
    voices: Annotated[dict[Language, LongName], Field(max_length=_MOST_VOICES)] = Field(default_factory=dict)
    """Which voice speaks a language, where it is not the usual one; the whole is replaced."""
    cap: NewCap | None = None
    """The most attempts to one person within some hours, over all campaigns of a channel; null: no cap."""


@router.get("")
async def get_settings(app: Tenant) -> ShownSettings:
    """Return the app's settings."""
    return _show(app.settings)


@router.patch("", responses=problems(BodyTooLarge))
async def change_settings(runtime: Served, app: Tenant, changed: ChangedSettings, request: Request) -> ShownSettings:
    """Change some settings. Runs that are on follow them at once."""
    chosen = {name: getattr(changed, name) for name in changed.model_fields_set}
    if chosen.get("cap") is not None:
        chosen["cap"] = Cap(changed.cap.attempts, changed.cap.hours) if changed.cap else None
    if chosen.get("speech_service") is not None:
        chosen["speech_service"] = await _service_called(runtime, app, chosen["speech_service"])
    before, after = await runtime.store.apps.change_settings(app.no, chosen)
    runtime.conductor.wake()
    note(request.scope, changed=_difference(before, after))
    return _show(after)


async def _service_called(runtime: Runtime, app: App, said: str) -> str:
    """Return the id of a speech service, which stays when its name changes. Raises Invalid."""
    found = await runtime.store.speech_services.called(app.no, said)
    if found is None:
        raise Invalid([FieldError("speech_service", f"There is no speech service {said} in this app.")])
    return found.id


def _difference(before: AppSettings, after: AppSettings) -> dict[str, dict[str, Any]]:
    """Return each setting that is another now, with what it was and what it is."""
    old, new = msgspec.to_builtins(before), msgspec.to_builtins(after)
    return {name: {"from": old[name], "to": new[name]} for name in new if new[name] != old[name]}


def _show(settings: AppSettings) -> ShownSettings:
    return ShownSettings.model_validate(msgspec.to_builtins(settings))
