"""What can be done with a campaign: each is one use case, the same for every dialect of the API."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import structlog

from callsheet.core.campaign import Campaign, Channel, Move, Status, after
from callsheet.core.errors import CampaignNotFound, Conflict, WrongState
from callsheet.core.names import key_of
from callsheet.core.run import NORMALLY, Execution, Launch
from callsheet.core.schedule import Verdict
from callsheet.core.template import compile_text
from callsheet.core.wish import Wish
from callsheet.engine.drafting import draft
from callsheet.engine.holds import Scope
from callsheet.engine.message_text import VersionedText, versioned_text
from callsheet.engine.preflight import require
from callsheet.engine.routes import require_trunks
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App

log = structlog.get_logger()

_KINDS = frozenset(channel.value for channel in Channel)


class Created(NamedTuple):
    """A campaign that was created."""

    campaign: Campaign
    hindrance: Conflict | None = None
    """Why it waits, although the app starts what it creates."""


async def create(runtime: Runtime, app: App, wish: Wish) -> Created:
    """Create a campaign. It waits in Ready, or for its time, unless the app starts what it creates.

    One that cannot start (its flow is empty, its list is in use) is there all the same, and waits.
    """
    now = runtime.clock.now()
    definition = await draft(runtime.store, app, wish, now)
    campaign = await runtime.store.campaigns.create(
        app.no, definition, now, unique_names=app.settings.unique_names, schedule=wish.schedule
    )
    if campaign.status is Status.preparing:
        runtime.conductor.preparer.wake()
    runtime.conductor.starter.wake()
    if campaign.waits or not app.settings.start_on_create:
        return Created(campaign)
    if campaign.status is Status.preparing:
        campaign = await runtime.store.campaigns.prepare_one(campaign, now)
    try:
        return Created(await start(runtime, app, campaign))
    except Conflict as hindrance:
        return Created(campaign, hindrance)


async def clone(runtime: Runtime, app: App, campaign: Campaign, name: str) -> Campaign:
    """Create a campaign like another one; it has never run. Raises NameTaken."""
    definition = replace(campaign.definition, name=name)
    now, unique_names = runtime.clock.now(), app.settings.unique_names
    made = await runtime.store.campaigns.create(app.no, definition, now, unique_names=unique_names)
    if made.status is Status.preparing:
        runtime.conductor.preparer.wake()
    return made


async def find(runtime: Runtime, app: App, campaign_id: str) -> Campaign:
    """Return a campaign by its id, else by its name. Raises CampaignNotFound, NameAmbiguous."""
    campaign = await runtime.store.campaigns.find(app.no, campaign_id=campaign_id)
    # Pages print the kind where the id belongs: a copy of that must not hit a campaign that bears the name.
    if campaign is None and key_of(campaign_id) not in _KINDS:
        campaign = await runtime.store.campaigns.find(app.no, name=campaign_id)
    if campaign is None:
        raise CampaignNotFound
    return campaign


async def update(runtime: Runtime, app: App, campaign: Campaign, wish: Wish) -> Campaign:
    """Replace a campaign's definition: what the wish leaves out is gone."""
    now = runtime.clock.now()
    definition = await draft(runtime.store, app, wish, now)
    updated = await runtime.store.campaigns.update(
        campaign, definition, now, unique_names=app.settings.unique_names, schedule=wish.schedule
    )
    runtime.conductor.starter.wake()
    return updated


async def start(
    runtime: Runtime,
    app: App,
    campaign: Campaign,
    *,
    launch: Launch = NORMALLY,
    again: bool = False,
    verdict: Verdict | None = None,
    require_preflight: bool = False,
) -> Campaign:
    """Start a run, or resume the paused one; `again`: in no case the present one; `verdict`: what a schedule asks for.

    Raises WrongState, FlowIsEmpty, ListInUse, NoVoiceTrunk, SendingStopped, EmergencyRuns, PreflightRequired, Conflict.
    """
    is_emergency = launch.execution is Execution.emergency
    how = Move.emergency if is_emergency else Move.rerun if again else Move.come_due if verdict else Move.start
    if after(how, campaign.status) is campaign.status:
        return campaign
    if campaign.status is Status.paused:
        return await move(runtime, campaign, Move.resume)
    if is_emergency and campaign.definition.channel is not Channel.sms:
        raise Conflict("Only an SMS campaign runs as an emergency.")
    now = runtime.clock.now()
    text, _, flow = await _text(runtime, app, campaign, require_preflight=require_preflight)
    await require_trunks(runtime.store, app.no, campaign.definition.sender, campaign.definition.channel)
    sender = await runtime.store.apps.find_sender(app.no, campaign.definition.sender, now)
    if sender is None:
        raise WrongState(f"The sender {campaign.definition.sender} does not exist any more.")
    started = await runtime.store.campaigns.start(
        campaign, text=text, sender_no=sender.no, now=now, launch=launch, move=how, verdict=verdict, flow=flow,
        one_run_per_list=app.settings.one_run_per_list, most_voice_campaigns=app.settings.most_voice_campaigns,
    )  # fmt: skip
    runtime.conductor.wake()
    return await _warned_of(runtime, started)


async def _warned_of(runtime: Runtime, started: Campaign) -> Campaign:
    """Say in the log what is amiss with the trunks of a run that begins, and return its campaign."""
    for amiss in await runtime.ingest.amiss_with(started.app, started.definition.sender):
        log.warning("run.unheard", run=started.run_id, why=amiss)
    return started


async def _text(runtime: Runtime, app: App, campaign: Campaign, *, require_preflight: bool) -> VersionedText:
    """Return the text of a run that is about to begin, if nothing about it stands against that."""
    if require_preflight or app.settings.require_preflight:
        await require(runtime.store, app, campaign)
    text = await versioned_text(runtime.store, app, campaign.definition)
    if not text.flow.no:
        compile_text(text.text)
    return text


async def move(runtime: Runtime, campaign: Campaign, what: Move) -> Campaign:
    """Pause, resume, stop, or complete. When a call that forbids returns, nothing more leaves in this run."""
    moved = await runtime.store.campaigns.move(campaign, what, runtime.clock.now())
    if what in {Move.pause, Move.stop, Move.complete} and moved.run_no is not None:
        # Single messages, which have no list, are many runs: all that the app has armed goes round again.
        await runtime.conductor.forbid(Scope(campaign.app, moved.run_no if moved.definition.contact_lists else None))
    runtime.conductor.wake()
    return moved


async def delete(runtime: Runtime, campaign: Campaign) -> Campaign:
    """Delete a campaign and return it as it was. Raises WrongState while it runs."""
    return await runtime.store.campaigns.delete(campaign)
