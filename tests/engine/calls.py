"""Campaigns that call, in a world in virtual time: begin them, and look at what became of their calls."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from callsheet.core.campaign import Campaign, Channel, MachineDetection, Mode, Status, VoicePlan
from callsheet.core.run import AppSettings, PinnedFlow
from callsheet.engine.calling.playing import Prompts
from callsheet.engine.tuning import Tuning
from callsheet.engine.virtual_time import VirtualClock, run
from callsheet.voice.sandbox.behaviour import Phone, phone_of
from callsheet.voice.sandbox.ledger import PlacedCall
from databases import rows
from engine.world import World, world
from factories import MONDAY_NOON, contact, make_campaign, make_list, trunk_of

TUNING = Tuning(tick_seconds=60.0)
Play = Callable[[World], Awaitable[None]]
NO_FLOW = PinnedFlow()


def play(
    folder: Path,
    main: Play,
    *,
    settings: AppSettings | None = None,
    tuning: Tuning = TUNING,
    prompts: Prompts | None = None,
    phones: Callable[[str], Phone] = phone_of,
) -> None:
    """Play in a world with a simulated phone network."""

    async def played(clock: VirtualClock) -> None:
        async with world(
            clock, folder, tuning=tuning, settings=settings, calls=True, prompts=prompts, phones=phones
        ) as w:
            await main(w)

    run(played, start=MONDAY_NOON)


async def call(
    w: World,
    people: Sequence[str],
    *,
    flow: PinnedFlow = NO_FLOW,
    detection: MachineDetection = MachineDetection.no,
    plan: VoicePlan | None = None,
    **changes: Any,
) -> Campaign:
    """Start a campaign that calls these numbers, in this order."""
    contact_list = await make_list(w.store, w.app, w.clock, [contact(w.store, w.app, to) for to in people])
    plan = plan or VoicePlan(Mode.agentless, machine_detection=detection)
    campaign = await make_campaign(
        w.store, w.app, w.clock, [contact_list], channel=Channel.voice, voice=plan, **changes
    )
    sender = await w.store.apps.find_sender(w.app.no, campaign.definition.sender, w.clock.now())
    assert sender is not None
    started = await w.store.campaigns.start(
        campaign, text="", sender_no=sender.no, one_run_per_list=False, now=w.clock.now(), flow=flow
    )
    w.conductor.wake()
    return started


async def called(w: World, people: Sequence[str], **changes: Any) -> Campaign:
    """Call these numbers until the campaign is completed."""
    started = await call(w, people, **changes)
    return await w.until(started, Status.completed, longest_seconds=24 * 3600, step=5.0)


async def placed(w: World) -> list[PlacedCall]:
    """Return the calls that the simulated network got, oldest first."""
    trunk = await trunk_of(w.store, w.app)
    return list(w.phones.calls(trunk.id, 0, 10_000))


async def codes(w: World, to: str) -> list[tuple[int, str, str]]:
    """Return what happened to a number: try, kind and code, in order."""
    key = w.store.vault.app(w.app.no)
    assert key is not None
    query = "select n, kind, code from event where person = :person order by n, at, kind"
    return [(row.n, row.kind, row.code) for row in await rows(w.store, query, person=key.person(to))]


def count_at_once(w: World) -> list[int]:
    """Count from now on, whenever a call is begun, how many go on with it; return where that is written down."""
    going_on: list[int] = []
    dial = w.phones.dial

    async def counted(*args: object) -> object:
        going_on.append(len(w.phones.living()) + 1)
        return await dial(*args)  # type: ignore[arg-type]

    w.phones.dial = counted  # type: ignore[method-assign,assignment]
    return going_on
