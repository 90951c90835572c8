"""Preflights: what all messages of a campaign come to before anybody gets one."""

from __future__ import annotations

from fastapi import Request
from pydantic import BaseModel

from callsheet.api.caller import note
from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import Instant
from callsheet.api.v1.strict import Router
from callsheet.core.errors import CampaignNotFound, Conflict, NameAmbiguous, PreflightNotFound
from callsheet.core.preflight import Pile, Piles
from callsheet.core.preflight_report import Finding, ZoneHours, blocks, named
from callsheet.engine import campaigns, preflight
from callsheet.store.preflights import Outcome, Pins, Preflight, State

router = Router(prefix="/v1/apps/{app}/campaigns/{campaign_id}/preflight", tags=["campaigns"])


class ShownFinding(BaseModel):
    """One thing that was found."""

    code: str
    """For programs: it does not change."""
    severity: str
    """`error`: a start that requires a preflight is refused; `warning`; `info`."""
    message: str
    contacts: int
    """Of how many contacts it is true."""
    contact_ids: list[str]
    """A few of them."""


class ShownPile(BaseModel):
    """Of how many contacts something is true, and a few of them by their ids."""

    name: str
    contacts: int
    contact_ids: list[str]


class ShownZone(BaseModel):
    """Contacts that share a set of zones, and when all of these are open."""

    zones: list[str]
    contacts: int
    is_open: bool
    opens_at: Instant | None
    """Null while they are open, and where no hour of the campaign fits all of them."""
    closes_at: Instant | None


class PinnedList(BaseModel):
    """A contact list as it was looked at."""

    id: str
    name: str
    size: int


class ShownPreflight(BaseModel):
    """The latest preflight of a campaign. While it runs the counts are those of the contacts that were looked at."""

    state: State
    begun_at: Instant
    finished_at: Instant | None
    contacts: int
    """How many contacts the lists had when it began."""
    looked_at: int
    campaign_version: int
    text_version: int
    """Of the template or the flow; 0: the text stands in the campaign."""
    lists: list[PinnedList]
    stale: list[str]
    """What is another now than was looked at; nothing: the report holds."""
    blocks: bool
    """Whether a start that requires a preflight would be refused now."""
    findings: list[ShownFinding]
    messages: int
    """How many messages would leave."""
    segments: int
    """And how many segments of them; a call counts as one."""
    calls: int
    """How many contacts would be called."""
    calls_at_once: int | None
    """How many calls may go on at once; null: nobody is called, or nobody knows yet."""
    cost: str | None
    """What they cost, where the app says what a segment does."""
    currency: str | None
    seconds: float | None
    """How long they take at the sender's pace at least, calls by an estimate; null: nothing limits it, or nobody knows
    yet."""
    encodings: list[ShownPile]
    sizes: list[ShownPile]
    """Messages by their number of segments."""
    characters: list[ShownPile]
    """Messages by each character that forces UCS-2."""
    blanks: list[ShownPile]
    """Messages by each placeholder that stays blank."""
    faults: list[ShownPile]
    """Contacts to whom nothing can be sent, by the code of the reason."""
    spared: list[ShownPile]
    """Contacts to whom nothing would be sent as of then, by reason."""
    countries: list[ShownPile]
    """Messages by region (ISO 3166-1)."""
    kinds: list[ShownPile]
    """Messages by the kind of number that they go to."""
    zones: list[ShownZone]


@router.post("", status_code=202, responses=problems(CampaignNotFound, NameAmbiguous, Conflict))
async def begin_preflight(request: Request, runtime: Served, app: Tenant, campaign_id: str) -> ShownPreflight:
    """Begin to look at all messages, or calls, of a campaign; what was found before is forgotten."""
    campaign = await campaigns.find(runtime, app, campaign_id)
    begun = await preflight.begin(runtime.store, app, campaign, runtime.clock)
    note(request.scope, campaign=campaign.id)
    runtime.conductor.preflighter.wake()
    return _show(begun, begun.pins)


@router.get("", responses=problems(CampaignNotFound, NameAmbiguous, PreflightNotFound))
async def get_preflight(runtime: Served, app: Tenant, campaign_id: str) -> ShownPreflight:
    """Return how far the latest preflight is, and what it found."""
    campaign = await campaigns.find(runtime, app, campaign_id)
    found = await runtime.store.preflights.find(campaign)
    if found is None:
        raise PreflightNotFound
    return _show(found, await preflight.pin(runtime.store, app, campaign))


def _show(found: Preflight, now: Pins) -> ShownPreflight:
    pins, tally = found.pins, found.tally
    outcome = found.outcome or Outcome(())
    stale = preflight.staleness(pins, now)
    return ShownPreflight(
        state=found.state,
        begun_at=found.begun_at,
        finished_at=found.finished_at,
        contacts=pins.contacts,
        looked_at=tally.contacts,
        campaign_version=pins.version,
        text_version=pins.text_version,
        lists=[PinnedList(id=one.id, name=one.name, size=one.size) for one in pins.lists],
        stale=stale,
        blocks=found.outcome is None or bool(stale or blocks(outcome.findings)),
        findings=[_finding(one) for one in outcome.findings],
        messages=tally.messages,
        segments=tally.segments,
        calls=tally.calls,
        calls_at_once=outcome.calls_at_once,
        cost=outcome.cost,
        currency=outcome.currency,
        seconds=outcome.seconds,
        encodings=_piles(tally.encodings),
        sizes=[_pile(str(size), pile) for size, pile in sorted(tally.sizes.items())],
        characters=_piles({named(character): pile for character, pile in tally.characters.items()}),
        blanks=_piles(tally.blanks),
        faults=_piles(tally.faults),
        spared=_piles(tally.spared),
        countries=_piles(tally.countries),
        kinds=_piles(tally.kinds),
        zones=[_zone(one) for one in outcome.zones],
    )


def _finding(one: Finding) -> ShownFinding:
    return ShownFinding(
        code=one.code,
        severity=one.severity,
        message=one.message,
        contacts=one.contacts,
        contact_ids=list(one.samples),
    )


def _piles(piles: Piles) -> list[ShownPile]:
    """Show piles, the largest first."""
    order = sorted(piles.items(), key=lambda item: -item[1].contacts)
    return [_pile(name, pile) for name, pile in order]


def _pile(name: str, pile: Pile) -> ShownPile:
    return ShownPile(name=name, contacts=pile.contacts, contact_ids=list(pile.samples))


def _zone(one: ZoneHours) -> ShownZone:
    return ShownZone(
        zones=list(one.zones),
        contacts=one.contacts,
        is_open=one.is_open,
        opens_at=one.opens_at,
        closes_at=one.closes_at,
    )
