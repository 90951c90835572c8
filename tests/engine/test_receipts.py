"""A carrier that knows nothing of our references: its receipts find their attempts all the same. In virtual time."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from callsheet import meters
from callsheet.carriers.base import Inbound, Outbound, Receipt
from callsheet.core.attempt import Kind
from callsheet.core.campaign import Campaign, Status
from callsheet.engine.virtual_time import VirtualClock, run
from databases import rows
from engine.stranger import Stranger
from engine.world import World, world
from factories import MONDAY_NOON, make_campaign, make_list, trunk_of

PEOPLE = 40


async def play(
    clock: VirtualClock, folder: Path, act: Callable[[World, Stranger, Campaign], Awaitable[None]], **more: object
) -> None:
    """Begin a campaign through a stranger."""
    async with world(clock, folder) as w:
        stranger = Stranger(clock, **more)  # type: ignore[arg-type]
        await w.conductor.stop()
        w.wrap = lambda _: stranger
        await w.start()
        people = await make_list(w.store, w.app, clock, PEOPLE)
        campaign = await w.run_campaign(await make_campaign(w.store, w.app, clock, [people]))
        await act(w, stranger, campaign)


def once_each(stranger: Stranger) -> bool:
    return set(Counter(message.to for message, _ in stranger.taken).values()) == {1} and len(stranger.taken) == PEOPLE


async def all_delivered(w: World, campaign: Campaign) -> None:
    counters = await w.counters(campaign)
    assert counters["delivered"] == PEOPLE
    assert "accepted" not in counters
    assert "uncertain" not in counters
    assert await w.store.parked_receipts.of_app(w.app.no, after=0, limit=10) == []


@pytest.mark.parametrize("spelled", ["X", "d", "x", "08x"])
def test_receipts_after_the_answer_find_it_however_the_id_is_spelled_and_however_often(
    tmp_path: Path, spelled: str
) -> None:
    async def act(w: World, stranger: Stranger, campaign: Campaign) -> None:
        await w.until(campaign, Status.completed, longest_seconds=60)
        for _ in range(3):
            await stranger.tell(stranger.receipts(spelled=spelled))
        assert once_each(stranger)
        await all_delivered(w, campaign)

    run(lambda clock: play(clock, tmp_path, act), start=MONDAY_NOON)


def test_receipts_before_the_answer_wait_for_it(tmp_path: Path) -> None:
    async def act(w: World, stranger: Stranger, campaign: Campaign) -> None:
        await w.until(campaign, Status.completed, longest_seconds=120)
        await w.clock.sleep(15)
        assert len(told) == PEOPLE
        await all_delivered(w, campaign)

    told: list[asyncio.Task[None]] = []

    async def main(clock: VirtualClock) -> None:
        async def early(w: World, stranger: Stranger, campaign: Campaign) -> None:
            def tell(message: Outbound, ids: tuple[str, ...]) -> None:
                early_ones = [stranger.receipt(message, ids[0], spelled="d" if len(told) % 2 else "X")]
                told.append(asyncio.create_task(stranger.tell(early_ones)))

            stranger.on_taken = tell
            await act(w, stranger, campaign)

        await play(clock, tmp_path, early, answer_seconds=4.0)

    run(main, start=MONDAY_NOON)


def test_receipts_of_three_days_ago_find_an_engine_that_was_started_anew(tmp_path: Path) -> None:
    async def act(w: World, stranger: Stranger, campaign: Campaign) -> None:
        await w.until(campaign, Status.completed, longest_seconds=60)
        await w.conductor.stop()
        await w.clock.sleep(72 * 3600)
        await w.start()
        await stranger.tell(stranger.receipts())
        await all_delivered(w, campaign)

    run(lambda clock: play(clock, tmp_path, act), start=MONDAY_NOON)


def test_receipts_may_come_where_the_line_is_not_open(tmp_path: Path) -> None:
    async def act(w: World, stranger: Stranger, campaign: Campaign) -> None:
        await w.until(campaign, Status.completed, longest_seconds=60)
        (trunk,) = await w.store.apps.trunks(w.app.no)
        await w.conductor.hearing(trunk).hear(stranger.receipts())
        await all_delivered(w, campaign)

    run(lambda clock: play(clock, tmp_path, act), start=MONDAY_NOON)


def test_a_receipt_that_nobody_knows_is_shown_and_counted_and_goes_after_three_days(tmp_path: Path) -> None:
    async def act(w: World, stranger: Stranger, campaign: Campaign) -> None:
        dropped = meters.loose_receipts.labels(outcome="dropped")._value.get()
        await w.until(campaign, Status.completed, longest_seconds=60)
        await stranger.tell([Receipt("", "fff1", Kind.delivered, w.clock.now(), "", (), "12125559999")] * 3)
        (parked,) = await w.store.parked_receipts.of_app(w.app.no, after=0, limit=10)
        assert (parked.carrier_id, parked.kind, parked.tries) == ("fff1", "delivered", 0)

        await w.clock.sleep(600)
        (tried,) = await w.store.parked_receipts.of_app(w.app.no, after=0, limit=10)
        assert 5 < tried.tries < 12
        await away(w, 73 * 3600)

        assert await w.store.parked_receipts.of_app(w.app.no, after=0, limit=10) == []
        assert meters.loose_receipts.labels(outcome="dropped")._value.get() == dropped + 1

    run(lambda clock: play(clock, tmp_path, act), start=MONDAY_NOON)


def test_the_receipts_of_answers_that_never_came_settle_what_was_uncertain(tmp_path: Path) -> None:
    async def act(w: World, stranger: Stranger, campaign: Campaign) -> None:
        stranger.loses = 10
        await w.until(campaign, Status.completed, longest_seconds=120)
        assert (await w.counters(campaign))["uncertain"] == len(stranger.lost) == PEOPLE // 10
        await stranger.tell(stranger.receipts())
        await stranger.tell(stranger.receipts())
        assert once_each(stranger)
        await all_delivered(w, campaign)

    run(lambda clock: play(clock, tmp_path, act), start=MONDAY_NOON)


async def away(w: World, seconds: float) -> None:
    """Let time go by without an engine, whose loops would tick through days of it, and start one then."""
    await w.conductor.stop()
    await w.clock.sleep(seconds)
    await w.start()
    await w.clock.sleep(120)


async def die() -> None:
    """Let the engine die as a process does: everything ends where it stands, and nothing more is recorded."""
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.sleep(0)


def test_after_a_crash_between_the_answer_and_its_record_the_receipts_settle_what_is_in_doubt(tmp_path: Path) -> None:
    async def act(w: World, stranger: Stranger, campaign: Campaign) -> None:
        await w.limit(campaign, 40)
        while len(stranger.taken) < PEOPLE // 2:
            await w.clock.sleep(0.01)
        await die()
        await w.start()
        # The first come at once, while the engine has not found out what it lost.
        await stranger.tell(stranger.receipts()[: PEOPLE // 4])
        await w.until(campaign, Status.completed, longest_seconds=120)
        await stranger.tell(stranger.receipts(hinted=True))
        await w.clock.sleep(200)
        counters = await w.counters(campaign)
        assert counters["delivered"] == len(stranger.taken)
        assert counters.get("uncertain", 0) == PEOPLE - len(stranger.taken)
        assert max(Counter(message.to for message, _ in stranger.taken).values()) == 1

    run(lambda clock: play(clock, tmp_path, act), start=MONDAY_NOON)


def test_a_text_in_three_parts_is_delivered_when_the_last_of_them_is(tmp_path: Path) -> None:
    async def act(w: World, stranger: Stranger, campaign: Campaign) -> None:
        await w.until(campaign, Status.completed, longest_seconds=60)
        receipts = stranger.receipts()
        w.rng.shuffle(receipts)
        last = {receipt.number: receipt for receipt in receipts}
        await stranger.tell([receipt for receipt in receipts if receipt is not last[receipt.number]])
        assert "delivered" not in await w.counters(campaign)
        await stranger.tell(list(last.values()))
        await all_delivered(w, campaign)

    run(lambda clock: play(clock, tmp_path, act, parts=3), start=MONDAY_NOON)


def test_a_text_of_which_some_parts_were_answered_is_settled_by_receipts_of_all_of_them(tmp_path: Path) -> None:
    async def act(w: World, stranger: Stranger, campaign: Campaign) -> None:
        stranger.loses = 10
        await w.until(campaign, Status.completed, longest_seconds=120)
        receipts = stranger.receipts(spelled="d")
        w.rng.shuffle(receipts)
        last = {receipt.number: receipt for receipt in receipts}
        await stranger.tell([receipt for receipt in receipts if receipt is not last[receipt.number]])
        counters = await w.counters(campaign)
        assert (counters["uncertain"], "delivered" in counters) == (len(stranger.lost), False)
        await stranger.tell(list(last.values()))
        await all_delivered(w, campaign)

    run(lambda clock: play(clock, tmp_path, act, parts=3), start=MONDAY_NOON)


def test_receipts_of_our_own_answers_change_nothing_and_are_not_kept(tmp_path: Path) -> None:
    async def act(w: World, stranger: Stranger, campaign: Campaign) -> None:
        stranger.loses = 10
        await w.until(campaign, Status.completed, longest_seconds=120)
        (doubtful, _), *_ = stranger.lost
        told = meters.loose_receipts.labels(outcome="of_answer")._value.get()
        help_wanted = Inbound("in-1", doubtful.to, doubtful.sender, "HELP", w.clock.now())
        await w.conductor.hearing(await trunk_of(w.store, w.app)).hear([help_wanted])
        await w.clock.sleep(5)
        message, ids = stranger.taken[-1]
        assert message.reference.startswith("r-")
        await stranger.tell([stranger.receipt(message, ids[0])] * 2)

        assert meters.loose_receipts.labels(outcome="of_answer")._value.get() == told + 2
        assert (await w.counters(campaign))["uncertain"] == len(stranger.lost)
        assert await w.store.parked_receipts.of_app(w.app.no, after=0, limit=10) == []

    run(lambda clock: play(clock, tmp_path, act), start=MONDAY_NOON)


def test_an_answer_that_came_too_late_tells_the_ids_that_receipts_will_name(tmp_path: Path) -> None:
    async def act(w: World, stranger: Stranger, campaign: Campaign) -> None:
        stranger.loses = 10
        await w.until(campaign, Status.completed, longest_seconds=120)
        late = [
            Receipt(message.reference, ids[0], Kind.accepted, w.clock.now(), "answered_late", part_ids=ids)
            for message, ids in stranger.lost
        ]
        await stranger.tell(late)
        assert (await w.counters(campaign))["accepted"] == PEOPLE
        await stranger.tell([receipt._replace(number="") for receipt in stranger.receipts()])
        await all_delivered(w, campaign)

    run(lambda clock: play(clock, tmp_path, act), start=MONDAY_NOON)


def test_the_ids_of_a_carrier_are_forgotten_after_a_week(tmp_path: Path) -> None:
    async def act(w: World, stranger: Stranger, campaign: Campaign) -> None:
        await w.until(campaign, Status.completed, longest_seconds=60)
        assert len(await rows(w.store, "select * from carried")) == PEOPLE
        await away(w, 9 * 86_400)
        assert await rows(w.store, "select * from carried") == []

    run(lambda clock: play(clock, tmp_path, act), start=MONDAY_NOON)
