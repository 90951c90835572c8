"""Whole runs through the real engine, SQLite and the sandbox carrier, in virtual time."""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from callsheet.core.campaign import Campaign, Move, Order, Status, UncertainPolicy
from callsheet.core.run import AppSettings, OutsideHours
from callsheet.engine import campaigns
from callsheet.engine.virtual_time import VirtualClock, run
from engine.world import World, world
from factories import MONDAY_NOON, contact, grow_list, hours, make_definition, make_list, number
from phone_numbers import numbers


async def create(w: World, **changes: object) -> Campaign:
    return await w.store.campaigns.create(
        w.app.no, make_definition(changes.pop("lists"), **changes), w.clock.now(), unique_names=True
    )


def of_ending(ending: str, count: int) -> list[str]:
    return numbers("US-Eastern", count, seed=5, ending=ending)


def test_every_ending_of_the_sandbox_comes_out_as_documented(tmp_path: Path) -> None:
    endings = {
        "0123": "delivered", "9901": "delivered", "9902": "delivered", "9903": "delivered", "9904": "undelivered",
        "9905": "rejected", "9906": "delivered", "9907": "uncertain", "9908": "accepted", "9909": "delivered",
        "9910": "delivered", "9911": "delivered",
    }  # fmt: skip

    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            people = [contact(w.store, w.app, to) for ending in endings for to in of_ending(ending, 3)]
            campaign = await create(w, lists=[await make_list(w.store, w.app, clock, people)])
            started = await w.run_campaign(campaign)
            await w.until(campaign, Status.completed, longest_seconds=120)
            await clock.sleep(30)

            attempts = await w.store.reports.attempts(w.app.no, started.run_no or 0, limit=1000)
            states = {(attempt.number[-4:], attempt.state) for attempt in attempts if attempt.state != "refused"}
            assert states == set(endings.items())
            # Throttled twice, then taken: a definite refusal is repeated, and uses up nothing.
            throttled = [attempt for attempt in attempts if attempt.number.endswith("9906")]
            assert Counter((attempt.n, attempt.state) for attempt in throttled) == {
                (1, "refused"): 3,
                (2, "refused"): 3,
                (3, "delivered"): 3,
            }
            assert not w.ledger.duplicates()

    run(main, start=MONDAY_NOON)


@pytest.mark.parametrize(("order", "first"), [(Order.fifo, 0), (Order.lifo, 499)])
def test_lists_are_walked_in_their_order(tmp_path: Path, order: Order, first: int) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            campaign = await create(w, lists=[await make_list(w.store, w.app, clock, 500)], order=order)
            await w.limit(campaign, 50)
            await w.run_campaign(campaign)
            await w.until(campaign, Status.completed, longest_seconds=60)
            expected = [number(abs(first - i)) for i in range(500)]
            assert [message.to for message in w.sent()] == expected

    run(main, start=MONDAY_NOON)


