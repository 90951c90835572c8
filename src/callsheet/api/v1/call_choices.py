"""Which calls are meant: what lists of calls, and of their recordings, can be narrowed by."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, NamedTuple

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.runs import find_run
from callsheet.core.errors import CampaignNotFound, FieldError, Invalid
from callsheet.core.ids import PERSON_BYTES


class CallsOf(NamedTuple):
    """Whose calls are meant, by numbers; None: anybody's."""

    run_no: int | None
    campaign_no: int | None


def _person(text: str) -> str:
    try:
        is_one = len(bytes.fromhex(text)) == PERSON_BYTES
    except ValueError:
        is_one = False
    if not is_one:
        raise ValueError("This is not the id of a person")
    return text


PersonId = Annotated[
    Annotated[str, AfterValidator(_person)] | None, Query(max_length=64, description="Only calls to this person.")
]
CallsFrom = Annotated[AwareDatetime | None, Query(alias="from", description="Dialed then, or later.")]
CallsTo = Annotated[AwareDatetime | None, Query(alias="to", description="Dialed before.")]


async def runs_of(
    runtime: Served,
    app: Tenant,
    run: Annotated[str | None, Query(max_length=128, description="Only calls of this run: its id.")] = None,
    campaign: Annotated[str | None, Query(max_length=128, description="Only calls of this campaign: its id.")] = None,
) -> CallsOf:
    """Return whose calls are meant. Raises RunNotFound, CampaignNotFound."""
    run_no = (await find_run(runtime, app, run)).no if run is not None else None
    if campaign is None:
        return CallsOf(run_no, None)
    found = await runtime.store.campaigns.find(app.no, campaign_id=campaign)
    if found is None:
        raise CampaignNotFound
    return CallsOf(run_no, found.no)


def check_order(since: datetime | None, until: datetime | None) -> None:
    """Refuse a time that ends before it begins. Raises Invalid."""
    if since is not None and until is not None and until <= since:
        raise Invalid([FieldError("to", "This must be later than from.")])
