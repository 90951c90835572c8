"""When things break: the store is away or slow, answers are lost, a trunk or a run is broken. In virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from callsheet.carriers.one_by_one import AwaitedCarrier
from callsheet.core.campaign import Campaign, Move, Status
from callsheet.core.errors import Unavailable
from callsheet.engine import campaigns
from callsheet.engine.virtual_time import VirtualClock, run
from databases import change
from engine.world import MINUTES, World, world
from factories import MONDAY_NOON, contact, make_definition, make_list, number


async def create(w: World, **changes: object) -> Campaign:
    return await w.store.campaigns.create(
        w.app.no, make_definition(changes.pop("lists"), **changes), w.clock.now(), unique_names=True
    )


def test_a_store_that_is_away_for_a_while_loses_nothing(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            campaign = await create(w, lists=[await make_list(w.store, w.app, clock, 1000)])
            await w.limit(campaign, 200)
            database = w.store._database
            plain = database._write  # type: ignore[attr-defined]

            async def sometimes_away(call: object) -> object:
                if w.rng.random() < 0.2:
                    raise Unavailable
                return await plain(call)

            await w.run_campaign(campaign)
            database._write = sometimes_away  # type: ignore[attr-defined]
            await clock.sleep(20)
            database._write = plain  # type: ignore[attr-defined]
            await w.until(campaign, Status.completed, longest_seconds=300)
            await clock.sleep(60)
            assert w.ledger.count() == len({message.to for message in w.sent()}) == 1000
            assert (await w.counters(campaign))["delivered"] == 1000

    run(main, start=MONDAY_NOON)


def test_an_arm_whose_answer_was_lost_leaves_nobody_in_doubt(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            campaign = await create(w, lists=[await make_list(w.store, w.app, clock, 1000)])
            await w.limit(campaign, 60)
            hot = w.store.hot
            lost = 0
            for name in ("arm", "arm_again", "take"):
                plain = getattr(hot, name)

                async def unheard(*args: object, plain: Callable[..., Awaitable[object]] = plain, **named: object):
                    nonlocal lost
                    answer = await plain(*args, **named)
                    if w.rng.random() < 0.4:
                        lost += 1
                        raise Unavailable
                    return answer

                setattr(hot, name, unheard)
            campaign = await w.run_campaign(campaign)
            for _ in range(5):
                await clock.sleep(w.rng.random() * 2)
                campaign = await campaigns.move(w.runtime, campaign, Move.pause)
                await clock.sleep(w.rng.random() * 5)
                campaign = await campaigns.move(w.runtime, campaign, Move.resume)
            await w.until(campaign, Status.completed, longest_seconds=2000)
            await clock.sleep(60)
            counters = await w.counters(campaign)
            assert lost > 10
            assert (counters["delivered"], counters["withdrawn"] > 50) == (1000, True)
            assert "uncertain" not in counters
            assert w.ledger.count() == 1000

    run(main, start=MONDAY_NOON)


def test_a_stop_ends_although_the_store_is_away_and_the_next_start_knows_the_rest(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            campaign = await create(w, lists=[await make_list(w.store, w.app, clock, 500)])
            await w.limit(campaign, 20)
            await w.run_campaign(campaign)
            await clock.sleep(5)
            database = w.store._database
            plain = database._write  # type: ignore[attr-defined]

            async def away(_: object) -> object:
                raise Unavailable

            database._write = away  # type: ignore[attr-defined]
            await clock.sleep(2)
            async with asyncio.timeout(120):
                await w.conductor.stop()
            database._write = plain  # type: ignore[attr-defined]
            await w.start()
            await w.until(campaign, Status.completed, longest_seconds=120)
            await clock.sleep(30)
            counters = await w.counters(campaign)
            assert counters["delivered"] == w.ledger.count() == len({message.to for message in w.sent()})
            assert counters["delivered"] + counters.get("uncertain", 0) == 500

    run(main, start=MONDAY_NOON)


def test_a_trunk_that_cannot_be_opened_is_tried_again_and_piles_up_nothing(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=MINUTES) as w:
            campaign = await create(w, lists=[await make_list(w.store, w.app, clock, 5)])
            await w.conductor.stop()
            sound, broken = w.wrap, True

            def wrap(carrier: AwaitedCarrier) -> AwaitedCarrier:
                if broken:
                    raise OSError
                return sound(carrier)

            w.wrap = wrap
            await w.start()
            await w.run_campaign(campaign)
            await clock.sleep(60)
            at_first = len(w.conductor._tasks)
            await clock.sleep(1740)
            assert len(w.conductor._tasks) <= at_first
            broken = False
            await w.until(campaign, Status.completed, longest_seconds=600)  # it is tried ever more rarely
            assert w.ledger.count() == 5

    run(main, start=MONDAY_NOON)


def test_a_run_that_cannot_be_judged_does_not_stop_the_others(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            people = [contact(w.store, w.app, number(i), zone="Atlantis/Gone") for i in range(5)]
            gone = await create(w, lists=[await make_list(w.store, w.app, clock, people)])
            sound = await create(w, lists=[await make_list(w.store, w.app, clock, 50)])
            for campaign in (gone, sound):
                await w.run_campaign(campaign)
            await w.until(sound, Status.completed, longest_seconds=60)
            assert w.ledger.count() == 50

    run(main, start=MONDAY_NOON)


def test_a_run_of_which_the_store_cannot_say_what_is_left_does_not_stop_the_others(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            campaigns = [await create(w, lists=[await make_list(w.store, w.app, clock, 10)]) for _ in range(5)]
            broken = await w.run_campaign(campaigns[2])
            # No instant that there is.
            row = "insert into retry values (:app, :run, 0, :due, 1, 0, x'00', 1, 0, 0, '')"
            await change(w.store, row, app=w.app.no, run=broken.run_no, due=2**62)
            sound = campaigns[:2] + campaigns[3:]
            for campaign in sound:
                await w.run_campaign(campaign)
            for campaign in sound:
                await w.until(campaign, Status.completed, longest_seconds=120)
            assert w.ledger.count() >= 40

    run(main, start=MONDAY_NOON)


def test_a_store_slower_than_the_gates_verdict_holds_sends_nothing_stale_and_ends(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            campaign = await create(w, lists=[await make_list(w.store, w.app, clock, 200)])
            await w.run_campaign(campaign)
            hot, slow_until = w.store.hot, clock.monotonic() + 600
            for name in ("arm", "arm_again"):
                plain = getattr(hot, name)

                async def slow(*args: object, plain: Callable[..., Awaitable[object]] = plain, **named: object):
                    answer = await plain(*args, **named)
                    await clock.sleep(3 if clock.monotonic() < slow_until else 0)
                    return answer

                setattr(hot, name, slow)
            await clock.sleep(590)
            assert w.ledger.count() == 0
            # It waits longer and longer, with smaller and smaller steps, instead of spinning.
            assert (await w.counters(campaign))["armed"] < 1000
            await w.until(campaign, Status.completed, longest_seconds=300)
            assert w.ledger.count() == 200

    run(main, start=MONDAY_NOON)
