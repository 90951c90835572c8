"""A campaign as the documented answers show it: the union of all of them, because an extra key harms nobody."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from callsheet.api.instants import write_instant
from callsheet.core.campaign import Campaign
from callsheet.engine.runtime import Runtime

EXECUTION_TYPE = "NORMAL"


async def view(runtime: Runtime, campaign: Campaign) -> dict[str, Any]:
    """Return `data` of a create, get, update or delete call."""
    definition = campaign.definition
    body: dict[str, Any] = {
        "_id": campaign.id,
        "id": campaign.id,
        "name": definition.name,
        "lname": definition.name.lower(),
        "description": definition.description,
        "status": campaign.status.value,
        "campaignType": definition.channel.value,
        "priority": str(definition.priority),
        "dialingStrategy": {
            "callerId": {"phoneNumber": definition.sender},
            "callingHours": definition.hours_document,
        },
        **await _said(runtime, campaign),
        "isImported": False,
        "isFiltersEnabled": False,
        "enableMachineDetect": False,
        "totalMessagesSent": campaign.sent,
        "createdAt": write_instant(campaign.created_at),
        "updatedAt": write_instant(campaign.updated_at),
        "schedule": {"isSchedulingEnabled": False, "isRecurrenceEnabled": False},
        "contactLists": [contact_list.name for contact_list in definition.contact_lists],
        "format": definition.format,
        **_run_of(campaign),
    }
    if definition.dnc_lists:
        # An object, as documented: of several, which only our own calls can name, it is the first.
        body["dncLists"] = {"id": definition.dnc_lists[0].id, "name": definition.dnc_lists[0].name}
    return body


async def _said(runtime: Runtime, campaign: Campaign) -> dict[str, Any]:
    """Return the message, or the id of the flow that says it.

    With a template the documented samples answer the template's own text, whatever text the request had.
    """
    plan = campaign.definition.message
    if plan.flow is not None:
        return {"experienceFlow": plan.flow.id}
    if plan.template is None:
        return {"message": {"message": plan.received or ""}}
    template = await runtime.store.templates.find(campaign.app, thing_id=plan.template.id)
    return {
        "message": {
            "template_name": plan.template.name,
            "message": encode_text(template.body if template is not None else ""),
            "templateId": plan.template.id,
        }
    }


def encode_text(text: str) -> str:
    """Write a text as the samples do: UTF-8, then Base64, then percent-encoded."""
    return quote(base64.b64encode(text.encode()).decode("ascii"), safe="")


def _run_of(campaign: Campaign) -> dict[str, Any]:
    if campaign.run_id is None:
        return {}
    shown: dict[str, Any] = {"campaignInstanceId": campaign.run_id, "campaignExecutionType": EXECUTION_TYPE}
    if campaign.run_updated_at is not None:
        shown["campaignInstanceUpdatedAt"] = write_instant(campaign.run_updated_at)
    return shown
