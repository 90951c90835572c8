"""A run: one execution of a campaign, with everything that it pinned at its start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from callsheet.core.allowance import UNLIMITED, Allowance, Bucket, buckets_of
from callsheet.core.campaign import (
    AGENTLESS_CONCURRENT_CALLS,
    MOST_VOICE_CAMPAIGNS,
    Channel,
    Definition,
    Order,
    Status,
    UncertainPolicy,
)
from callsheet.core.gate import GOOD_FOR, SEND, Cap, Reason, Verdict, Wait, judge_hours, zones_of_group
from callsheet.core.hours import open_until
from callsheet.core.pools import Pool
from callsheet.core.retrying import RetryPolicy
from callsheet.core.rooms import Rooms
from callsheet.core.segments import USUAL, Writing
from callsheet.core.walk import Group

USUAL_LONGEST_CALL_SECONDS, LEAST_LONGEST_CALL_SECONDS, MOST_LONGEST_CALL_SECONDS = 3600, 30, 14_400
"""How long a call may last: unless the app says otherwise, and what it may say."""
USUAL_RECORDING_DAYS, MOST_RECORDING_DAYS = 30, 3650
"""How long recordings of calls are kept: unless the app says otherwise, and at most."""


class ZoneSource(StrEnum):
    """Where the zone of a contact without its own comes from."""

    campaign = "campaign"
    number = "number"


class OutsideHours(StrEnum):
    """What happens to a contact outside its calling hours."""

    defer = "defer"
    skip = "skip"


@dataclass(frozen=True, slots=True)
class AppSettings:
    """What an app's owner can choose. DNC, opt-out, hours, caps and zones are always on."""

    start_on_create: bool = False
    """A created campaign starts by itself."""
    zones: ZoneSource = ZoneSource.campaign
    """Where the zone of a contact without its own comes from."""
    outside_hours: OutsideHours = OutsideHours.defer
    """`defer` waits for the next open moment; `skip` is the literal reading of the documentation."""
    dnc_for_sms: bool = True
    """The app's global DNC list applies to SMS too."""
    one_run_per_list: bool = True
    """Two campaigns that share a list may not run at the same time."""
    most_voice_campaigns: int = MOST_VOICE_CAMPAIGNS
    """So many voice campaigns may run at the same time."""
    agentless_concurrent_calls: int = AGENTLESS_CONCURRENT_CALLS
    """So many calls without an agent may go on at the same time, over all campaigns and nodes."""
    unique_names: bool = True
    """Two campaigns may not have the same name."""
    requests_per_minute: int | None = None
    """Calls of the documented API per minute, those of all apps of the account counted; none: unlimited."""
    messages_per_minute: int | None = None
    """Segments per minute over all senders of the app; none: unlimited."""
    uncertain_policy: UncertainPolicy = UncertainPolicy.at_most_once
    """Whether an attempt that nobody can know about is repeated."""
    region: str | None = None
    """The default region of local numbers (ISO 3166-1 alpha-2)."""
    most_contact_lists: int | None = None
    """Contact lists that the app may have; none: any number. The same holds for the limits below."""
    most_contacts_per_list: int | None = None
    """Contacts in one list."""
    most_contacts: int | None = None
    """Contacts in all lists of the app."""
    most_dnc_lists: int | None = None
    """DNC lists, the global one included."""
    most_dnc_numbers_per_list: int | None = None
    """Numbers on one DNC list."""
    most_dnc_numbers: int | None = None
    """Numbers on all DNC lists of the app."""
    segment_cost: str | None = None
    """What a segment costs, as a decimal text; none: nobody said."""
    currency: str | None = None
    """In which currency (ISO 4217)."""
    schedule_lateness_minutes: int = 60
    """How late an occurrence of a schedule may start at most, where the schedule does not say."""
    recurrence_precedence: bool = False
    """Schedules may say that their occurrences go before the calling hours. DNC, opt-outs and caps stay."""
    require_preflight: bool = False
    """A campaign starts only after a preflight that holds and found nothing in the way."""
    stop_reply: str | None = None
    """What is answered to a STOP; none: the usual text, empty: nothing."""
    help_reply: str | None = None
    """What is answered to HELP."""
    start_reply: str | None = None
    """What is answered to a START that took something back."""
    longest_call_seconds: int = USUAL_LONGEST_CALL_SECONDS
    """So long after its ring time a call is ended, whatever its flow does."""
    recording_days: int = USUAL_RECORDING_DAYS
    """So many days what was recorded of calls is kept."""
    machine_sample_share: float = 0.0
    """Of which share of the calls that a machine answered what was heard is recorded, to look at the verdict."""
    cap: Cap | None = None
    """At most so many attempts to one person within so many hours, over all campaigns of a channel."""
    speech_service: str | None = None
    """The name of the service that speaks texts in calls; none: the built-in speech."""
    speech_language: str = "en"
    """In which language a flow speaks that says none."""
    voices: Mapping[str, str] = field(default_factory=dict)
    """Which voice speaks a language, where it is not the usual one."""


