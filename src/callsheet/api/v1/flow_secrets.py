"""The secret of a flow: it signs what the flow's webhooks, and the tools of its AI agents, are sent."""

from __future__ import annotations

from pydantic import BaseModel

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.strict import Router
from callsheet.core.errors import FlowNotFound
from callsheet.engine.asker import flow_secret

router = Router(prefix="/v1/apps/{app}/flows", tags=["flows"])


class FlowSecret(BaseModel):
    """A signing secret, in the form of Standard Webhooks."""

    secret: str
    """It stays the same as long as the flow lives."""


@router.get("/{flow_id}/webhook-secret", responses=problems(FlowNotFound))
async def get_webhook_secret(runtime: Served, app: Tenant, flow_id: str) -> FlowSecret:
    """Return what signs the webhooks of a flow. It is not stored anywhere, but made of the app's key and the flow."""
    if await runtime.store.flows.find(app.no, thing_id=flow_id) is None:
        raise FlowNotFound
    return FlowSecret(secret=flow_secret(runtime.store, app.no, flow_id))
