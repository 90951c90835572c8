"""What is said of a campaign to be: the bodies of our own calls, and how they become what the client wishes for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StrictInt,
    StringConstraints,
    model_validator,
)

from callsheet.api.v1.detection_bodies import NewDetection
from callsheet.api.v1.shapes import Body, Description, Name
from callsheet.core.campaign import (
    HIGHEST_PRIORITY,
    LEAST_RING_SECONDS,
    LOWEST_PRIORITY,
    MAX_CONTACT_LISTS,
    MOST_ATTEMPTS,
    MOST_PACING_RATIO,
    MOST_RETRY_MINUTES,
    MOST_RING_SECONDS,
    MOST_SKIPS,
    USUAL_PACING_RATIO,
    Channel,
    MachineDetection,
    Mode,
    Order,
)
from callsheet.core.errors import FieldError
from callsheet.core.filtering import MOST_CONDITIONS, MOST_VALUES, WITHOUT_VALUE, Condition, Filter, Match, Operator
from callsheet.core.hours import DAY_MINUTES, MOST_WINDOWS, CallingHours, Frequency, Window, write_hours
from callsheet.core.ids import Prefix
from callsheet.core.message import to_send
from callsheet.core.wish import Paths, Reference, VoiceWish, Wish
from callsheet.core.zones import zone_named

MOST_DNC_LISTS = 100
_LONGEST_TEXT = 65_536
_LONGEST_VALUE = 300
_PATHS = Paths("sender", "message.text", "filter")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00", re.ASCII)

Day = Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
DAYS: tuple[Day, ...] = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def _clock(text: str) -> str:
    if _CLOCK.fullmatch(text.strip()) is None:
        raise ValueError("Write the time of day like 09:00, from 00:00 to 24:00")
    return text.strip()


def _zone(text: str) -> str:
    zone = zone_named(text)
    if zone is None:
        raise ValueError("Give the IANA name of a time zone, such as Asia/Kolkata")
    return zone


Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_zone)]
"""The IANA name of a time zone."""


def _sender(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("A caller ID is a number or a name, without control characters")
    return text.strip()


_EXAMPLE: dict[str, JsonValue] = {
    "name": "Spring sale",
    "channel": "sms",
    "contact_list_ids": ["March buyers"],
    "sender": "+12125550100",
    "calling_hours": {
        "timezone": "Asia/Kolkata",
        "windows": [{"days": ["MO", "TU"], "start": "09:00", "end": "18:00"}],
    },
    "message": {"text": "Hello {{first_name}}"},
}

Handle = Annotated[str, StringConstraints(min_length=1, max_length=256)]
"""The id of a thing; its name is taken as well."""
Clock = Annotated[str, AfterValidator(_clock)]


class NewWindow(Body):
    """A stretch of some days in which contact is allowed."""

    days: Annotated[list[Day], Field(min_length=1, max_length=7)]
    """On which days: MO to SU."""
    start: Clock
    """From when, such as 09:00."""
    end: Clock
    """Until when, such as 18:00; 24:00 is the coming midnight."""

    @model_validator(mode="after")
    def _runs_forward(self) -> NewWindow:
        if _minute(self.start) >= _until(self.end):
            raise ValueError("The end must be later than the start; a window cannot pass midnight")
        return self


class NewHours(Body):
    """When contact is allowed."""

    timezone: Zone
    """The IANA name of the zone that rules where a contact has none of its own."""
    windows: Annotated[list[NewWindow], Field(min_length=1, max_length=MOST_WINDOWS)]
    """Several for one day are allowed."""


class NewMessage(Body):
    """What is said: one of the three."""

    text: Annotated[str, StringConstraints(max_length=_LONGEST_TEXT)] | None = None
    """Plain text, HTML, or either as Base64, with placeholders for columns."""
    template_id: Handle | None = None
    """A template."""
    flow_id: Handle | None = None
    """An experience flow; an Agentless voice campaign needs one."""


class NewVoice(Body):
    """How a voice campaign calls."""

    mode: Mode
    """How calls are placed."""
    queue_id: Handle | None = None
    """Where answered calls go; every mode but Agentless needs one."""
    max_skips: Annotated[StrictInt, Field(ge=0, le=MOST_SKIPS)] = 0
    """Preview: how often a record may be skipped."""
    machine_detection: MachineDetection = MachineDetection.no
    """Agentless: what happens when a machine answers."""
    pacing_ratio: Annotated[float, Field(ge=1, le=MOST_PACING_RATIO, allow_inf_nan=False)] = USUAL_PACING_RATIO
    """Power: calls for each free agent."""
    agent_mapping_id: Handle | None = None
    """Which agent a customer belongs to. It is kept for the modes with agents, and steers nobody yet."""
    detection: NewDetection | None = None
    """Agentless: what machine detection goes by."""
    record_calls: StrictBool = False
    """Both sides of each call are recorded, from the answer to the end."""
    machine_sample_share: Annotated[float, Field(ge=0, le=1, strict=True)] | None = None
    """Agentless: of which share of the calls that a machine answers what was heard is kept; null: as the app says."""


class NewCondition(Body):
    """One question about one column. Case, and blanks at the ends, never count."""

    column: Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_VALUE)]
    """The column's name."""
    operator: Operator
    """What is asked."""
    values: Annotated[
        list[Annotated[str, StringConstraints(max_length=_LONGEST_VALUE)]], Field(max_length=MOST_VALUES)
    ] = Field(default_factory=list)
    """What it is compared with: one or more, any of which will do; none for blank and filled."""

    @model_validator(mode="after")
    def _has_values(self) -> NewCondition:
        if (self.operator in WITHOUT_VALUE) is bool(self.values):
            raise ValueError("Give values, except for blank and filled, which have none")
        return self