class Execution(StrEnum):
    """How a run is executed, spelled as on the wire."""

    normal = "NORMAL"
    emergency = "EMERGENCY"
    """Schedule and calling hours do not hold it back. DNC lists, opt-outs and caps do."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How a run is begun."""

    execution: Execution = Execution.normal
    only_unreached: bool = False
    """Only contacts that no earlier run of the campaign has reached."""
    reason: str = ""
    """Why, in the words of whoever began it; an emergency has one."""
    ends_at: datetime | None = None
    """When it ends at the latest; whoever was not contacted then is not."""
    over_hours: bool = False
    """The time until then goes before the calling hours, while the app allows it."""


NORMALLY = Launch()


class PinnedFlow(NamedTuple):
    """The flow that a run speaks by, at the version of when it began."""

    no: int = 0
    """0: it has none, and sends a text."""
    version: int = 0


NO_FLOW = PinnedFlow()

_OVER = timedelta(minutes=1)
"""How long a run stays closed whose time is over, and which is about to be ended."""


@dataclass(frozen=True, slots=True)
class Restored:
    """Says of a run that it came out of a backup: whom it contacted afterwards is not recorded."""

    backup_at: datetime
    """From here on records are missing."""
    restored_at: datetime
    acknowledged_at: datetime | None
    """When somebody said what becomes of it; until then nobody resumes it."""


@dataclass(frozen=True, slots=True)
class Sender:
    """A caller ID and how fast it may speak."""

    no: int
    id: str
    label: str
    trunk_no: int
    segments_per_second: float | None
    flow_id: str = ""
    """The flow that a single message through it starts; empty: none."""
    dlt_entity_id: str = ""
    """Whose sender it is, as registered with the operators of India; empty: not."""
    allowance: Allowance = UNLIMITED
    """What it may send; `segments_per_second` stands there too."""
    trunk_id: str = ""
    """Where a run was read: the trunk's id, and what all its senders may send together."""
    trunk_allowance: Allowance = UNLIMITED
    writing: Writing = USUAL
    """How that trunk writes texts."""
    pool: Pool | None = None
    """It is a pool of senders, and no caller ID itself; none: it is one."""

    @property
    def buckets(self) -> tuple[Bucket, ...]:
        """The limits that all its messages obey."""
        return (*buckets_of(self.id, self.allowance), *buckets_of(self.trunk_id, self.trunk_allowance))


class Way(NamedTuple):
    """Over what runs go out. Those that share it take turns."""

    sender_no: int
    channel: Channel


