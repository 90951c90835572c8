"""The report of conversations by the documented call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NotRequired, TypedDict, Unpack

import msgspec

from callsheet.client.call import Call
from callsheet.client.method import Mode, Resource, Single
from callsheet.client.record import Record


class InteractionsQuestion(TypedDict):
    """Which conversations: dates are `YYYY-MM-DD HH:mm:ss` on a clock `timeZoneOffset` minutes before UTC."""

    startDate: str
    endDate: str
    timeZoneOffset: NotRequired[int]
    selectedFields: NotRequired[Sequence[str]]
    """What is answered besides, such as `campaigninfo`."""
    direction: NotRequired[str]
    queues: NotRequired[Sequence[str]]
    channels: NotRequired[Sequence[str]]


class CampaignInfo(Record, rename="camel", frozen=True):
    """Of which campaign a conversation was; `contact_status` is in the words of calls."""

    campaign_name: str
    campaign_id: str
    campaign_instance_id: str
    campaign_dialing_list_id: str
    attempt: int
    contact_status: str
    campaign_run_date: datetime
    contact_list_name: tuple[str, ...]


class Interaction(Record, rename="camel", frozen=True):
    """A conversation, with the documented fields that programs use; what was not selected is None."""

    conversation_id: str
    session_id: str
    channel: str
    direction: str = msgspec.field(name="Direction")
    status: str
    final_status: str
    meta_info: dict[str, Any]
    start_time: datetime
    end_time: datetime
    campaign_info: CampaignInfo | None = msgspec.field(name="campaigninfo", default=None)
    customer_info: dict[str, Any] | None = msgspec.field(name="customerinfo", default=None)


class InteractionPage(Record, rename="camel", frozen=True):
    """Some conversations, and how many there are."""

    num_results: int
    data: tuple[Interaction, ...]


class Interactions(Resource[Mode]):
    """The report of conversations by the documented call."""

    @Single
    def list(
        self, account_id: str, *, page: int = 0, limit: int = 100, **question: Unpack[InteractionsQuestion]
    ) -> Call[InteractionPage]:
        """Return a page of the conversations of at most seven days, the newest first; pages begin at 0."""
        path = "/agentassist/api/public/analytics/account/{account_id}/v2/interactionDetails"
        query = {"offset": page, "limit": limit}
        return Call("POST", path, InteractionPage, {"account_id": account_id}, query, body={**question})
