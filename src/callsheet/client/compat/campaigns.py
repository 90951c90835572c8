"""Campaigns by the documented calls, on the paths of the second generation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from callsheet.client.call import Call, JsonObject
from callsheet.client.compat.envelope import Envelope
from callsheet.client.method import Mode, Resource, Single
from callsheet.client.record import Record

ALL = "/campaign/api/v2/public/{app}/campaign"
ONE = "/campaign/api/v2/public/{app}/campaign/{campaign_id}"
TRIGGER = "/api/v2/public/{app}/campaign/trigger/{campaign_id}"


class Campaign(Record, rename="camel", frozen=True):
    """A campaign, with the documented fields that programs use."""

    id: str = msgspec.field(name="_id")
    name: str
    description: str
    status: str
    campaign_type: str
    priority: str
    contact_lists: tuple[str, ...]
    dialing_strategy: dict[str, Any]
    schedule: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    message: dict[str, Any] | None = None
    experience_flow: str | None = None
    dnc_lists: dict[str, Any] | None = None
    total_messages_sent: int = 0
    campaign_instance_id: str | None = None
    """The latest run."""
    dialing_mode: str = ""
    """Of voice campaigns."""
    enable_machine_detect: bool = False


class CampaignPage(Record, rename="camel", frozen=True):
    """A page of campaigns."""

    results: tuple[Campaign, ...]
    skip: int
    limit: int
    has_more: bool
    total_pages: int
    total_results: int


class Triggered(Record, rename="camel", frozen=True):
    """What a start or stop came to: `status` is the campaign's."""

    status: str
    message: str
    updated_at: datetime
    campaign_instance_id: str | None
    campaign_execution_type: str
    total_calls_completed: int = 0
    """Of voice campaigns: how many calls of the run were answered or have ended."""


class CampaignStatus(Record, frozen=True):
    """The status of a campaign."""

    id: str
    name: str
    status: str


class ContactResult(Record, rename="camel", frozen=True):
    """How a contact of the latest run stands; the field names speak of calls."""

    campaign_dialing_list_id: str
    phone_number: str
    unique_id: str
    dialer_outcome: str
    number_of_attempts_so_far: int
    bot_outbound_status: str
    bot_outbound_status_detail: str
    bot_session_id: str = ""
    """The conversation that a flow led in the latest call; empty: none."""
    agent_disposition_codes: tuple[str, ...] = ()
    contact_status: str = ""
    """Of calls, as all that follows: `answered`, `no-answer`, `busy` or `failed`."""
    dialer_disposition: str = ""
    start_time: str = ""
    answer_time: str = ""
    end_time: str = ""
    duration: int = 0
    """Seconds, from the answer on."""
    ring_duration: int = 0


class ContactResults(Record, rename="camel", frozen=True):
    """A page of how contacts stand."""

    results: tuple[ContactResult, ...]
    page: int
    limit: int
    total_pages: int
    total_results: int


class TakenCallback(Record, rename="camel", frozen=True):
    """What came of one callback: `reason` says why it failed."""

    campaign_dialing_list_id: str | None
    status: str
    reason: str = ""


