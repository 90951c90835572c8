"""Why a campaign has (not) contacted a person, and what the gate would say now."""

from __future__ import annotations

from pydantic import BaseModel

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contact_history import ShownMembership, show_membership
from callsheet.api.v1.contract import problems
from callsheet.api.v1.numbers import AnyNumber, read_number
from callsheet.api.v1.shapes import Body, Instant
from callsheet.api.v1.strict import Router
from callsheet.core.day_use import caps_of_person, sender_of_person, used_up
from callsheet.core.errors import BodyTooLarge, CampaignNotFound, NameAmbiguous
from callsheet.core.run import Run
from callsheet.core.why import Answer, Gate, PlaceAnswers, Ruling, Why, explain, judge_day, judge_trunk
from callsheet.engine import campaigns
from callsheet.engine.runtime import Runtime
from callsheet.store.standings import Latest, Sighting

router = Router(prefix="/v1/apps/{app}/campaigns", tags=["campaigns"])


class Sought(Body):
    """Who is asked about."""

    number: AnyNumber
    """In international form, or local to the app's region."""


class GateAnswer(BaseModel):
    """What one gate says."""

    gate: Gate
    ruling: Ruling
    """`passes`, `waits` or `stops`."""
    reason: str
    """A stable word, where there is more to say."""
    until: Instant | None
    """How long it says so at least, where it knows."""
    sentence: str
    """The same for people."""


class ShownPlace(BaseModel):
    """A row of the person in a contact list of the campaign, and what the gates say that depend on it."""

    list_id: str
    list_name: str
    contact_id: str
    priority: int
    zones: list[str]
    """Contact is allowed when all of them are open."""
    filter: GateAnswer
    hours: GateAnswer
    next_at: Instant | None


class LatestRun(BaseModel):
    """What the latest run did about the person."""

    run_id: str
    attempts: int
    """Tries, those that a carrier refused for now and those that were withdrawn included."""
    state: str
    """Of the latest attempt; empty when there was none."""
    attempted_at: Instant | None
    suppressed: str
    """Why the person was not contacted; empty when nothing suppressed them."""
    suppressed_at: Instant | None


class ShownWhy(BaseModel):
    """The answer of every gate, and what they come to."""

    number: str
    may_be_contacted: bool
    """The gate would let the person through now, if it were their turn in the run that goes on."""
    next_at: Instant | None
    """The first moment at which it would, as things stand, if the campaign is running then; null: never, or nobody
    knows."""
    gates: list[GateAnswer]
    places: list[ShownPlace]
    """Empty: the number is in none of the campaign's contact lists."""
    dnc_lists: list[ShownMembership]
    """DNC lists with the number that apply to this campaign."""
    opted_out_at: Instant | None
    latest_run: LatestRun | None
    """Null when the campaign never ran."""


@router.post("/{campaign_id}/why", responses=problems(CampaignNotFound, NameAmbiguous, BodyTooLarge))
async def ask_why(runtime: Served, app: Tenant, campaign_id: str, sought: Sought) -> ShownWhy:
    """Say why a person has (not) been contacted by a campaign, and what every gate would say now.

    It changes nothing. The judges are those whom the engine asks before it contacts anybody.
    """
    person, number = read_number(runtime, app, sought.number)
    campaign = await campaigns.find(runtime, app, campaign_id)
    run = await runtime.store.runs.by_no(campaign.run_no) if campaign.run_no is not None else None
    now = runtime.clock.now()
    sighting = await runtime.store.standings.of(campaign, run, app.settings, person, now)
    route = list[Answer]()
    if run is not None:
        route = [await _judge_route(runtime, run), await _judge_day(runtime, run, person, number, sighting)]
    return _show(number, explain(sighting.standing, campaign.definition, app.settings, now, route), sighting)


async def _judge_route(runtime: Runtime, run: Run) -> Answer:
    """Say whether the trunk of a run takes messages, or calls, as this node sees it."""
    standing = runtime.conductor.standing(run.sender.trunk_no, run.channel)
    amiss = await runtime.ingest.amiss_with(run.app, run.sender.label)
    return judge_trunk(standing.trouble, standing.breaker.next_try_at, " ".join(amiss))


async def _judge_day(runtime: Runtime, run: Run, person: bytes, number: str, sighting: Sighting) -> Answer:
    """Say whether a run may send anything to a number today."""
    caps = caps_of_person(run, sender_of_person(run, person, sighting.sender_no), number)
    return judge_day(used_up(run, caps, await runtime.store.day_uses.of(run.app, caps, runtime.clock.now())))


def _show(number: str, why: Why, sighting: Sighting) -> ShownWhy:
    return ShownWhy(
        number=number,
        may_be_contacted=why.may_be_contacted,
        next_at=why.next_at,
        gates=[_gate(answer) for answer in why.answers],
        places=[_place(place) for place in why.places],
        dnc_lists=[show_membership(one) for one in sighting.memberships],
        opted_out_at=sighting.opted_out_at,
        latest_run=_latest(sighting.latest) if sighting.latest is not None else None,
    )


def _gate(answer: Answer) -> GateAnswer:
    return GateAnswer(
        gate=answer.gate, ruling=answer.ruling, reason=answer.reason, until=answer.until, sentence=answer.sentence
    )


def _place(judged: PlaceAnswers) -> ShownPlace:
    place = judged.place
    return ShownPlace(
        list_id=place.contact_list.id,
        list_name=place.contact_list.name,
        contact_id=place.contact_id,
        priority=place.group.priority,
        zones=sorted(judged.zones),
        filter=_gate(judged.filter),
        hours=_gate(judged.hours),
        next_at=judged.next_at,
    )


def _latest(latest: Latest) -> LatestRun:
    return LatestRun(
        run_id=latest.run_id,
        attempts=latest.tries,
        state=latest.state,
        attempted_at=latest.tried_at,
        suppressed=latest.suppressed,
        suppressed_at=latest.suppressed_at,
    )