@dataclass(frozen=True, slots=True)
class Run:
    """One execution, as the engine sees it: the pinned definition, the text, and the app's settings of now."""

    app: int
    no: int
    id: str
    campaign_no: int
    campaign_id: str
    channel: Channel
    status: Status
    definition: Definition
    text: str
    sender: Sender
    lists: tuple[int, ...]
    settings: AppSettings
    started_at: datetime
    ended_at: datetime | None
    """When it was stopped, or completed; none while it goes on."""
    contacts: int
    """How many contacts of its lists it has taken in by now: a list that grows adds to them."""
    launch: Launch = NORMALLY
    tags: Mapping[str, str] = field(default_factory=dict)
    """What some carriers want to know of its text besides."""
    restored: Restored | None = None
    flow_no: int = 0
    """The flow whose conversation its messages begin; 0: it sends a text and no more."""
    flow_version: int = 0

    members: tuple[Sender, ...] = ()
    """Where its sender is a pool: those among which it chooses."""
    rooms: Rooms | None = None
    """What the limits have left that not all of its contacts share; only inside an arm."""

    @property
    def way(self) -> Way:
        """Over what it goes out."""
        return Way(self.sender.no, self.channel)

    @property
    def messages_per_minute(self) -> int | None:
        """Segments per minute over all senders of the app; none: unlimited. A call is no message."""
        return self.settings.messages_per_minute if self.channel is Channel.sms else None

    @property
    def senders(self) -> tuple[Sender, ...]:
        """The senders through which it speaks."""
        return self.members or (self.sender,)

    @property
    def has_rooms(self) -> bool:
        """Tell whether limits differ from contact to contact."""
        return bool(self.members) or any(one.allowance.classes or one.trunk_allowance.classes for one in self.senders)

    def sender_of(self, sender_no: int) -> Sender:
        """Return the sender that an attempt was given; the run's own where it was given none of these."""
        return next((one for one in self.senders if one.no == sender_no), self.senders[0])

    @property
    def order(self) -> Order:
        """In what order lists are walked."""
        return self.definition.order

    @property
    def is_emergency(self) -> bool:
        """Tell whether the run goes before all others of its sender."""
        return self.launch.execution is Execution.emergency

    @property
    def global_dnc_applies(self) -> bool:
        """Tell whether the app's global DNC list spares its people from this run."""
        return global_dnc_applies(self.channel, self.settings)


def global_dnc_applies(channel: Channel, settings: AppSettings) -> bool:
    """Tell whether the app's global DNC list spares its people from a channel."""
    return channel is Channel.voice or settings.dnc_for_sms


def zones_of(definition: Definition, settings: AppSettings, group: Group) -> frozenset[str]:
    """Return the zones of a group that must all be open."""
    by_number = settings.zones is ZoneSource.number
    return zones_of_group(group.own_zone, group.candidate_zones, definition.hours.timezone, by_number=by_number)


def judge_group_hours(
    definition: Definition, settings: AppSettings, launch: Launch, group: Group, now: datetime
) -> Verdict:
    """Judge the hours of a group: all its contacts share one set of zones. An emergency knows no hours."""
    if launch.ends_at is not None and launch.ends_at <= now + GOOD_FOR:
        return Wait(now + _OVER, Reason.outside_hours)
    over_hours = launch.over_hours and launch.ends_at is not None and settings.recurrence_precedence
    if over_hours or launch.execution is Execution.emergency:
        return SEND
    skip = settings.outside_hours is OutsideHours.skip
    return judge_hours(definition.hours, zones_of(definition, settings, group), now, skip_outside=skip)


def closes_at(run: Run, group: Group, now: datetime) -> datetime | None:
    """Return until when a contact of a group may be reached that may be contacted now: no message may come later.

    None: no rule ends it within a week.
    """
    ends_at, launch = run.launch.ends_at, run.launch
    over_hours = launch.over_hours and ends_at is not None and run.settings.recurrence_precedence
    if over_hours or run.is_emergency:
        return ends_at
    closes = open_until(run.definition.hours, zones_of(run.definition, run.settings, group), now)
    return min((at for at in (ends_at, closes) if at is not None), default=None)


def retry_policy(definition: Definition, settings: AppSettings) -> RetryPolicy:
    """Return what a run of this definition says about trying again, by the app's settings of now."""
    return RetryPolicy(definition.max_attempts, definition.retry_minutes, settings.uncertain_policy)
