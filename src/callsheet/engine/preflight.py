"""Preflight: look at all messages of a campaign before anybody gets one, in a stream, and say what was found.

What was counted is written down at every step, so a look that a stop interrupts goes on, on this node or another.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog

from callsheet.clock import Clock
from callsheet.core.campaign import Campaign, Channel
from callsheet.core.errors import Conflict, Invalid, PreflightRequired, Unavailable
from callsheet.core.flow.opening import Opening
from callsheet.core.flow.session import Mode
from callsheet.core.outcome import Outcome as Answerer
from callsheet.core.preflight import Person, Tally, tally
from callsheet.core.preflight_calls import call_seconds, judge_voice, judge_way, no_flow, tally_calls
from callsheet.core.preflight_report import (
    Finding,
    ZoneHours,
    blocks,
    broken_off,
    is_simulated,
    judge,
    limits_of,
    no_text,
    seconds_of,
    zone_hours,
)
from callsheet.core.preview import cost_of
from callsheet.core.run import NO_FLOW, PinnedFlow, Sender, zones_of
from callsheet.core.template import compile_text
from callsheet.engine.flow_shelf import FlowShelf
from callsheet.engine.loop import Loop
from callsheet.engine.message_text import VersionedText, versioned_text
from callsheet.engine.preflight_calls import CallScout
from callsheet.engine.routes import simulated
from callsheet.store.apps import App
from callsheet.store.preflights import Outcome, Pins, Preflight, pin_list
from callsheet.store.store import Store

log = structlog.get_logger()

BLOCK_CONTACTS = 250
"""So many are rendered at a stretch: a hundredth of a second in which this process does nothing else."""
STEP_BLOCKS = 20
"""After so many blocks it is written down how far the look is."""
LEASE = timedelta(seconds=60)
TICK_SECONDS = 5.0
_MOST_ZONES = 100
Look = Callable[[Iterable[Person], Sequence[Sender]], Tally]
"""Tallies contacts, with the senders that would speak."""


async def begin(store: Store, app: App, campaign: Campaign, clock: Clock) -> Preflight:
    """Begin to look at a campaign's messages, or calls, anew."""
    return await store.preflights.begin(campaign, await pin(store, app, campaign), clock.now())


async def pin(store: Store, app: App, campaign: Campaign) -> Pins:
    """Return what a preflight of now would look at."""
    definition = campaign.definition
    text, problem = VersionedText(""), ""
    try:
        text = await versioned_text(store, app, definition)
        if not text.flow.no:
            compile_text(text.text)
    except Conflict as error:
        problem = error.message
    except Invalid as error:
        problem = " ".join(fault.message for fault in error.fields)
    numbers = dict.fromkeys(named.id for named in definition.contact_lists)
    lists = [await store.lists.find(app.no, list_id=list_id) for list_id in numbers]
    pinned = tuple(pin_list(found) for found in lists if found is not None)
    return Pins(campaign.version, text.version, pinned, text.text, definition, problem)


def staleness(pinned: Pins, now: Pins) -> list[str]:
    """Say what is another than a preflight looked at; nothing: its report holds."""
    changed = {
        "The campaign was edited.": pinned.version != now.version,
        "The text is another one.": (pinned.text_version, pinned.text) != (now.text_version, now.text),
        "Contact lists have grown, or are others.": [(one.no, one.size) for one in pinned.lists]
        != [(one.no, one.size) for one in now.lists],
    }
    return [sentence for sentence, is_so in changed.items() if is_so]


async def require(store: Store, app: App, campaign: Campaign) -> None:
    """Refuse a start without a preflight that holds and found nothing in the way. Raises PreflightRequired."""
    found = await store.preflights.find(campaign)
    if found is None:
        raise PreflightRequired("This campaign has had no preflight, and one is required before it starts.")
    if found.outcome is None:
        raise PreflightRequired("The preflight of this campaign has not ended yet, and no start comes before.")
    if stale := staleness(found.pins, await pin(store, app, campaign)):
        raise PreflightRequired(f"The preflight of this campaign is stale: {' '.join(stale)} Begin another one.")
    if wrong := blocks(found.outcome.findings):
        raise PreflightRequired(f"The preflight of this campaign found: {' '.join(wrong)}")


