"""What came of a campaign, over all its runs."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.strict import Router
from callsheet.core.attempt import Kind
from callsheet.core.errors import CampaignNotFound, NameAmbiguous
from callsheet.engine import campaigns
from callsheet.store.arming import SUPPRESSED
from callsheet.store.tallies import Totals

router = Router(prefix="/v1/apps/{app}/campaigns", tags=["reports"])

_PERIODS = (timedelta(hours=24), timedelta(days=7), timedelta(days=30))


class CampaignTotals(BaseModel):
    """What came of a campaign. Attempts count by their present state, so nothing is counted twice."""

    runs: int
    sent: int
    """Attempts that a carrier took: accepted, delivered and undelivered ones."""
    delivered: int
    undelivered: int
    accepted: int
    """Taken by a carrier that has not said more yet."""
    rejected: int
    uncertain: int
    suppressed: dict[str, int]
    """Not contacted, by reason."""
    delivery_rate: float | None
    """Delivered by sent, from 0 to 1; null when nothing was sent."""
    delivered_24_hours: int
    delivered_7_days: int
    delivered_30_days: int


@router.get("/{campaign_id}/totals", responses=problems(CampaignNotFound, NameAmbiguous))
async def get_totals(runtime: Served, app: Tenant, campaign_id: str) -> CampaignTotals:
    """Return what came of a campaign over all its runs, and how much was delivered lately."""
    campaign = await campaigns.find(runtime, app, campaign_id)
    now = runtime.clock.now()
    return _show(await runtime.store.tallies.totals(app.no, campaign.no, [now - period for period in _PERIODS]))


def _show(totals: Totals) -> CampaignTotals:
    states = {kind: totals.counters.get(kind, 0) for kind in Kind}
    sent = states[Kind.accepted] + states[Kind.delivered] + states[Kind.undelivered]
    day, week, month = totals.delivered
    return CampaignTotals(
        runs=totals.runs,
        sent=sent,
        delivered=states[Kind.delivered],
        undelivered=states[Kind.undelivered],
        accepted=states[Kind.accepted],
        rejected=states[Kind.rejected],
        uncertain=states[Kind.uncertain],
        suppressed={
            name.removeprefix(SUPPRESSED): value
            for name, value in sorted(totals.counters.items())
            if name.startswith(SUPPRESSED) and value
        },
        delivery_rate=round(states[Kind.delivered] / sent, 4) if sent else None,
        delivered_24_hours=day,
        delivered_7_days=week,
        delivered_30_days=month,
    )
