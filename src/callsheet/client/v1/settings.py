"""The settings of the app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, Unpack

from callsheet.client.call import Call
from callsheet.client.method import Mode, Resource, Single
from callsheet.client.record import Record

_PATH = "/v1/apps/{app}/settings"


class Cap(Record, frozen=True):
    """At most so many attempts to reach a person in so many hours."""

    attempts: int
    hours: int


class SettingChanges(TypedDict, total=False):
    """Settings to change; None takes a limit away."""

    start_on_create: bool
    zones: str
    outside_hours: str
    dnc_for_sms: bool
    one_run_per_list: bool
    most_voice_campaigns: int
    agentless_concurrent_calls: int
    unique_names: bool
    requests_per_minute: int | None
    messages_per_minute: int | None
    uncertain_policy: str
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
    voices: Mapping[str, str]
    cap: Cap | None


class AppSettings(Record, frozen=True):
    """The settings of the app, as the page on them explains them."""

    start_on_create: bool
    zones: str
    outside_hours: str
    dnc_for_sms: bool
    one_run_per_list: bool
    most_voice_campaigns: int
    agentless_concurrent_calls: int
    unique_names: bool
    requests_per_minute: int | None
    messages_per_minute: int | None
    uncertain_policy: str
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
    cap: Cap | None


class Settings(Resource[Mode]):
    """The settings of the app."""

    @Single
    def get(self) -> Call[AppSettings]:
        """Return all settings."""
        return Call("GET", _PATH, AppSettings)

    @Single
    def change(self, **changes: Unpack[SettingChanges]) -> Call[AppSettings]:
        """Change settings, and return all of them."""
        return Call("PATCH", _PATH, AppSettings, body=dict(changes))
