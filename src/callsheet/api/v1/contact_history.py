"""What happened with one person, over all campaigns. The number comes in a body, because URLs are written into logs."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.numbers import AnyNumber, read_number
from callsheet.api.v1.shapes import MOST_ITEMS, USUAL_LIMIT, Body, Instant, no_cursor
from callsheet.api.v1.strict import Router
from callsheet.core.errors import BodyTooLarge, ContactNotFound, FieldError, Invalid
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.histories import Entry, History, RunOf, read_place, write_place
from callsheet.store.lists import read_contact_id
from callsheet.store.standings import Membership

router = Router(prefix="/v1/apps/{app}/contacts", tags=["contacts"])

_LONGEST_CURSOR = 1000


class SoughtHistory(Body):
    """Whose history: give a number, or the id of a contact."""

    number: AnyNumber | None = None
    """In international form, or local to the app's region."""
    contact_id: Annotated[str, Field(max_length=64)] | None = None
    """Of any contact of the person, in any list."""
    after: Annotated[str, Field(max_length=_LONGEST_CURSOR)] | None = None
    """`next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=MOST_ITEMS)] = USUAL_LIMIT
    """How many items at most."""


class RunReference(BaseModel):
    """The run in which something happened."""

    run_id: str
    campaign_id: str
    """Empty when the campaign was deleted."""
    campaign_name: str


class HistoryEvent(BaseModel):
    """Something that happened to an attempt."""

    kind: str
    at: Instant
    code: str
    carrier_id: str
    segments: int


class HistoryItem(BaseModel):
    """One thing that happened."""

    kind: str
    """`attempt`, `suppression`, `reply` (of the person), or `answer` (of ours to a reply)."""
    at: Instant
    run: RunReference | None
    """Null for a reply and an answer."""
    contact_id: str
    """Which contact it was; empty for a reply and an answer."""
    attempt_id: str
    """Of an attempt; else empty."""
    n: int
    """Which try it was in its run; 0 for anything else."""
    state: str
    """How an attempt, or an answer, stands. An answer is waiting, taken, accepted, rejected, uncertain or expired."""
    reason: str
    """Why the person was not contacted, or not answered."""
    text: str
    """What the person replied, or what was answered."""
    word: str
    """What a reply says (stop, doubt, help, start, none), or what is answered (stop, help, start, flow); else empty."""
    sender: str
    """To which of our senders a reply came, or from which one an answer or an attempt left; else empty."""
    events: list[HistoryEvent]
    """All that happened to an attempt, oldest first."""


class HistoryOptOut(BaseModel):
    """What the person opted out of."""

    channel: str
    source: str
    """`reply`, `api` or what else it came by."""
    added_at: Instant


class LiftedOptOut(HistoryOptOut):
    """An opt-out that was taken back."""

    lifted_at: Instant
    reason: str


class ShownMembership(BaseModel):
    """A DNC list that the person is on."""

    list_id: str
    list_name: str
    is_global: bool
    source: str
    added_at: Instant


class ListReference(BaseModel):
    """A contact list that the person is in."""

    id: str
    name: str


class ShownWaiting(BaseModel):
    """A run that comes back to the person, and when at the earliest."""

    run: RunReference
    due_at: Instant
    reason: str


class ShownHistory(BaseModel):
    """What holds for a person now, and what happened, newest first."""

    number: str
    contact_lists: list[ListReference]
    dnc_lists: list[ShownMembership]
    opt_outs: list[HistoryOptOut]
    lifted_opt_outs: list[LiftedOptOut]
    """Those that were taken back, the latest first."""
    waiting: list[ShownWaiting]
    items: list[HistoryItem]
    next: str | None
    """The cursor of the items that follow; null when none follow."""


@router.post("/history", responses=problems(ContactNotFound, BodyTooLarge))
async def read_history(runtime: Served, app: Tenant, sought: SoughtHistory) -> ShownHistory:
    """Return everything about one person, over all campaigns of the app. It changes nothing.

    A number that is in no list, and never was contacted, has an empty history.
    """
    before = read_place(sought.after) if sought.after is not None else None
    if sought.after is not None and before is None:
        raise no_cursor()
    person, number = await _who(runtime, app, sought)
    history = await runtime.store.histories.of(app.no, person, before=before, limit=sought.limit + 1)
    return _show(number, history, sought.limit)


async def _who(runtime: Runtime, app: App, sought: SoughtHistory) -> tuple[bytes, str]:
    if (sought.number is None) == (sought.contact_id is None):
        sentence = "Give either a number or the id of a contact."
        raise Invalid([FieldError("number", sentence), FieldError("contact_id", sentence)])
    if sought.number is not None:
        return read_number(runtime, app, sought.number)
    place = read_contact_id(sought.contact_id or "")
    found = await runtime.store.histories.who(app.no, *place) if place is not None else None
    if found is None:
        raise ContactNotFound
    return found


def _show(number: str, history: History, limit: int) -> ShownHistory:
    shown = history.entries[:limit]
    return ShownHistory(
        number=number,
        contact_lists=[ListReference(id=one.id, name=one.name) for one in history.contact_lists],
        dnc_lists=[show_membership(one) for one in history.memberships],
        opt_outs=[
            HistoryOptOut(channel=one.channel.value, source=one.source, added_at=one.added_at)
            for one in history.opt_outs
        ],
        lifted_opt_outs=[
            LiftedOptOut(
                channel=one.opt_out.channel.value,
                source=one.opt_out.source,
                added_at=one.opt_out.added_at,
                lifted_at=one.lifted_at,
                reason=one.reason,
            )
            for one in history.lifted
        ],
        waiting=[ShownWaiting(run=_run(one.run), due_at=one.due_at, reason=one.reason) for one in history.waiting],
        items=[_item(entry) for entry in shown],
        next=write_place(shown[-1].place) if len(history.entries) > limit else None,
    )


def show_membership(one: Membership) -> ShownMembership:
    """Show a DNC list that a person is on."""
    return ShownMembership(
        list_id=one.list_id,
        list_name=one.list_name,
        is_global=one.is_global,
        source=one.source,
        added_at=one.added_at,
    )


def _item(entry: Entry) -> HistoryItem:
    return HistoryItem(
        kind=entry.place.kind.name,
        at=entry.at,
        run=_run(entry.run) if entry.run is not None else None,
        contact_id=entry.contact_id,
        attempt_id=entry.attempt_id,
        n=entry.n,
        state=entry.state,
        reason=entry.reason,
        text=entry.text,
        word=entry.word,
        sender=entry.sender,
        events=[
            HistoryEvent(kind=event.kind, at=event.at, code=event.code, carrier_id=event.ref, segments=event.segments)
            for event in entry.events
        ],
    )


def _run(run: RunOf) -> RunReference:
    return RunReference(run_id=run.run_id, campaign_id=run.campaign_id, campaign_name=run.campaign_name)
