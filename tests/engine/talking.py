"""Conversations of a world in virtual time: begin them, write back, and look at what was said."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from callsheet.carriers.base import Inbound
from callsheet.core.campaign import Campaign
from callsheet.core.flow.given import WebhookAnswered
from callsheet.core.run import PinnedFlow
from callsheet.engine.tuning import Tuning
from callsheet.engine.virtual_time import VirtualClock, run
from conversing import QUESTION
from databases import rows
from engine.world import World, world
from factories import MONDAY_NOON, SENDER, make_campaign, make_list, trunk_of

TUNING = Tuning(tick_seconds=600.0)
Play = Callable[[World], Awaitable[None]]


def play(folder: Path, main: Play, tuning: Tuning = TUNING) -> None:
    """Play in a world."""

    async def played(clock: VirtualClock) -> None:
        async with world(clock, folder, tuning=tuning) as w:
            await main(w)

    run(played, start=MONDAY_NOON)


async def reply(w: World, to: str, text: str, sender: str = SENDER) -> None:
    trunk = await trunk_of(w.store, w.app)
    heard = Inbound(f"in-{to}-{w.rng.getrandbits(64)}", to, sender, text, w.clock.now())
    await w.conductor.hearing(trunk).hear([heard])


async def launch(w: World, flow: PinnedFlow, people: int | Sequence[Any] = 3, **changes: Any) -> Campaign:
    """Run a campaign of a flow, until its messages are out."""
    numbers = await make_list(w.store, w.app, w.clock, people)
    campaign = await make_campaign(w.store, w.app, w.clock, [numbers], **changes)
    sender = await w.store.apps.find_sender(w.app.no, campaign.definition.sender, w.clock.now())
    assert sender is not None
    started = await w.store.campaigns.start(
        campaign, text=QUESTION, sender_no=sender.no, one_run_per_list=False, now=w.clock.now(), flow=flow
    )
    w.conductor.wake()
    await w.clock.sleep(12)
    # It does not hear of conversations that a campaign begins, and would look each second in earnest.
    w.conductor.talker.wake()
    return started


async def answer(w: World, body: str, errand: Any = None) -> bool:
    """Give what waits for a webhook its answer, the only conversation or that of an errand; say whether it took it."""
    if errand is None:
        (errand,) = await rows(w.store, "select session_no, id from errand")
    answered = WebhookAnswered(200, body, w.clock.now())
    return await w.conductor.talker.give(w.app.no, errand.session_no, answered, errand_id=errand.id)


def said(w: World, to: str) -> list[str]:
    """Return what somebody got, but for what the campaign sent."""
    return [one.text for one in w.sent() if one.to == to and not one.campaign_id]


async def endings(w: World) -> list[str]:
    return [row.ending for row in await rows(w.store, "select ending from flow_session order by no")]


async def open_ones(w: World) -> int:
    return len(await rows(w.store, "select 1 from open_session"))
