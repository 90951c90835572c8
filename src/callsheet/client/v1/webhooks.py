"""Webhooks: who is told what happens, and what became of each telling."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import UNSET

from callsheet.client.call import Call, Given, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_ALL = "/v1/apps/{app}/webhooks"
_ONE = "/v1/apps/{app}/webhooks/{webhook_id}"


class Webhook(Record, frozen=True):
    """A webhook; `kinds` None: it is told of everything."""

    id: str
    url: str
    kinds: tuple[str, ...] | None
    description: str
    enabled: bool
    problem: str
    failing_since: datetime | None
    created_at: datetime
    updated_at: datetime


class CreatedWebhook(Webhook, frozen=True):
    """A webhook that was just made, with the secret of its signatures, which is shown this once."""

    secret: str


class RotatedSecret(Record, frozen=True):
    """A new secret, which is shown this once."""

    secret: str


class StartedDelivery(Record, frozen=True):
    """A delivery that is on its way."""

    id: str


class Delivery(Record, frozen=True):
    """What became of one telling. `state` is waiting, delivered or failed."""

    id: str
    kind: str
    state: str
    tries: int
    last_status: int | None
    problem: str
    next_at: datetime | None
    at: datetime
    updated_at: datetime


class Webhooks(Resource[Mode]):
    """Webhooks: who is told what happens."""

    @Single
    def create(
        self,
        url: str,
        *,
        kinds: Given[Sequence[str] | None] = UNSET,
        description: Given[str] = UNSET,
        enabled: Given[bool] = UNSET,
    ) -> Call[CreatedWebhook]:
        """Create a webhook. Its secret is shown in this answer only."""
        body = given(url=url, kinds=kinds, description=description, enabled=enabled)
        return Call("POST", _ALL, CreatedWebhook, body=body)

    @Paged
    def list(self, *, limit: int = 1000) -> Call[Page[Webhook]]:
        """Give all webhooks."""
        return Call("GET", _ALL, Page[Webhook], query={"limit": limit})

    @Single
    def get(self, webhook_id: str) -> Call[Webhook]:
        """Return a webhook."""
        return Call("GET", _ONE, Webhook, {"webhook_id": webhook_id})

    @Single
    def change(
        self,
        webhook_id: str,
        *,
        url: Given[str] = UNSET,
        kinds: Given[Sequence[str] | None] = UNSET,
        description: Given[str] = UNSET,
        enabled: Given[bool] = UNSET,
    ) -> Call[Webhook]:
        """Change a webhook."""
        body = given(url=url, kinds=kinds, description=description, enabled=enabled)
        return Call("PATCH", _ONE, Webhook, {"webhook_id": webhook_id}, body=body)

    @Single
    def delete(self, webhook_id: str) -> Call[None]:
        """Delete a webhook with its deliveries."""
        return Call("DELETE", _ONE, type(None), {"webhook_id": webhook_id})

    @Single
    def rotate(self, webhook_id: str) -> Call[RotatedSecret]:
        """Give a webhook a new secret."""
        return Call("POST", f"{_ONE}/rotate", RotatedSecret, {"webhook_id": webhook_id})

    @Single
    def test(self, webhook_id: str) -> Call[StartedDelivery]:
        """Send a notice that means nothing."""
        return Call("POST", f"{_ONE}/test", StartedDelivery, {"webhook_id": webhook_id})

    @Paged
    def deliveries(self, webhook_id: str, *, limit: int = 1000) -> Call[Page[Delivery]]:
        """Give what became of the tellings."""
        return Call("GET", f"{_ONE}/deliveries", Page[Delivery], {"webhook_id": webhook_id}, {"limit": limit})

    @Single
    def replay(self, webhook_id: str, delivery_id: str) -> Call[Delivery]:
        """Tell once more."""
        names = {"webhook_id": webhook_id, "delivery_id": delivery_id}
        return Call("POST", f"{_ONE}/deliveries/{{delivery_id}}/replay", Delivery, names)
