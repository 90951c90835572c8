"""Why a campaign has (not) contacted a person, and what the gate would say now.

The store gathers the facts, and the judges are those whom arming asks: so what is said here is what happens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from callsheet.core.campaign import Definition, Named, Status
from callsheet.core.day_use import UsedUp
from callsheet.core.gate import Facts, Reason, Send, Suppress, Verdict, Wait, judge
from callsheet.core.run import AppSettings, Launch, judge_group_hours, zones_of
from callsheet.core.walk import Group


class Gate(StrEnum):
    """What stands between a campaign and a person."""

    campaign = "campaign"
    contact_list = "contact_list"
    duplicate = "duplicate"
    dnc = "dnc"
    opted_out = "opted_out"
    reached = "reached"
    cap = "cap"
    filter = "filter"
    hours = "hours"
    trunk = "trunk"
    daily_cap = "daily_cap"


class Ruling(StrEnum):
    """What a gate says."""

    passes = "passes"
    waits = "waits"
    stops = "stops"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one gate says, and until when, where it knows."""

    gate: Gate
    ruling: Ruling
    reason: str = ""
    until: datetime | None = None
    why: str = ""
    """What there is to say besides."""

    @property
    def sentence(self) -> str:
        """The same for people."""
        return f"{_SENTENCES.get((self.gate, self.ruling), '')} {self.why}".strip()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person stands in a contact list of the campaign."""

    contact_list: Named
    contact_id: str
    group: Group
    is_wanted: bool
    """The campaign's filter accepts this row."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a person and a campaign at this moment."""

    status: Status
    launch: Launch
    """Of the run that goes on, else of one that would be begun normally."""
    facts: Facts
    places: tuple[Place, ...]
    dealt_with: str = ""
    """What the run that goes on has made of them: the state of the latest attempt, or why they were suppressed."""
    due_at: datetime | None = None
    """When the run that goes on comes back to them."""
    due_reason: str = ""


@dataclass(frozen=True, slots=True)
class PlaceAnswers:
    """What the gates say that depend on the row."""

    place: Place
    zones: frozenset[str]
    """Contact is allowed when all of them are open."""
    filter: Answer
    hours: Answer
    next_at: datetime | None
    """When this row may be contacted at the earliest; none where something stops it."""


@dataclass(frozen=True, slots=True)
class Why:
    """The answer of every gate, and what they come to."""

    answers: tuple[Answer, ...]
    places: tuple[PlaceAnswers, ...]
    may_be_contacted: bool
    """The gate would let the person through now, if it were their turn."""
    next_at: datetime | None
    """The first moment at which the gate would, as things stand; none where something stops them, or nobody knows. The
    campaign has to be running then."""


_SENTENCES: Mapping[tuple[Gate, Ruling], str] = {
    (Gate.campaign, Ruling.passes): "The campaign is running.",
    (Gate.campaign, Ruling.waits): "The campaign is not running.",
    (Gate.contact_list, Ruling.passes): "The number is in a contact list of the campaign.",
    (Gate.contact_list, Ruling.stops): "The number is in none of the campaign's contact lists.",
    (Gate.duplicate, Ruling.passes): "The present run has not dealt with this person, or comes back to them now.",
    (Gate.duplicate, Ruling.waits): "The present run comes back to this person later.",
    (Gate.duplicate, Ruling.stops): "The present run has dealt with this person and does not come back to them.",
    (Gate.dnc, Ruling.passes): "No DNC list that applies has the number.",
    (Gate.dnc, Ruling.stops): "A DNC list that applies has the number.",
    (Gate.opted_out, Ruling.passes): "The person has not opted out of the campaign's channel.",
    (Gate.opted_out, Ruling.stops): "The person opted out of the campaign's channel.",
    (Gate.reached, Ruling.passes): "The run does not leave the person out because an earlier one reached them.",
    (Gate.reached, Ruling.stops): "An earlier run reached the person, and this one is for those who were not.",
    (Gate.cap, Ruling.passes): "The app's cap leaves room for another attempt.",
    (Gate.cap, Ruling.waits): "The person had as many attempts lately as the app's cap allows.",
    (Gate.filter, Ruling.passes): "The campaign's filter accepts this contact.",
    (Gate.filter, Ruling.stops): "The campaign's filter leaves this contact out.",
    (Gate.hours, Ruling.passes): "The calling hours are open for this contact.",
    (Gate.hours, Ruling.waits): "The calling hours are closed for this contact.",
    (Gate.hours, Ruling.stops): "The calling hours leave this contact out.",
    (Gate.trunk, Ruling.passes): "The sender's trunk takes messages.",
    (Gate.trunk, Ruling.waits): "The sender's trunk takes no messages now.",
    (Gate.daily_cap, Ruling.passes): "The limits of the day leave room for a message.",
    (Gate.daily_cap, Ruling.waits): "The segments of the day are used up.",
}


