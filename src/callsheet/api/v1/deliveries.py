"""Deliveries: what was sent to a webhook, what is on its way, and what came of it."""

from __future__ import annotations

from pydantic import BaseModel

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Instant, Limit, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.api.v1.webhooks import find_webhook
from callsheet.core.errors import DeliveryNotFound, WebhookDisabled, WebhookNotFound
from callsheet.store.deliveries import Delivery, State

router = Router(prefix="/v1/apps/{app}/webhooks/{webhook_id}/deliveries", tags=["webhooks"])


class ShownDelivery(BaseModel):
    """A notice on its way to a webhook."""

    id: str
    """The header `webhook-id`: the same for every try."""
    kind: str
    state: State
    tries: int
    last_status: int | None
    """The HTTP status of the last answer; null: there was none."""
    problem: str
    """Why the last try failed; empty when it did not."""
    next_at: Instant | None
    """When it is sent next; null: it is not sent any more."""
    at: Instant
    """When what it tells happened."""
    updated_at: Instant


@router.get("", responses=problems(WebhookNotFound))
async def list_deliveries(
    runtime: Served, app: Tenant, webhook_id: str, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownDelivery]:
    """Return the deliveries of the last 30 days, the latest first."""
    webhook = await find_webhook(runtime, app, webhook_id)
    deliveries = runtime.store.deliveries
    last = await deliveries.find(app.no, webhook.no, after) if after else None
    if after and last is None:
        raise no_cursor()
    before = last.no if last is not None else None
    found = await deliveries.of_webhook(app.no, webhook.no, before=before, limit=limit + 1)
    return page_of([_show(one) for one in found], limit, lambda one: one.id)


@router.post(
    "/{delivery_id}/replay", status_code=202, responses=problems(WebhookNotFound, DeliveryNotFound, WebhookDisabled)
)
async def replay_delivery(runtime: Served, app: Tenant, webhook_id: str, delivery_id: str) -> ShownDelivery:
    """Send a delivery once more, under the same id, with all tries before it."""
    webhook = await find_webhook(runtime, app, webhook_id)
    delivery = await runtime.store.deliveries.find(app.no, webhook.no, delivery_id)
    if delivery is None:
        raise DeliveryNotFound
    if not webhook.enabled:
        raise WebhookDisabled
    await runtime.store.deliveries.replay(app.no, delivery, runtime.clock.now())
    runtime.deliverer.wake()
    found = await runtime.store.deliveries.find(app.no, webhook.no, delivery_id)
    return _show(found or delivery)


def _show(delivery: Delivery) -> ShownDelivery:
    return ShownDelivery(
        id=delivery.id,
        kind=delivery.kind,
        state=delivery.state,
        tries=delivery.tries,
        last_status=delivery.last_status,
        problem=delivery.problem,
        next_at=delivery.next_at,
        at=delivery.at,
        updated_at=delivery.updated_at,
    )
