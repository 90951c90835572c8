"""Campaigns: made, looked at, replaced and deleted. What is done with one is in `campaign_moves`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, Field

from callsheet.api.caller import note
from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.campaign_bodies import Handle, NewCampaign, NewFilter, read_handles
from callsheet.api.v1.campaign_shapes import FoundCampaign, ShownCampaign, show_campaign, show_found
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, Limit, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.campaign import MAX_CONTACT_LISTS, MAX_NAME_CHARACTERS, Channel, Status
from callsheet.core.errors import (
    BodyTooLarge,
    CampaignNotFound,
    FieldError,
    Invalid,
    NameAmbiguous,
    NameTaken,
    WrongState,
)
from callsheet.core.ids import Prefix
from callsheet.engine import campaigns
from callsheet.engine.drafting import filter_faults, find_lists
from callsheet.engine.trying import try_filter
from callsheet.store.campaign_search import Wanted

router = Router(prefix="/v1/apps/{app}/campaigns", tags=["campaigns"])

_FINDS = problems(CampaignNotFound, NameAmbiguous)


class FilterToTry(Body):
    """A filter, and the lists on whose contacts it is tried."""

    contact_list_ids: Annotated[list[Handle], Field(min_length=1, max_length=MAX_CONTACT_LISTS)]
    """The contact lists; each must have every column that the filter asks for."""
    filter: NewFilter
    """The filter."""


class TriedFilter(BaseModel):
    """What a filter comes to."""

    contacts: int
    """How many are in the lists."""
    looked_at: int
    """How many of them were looked at; at most 20,000, those that stand first."""
    accepted: int
    """How many of those the filter lets through."""
    exact: bool
    """All of them were looked at, so that `accepted` is exact."""
    columns: dict[str, list[str]]
    """The most frequent values of each column that the filter asks for."""


@router.post("", status_code=201, responses=problems(NameTaken, BodyTooLarge))
async def create_campaign(request: Request, runtime: Served, app: Tenant, new: NewCampaign) -> ShownCampaign:
    """Create a campaign. It waits in `Ready`, where one that calls comes by way of `Preparing`."""
    campaign, _ = await campaigns.create(runtime, app, new.read())
    note(request.scope, campaign=campaign.id)
    return show_campaign(campaign)


@router.get("")
async def list_campaigns(
    runtime: Served,
    app: Tenant,
    channel: Annotated[Channel | None, Query(description="Only those of this channel.")] = None,
    status: Annotated[Status | None, Query(description="Only those that stand like this now.")] = None,
    search: Annotated[
        str, Query(max_length=MAX_NAME_CHARACTERS, description="Only those whose name has this in it, in any case.")
    ] = "",
    after: After = None,
    limit: Limit = USUAL_LIMIT,
) -> Page[ShownCampaign]:
    """Return campaigns, the latest first."""
    last = await runtime.store.campaigns.find(app.no, campaign_id=after) if after else None
    if after and last is None:
        raise no_cursor()
    wanted = Wanted(channel, (status,) if status is not None else (), name_part=search)
    found = await runtime.store.campaigns.of_app(
        app.no, wanted, before=last.no if last is not None else None, limit=limit + 1
    )
    return page_of([show_campaign(campaign) for campaign in found], limit, lambda one: one.id)


@router.post("/test-filter", responses=problems(BodyTooLarge))
async def test_filter(runtime: Served, app: Tenant, asked: FilterToTry) -> TriedFilter:
    """Try a filter on the contacts of some lists. Nothing is stored."""
    wrong: list[FieldError] = []
    references = read_handles(asked.contact_list_ids, "contact_list_ids", Prefix.contact_list)
    lists = await find_lists(runtime.store, app, references, wrong)
    wanted = asked.filter.read()
    wrong += filter_faults(wanted, lists, "filter")
    if wrong:
        raise Invalid(wrong)
    tried = await try_filter(runtime, lists, wanted)
    return TriedFilter(
        contacts=tried.contacts,
        looked_at=tried.looked_at,
        accepted=tried.accepted,
        exact=tried.looked_at >= tried.contacts,
        columns=tried.values,
    )


@router.get("/{campaign_id}", responses=_FINDS)
async def get_campaign(runtime: Served, app: Tenant, campaign_id: str) -> FoundCampaign:
    """Return a campaign, by its id or by its name."""
    return await show_found(runtime, app, await campaigns.find(runtime, app, campaign_id))


@router.put("/{campaign_id}", responses=problems(CampaignNotFound, NameAmbiguous, NameTaken, WrongState, BodyTooLarge))
async def replace_campaign(runtime: Served, app: Tenant, campaign_id: str, new: NewCampaign) -> ShownCampaign:
    """Replace a campaign: what the body does not name is gone. It is `Ready` again, and the next run is of this."""
    campaign = await campaigns.find(runtime, app, campaign_id)
    if new.channel is not campaign.definition.channel:
        raise Invalid([FieldError("channel", f"This is a campaign of the channel {campaign.definition.channel}.")])
    return show_campaign(await campaigns.update(runtime, app, campaign, new.read()))


@router.delete("/{campaign_id}", status_code=204, responses=problems(CampaignNotFound, NameAmbiguous, WrongState))
async def delete_campaign(runtime: Served, app: Tenant, campaign_id: str) -> None:
    """Delete a campaign that is not running; what its runs did stays."""
    await campaigns.delete(runtime, await campaigns.find(runtime, app, campaign_id))
