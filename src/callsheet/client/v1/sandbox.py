"""The sandbox: what its handsets got."""

from __future__ import annotations

from datetime import datetime

import msgspec

from callsheet.client.call import Call
from callsheet.client.method import Mode, Paged, Resource
from callsheet.client.record import Page, Record

_OUTBOX = "/v1/apps/{app}/sandbox/outbox"
_CALLS = "/v1/apps/{app}/sandbox/calls"


class SandboxMessage(Record, frozen=True):
    """A message that the sandbox carrier took."""

    id: int
    to: str
    sender: str = msgspec.field(name="from")
    text: str
    campaign_id: str
    status: str
    accepted_at: datetime


class SandboxCall(Record, frozen=True):
    """A call that a simulated phone got."""

    id: int
    reference: str
    to: str
    sender: str = msgspec.field(name="from")
    campaign_id: str
    status: str
    keys: str
    placed_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None


class Sandbox(Resource[Mode]):
    """The sandbox: what its handsets got."""

    @Paged
    def outbox(self, *, campaign_id: str | None = None, limit: int = 1000) -> Call[Page[SandboxMessage]]:
        """Give what the sandbox carrier took, oldest first, of all campaigns or of one."""
        return Call("GET", _OUTBOX, Page[SandboxMessage], query={"campaign_id": campaign_id, "limit": limit})

    @Paged
    def calls(self, *, campaign_id: str | None = None, limit: int = 1000) -> Call[Page[SandboxCall]]:
        """Give the calls that simulated phones got, oldest first, of all campaigns or of one."""
        return Call("GET", _CALLS, Page[SandboxCall], query={"campaign_id": campaign_id, "limit": limit})
