"""The sandbox carrier's outbox: what simulated handsets got."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.shapes import USUAL_LIMIT, Instant, Limit, Page, page_of

router = APIRouter(prefix="/v1/apps/{app}/sandbox", tags=["sandbox"])


class SandboxMessage(BaseModel):
    """A message that the sandbox carrier took."""

    id: int
    to: str
    sender: str = Field(serialization_alias="from")
    text: str
    campaign_id: str
    status: str
    accepted_at: Instant


@router.get("/outbox")
async def read_outbox(
    runtime: Served,
    app: Tenant,
    after: Annotated[int, Query(ge=0, le=2**62, description="Only messages with a higher id.")] = 0,
    limit: Limit = USUAL_LIMIT,
    campaign_id: Annotated[str | None, Query(description="Only messages of this campaign.")] = None,
) -> Page[SandboxMessage]:
    """Return what the sandbox carrier took, oldest first."""
    found = runtime.sandbox_outbox(app.no, after, limit + 1, None if campaign_id is None else (campaign_id,))
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
