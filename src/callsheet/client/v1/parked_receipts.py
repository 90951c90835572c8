"""Parked receipts: what carriers told of messages that nobody knows yet."""

from __future__ import annotations

from datetime import datetime

from callsheet.client.call import Call
from callsheet.client.method import Mode, Paged, Resource
from callsheet.client.record import Page, Record


class ParkedReceipt(Record, frozen=True):
    """A receipt whose message nobody knows yet; it is looked for again until it is 73 hours old."""

    id: str
    trunk_id: str
    """Empty: the trunk was deleted."""
    carrier_id: str
    kind: str
    code: str
    heard_at: datetime
    tries: int
    next_at: datetime


class ParkedReceipts(Resource[Mode]):
    """Receipts whose message nobody knows yet."""

    @Paged
    def list(self, *, limit: int = 1000) -> Call[Page[ParkedReceipt]]:
        """Give them in the order in which they came."""
        return Call("GET", "/v1/apps/{app}/parked-receipts", Page[ParkedReceipt], query={"limit": limit})