class Campaigns(Resource[Mode]):
    """Campaigns by the documented calls. A campaign is named by its id; where the pages allow it, by its name."""

    @Single
    def create(self, body: JsonObject, *, campaign_type: str = "sms") -> Call[Envelope[Campaign]]:
        """Create a campaign of a documented body. It waits until it is started."""
        return Call("POST", ALL, Envelope[Campaign], query={"campaignType": campaign_type}, body=body)

    @Single
    def get(self, campaign_id: str) -> Call[Envelope[Campaign]]:
        """Return a campaign."""
        return Call("GET", ONE, Envelope[Campaign], {"campaign_id": campaign_id})

    @Single
    def update(self, campaign_id: str, body: JsonObject, *, campaign_type: str = "sms") -> Call[Envelope[Campaign]]:
        """Replace what a campaign is: what the body leaves out is gone."""
        names, query = {"campaign_id": campaign_id}, {"campaignType": campaign_type}
        return Call("PUT", ONE, Envelope[Campaign], names, query, body=body)

    @Single
    def delete(self, campaign_id: str, *, campaign_type: str = "sms") -> Call[None]:
        """Delete a campaign."""
        return Call("DELETE", ONE, type(None), {"campaign_id": campaign_id}, {"campaignType": campaign_type})

    @Single
    def trigger(self, campaign_id: str, trigger: str, *, campaign_type: str = "sms") -> Call[Triggered]:
        """Start (`play`), `stop`, `pause`, `resume` or `rerun` a campaign. Forbidding is effective when it answers."""
        query = {"campaignType": campaign_type, "trigger": trigger}
        return Call("POST", TRIGGER, Triggered, {"campaign_id": campaign_id}, query, body={})

    @Single
    def start(self, campaign_id: str, *, campaign_type: str = "sms") -> Call[Triggered]:
        """Start a campaign; its run is the answer's `campaign_instance_id`."""
        query = {"campaignType": campaign_type, "trigger": "play"}
        return Call("POST", TRIGGER, Triggered, {"campaign_id": campaign_id}, query, body={})

    @Single
    def stop(self, campaign_id: str, *, campaign_type: str = "sms") -> Call[Triggered]:
        """Stop a campaign. Nothing leaves once this has answered."""
        query = {"campaignType": campaign_type, "trigger": "stop"}
        return Call("POST", TRIGGER, Triggered, {"campaign_id": campaign_id}, query, body={})

    @Single
    def status(self, campaign_id: str) -> Call[Envelope[CampaignStatus]]:
        """Return the status of a campaign."""
        names, query = {"campaign_id": campaign_id}, {"view": "status"}
        return Call("POST", f"{ONE}/status", Envelope[CampaignStatus], names, query, body={})

    @Single
    def contacts(self, campaign_id: str, *, page: int = 1, limit: int = 100) -> Call[Envelope[ContactResults]]:
        """Return how the contacts of the latest run stand, a page at a time; pages begin at 1."""
        names, query = {"campaign_id": campaign_id}, {"view": "contacts"}
        body = {"page": page, "limit": limit}
        return Call("POST", f"{ONE}/status", Envelope[ContactResults], names, query, body=body)

    @Single
    def list(
        self,
        campaign_type: str = "sms",
        *,
        skip: int = 0,
        limit: int = 100,
        filters: JsonObject | None = None,
        sort_by: JsonObject | None = None,
    ) -> Call[Envelope[CampaignPage]]:
        """Return a page of the campaigns of a kind, in the documented filters and orders."""
        said = {"filters": filters, "sortBy": sort_by}
        body = {"type": campaign_type, "skip": skip, "limit": limit}
        body |= {name: value for name, value in said.items() if value is not None}
        return Call("POST", f"{ALL}/getAllCampaignDetails", Envelope[CampaignPage], body=body)

    @Single
    def schedule(self, campaign_name: str, schedule: JsonObject | None) -> Call[JsonObject]:
        """Schedule a campaign by a documented body, or with None take its schedule away."""
        query = {"enableSchedule": schedule is not None, "campaignName": campaign_name}
        return Call("POST", f"{ALL}/schedule", dict[str, Any], query=query, body=schedule or {})

    @Single
    def call_contacts_at(
        self, run_id: str, callbacks: Sequence[JsonObject]
    ) -> Call[Envelope[tuple[TakenCallback, ...]]]:
        """Ask for callbacks: objects with `campaignDialingListId` and `timeToContact`. Each is answered for itself."""
        path = "/campaign/api/v2/public/{app}/campaign/{run_id}/callContactAt"
        return Call("POST", path, Envelope[tuple[TakenCallback, ...]], {"run_id": run_id}, body=callbacks)
