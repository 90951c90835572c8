"""Campaigns, and what is done with one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from msgspec import UNSET

from callsheet.client.call import Call, Given, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page
from callsheet.client.v1.campaign_bodies import NewCampaign, NewFilter
from callsheet.client.v1.campaign_shapes import Campaign, CampaignTotals, FoundCampaign, Readings, TriedFilter
from callsheet.client.v1.preflights import Preflight
from callsheet.client.v1.why import Why

_ALL = "/v1/apps/{app}/campaigns"
_ONE = "/v1/apps/{app}/campaigns/{campaign_id}"


class Campaigns(Resource[Mode]):
    """Campaigns. One is named by its id, or by its name."""

    @Single
    def create(self, **new: Unpack[NewCampaign]) -> Call[Campaign]:
        """Create a campaign. It waits in `Ready` until it is started."""
        return Call("POST", _ALL, Campaign, body={**new})

    @Paged
    def list(
        self,
        *,
        channel: str | None = None,
        status: str | None = None,
        search: str | None = None,
        limit: int = 1000,
    ) -> Call[Page[Campaign]]:
        """Give campaigns, the latest first."""
        query = {"channel": channel, "status": status, "search": search, "limit": limit}
        return Call("GET", _ALL, Page[Campaign], query=query)

    @Single
    def get(self, campaign_id: str) -> Call[FoundCampaign]:
        """Return a campaign, with what to look at before it starts."""
        return Call("GET", _ONE, FoundCampaign, {"campaign_id": campaign_id})

    @Single
    def put(self, campaign_id: str, **new: Unpack[NewCampaign]) -> Call[Campaign]:
        """Replace a campaign: what is not named is gone."""
        return Call("PUT", _ONE, Campaign, {"campaign_id": campaign_id}, body={**new})

    @Single
    def delete(self, campaign_id: str) -> Call[None]:
        """Delete a campaign that is not running; what its runs did stays."""
        return Call("DELETE", _ONE, type(None), {"campaign_id": campaign_id})

    @Single
    def start(
        self, campaign_id: str, *, only_unreached: bool = False, require_preflight: bool = False
    ) -> Call[FoundCampaign]:
        """Begin a run, or go on with the paused one; the answer says what is amiss."""
        body = given(only_unreached=only_unreached, require_preflight=require_preflight)
        return Call("POST", f"{_ONE}/start", FoundCampaign, {"campaign_id": campaign_id}, body=body)

    @Single
    def rerun(
        self, campaign_id: str, *, only_unreached: bool = False, require_preflight: bool = False
    ) -> Call[FoundCampaign]:
        """Begin another run; refused while one goes on."""
        body = given(only_unreached=only_unreached, require_preflight=require_preflight)
        return Call("POST", f"{_ONE}/rerun", FoundCampaign, {"campaign_id": campaign_id}, body=body)

    @Single
    def run_emergency(self, campaign_id: str, reason: str) -> Call[FoundCampaign]:
        """Begin a run that waits for neither hours nor a schedule. What forbids a number holds all the same."""
        return Call("POST", f"{_ONE}/emergency", FoundCampaign, {"campaign_id": campaign_id}, body=given(reason=reason))

    @Single
    def pause(self, campaign_id: str) -> Call[Campaign]:
        """Pause the run. Nothing leaves once this has answered."""
        return Call("POST", f"{_ONE}/pause", Campaign, {"campaign_id": campaign_id})

    @Single
    def resume(self, campaign_id: str) -> Call[Campaign]:
        """Go on with the paused run, where it stood."""
        return Call("POST", f"{_ONE}/resume", Campaign, {"campaign_id": campaign_id})

    @Single
    def stop(self, campaign_id: str) -> Call[Campaign]:
        """End the run. Nothing leaves once this has answered."""
        return Call("POST", f"{_ONE}/stop", Campaign, {"campaign_id": campaign_id})

    @Single
    def clone(self, campaign_id: str, *, name: Given[str] = UNSET) -> Call[Campaign]:
        """Make a copy of a campaign, without its schedule. It has never run."""
        return Call("POST", f"{_ONE}/clone", Campaign, {"campaign_id": campaign_id}, body=given(name=name))

    @Single
    def preview(self, campaign_id: str, *, limit: int = 10) -> Call[Readings]:
        """Show what the first contacts would read, those whom the filter means."""
        return Call("GET", f"{_ONE}/preview", Readings, {"campaign_id": campaign_id}, {"limit": limit})

    @Single
    def begin_preflight(self, campaign_id: str) -> Call[Preflight]:
        """Begin to look at all messages before anybody gets one."""
        return Call("POST", f"{_ONE}/preflight", Preflight, {"campaign_id": campaign_id})

    @Single
    def preflight(self, campaign_id: str) -> Call[Preflight]:
        """Return how far the latest preflight is, and what it found."""
        return Call("GET", f"{_ONE}/preflight", Preflight, {"campaign_id": campaign_id})

    @Single
    def totals(self, campaign_id: str) -> Call[CampaignTotals]:
        """Return what all runs of a campaign came to."""
        return Call("GET", f"{_ONE}/totals", CampaignTotals, {"campaign_id": campaign_id})

    @Single
    def why(self, campaign_id: str, number: str) -> Call[Why]:
        """Say why a campaign has (not) contacted a person, and what every gate would say now. It changes nothing."""
        return Call("POST", f"{_ONE}/why", Why, {"campaign_id": campaign_id}, body={"number": number})

    @Single
    def test_filter(self, contact_list_ids: Sequence[str], wanted: NewFilter) -> Call[TriedFilter]:
        """Try a filter on the contacts of some lists. Nothing is stored."""
        body = {"contact_list_ids": contact_list_ids, "filter": wanted}
        return Call("POST", f"{_ALL}/test-filter", TriedFilter, body=body)
