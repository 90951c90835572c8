"""Senders: the numbers that messages come from."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET

from callsheet.client.call import Call, Given, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record
from callsheet.client.v1.allowances import CarrierClass, NewClass

_ALL = "/v1/apps/{app}/senders"
_ONE = "/v1/apps/{app}/senders/{sender_id}"


class Sender(Record, frozen=True):
    """A sender; without `segments_per_second` the carrier alone limits its speed."""

    id: str
    number: str
    segments_per_second: float | None
    segments_per_day: int | None
    reset_zone: str
    classes: tuple[CarrierClass, ...]
    used_today: int | None
    """Segments of the present day that are reserved; None: no `segments_per_day`."""
    left_today: int | None
    trunk_id: str
    flow_id: str | None
    pool: tuple[str, ...] | None
    fail_over: bool
    dlt_entity_id: str
    """Whose it is, as registered with the operators of India; empty: it is not."""


class Senders(Resource[Mode]):
    """Senders: the numbers that messages come from."""

    @Paged
    def list(self, *, limit: int = 1000) -> Call[Page[Sender]]:
        """Give all senders."""
        return Call("GET", _ALL, Page[Sender], query={"limit": limit})

    @Single
    def create(
        self,
        number: str,
        *,
        segments_per_second: Given[float | None] = UNSET,
        segments_per_day: Given[int | None] = UNSET,
        reset_zone: Given[str] = UNSET,
        classes: Given[Sequence[NewClass]] = UNSET,
        pool: Given[Sequence[str]] = UNSET,
        fail_over: Given[bool] = UNSET,
        trunk_id: Given[str | None] = UNSET,
    ) -> Call[Sender]:
        """Add a sender, or give one that is there other limits."""
        body = given(
            number=number,
            segments_per_second=segments_per_second,
            segments_per_day=segments_per_day,
            reset_zone=reset_zone,
            classes=classes,
            pool=pool,
            fail_over=fail_over,
            trunk_id=trunk_id,
        )
        return Call("POST", _ALL, Sender, body=body)

    @Single
    def get(self, sender_id: str) -> Call[Sender]:
        """Return a sender."""
        return Call("GET", _ONE, Sender, {"sender_id": sender_id})

    @Single
    def change(
        self,
        sender_id: str,
        *,
        segments_per_second: Given[float | None] = UNSET,
        segments_per_day: Given[int | None] = UNSET,
        reset_zone: Given[str] = UNSET,
        classes: Given[Sequence[NewClass]] = UNSET,
        pool: Given[Sequence[str]] = UNSET,
        fail_over: Given[bool] = UNSET,
        trunk_id: Given[str] = UNSET,
        flow_id: Given[str | None] = UNSET,
        dlt_entity_id: Given[str] = UNSET,
    ) -> Call[Sender]:
        """Change a sender's speed, its trunk, or the flow that its conversations follow."""
        body = given(
            segments_per_second=segments_per_second,
            segments_per_day=segments_per_day,
            reset_zone=reset_zone,
            classes=classes,
            pool=pool,
            fail_over=fail_over,
            trunk_id=trunk_id,
            flow_id=flow_id,
            dlt_entity_id=dlt_entity_id,
        )
        return Call("PATCH", _ONE, Sender, {"sender_id": sender_id}, body=body)

    @Single
    def delete(self, sender_id: str) -> Call[None]:
        """Delete a sender that no campaign uses."""
        return Call("DELETE", _ONE, type(None), {"sender_id": sender_id})
