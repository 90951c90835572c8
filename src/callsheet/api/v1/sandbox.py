"""The sandbox: the messages and the calls that simulated handsets got."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import USUAL_LIMIT, Instant, Limit, Page, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.errors import CampaignNotFound, NameAmbiguous
from callsheet.engine import campaigns
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App

router = Router(prefix="/v1/apps/{app}/sandbox", tags=["sandbox"])


class SandboxMessage(BaseModel):
    """A message that the sandbox carrier took."""

    id: int
    to: str
    sender: str = Field(serialization_alias="from")
    text: str
    campaign_id: str
    status: str
    accepted_at: Instant


class SandboxCall(BaseModel):
    """A call that a simulated phone got."""

    id: int
    reference: str
    """The attempt that it was placed for."""
    to: str
    sender: str = Field(serialization_alias="from")
    campaign_id: str
    status: str
    """`ringing`, `talking`, `answered` when it is over, or why nobody answered."""
    keys: str
    """What the callee pressed."""
    placed_at: Instant
    answered_at: Instant | None
    ended_at: Instant | None


CampaignId = Annotated[
    str | None, Query(max_length=128, description="Only those of this campaign: its id, or its name.")
]
AfterId = Annotated[int, Query(ge=0, le=2**62, description="Only those with a higher id.")]


@router.get("/outbox", responses=problems(NameAmbiguous))
async def read_outbox(
    runtime: Served,
    app: Tenant,
    campaign_id: CampaignId = None,
    after: AfterId = 0,
    limit: Limit = USUAL_LIMIT,
) -> Page[SandboxMessage]:
    """Return what the sandbox carrier took, oldest first."""
    wanted = (await _id_of(runtime, app, campaign_id),) if campaign_id else None
    found = runtime.sandbox_outbox(app.no, after, limit + 1, wanted)
    shown = [
        SandboxMessage(
            id=message.id,
            to=message.to,
            sender=message.sender,
            text=message.text,
            campaign_id=message.campaign_id,
            status=message.status,
            accepted_at=message.accepted_at,
        )
        for message in found
    ]
    return page_of(shown, limit, lambda message: message.id)


@router.get("/calls", responses=problems(NameAmbiguous))
async def read_calls(
    runtime: Served, app: Tenant, campaign_id: CampaignId = None, after: AfterId = 0, limit: Limit = USUAL_LIMIT
) -> Page[SandboxCall]:
    """Return the calls that simulated phones got, oldest first."""
    wanted = (await _id_of(runtime, app, campaign_id),) if campaign_id else None
    found = runtime.sandbox_calls(app.no, after, limit + 1, wanted)
    shown = [
        SandboxCall(
            id=call.id,
            reference=call.reference,
            to=call.to,
            sender=call.sender,
            campaign_id=call.campaign_id,
            status=call.status,
            keys=call.keys,
            placed_at=call.placed_at,
            answered_at=call.answered_at,
            ended_at=call.ended_at,
        )
        for call in found
    ]
    return page_of(shown, limit, lambda call: call.id)


async def _id_of(runtime: Runtime, app: App, said: str) -> str:
    """Return the id of a campaign; one that was deleted has its messages still, under the id that it had."""
    try:
        return (await campaigns.find(runtime, app, said)).id
    except CampaignNotFound:
        return said
