"""Webhooks: URLs that are told what happens, signed as Standard Webhooks says."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, StrictBool

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import (
    USUAL_LIMIT,
    After,
    Body,
    Description,
    Instant,
    Limit,
    Page,
    no_cursor,
    page_of,
)
from callsheet.api.v1.strict import Router
from callsheet.core.errors import BodyTooLarge, FieldError, Invalid, WebhookDisabled, WebhookNotFound
from callsheet.core.fence import LONGEST_URL
from callsheet.core.notice import NoticeKind
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.webhooks import Webhook

router = Router(prefix="/v1/apps/{app}/webhooks", tags=["webhooks"])

Url = Annotated[str, Field(max_length=LONGEST_URL)]
Kinds = Annotated[list[NoticeKind], Field(min_length=1, max_length=len(NoticeKind))]


class NewWebhook(Body):
    """A webhook to be."""

    url: Url
    """Where to send: `https://` or `http://`, an address of the open internet, without a user and a password."""
    kinds: Kinds | None = None
    """What it is told of; null: everything, also of kinds that come later."""
    description: Description = ""
    enabled: StrictBool = True
    """Whether it is told at all. What happens while it is disabled is not told later."""


class ChangedWebhook(Body):
    """What to change of a webhook; what is not named stays as it is."""

    url: Url = ""
    """Where to send."""
    kinds: Kinds | None = None
    """What it is told of; null: everything."""
    description: Description = ""
    enabled: StrictBool = True
    """Disabling gives up what waits; enabling forgets what went wrong."""


class ShownWebhook(BaseModel):
    """A webhook."""

    id: str
    url: str
    """Empty when what is stored of it cannot be read: then nothing is sent, until it is given again."""
    kinds: list[NoticeKind] | None
    description: str
    enabled: bool
    problem: str
    """Why we disabled it; empty when we did not."""
    failing_since: Instant | None
    """When a delivery failed first since the last that got through."""
    created_at: Instant
    updated_at: Instant


class CreatedWebhook(ShownWebhook):
    """A webhook that was made."""

    secret: str
    """Signs what is sent. It is shown here only."""


class RotatedSecret(BaseModel):
    """A new secret."""

    secret: str
    """Signs what is sent, beside the old one for 24 hours. It is shown here only."""


class StartedDelivery(BaseModel):
    """A delivery that is on its way."""

    id: str


@router.post("", status_code=201, responses=problems(BodyTooLarge))
async def create_webhook(runtime: Served, app: Tenant, new: NewWebhook) -> CreatedWebhook:
    """Create a webhook. Its secret is shown in this answer only."""
    _check(runtime, new.url)
    webhook, secret = await runtime.store.webhooks.create(
        app.no,
        url=new.url,
        kinds=_kinds(new.kinds),
        description=new.description,
        enabled=new.enabled,
        now=runtime.clock.now(),
    )
    return CreatedWebhook(**_show(webhook).model_dump(), secret=secret)


@router.get("")
async def list_webhooks(
    runtime: Served, app: Tenant, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownWebhook]:
    """Return the webhooks, oldest first."""
    last = await runtime.store.webhooks.find(app.no, after) if after else None
    if after and last is None:
        raise no_cursor()
    found = await runtime.store.webhooks.of_app(app.no, after=last.no if last is not None else 0, limit=limit + 1)
    return page_of([_show(one) for one in found], limit, lambda one: one.id)


@router.get("/{webhook_id}", responses=problems(WebhookNotFound))
async def get_webhook(runtime: Served, app: Tenant, webhook_id: str) -> ShownWebhook:
    """Return a webhook."""
    return _show(await find_webhook(runtime, app, webhook_id))


@router.patch("/{webhook_id}", responses=problems(WebhookNotFound, BodyTooLarge))
async def change_webhook(runtime: Served, app: Tenant, webhook_id: str, changed: ChangedWebhook) -> ShownWebhook:
    """Change a webhook."""
    webhook = await find_webhook(runtime, app, webhook_id)
    changes = {name: getattr(changed, name) for name in changed.model_fields_set}
    if "url" in changes:
        _check(runtime, changed.url)
    if "kinds" in changes:
        changes["kinds"] = _kinds(changed.kinds)
    found = await runtime.store.webhooks.change(webhook, changes, runtime.clock.now())
    if found is None:
        raise WebhookNotFound
    return _show(found)


@router.delete("/{webhook_id}", status_code=204, responses=problems(WebhookNotFound))
async def delete_webhook(runtime: Served, app: Tenant, webhook_id: str) -> None:
    """Delete a webhook, and what is on its way to it."""
    await runtime.store.webhooks.delete(await find_webhook(runtime, app, webhook_id))


@router.post("/{webhook_id}/rotate", responses=problems(WebhookNotFound))
async def rotate_secret(runtime: Served, app: Tenant, webhook_id: str) -> RotatedSecret:
    """Make a new secret. For 24 hours everything is signed by the old one too."""
    webhook = await find_webhook(runtime, app, webhook_id)
    return RotatedSecret(secret=await runtime.store.webhooks.rotate(webhook, runtime.clock.now()))


@router.post("/{webhook_id}/test", status_code=202, responses=problems(WebhookNotFound, WebhookDisabled))
async def try_webhook(runtime: Served, app: Tenant, webhook_id: str) -> StartedDelivery:
    """Send a `webhook.ping`, whatever the webhook is told of. The deliveries say what came of it."""
    webhook = await find_webhook(runtime, app, webhook_id)
    if not webhook.enabled:
        raise WebhookDisabled
    payload = {"webhook_id": webhook.id}
    delivery_id = await runtime.store.deliveries.ping(app.no, webhook.no, payload, runtime.clock.now())
    runtime.deliverer.wake()
    return StartedDelivery(id=delivery_id)


async def find_webhook(runtime: Runtime, app: App, webhook_id: str) -> Webhook:
    """Return a webhook of the app by its id. Raises WebhookNotFound."""
    found = await runtime.store.webhooks.find(app.no, webhook_id)
    if found is None:
        raise WebhookNotFound
    return found


def _check(runtime: Runtime, url: str) -> None:
    fault = runtime.outside.fence.fault_of(url)
    if fault is not None:
        raise Invalid([FieldError("url", fault)])


def _kinds(kinds: list[NoticeKind] | None) -> tuple[NoticeKind, ...] | None:
    return tuple(dict.fromkeys(kinds)) if kinds is not None else None


def _show(webhook: Webhook) -> ShownWebhook:
    return ShownWebhook(
        id=webhook.id,
        url=webhook.url,
        kinds=list(webhook.kinds) if webhook.kinds is not None else None,
        description=webhook.description,
        enabled=webhook.enabled,
        problem=webhook.problem,
        failing_since=webhook.failing_since,
        created_at=webhook.created_at,
        updated_at=webhook.updated_at,
    )
