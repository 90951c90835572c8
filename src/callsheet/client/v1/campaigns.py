"""Campaigns, as far as the documented calls do not show them."""

from __future__ import annotations

from callsheet.client.call import Call
from callsheet.client.method import Mode, Resource, Single
from callsheet.client.record import Record

_ONE = "/v1/apps/{app}/campaigns/{campaign_id}"


class Finding(Record, frozen=True):
    """What somebody should look at before a campaign starts."""

    field: str
    message: str


class Campaign(Record, frozen=True):
    """A campaign, and what is to be found fault with."""

    id: str
    name: str
    channel: str
    status: str
    findings: tuple[Finding, ...]


class CampaignTotals(Record, frozen=True):
    """What all runs of a campaign came to."""

    runs: int
    sent: int
    delivered: int
    undelivered: int
    accepted: int
    rejected: int
    uncertain: int
    suppressed: dict[str, int]
    """By reason."""
    delivery_rate: float | None
    delivered_24_hours: int
    delivered_7_days: int
    delivered_30_days: int


class Campaigns(Resource[Mode]):
    """Campaigns, as far as the documented calls do not show them."""

    @Single
    def get(self, campaign_id: str) -> Call[Campaign]:
        """Return a campaign."""
        return Call("GET", _ONE, Campaign, {"campaign_id": campaign_id})

    @Single
    def totals(self, campaign_id: str) -> Call[CampaignTotals]:
        """Return what all runs of a campaign came to."""
        return Call("GET", f"{_ONE}/totals", CampaignTotals, {"campaign_id": campaign_id})
