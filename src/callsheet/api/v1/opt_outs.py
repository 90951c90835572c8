"""Opt-outs: people who are not contacted on a channel by their own word, or because somebody wrote it down for them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query, Request
from pydantic import BaseModel, Field, StringConstraints

from callsheet.api.caller import note
from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.dnc_numbers import MOST_NUMBERS
from callsheet.api.v1.numbers import AnyNumber
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, Instant, Limit, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.campaign import Channel
from callsheet.core.errors import BodyTooLarge
from callsheet.core.ids import PERSON_BYTES
from callsheet.engine import opt_outs
from callsheet.store.opt_outs import OptOut, Place

router = Router(prefix="/v1/apps/{app}/opt-outs", tags=["opt-outs"])

_LONGEST_REASON = 256

Source = Literal["reply", "doubt", "carrier", "api"]


class NewOptOuts(Body):
    """People who are to be opted out."""

    numbers: Annotated[list[AnyNumber], Field(max_length=MOST_NUMBERS)]
    """In international form, or local to the app's region."""
    channel: Channel = Channel.sms
    """What they are opted out of."""


class OldOptOuts(NewOptOuts):
    """People who may be contacted again, and why."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=_LONGEST_REASON)]
    """By what they said so; it is kept."""


class AddedOptOuts(BaseModel):
    """What came of people who were to be opted out; those who were already count as neither."""

    added: int
    rejected: list[str]
    """What is no phone number."""


class RemovedOptOuts(BaseModel):
    """What came of opt-outs that were to be taken back."""

    removed: int
    """How many people those were."""
    unknown: list[str]
    """Numbers that were not opted out."""


class ShownOptOut(BaseModel):
    """Somebody who opted out. One person comes once for each source."""

    id: str
    number: str
    """Empty when no list and no message of theirs has it any more; the opt-out holds all the same."""
    channel: Channel
    source: str
    """`reply`: they said STOP. `doubt`: they may have said it. `carrier`: the carrier says that they did.
    `api`: somebody wrote it down for them."""
    added_at: Instant


@router.get("")
async def list_opt_outs(
    runtime: Served,
    app: Tenant,
    channel: Annotated[Channel | None, Query(description="Only opt-outs from this channel.")] = None,
    source: Annotated[
        Source | None,
        Query(description="Only those by this source; `doubt`: by people who may not have meant it."),
    ] = None,
    after: After = None,
    limit: Limit = USUAL_LIMIT,
) -> Page[ShownOptOut]:
    """Return who opted out, in no order that means anything."""
    place = _read_id(after) if after else None
    found = await runtime.store.opt_outs.page(app.no, channel=channel, source=source, after=place, limit=limit + 1)
    return page_of([_show(one, number) for one, number in found], limit, lambda one: one.id)


@router.post("", responses=problems(BodyTooLarge))
async def add_opt_outs(runtime: Served, app: Tenant, new: NewOptOuts) -> AddedOptOuts:
    """Opt people out. When this answers, nothing more leaves for any of them, in running campaigns either."""
    added, rejected = await opt_outs.add(runtime, app, new.channel, new.numbers)
    return AddedOptOuts(added=added, rejected=list(rejected))


@router.post("/remove", responses=problems(BodyTooLarge))
async def remove_opt_outs(request: Request, runtime: Served, app: Tenant, old: OldOptOuts) -> RemovedOptOuts:
    """Take opt-outs back, whatever they came by: who said STOP has to have said otherwise since.

    DNC lists spare those who are on them all the same.
    """
    note(request.scope, reason=old.reason)
    removed, unknown = await opt_outs.lift(runtime, app, old.channel, old.numbers, old.reason)
    return RemovedOptOuts(removed=removed, unknown=list(unknown))


def _show(one: OptOut, number: str) -> ShownOptOut:
    return ShownOptOut(
        id=f"{one.channel}.{one.person.hex()}.{one.source}",
        number=number,
        channel=one.channel,
        source=one.source,
        added_at=one.added_at,
    )


def _read_id(text: str) -> Place:
    channel, _, rest = text.partition(".")
    person, _, source = rest.partition(".")
    try:
        place = Place(Channel(channel).value, bytes.fromhex(person), source)
    except ValueError:
        raise no_cursor() from None
    if len(place.person) != PERSON_BYTES:
        raise no_cursor()
    return place