def test_contacts_of_higher_priority_come_first(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            people = [contact(w.store, w.app, number(i), priority=i % 3) for i in range(300)]
            campaign = await create(w, lists=[await make_list(w.store, w.app, clock, people)])
            await w.limit(campaign, 20)
            await w.run_campaign(campaign)
            await w.until(campaign, Status.completed, longest_seconds=60)
            order = {number(i): i % 3 for i in range(300)}
            priorities = [order[message.to] for message in w.sent()]
            assert priorities == sorted(priorities, reverse=True)

    run(main, start=MONDAY_NOON)


def test_a_list_that_grows_is_taken_until_nothing_is_left(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            contact_list = await make_list(w.store, w.app, clock, 100)
            campaign = await create(w, lists=[contact_list])
            await w.limit(campaign, 20)
            await w.run_campaign(campaign)
            for block in range(1, 8):
                await clock.sleep(2)
                await grow_list(w.store, w.app, contact_list, range(block * 100, block * 100 + 40))
            await w.until(campaign, Status.completed, longest_seconds=120)
            assert len({message.to for message in w.sent()}) == w.ledger.count() == 100 + 7 * 40

    run(main, start=MONDAY_NOON)


def test_one_person_in_two_lists_gets_one_message(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            first = await make_list(w.store, w.app, clock, 200)
            people = [contact(w.store, w.app, number(i), priority=i % 2) for i in range(100, 300)]
            second = await make_list(w.store, w.app, clock, people)
            campaign = await create(w, lists=[first, second])
            await w.run_campaign(campaign)
            await w.until(campaign, Status.completed, longest_seconds=60)
            assert w.ledger.count() == len({message.to for message in w.sent()}) == 300
            assert (await w.counters(campaign))["suppressed:duplicate"] == 100

    run(main, start=MONDAY_NOON)


def test_a_closed_zone_waits_for_its_hours_and_holds_nobody_back(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            # Monday noon UTC: Kolkata has 17:30, Honolulu 02:00.
            zones = ["Asia/Kolkata", "Pacific/Honolulu"]
            people = [contact(w.store, w.app, number(i), zone=zones[i % 2]) for i in range(100)]
            campaign = await create(
                w, lists=[await make_list(w.store, w.app, clock, people)], hours=hours("UTC", 9 * 60, 18 * 60)
            )
            await w.run_campaign(campaign)
            await clock.sleep(60)
            assert w.ledger.count() == 50
            done = await w.until(campaign, Status.completed, longest_seconds=20 * 3600, step=60)
            assert done.updated_at - MONDAY_NOON < timedelta(hours=7, minutes=5)
            assert w.ledger.count() == 100
            late = [message.accepted_at - MONDAY_NOON for message in w.sent()[50:]]
            assert min(late) >= timedelta(hours=7)

    run(main, start=MONDAY_NOON)


def test_the_literal_reading_skips_whoever_is_outside(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, settings=AppSettings(outside_hours=OutsideHours.skip)) as w:
            zones = ["Asia/Kolkata", "Pacific/Honolulu"]
            people = [contact(w.store, w.app, number(i), zone=zones[i % 2]) for i in range(100)]
            campaign = await create(
                w, lists=[await make_list(w.store, w.app, clock, people)], hours=hours("UTC", 9 * 60, 18 * 60)
            )
            await w.run_campaign(campaign)
            await w.until(campaign, Status.completed, longest_seconds=120)
            assert w.ledger.count() == 50
            assert (await w.counters(campaign))["suppressed:outside_hours"] == 50

    run(main, start=MONDAY_NOON)


def test_stop_ends_a_run_and_start_begins_another_from_the_first_contact(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            campaign = await create(w, lists=[await make_list(w.store, w.app, clock, 200)])
            await w.limit(campaign, 20)
            first = await w.run_campaign(campaign)
            await clock.sleep(3)
            stopped = await campaigns.move(w.runtime, first, Move.stop)
            assert stopped.status is Status.stopped
            sent = w.ledger.count()
            assert 40 <= sent <= 70
            await clock.sleep(10)
            assert w.ledger.count() == sent
            second = await w.run_campaign(stopped)
            assert second.run_id != first.run_id
            await w.until(campaign, Status.completed, longest_seconds=60)
            assert w.ledger.count() == sent + 200

    run(main, start=MONDAY_NOON)


@pytest.mark.parametrize(("people", "rate"), [(800, 120), pytest.param(2000, 300, marks=pytest.mark.full)])
def test_a_clean_stop_drains_and_leaves_nothing_uncertain(tmp_path: Path, people: int, rate: int) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            campaign = await create(w, lists=[await make_list(w.store, w.app, clock, people)])
            await w.limit(campaign, rate)
            await w.run_campaign(campaign)
            for _ in range(8):
                await clock.sleep(w.rng.random())
                await w.conductor.stop()
                assert not len(w.conductor.holds)
                await w.start()
            await w.until(campaign, Status.completed, longest_seconds=60)
            await clock.sleep(10)
            assert await w.counters(campaign) == {
                "armed": people + (await w.counters(campaign)).get("withdrawn", 0),
                "delivered": people,
                "segments": people,
                **({"withdrawn": n} if (n := (await w.counters(campaign)).get("withdrawn", 0)) else {}),
            }
            assert not w.ledger.duplicates()
            assert w.ledger.count() == people

    run(main, start=MONDAY_NOON)


def campaign_run(campaign: Campaign | None) -> int:
    assert campaign is not None
    assert campaign.run_no is not None
    return campaign.run_no


async def die() -> None:
    """Let the engine die as a process does: everything ends where it stands, and nothing more is recorded."""
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.sleep(0)


@pytest.mark.parametrize("policy", list(UncertainPolicy))
def test_what_a_dead_engine_left_is_uncertain_until_evidence_settles_it(
    tmp_path: Path, policy: UncertainPolicy
) -> None:
    people = 600

    async def main(clock: VirtualClock) -> None:
        settings = AppSettings(uncertain_policy=policy)
        async with world(clock, tmp_path, settings=settings, wire_seconds=0.2) as w:
            campaign = await create(w, lists=[await make_list(w.store, w.app, clock, people)])
            await w.limit(campaign, 100)
            await w.run_campaign(campaign)
            for _ in range(4):
                await clock.sleep(1.3)
                await die()
                await w.start()
            await w.until(campaign, Status.completed, longest_seconds=120)
            await clock.sleep(30)
            counters = await w.counters(campaign)
            taken = Counter(message.to for message in w.sent())
            if policy is UncertainPolicy.at_most_once:
                # What the carrier took, its receipts have settled; what never reached it stays in doubt, and is said.
                assert max(taken.values()) == 1
                assert counters["uncertain"] == people - len(taken) > 0
                assert counters["delivered"] == len(taken)
            else:
                # Each is tried once more after a doubt; who was hit by two crashes is in doubt for good, and is said.
                run_no = campaign_run(await w.store.campaigns.find(w.app.no, campaign_id=campaign.id))
                doubtful = await w.store.reports.attempts(w.app.no, run_no, limit=1000, state="uncertain")
                twice = {attempt.number for attempt in doubtful if attempt.n > 1}
                assert {number(i) for i in range(people)} - set(taken) <= twice
                assert len(taken) > people - 10

    run(main, start=MONDAY_NOON)
