"""What is done with a campaign: begun, paused, resumed, stopped, copied, and looked at before it is."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, StrictBool

from callsheet.api.caller import note
from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.campaign_shapes import FoundCampaign, ShownCampaign, show_campaign, show_found
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import Body, Name, Reason
from callsheet.api.v1.strict import Router
from callsheet.core.campaign import MAX_NAME_CHARACTERS, Move
from callsheet.core.errors import (
    BodyTooLarge,
    CampaignNotFound,
    Conflict,
    EmergencyRuns,
    FlowIsEmpty,
    ListInUse,
    NameAmbiguous,
    NameTaken,
    NoVoiceTrunk,
    PreflightRequired,
    SendingStopped,
    TooManyVoiceCampaigns,
    WrongState,
)
from callsheet.core.run import Execution, Launch
from callsheet.engine import campaigns
from callsheet.engine.overhearing import Prompt
from callsheet.engine.trying import Reading, read_first

router = Router(prefix="/v1/apps/{app}/campaigns/{campaign_id}", tags=["campaigns"])

MOST_READINGS = 100
_COPY = " (Copy)"
"""How the copy of a thing is named, as the documented samples show."""

_CAN_FAIL = (
    CampaignNotFound,
    NameAmbiguous,
    WrongState,
    ListInUse,
    FlowIsEmpty,
    NoVoiceTrunk,
    TooManyVoiceCampaigns,
    SendingStopped,
    PreflightRequired,
    BodyTooLarge,
)
_BEGINS = problems(*_CAN_FAIL)
_GOES_ON = problems(CampaignNotFound, NameAmbiguous, WrongState, SendingStopped)


class NewRun(Body):
    """How a run is begun."""

    only_unreached: StrictBool = False
    """Whether only contacts are meant that no earlier run of the campaign has reached."""
    require_preflight: StrictBool = False
    """Whether the start is refused unless the latest preflight is not stale and found nothing in the way."""


class NewEmergency(Body):
    """Why calling hours and schedules do not hold a run back."""

    reason: Reason
    """Why this is an emergency."""


class NewCopy(Body):
    """A copy to be."""

    name: Name | None = None
    """Its name; without one that of the campaign, with (Copy) behind it."""


class ShownPrompt(BaseModel):
    """One thing that a contact would hear, and what says it."""

    block: str
    """The uuid of the block of the flow."""
    text: str
    sound: str | None
    """The name of the recording that is played; null: the text is spoken."""
    language: str
    service: str | None
    """The speech service that speaks the text, or `built-in`; null: a recording is played."""
    voice: str | None
    """As the service calls it; null: its usual one of the language."""
    seconds: float
    """How long it is; 0: it cannot be said."""
    problem: str | None
    """Why it cannot be said."""


class ShownReading(BaseModel):
    """What a contact would read, or hear."""

    contact_id: str
    number: str
    text: str | None
    """Null: nothing can be sent to this contact, or nothing is said to it. Of a call, what is said together."""
    segments: int
    problem: str | None
    """Why there is no text."""
    prompts: list[ShownPrompt]
    """Of a call: what the contact would hear, until something is waited for."""


class Readings(BaseModel):
    """What the first contacts would read."""

    items: list[ShownReading]


@router.post("/start", responses=_BEGINS)
async def start_campaign(runtime: Served, app: Tenant, campaign_id: str, asked: NewRun | None = None) -> FoundCampaign:
    """Begin a run, or go on with the paused one, and say what is amiss. It changes nothing of an active one."""
    return await _begin(runtime, app, campaign_id, asked)


@router.post("/rerun", responses=_BEGINS)
async def rerun_campaign(runtime: Served, app: Tenant, campaign_id: str, asked: NewRun | None = None) -> FoundCampaign:
    """Begin another run; refused while one goes on."""
    return await _begin(runtime, app, campaign_id, asked, again=True)


@router.post("/emergency", responses=problems(*_CAN_FAIL, EmergencyRuns))
async def run_emergency(
    request: Request, runtime: Served, app: Tenant, campaign_id: str, asked: NewEmergency
) -> FoundCampaign:
    """Begin a run that waits for neither hours nor a schedule. DNC lists, opt-outs and caps hold all the same."""
    note(request.scope, reason=asked.reason)
    campaign = await campaigns.find(runtime, app, campaign_id)
    launch = Launch(Execution.emergency, reason=asked.reason)
    return await show_found(runtime, app, await campaigns.start(runtime, app, campaign, launch=launch))


@router.post("/pause", responses=_GOES_ON)
async def pause_campaign(runtime: Served, app: Tenant, campaign_id: str) -> ShownCampaign:
    """Pause the run. When this answers, nothing more leaves."""
    return await _move(runtime, app, campaign_id, Move.pause)


@router.post("/resume", responses=_GOES_ON)
async def resume_campaign(runtime: Served, app: Tenant, campaign_id: str) -> ShownCampaign:
    """Go on with the paused run, where it stood."""
    return await _move(runtime, app, campaign_id, Move.resume)


@router.post("/stop", responses=_GOES_ON)
async def stop_campaign(runtime: Served, app: Tenant, campaign_id: str) -> ShownCampaign:
    """End the run. When this answers, nothing more leaves."""
    return await _move(runtime, app, campaign_id, Move.stop)


@router.post("/clone", status_code=201, responses=problems(CampaignNotFound, NameAmbiguous, NameTaken, BodyTooLarge))
async def clone_campaign(
    request: Request, runtime: Served, app: Tenant, campaign_id: str, new: NewCopy | None = None
) -> ShownCampaign:
    """Make a copy of a campaign, without its schedule. It has never run."""
    campaign = await campaigns.find(runtime, app, campaign_id)
    usual = campaign.definition.name[: MAX_NAME_CHARACTERS - len(_COPY)] + _COPY
    copy = await campaigns.clone(runtime, app, campaign, (new.name if new is not None else None) or usual)
    note(request.scope, campaign=copy.id)
    return show_campaign(copy)


@router.get("/preview", responses=problems(CampaignNotFound, NameAmbiguous, FlowIsEmpty, Conflict))
async def preview_campaign(
    runtime: Served,
    app: Tenant,
    campaign_id: str,
    limit: Annotated[int, Query(ge=1, le=MOST_READINGS, description="How many contacts at most.")] = 10,
) -> Readings:
    """Show what the first contacts of the lists would read, or hear, those whom the filter means."""
    campaign = await campaigns.find(runtime, app, campaign_id)
    return Readings(items=[_show(one) for one in await read_first(runtime, app, campaign, limit)])


async def _begin(
    runtime: Served, app: Tenant, campaign_id: str, asked: NewRun | None, *, again: bool = False
) -> FoundCampaign:
    campaign, how = await campaigns.find(runtime, app, campaign_id), asked or NewRun()
    started = await campaigns.start(
        runtime,
        app,
        campaign,
        launch=Launch(only_unreached=how.only_unreached),
        again=again,
        require_preflight=how.require_preflight,
    )
    return await show_found(runtime, app, started)


async def _move(runtime: Served, app: Tenant, campaign_id: str, move: Move) -> ShownCampaign:
    campaign = await campaigns.find(runtime, app, campaign_id)
    return show_campaign(await campaigns.move(runtime, campaign, move))


def _show(reading: Reading) -> ShownReading:
    shown = reading.preview
    said = "\n".join(prompt.text for prompt in reading.prompts if prompt.text)
    return ShownReading(
        contact_id=reading.contact.id,
        number=reading.contact.number,
        text=shown.text if shown is not None else said or None,
        segments=shown.segments if shown is not None else 0,
        problem=reading.problem or None,
        prompts=[_show_prompt(prompt) for prompt in reading.prompts],
    )


def _show_prompt(prompt: Prompt) -> ShownPrompt:
    return ShownPrompt(
        block=prompt.block,
        text=prompt.text,
        sound=prompt.sound or None,
        language=prompt.language,
        service=prompt.service or None,
        voice=prompt.voice or None,
        seconds=prompt.seconds,
        problem=prompt.problem or None,
    )
