"""A campaign as the documented answers show it: the union of all of them, because an extra key harms nobody."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from callsheet.api.compat.schedules import view_schedule
from callsheet.api.instants import write_instant
from callsheet.core.campaign import Campaign, Channel, Definition, MachineDetection
from callsheet.core.run import Execution
from callsheet.engine.runtime import Runtime

Shown = dict[str, Any]


async def view(runtime: Runtime, campaign: Campaign) -> Shown:
    """Return `data` of a create, get, update or delete call."""
    return (await view_all(runtime, campaign.app, [campaign]))[0]


async def view_all(runtime: Runtime, app: int, campaigns: Sequence[Campaign]) -> list[Shown]:
    """Return several campaigns of an app, with one look at the templates that they name."""
    named = {campaign.definition.message.template for campaign in campaigns}
    bodies = await runtime.store.templates.bodies(app, [template.no for template in named if template is not None])
    return [_view(campaign, bodies) for campaign in campaigns]


def _view(campaign: Campaign, templates: Mapping[int, str]) -> Shown:
    definition = campaign.definition
    body: Shown = {
        "_id": campaign.id,
        "id": campaign.id,
        "name": definition.name,
        "lname": definition.name.lower(),
        "description": definition.description,
        "status": campaign.status.value,
        "campaignType": definition.channel.value,
        "priority": str(definition.priority),
        "dialingStrategy": _strategy(definition),
        **(_calls(definition) if definition.channel is Channel.voice else _said(definition, templates)),
        "isImported": False,
        "isFiltersEnabled": definition.filter is not None,
        "totalMessagesSent": campaign.sent,
        "createdAt": write_instant(campaign.created_at),
        "updatedAt": write_instant(campaign.updated_at),
        "schedule": view_schedule(campaign),
        "contactLists": [contact_list.name for contact_list in definition.contact_lists],
        **_run_of(campaign),
    }
    if definition.dnc_lists:
        # An object, as documented: of several, which only our own calls can name, it is the first.
        body["dncLists"] = {"id": definition.dnc_lists[0].id, "name": definition.dnc_lists[0].name}
    return body


def _strategy(definition: Definition) -> Shown:
    strategy: Shown = {
        "callerId": {"phoneNumber": definition.sender},
        "callingHours": definition.hours_document,
        "dialingOrder": definition.order.value,
        "maxAttemptsPerRecord": definition.max_attempts,
        "defaultRetryPeriod": definition.retry_minutes,
        "useSystemMappings": False,
    }
    if definition.channel is Channel.voice:
        strategy["maxRingTime"] = definition.ring_seconds
    return strategy


def _calls(definition: Definition) -> Shown:
    """Return how a voice campaign calls. The names of its queue and of its flow are request-only."""
    plan, flow = definition.voice, definition.message.flow
    if plan is None:
        return {}
    body: Shown = {
        "dialingMode": plan.mode.value,
        "maxSkips": plan.max_skips,
        # One generation answers true or false; the word is ours.
        "enableMachineDetect": plan.machine_detection is not MachineDetection.no,
        "machineDetectMode": plan.machine_detection.value,
    }
    if plan.pacing_ratio is not None:
        body["pacingRatio"] = plan.pacing_ratio
    if flow is not None:
        body["experienceFlow"] = flow.id
    return body


def _said(definition: Definition, templates: Mapping[int, str]) -> Shown:
    """Return the message, or the id of the flow that says it.

    With a template the documented samples answer the template's own text, whatever text the request had.
    """
    plan = definition.message
    body: Shown = {"format": definition.format, "enableMachineDetect": False}
    if plan.flow is not None:
        return {**body, "experienceFlow": plan.flow.id}
    if plan.template is None:
        return {**body, "message": {"message": plan.received or ""}}
    message = {
        "template_name": plan.template.name,
        "message": encode_text(templates.get(plan.template.no, "")),
        "templateId": plan.template.id,
    }
    return {**body, "message": message}


def encode_text(text: str) -> str:
    """Write a text as the samples do: UTF-8, then Base64, then percent-encoded."""
    return quote(base64.b64encode(text.encode()).decode("ascii"), safe="")


def connection_of(definition: Definition) -> str:
    """Return whom a call is connected with: the name of a queue, or of a flow."""
    queue = definition.voice.queue if definition.voice is not None else None
    named = queue or definition.message.flow
    return named.name if named is not None else ""


def execution_of(campaign: Campaign) -> str:
    """Return how the latest run was begun."""
    return (Execution.emergency if campaign.emergency else Execution.normal).value


def _run_of(campaign: Campaign) -> Shown:
    if campaign.run_id is None:
        return {}
    shown: Shown = {"campaignInstanceId": campaign.run_id, "campaignExecutionType": execution_of(campaign)}
    if campaign.run_updated_at is not None:
        shown["campaignInstanceUpdatedAt"] = write_instant(campaign.run_updated_at)
    return shown
