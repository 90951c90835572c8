"""Schedules: when campaigns start by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NotRequired, TypeAlias, TypedDict, Unpack

from callsheet.client.call import Call
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_ALL = "/v1/apps/{app}/schedules"
_ONE = "/v1/apps/{app}/campaigns/{campaign_id}/schedule"

Last: TypeAlias = Literal["last"]


class EveryDay(TypedDict):
    """Every day; with an interval of 2 every second one."""

    every: Literal["day"]
    interval: NotRequired[int]


class EveryWeek(TypedDict):
    """On some days of the week, `MO` to `SU`."""

    every: Literal["week"]
    days: Sequence[str]
    interval: NotRequired[int]


class EveryMonth(TypedDict):
    """On the day with this number, or on the `nth` weekday; either may be `last`."""

    every: Literal["month"]
    interval: NotRequired[int]
    day: NotRequired[int | Last]
    nth: NotRequired[int | Last]
    weekday: NotRequired[str]


class EveryYear(TypedDict):
    """On a day of the year."""

    every: Literal["year"]
    month: int
    day: int
    interval: NotRequired[int]


class NewSchedule(TypedDict):
    """When a campaign starts by itself: once, or again by `repeat` or by a `rule` of RFC 5545.

    `start` and `end` are what the clocks of the zone show, like `2099-01-05T09:00`.
    """

    zone: str
    start: str
    end: NotRequired[str | None]
    repeat: NotRequired[EveryDay | EveryWeek | EveryMonth | EveryYear | None]
    rule: NotRequired[str | None]
    duration_minutes: NotRequired[int | None]
    lateness_minutes: NotRequired[int | None]
    only_unreached: NotRequired[bool]
    recurrence_precedence: NotRequired[bool]


class Occurrence(Record, frozen=True):
    """A start: the instant, and what the clocks of the schedule's zone show then."""

    at: datetime
    local: str


class Dates(Record, frozen=True):
    """The next starts; fewer than were asked for when a schedule ends."""

    dates: tuple[Occurrence, ...]


class Schedule(Dates, frozen=True):
    """A schedule as it stands. `status` is the campaign's; `next_at` None: it starts nothing any more."""

    campaign_id: str
    campaign_name: str
    status: str
    zone: str
    start: str
    end: str | None
    rule: str | None
    """Of RFC 5545, whichever way it was written."""
    duration_minutes: int | None
    lateness_minutes: int | None
    only_unreached: bool
    recurrence_precedence: bool
    next_at: datetime | None
    last_at: datetime | None
    last_outcome: str | None
    last_reason: str | None


class Schedules(Resource[Mode]):
    """Schedules: when campaigns start by themselves. Each is named by its campaign's id, or name."""

    @Single
    def put(self, campaign_id: str, **new: Unpack[NewSchedule]) -> Call[Schedule]:
        """Give a campaign a schedule, in place of the one that it had. A run that is on goes on."""
        return Call("PUT", _ONE, Schedule, {"campaign_id": campaign_id}, body={**new})

    @Single
    def get(self, campaign_id: str) -> Call[Schedule]:
        """Return the schedule of a campaign, also one that is over."""
        return Call("GET", _ONE, Schedule, {"campaign_id": campaign_id})

    @Single
    def delete(self, campaign_id: str) -> Call[None]:
        """Take the schedule of a campaign away. A run that is on goes on."""
        return Call("DELETE", _ONE, type(None), {"campaign_id": campaign_id})

    @Single
    def preview(self, *, count: int = 10, **new: Unpack[NewSchedule]) -> Call[Dates]:
        """Return the next starts of a schedule. Nothing is stored."""
        return Call("POST", f"{_ALL}/preview", Dates, query={"count": count}, body={**new})

    @Paged
    def list(self, *, limit: int = 1000) -> Call[Page[Schedule]]:
        """Give the schedules that start something, the next one first."""
        return Call("GET", _ALL, Page[Schedule], query={"limit": limit})
