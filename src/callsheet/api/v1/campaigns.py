"""Campaigns, with what to look at before one is started. They are made and started by the documented API."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import WrongField, problems
from callsheet.core.errors import CampaignNotFound, NameAmbiguous
from callsheet.engine import campaigns
from callsheet.engine.findings import findings_of

router = APIRouter(prefix="/v1/apps/{app}/campaigns", tags=["campaigns"])


class ShownCampaign(BaseModel):
    """A campaign as it stands."""

    id: str
    name: str
    channel: str
    status: str
    findings: list[WrongField]
    """What is amiss, such as a placeholder for which a contact list has no column. It may be started all the same."""


@router.get("/{campaign_id}", responses=problems(CampaignNotFound, NameAmbiguous))
async def get_campaign(runtime: Served, app: Tenant, campaign_id: str) -> ShownCampaign:
    """Return a campaign, by its id or by its name."""
    campaign = await campaigns.find(runtime, app, campaign_id)
    return ShownCampaign(
        id=campaign.id,
        name=campaign.definition.name,
        channel=campaign.definition.channel.value,
        status=campaign.status.value,
        findings=[
            WrongField(field=finding.path, message=finding.message)
            for finding in await findings_of(runtime, app, campaign)
        ],
    )