class Preflighter(Loop):
    """Works on the preflights that were begun."""

    def __init__(
        self, store: Store, clock: Clock, flows: FlowShelf, scout: CallScout, *, tick_seconds: float = TICK_SECONDS
    ) -> None:
        super().__init__()
        self._store = store
        self._clock = clock
        self._flows = flows
        self._scout = scout
        self._tick_seconds = max(TICK_SECONDS, tick_seconds)

    async def run(self) -> None:
        """Look at what was begun, one campaign after the other, until `stop`."""
        while not self._stopping:
            self._wake.clear()
            try:
                taken = await self._store.preflights.take(await self._store.hot.now(), LEASE)
                if taken is not None:
                    await self._look(taken)
                    continue
            except Unavailable:
                log.warning("preflight.store_away")
            await self._rest(self._tick_seconds)

    async def _look(self, preflight: Preflight) -> None:
        """Look at all messages of one campaign, and write down what was found."""
        try:
            looked_at = await self._walk(preflight)
            if looked_at is None:
                return
            preflight, outcome = looked_at, await self._outcome(looked_at)
        except Unavailable:
            raise
        except Exception:
            # The others have their turn, and whoever waits for this one learns that nothing comes.
            log.exception("preflight.broke", campaign_no=preflight.campaign_no)
            outcome = Outcome((broken_off(),))
        if await self._store.preflights.finish(preflight, outcome, self._clock.now()):
            log.info("preflight.done", campaign_no=preflight.campaign_no, contacts=preflight.tally.contacts)

    async def _walk(self, preflight: Preflight) -> Preflight | None:
        """Tally all contacts from where it stands; None when it is not ours any more, or we are to stop."""
        if preflight.pins.problem:
            return preflight
        app, pins, steps = await _app(self._store, preflight), preflight.pins, 0
        flow = pins.definition.message.flow
        pinned = PinnedFlow(flow.no, pins.text_version) if flow is not None else NO_FLOW
        look = await self._looking(app.no, pins, pinned)
        senders = await self._store.senders.speaking(app.no, preflight.pins.definition.sender)
        while preflight.place < len(preflight.pins.lists):
            preflight = await self._tally_block(app, preflight, look, senders)
            steps += 1
            # The others of this process have their turn.
            await asyncio.sleep(0)
            if (steps % STEP_BLOCKS == 0 or self._stopping) and not await self._hold(preflight):
                return None
            if self._stopping:
                return None
        return preflight

    async def _outcome(self, preflight: Preflight) -> Outcome:
        """Judge what was counted."""
        app, pins = await _app(self._store, preflight), preflight.pins
        is_call = pins.definition.channel is Channel.voice
        if pins.problem:
            return Outcome((no_flow(pins.problem) if is_call else no_text(pins.problem),))
        if is_call:
            return await self._outcome_of_calls(app, preflight)
        return await _outcome_of_messages(self._store, app, preflight, self._clock)

    async def _outcome_of_calls(self, app: App, preflight: Preflight) -> Outcome:
        pins, counted = preflight.pins, preflight.tally
        senders = await self._store.senders.speaking(app.no, pins.definition.sender)
        way = await self._scout.way(app, pins.definition, senders)
        flow = pins.definition.message.flow
        assert flow is not None, "without one there is a problem"
        voice = await self._scout.voice(app, PinnedFlow(flow.no, pins.text_version))
        # A call counts as one segment of a rate; the app's rate is for messages.
        seconds = call_seconds(counted.calls, way.at_once, seconds_of(counted, limits_of(senders, None)))
        zones = await _zones(self._store, app, pins, self._clock)
        also = [*judge_way(way), *await _simulated(self._store, app, pins), *judge_voice(voice)]
        findings = judge(counted, seconds, zones, text="", has_sender=bool(senders), also=also)
        return Outcome(findings, tuple(zones), seconds, calls_at_once=way.at_once)

    async def _hold(self, preflight: Preflight) -> bool:
        """Write down how far it is; whoever stops lets go of it."""
        now = await self._store.hot.now()
        return await self._store.preflights.step(preflight, now if self._stopping else now + LEASE)

    async def _looking(self, app: int, pins: Pins, flow: PinnedFlow) -> Look:
        """Return what tallies contacts: by the messages that they would get, or by their calls."""
        if pins.definition.channel is Channel.voice:
            container = await self._flows.get(app, flow.no, flow.version)
            zone = pins.definition.hours.timezone
            return partial(tally_calls, Opening(container, self._clock.now, Mode.ivr, zone, answered_by=Answerer.human))
        return partial(tally, await self._flows.message(app, pins.text, flow, pins.definition.hours.timezone))

    async def _tally_block(self, app: App, preflight: Preflight, look: Look, senders: Sequence[Sender]) -> Preflight:
        pins, store = preflight.pins, self._store.preflights
        within, earlier = pins.lists[preflight.place], [one.no for one in pins.lists[: preflight.place]]
        facts = await store.facts(app, pins.definition, earlier)
        persons, goes_on = await store.persons(
            app.no, within, pins.definition, facts, after=preflight.pos, limit=BLOCK_CONTACTS
        )
        counted = preflight.tally + look(persons, senders)
        if goes_on is None:
            return replace(preflight, place=preflight.place + 1, pos=0, tally=counted)
        return replace(preflight, pos=goes_on, tally=counted)


async def _app(store: Store, preflight: Preflight) -> App:
    app = await store.apps.by_no(preflight.app)
    assert app is not None, "apps are not deleted"
    return app


async def _outcome_of_messages(store: Store, app: App, preflight: Preflight, clock: Clock) -> Outcome:
    """Judge what was counted of messages."""
    pins, counted = preflight.pins, preflight.tally
    senders, settings = await store.senders.speaking(app.no, pins.definition.sender), app.settings
    seconds = seconds_of(counted, limits_of(senders, settings.messages_per_minute))
    zones = await _zones(store, app, pins, clock)
    has_help = settings.help_reply is not None
    also = await _simulated(store, app, pins)
    findings = judge(counted, seconds, zones, text=pins.text, has_sender=bool(senders), has_help=has_help, also=also)
    cost = cost_of(counted.segments, settings.segment_cost) if settings.segment_cost is not None else None
    return Outcome(findings, tuple(zones), seconds, cost=cost, currency=settings.currency)


async def _simulated(store: Store, app: App, pins: Pins) -> list[Finding]:
    said = await simulated(store, app.no, pins.definition.sender, pins.definition.channel)
    return [is_simulated(said)] if said else []


async def _zones(store: Store, app: App, pins: Pins, clock: Clock) -> Sequence[ZoneHours]:
    """Say when the contacts of the lists may be contacted, the zones with the most of them first."""
    contacts: Counter[frozenset[str]] = Counter()
    for group, count in await store.preflights.groups(app.no, [one.no for one in pins.lists]):
        contacts[zones_of(pins.definition, app.settings, group)] += count
    now = clock.now()
    return [zone_hours(pins.definition.hours, zones, count, now) for zones, count in contacts.most_common(_MOST_ZONES)]
