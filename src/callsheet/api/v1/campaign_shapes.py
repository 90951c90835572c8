"""A campaign as our own calls show it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from callsheet.api.v1.campaign_bodies import DAYS
from callsheet.api.v1.contract import WrongField
from callsheet.api.v1.detection_bodies import ShownDetection, show_detection
from callsheet.api.v1.shapes import Instant
from callsheet.core.campaign import Campaign, Channel, MachineDetection, MessagePlan, Mode, Named, Order, VoicePlan
from callsheet.core.filtering import Filter, Match, Operator
from callsheet.core.hours import CallingHours
from callsheet.core.run import Execution
from callsheet.engine.findings import findings_of
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App


class Link(BaseModel):
    """A thing that a campaign names, as it was called then."""

    id: str
    name: str


class ShownWindow(BaseModel):
    """A stretch of some days in which contact is allowed."""

    days: list[str]
    start: str
    end: str


class ShownHours(BaseModel):
    """When contact is allowed."""

    timezone: str
    windows: list[ShownWindow]


class ShownMessage(BaseModel):
    """What is said."""

    text: str | None
    """As it was given."""
    template: Link | None
    flow: Link | None


class ShownVoice(BaseModel):
    """How a voice campaign calls."""

    mode: Mode
    queue: Link | None
    max_skips: int
    machine_detection: MachineDetection
    pacing_ratio: float | None
    agent_mapping: Link | None
    detection: ShownDetection
    record_calls: bool
    machine_sample_share: float | None


class ShownCondition(BaseModel):
    """One question about one column."""

    column: str
    operator: Operator
    values: list[str]


class ShownFilter(BaseModel):
    """Which contacts of the lists are meant."""

    match: Match
    conditions: list[ShownCondition]


class LatestRun(BaseModel):
    """The run that goes on, or that ended last."""

    id: str
    execution: Execution
    sent: int
    """Messages that a carrier took."""
    updated_at: Instant | None


class NextStart(BaseModel):
    """What a campaign shows of its schedule; the call for the schedule itself shows the whole."""

    next_at: Instant | None
    """When it starts the campaign next; null: not any more."""


class ShownCampaign(BaseModel):
    """A campaign as it stands."""

    id: str
    name: str
    description: str
    channel: Channel
    status: str
    version: int
    contact_lists: list[Link]
    dnc_lists: list[Link]
    priority: int
    sender: str
    calling_hours: ShownHours
    message: ShownMessage
    voice: ShownVoice | None
    filter: ShownFilter | None
    order: Order
    max_attempts: int
    retry_minutes: int
    ring_seconds: int
    run: LatestRun | None
    schedule: NextStart | None
    """Null: it starts when somebody starts it."""
    created_at: Instant
    updated_at: Instant


class FoundCampaign(ShownCampaign):
    """A campaign, with what to look at before it starts."""

    findings: list[WrongField]
    """What is amiss, such as a placeholder that no column fits. Most of it does not keep the campaign from starting."""


def show_campaign(campaign: Campaign) -> ShownCampaign:
    """Show a campaign."""
    return ShownCampaign(**fields_of(campaign))


async def show_found(runtime: Runtime, app: App, campaign: Campaign) -> FoundCampaign:
    """Show a campaign with what is amiss with it."""
    findings = [WrongField(field=one.path, message=one.message) for one in await findings_of(runtime, app, campaign)]
    return FoundCampaign(**fields_of(campaign), findings=findings)


def fields_of(campaign: Campaign) -> dict[str, Any]:
    """Return what is shown of a campaign."""
    definition = campaign.definition
    return {
        "id": campaign.id,
        "name": definition.name,
        "description": definition.description,
        "channel": definition.channel,
        "status": campaign.status.value,
        "version": campaign.version,
        "contact_lists": [_link(named) for named in definition.contact_lists],
        "dnc_lists": [_link(named) for named in definition.dnc_lists],
        "priority": definition.priority,
        "sender": definition.sender,
        "calling_hours": show_hours(definition.hours),
        "message": _message(definition.message),
        "voice": _voice(definition.voice) if definition.voice is not None else None,
        "filter": _filter(definition.filter) if definition.filter is not None else None,
        "order": definition.order,
        "max_attempts": definition.max_attempts,
        "retry_minutes": definition.retry_minutes,
        "ring_seconds": definition.ring_seconds,
        "run": _run(campaign, campaign.run_id) if campaign.run_id is not None else None,
        "schedule": NextStart(next_at=campaign.plan.next_at) if campaign.plan is not None else None,
        "created_at": campaign.created_at,
        "updated_at": campaign.updated_at,
    }


def show_hours(hours: CallingHours) -> ShownHours:
    """Show calling hours: days with the same hours together, in the order of the week."""
    days: dict[tuple[int, int], list[str]] = {}
    for window in hours.windows:
        days.setdefault((window.start_minute, window.end_minute), []).append(DAYS[window.day])
    windows = [ShownWindow(days=mine, start=_clock(start), end=_clock(end)) for (start, end), mine in days.items()]
    return ShownHours(timezone=hours.timezone, windows=windows)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _link(named: Named) -> Link:
    return Link(id=named.id, name=named.name)


def _message(plan: MessagePlan) -> ShownMessage:
    return ShownMessage(
        text=plan.received,
        template=_link(plan.template) if plan.template is not None else None,
        flow=_link(plan.flow) if plan.flow is not None else None,
    )


def _voice(plan: VoicePlan) -> ShownVoice:
    return ShownVoice(
        mode=plan.mode,
        queue=_link(plan.queue) if plan.queue is not None else None,
        max_skips=plan.max_skips,
        machine_detection=plan.machine_detection,
        pacing_ratio=plan.pacing_ratio,
        agent_mapping=_link(plan.agent_mapping) if plan.agent_mapping is not None else None,
        detection=show_detection(plan.detection),
        record_calls=plan.record_calls,
        machine_sample_share=plan.machine_sample_share,
    )


def _filter(wanted: Filter) -> ShownFilter:
    conditions = [
        ShownCondition(column=c.column, operator=c.operator, values=list(c.values)) for c in wanted.conditions
    ]
    return ShownFilter(match=wanted.match, conditions=conditions)


def _run(campaign: Campaign, run_id: str) -> LatestRun:
    execution = Execution.emergency if campaign.emergency else Execution.normal
    return LatestRun(id=run_id, execution=execution, sent=campaign.sent, updated_at=campaign.run_updated_at)