class NewFilter(Body):
    """Which contacts of the lists are meant."""

    match: Match = Match.all
    """Whether all conditions must hold, or any of them."""
    conditions: Annotated[list[NewCondition], Field(min_length=1, max_length=MOST_CONDITIONS)]
    """The conditions."""

    def read(self) -> Filter:
        """Return the filter."""
        return Filter(tuple(Condition(c.column, c.operator, tuple(c.values)) for c in self.conditions), self.match)


class NewCampaign(Body):
    """A campaign as it is to be. A campaign that is replaced by it keeps nothing that is not named."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    name: Name
    """What people call it."""
    description: Description = ""
    """For those who look at it."""
    channel: Channel
    """How contacts are reached."""
    contact_list_ids: Annotated[list[Handle], Field(min_length=1, max_length=MAX_CONTACT_LISTS)]
    """The contact lists, in the order in which they are walked."""
    dnc_list_ids: Annotated[list[Handle], Field(max_length=MOST_DNC_LISTS)] = Field(default_factory=list)
    """DNC lists that hold besides the global one."""
    priority: Annotated[StrictInt, Field(ge=LOWEST_PRIORITY, le=HIGHEST_PRIORITY)] = HIGHEST_PRIORITY
    """5 is the highest."""
    sender: Annotated[str, StringConstraints(max_length=64), AfterValidator(_sender)]
    """The caller ID that contacts see."""
    calling_hours: NewHours
    """When contact is allowed."""
    message: NewMessage | None = None
    """What is said; only a campaign whose agents speak has none."""
    voice: NewVoice | None = None
    """How it calls; only for the channel voice."""
    filter: NewFilter | None = None
    """Which contacts of the lists are meant; null: all."""
    order: Order = Order.fifo
    """Whether lists are walked from their beginning or from their end."""
    max_attempts: Annotated[StrictInt, Field(ge=1, le=MOST_ATTEMPTS)] = 1
    """How often a contact is tried at most."""
    retry_minutes: Annotated[StrictInt, Field(ge=1, le=MOST_RETRY_MINUTES)] = 10
    """How long a contact that was not reached waits."""
    ring_seconds: Annotated[StrictInt, Field(ge=LEAST_RING_SECONDS, le=MOST_RING_SECONDS)] = 30
    """How long it rings."""

    def read(self) -> Wish:
        """Return what the client wishes for, with what does not fit together in it."""
        message, hours = self.message or NewMessage(), _read_hours(self.calling_hours)
        calls = self.channel is Channel.voice
        return Wish(
            name=self.name,
            description=self.description,
            channel=self.channel,
            contact_lists=read_handles(self.contact_list_ids, "contact_list_ids", Prefix.contact_list),
            dnc_lists=read_handles(self.dnc_list_ids, "dnc_list_ids", Prefix.contact_list),
            priority=self.priority,
            sender=self.sender,
            hours=hours,
            hours_document=write_hours(hours),
            format="advanced" if message.flow_id and not calls else "simple",
            message=message.text,
            template=_reference(message.template_id, "message.template_id", Prefix.template),
            flow=_reference(message.flow_id, "message.flow_id", Prefix.flow),
            order=self.order,
            max_attempts=self.max_attempts,
            retry_minutes=self.retry_minutes,
            ring_seconds=self.ring_seconds,
            voice=_read_voice(self.voice) if calls and self.voice is not None else None,
            filter=self.filter.read() if self.filter is not None else None,
            paths=_PATHS,
            faults=tuple(_faults(self)),
        )


def read_handles(handles: list[str], path: str, prefix: Prefix) -> tuple[Reference, ...]:
    """Return what some handles name."""
    return tuple(_refer(handle, f"{path}[{index}]", prefix) for index, handle in enumerate(handles))


def _reference(handle: str | None, path: str, prefix: Prefix) -> Reference | None:
    return _refer(handle, path, prefix) if handle is not None else None


def _refer(handle: str, path: str, prefix: Prefix) -> Reference:
    is_id = handle.startswith(prefix)
    return Reference(path, id=handle) if is_id else Reference(path, name=handle.strip())


def _read_hours(hours: NewHours) -> CallingHours:
    windows = (
        Window(DAYS.index(day), _minute(window.start), _until(window.end))
        for window in hours.windows
        for day in window.days
    )
    return CallingHours(Frequency.weekly, hours.timezone, tuple(windows))


def _minute(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def _until(clock: str) -> int:
    """Return the end of a window: midnight is the coming one, and 23:59 includes its minute, as elsewhere."""
    minute = _minute(clock)
    return DAY_MINUTES if minute in (0, DAY_MINUTES - 1) else minute


def _read_voice(voice: NewVoice) -> VoiceWish:
    agentless = voice.mode is Mode.agentless
    return VoiceWish(
        voice.mode,
        None if agentless else _reference(voice.queue_id, "voice.queue_id", Prefix.queue),
        voice.max_skips if voice.mode is Mode.preview else 0,
        voice.machine_detection if agentless else MachineDetection.no,
        voice.pacing_ratio if voice.mode is Mode.power else None,
        _reference(voice.agent_mapping_id, "voice.agent_mapping_id", Prefix.agent_mapping),
        voice.detection.given() if agentless and voice.detection is not None else {},
        record_calls=voice.record_calls,
        machine_sample_share=voice.machine_sample_share if agentless else None,
    )


def _faults(new: NewCampaign) -> Iterator[FieldError]:
    """Name what does not fit together."""
    message = new.message
    given = [] if message is None else [key for key, value in message.model_dump().items() if value is not None]
    if new.channel is Channel.sms:
        if new.voice is not None:
            yield FieldError("voice", "Only a voice campaign calls.")
        if len(given) != 1:
            yield FieldError("message", "Give one of text, template_id and flow_id.")
        elif message is not None and message.text is not None and not to_send(message.text).strip():
            yield FieldError("message.text", "There is nothing in the text to send.")
    elif new.voice is None:
        yield FieldError("voice", "Say how the campaign calls.")
    elif new.voice.mode is Mode.agentless:
        if given != ["flow_id"]:
            yield FieldError("message.flow_id", "An Agentless campaign needs an experience flow, and nothing else.")
    else:
        if given:
            yield FieldError("message", "Agents speak: this campaign has no message.")
        if new.voice.queue_id is None:
            yield FieldError("voice.queue_id", "Say in which queue answered calls wait for an agent.")