def explain(
    standing: Standing, definition: Definition, settings: AppSettings, now: datetime, route: Sequence[Answer] = ()
) -> Why:
    """Ask every gate, and say when all of them would open; `route` is what was found of the way to the carrier."""
    answers = (
        _campaign(standing.status),
        Answer(Gate.contact_list, Ruling.passes if standing.places else Ruling.stops),
        _turn(standing, now),
        *_person(standing.facts, now),
        *route,
    )
    waits = (answer.until for answer in answers if answer.until is not None)
    ready_at = max(now, max(waits, default=now))
    stopped = any(answer.ruling is Ruling.stops for answer in answers)
    places = tuple(_place(place, standing.launch, definition, settings, now, ready_at) for place in standing.places)
    moments = [place.next_at for place in places if place.next_at is not None and not stopped]
    # Nobody knows when a trunk works again that is not tried by itself.
    flows = all(answer.ruling is Ruling.passes for answer in route)
    is_known = all(answer.ruling is Ruling.passes or answer.until is not None for answer in route)
    next_at = min(moments, default=None) if is_known else None
    running = standing.status is Status.active
    return Why(answers, places, running and flows and next_at == now, next_at)


def judge_trunk(trouble: str, next_try_at: datetime | None, amiss: str = "") -> Answer:
    """Say whether a trunk takes messages, and what is `amiss` all the same: the same for everybody."""
    if trouble:
        return Answer(Gate.trunk, Ruling.waits, "trunk", next_try_at, trouble)
    return Answer(Gate.trunk, Ruling.passes, "unheard" if amiss else "", why=amiss)


def judge_day(full: UsedUp | None) -> Answer:
    """Say whether the day caps of a person's sender, trunk and class leave room for a message."""
    if full is None:
        return Answer(Gate.daily_cap, Ruling.passes)
    return Answer(
        Gate.daily_cap, Ruling.waits, Reason.daily_cap.value, full.until, f"The limit is that of {full.what}."
    )


def _campaign(status: Status) -> Answer:
    return Answer(Gate.campaign, Ruling.passes if status is Status.active else Ruling.waits, status.value)


def _turn(standing: Standing, now: datetime) -> Answer:
    """Say whether the run that goes on has dealt with the person already."""
    if standing.due_at is not None:
        if standing.due_at > now:
            return Answer(Gate.duplicate, Ruling.waits, standing.due_reason, standing.due_at)
        return Answer(Gate.duplicate, Ruling.passes, standing.due_reason)
    ruling = Ruling.stops if standing.dealt_with else Ruling.passes
    return Answer(Gate.duplicate, ruling, standing.dealt_with)


def _person(facts: Facts, now: datetime) -> tuple[Answer, ...]:
    """Put one fact at a time before the judge of arming, so that each gate answers for itself."""
    nothing = Facts(on_dnc=False, opted_out=False)
    return (
        _answer(Gate.dnc, judge(nothing._replace(on_dnc=facts.on_dnc), now)),
        _answer(Gate.opted_out, judge(nothing._replace(opted_out=facts.opted_out), now)),
        _answer(Gate.reached, judge(nothing._replace(reached=facts.reached), now)),
        _answer(Gate.cap, judge(nothing._replace(capped_until=facts.capped_until), now)),
    )


def _answer(gate: Gate, verdict: Verdict) -> Answer:
    match verdict:
        case Send():
            return Answer(gate, Ruling.passes)
        case Wait(until, reason):
            return Answer(gate, Ruling.waits, reason.value, until)
        case Suppress(reason):
            return Answer(gate, Ruling.stops, reason.value)


def _place(
    place: Place, launch: Launch, definition: Definition, settings: AppSettings, now: datetime, ready_at: datetime
) -> PlaceAnswers:
    """Judge a row now, and at the moment when everything else allows it."""
    hours = judge_group_hours(definition, settings, launch, place.group, now)
    then = judge_group_hours(definition, settings, launch, place.group, ready_at) if ready_at > now else hours
    next_at = None
    if place.is_wanted and not isinstance(hours, Suppress) and not isinstance(then, Suppress):
        next_at = then.until if isinstance(then, Wait) else ready_at
    return PlaceAnswers(
        place,
        zones_of(definition, settings, place.group),
        Answer(Gate.filter, Ruling.passes) if place.is_wanted else Answer(Gate.filter, Ruling.stops, "filtered"),
        _answer(Gate.hours, hours),
        next_at,
    )
