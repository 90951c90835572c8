"""After a call that forbids has answered, nothing more reaches the carrier: raced thousands of times."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from callsheet.core.campaign import Campaign, Move, Status
from callsheet.engine import campaigns, contacts
from callsheet.engine.tuning import Tuning
from callsheet.engine.virtual_time import VirtualClock, run
from engine.world import World, world
from factories import MONDAY_NOON, make_definition, make_list, number


async def ongoing(w: World, contacts_count: int, rate: float | None) -> Campaign:
    """Run a campaign at a rate, or as fast as the window bears."""
    contact_list = await make_list(w.store, w.app, w.clock, contacts_count)
    dnc = await w.store.dnc_lists.create(w.app.no, "Never", w.clock.now())
    from callsheet.core.campaign import Named  # noqa: PLC0415

    definition = make_definition([contact_list], dnc_lists=(Named(dnc.no, dnc.id, dnc.name),))
    campaign = await w.store.campaigns.create(w.app.no, definition, w.clock.now(), unique_names=True)
    if rate is not None:
        await w.limit(campaign, rate)
    return await w.run_campaign(campaign)


def taken_by(w: World) -> Mapping[str, int]:
    """Return the ledger's id of each number's message."""
    return {message.to: message.id for message in w.sent()}


def last_id(w: World) -> int:
    """Return how far the ledger has come."""
    return w.ledger.count()


async def forbid_at_random(w: World, people: list[str], answers: dict[str, int], mean_seconds: float) -> None:
    """Put people on the DNC list at random moments, and note where the ledger stood when the call answered."""
    dnc = await w.store.dnc_lists.find(w.app.no, name="Never")
    assert dnc is not None
    for person in people:
        await w.clock.sleep(w.rng.expovariate(1 / mean_seconds))
        await contacts.forbid(w.runtime, w.app, dnc, [person])
        answers[person] = last_id(w)


@pytest.mark.parametrize("forbidden_count", [400, pytest.param(2500, marks=pytest.mark.full)])
def test_a_number_that_went_on_a_dnc_list_is_not_contacted_after_the_answer(
    tmp_path: Path, forbidden_count: int
) -> None:
    total = forbidden_count * 12 // 5

    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, wire_seconds=0.05, window=200) as w:
            campaign = await ongoing(w, total, rate=200)
            forbidden = w.rng.sample([number(i) for i in range(total)], forbidden_count)
            answers: dict[str, int] = {}
            lanes = [forbidden[i::5] for i in range(5)]
            await asyncio.gather(*(forbid_at_random(w, lane, answers, 0.05) for lane in lanes))
            await w.until(campaign, Status.completed, longest_seconds=600)

            taken = taken_by(w)
            late = {person for person in forbidden if taken.get(person, 0) > answers[person]}
            assert not late
            # The race was one: some were contacted before, some never.
            few = forbidden_count // 12
            assert few < sum(person in taken for person in forbidden) < forbidden_count - few
            assert not w.ledger.duplicates()
            counters = await w.counters(campaign)
            assert counters["suppressed:dnc"] + len(taken) == total

    run(main, start=MONDAY_NOON)


def test_a_call_that_forbids_waits_for_no_carrier_and_reaches_what_waits_inside_one(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, wire_seconds=9, window=40) as w:
            campaign = await ongoing(w, 40, rate=None)
            await clock.sleep(2)
            dnc = await w.store.dnc_lists.find(w.app.no, name="Never")
            assert dnc is not None
            before = set(taken_by(w))
            began = clock.monotonic()
            await contacts.forbid(w.runtime, w.app, dnc, [number(i) for i in range(40)])
            assert clock.monotonic() - began < 0.5
            await w.until(campaign, Status.completed, longest_seconds=60)
            assert set(taken_by(w)) == before
            counters = await w.counters(campaign)
            assert counters["suppressed:dnc"] + len(before) == 40

    run(main, start=MONDAY_NOON)


@pytest.mark.parametrize("most", [60, pytest.param(10_000, marks=pytest.mark.full)])
def test_a_paused_campaign_sends_nothing_after_the_answer(tmp_path: Path, most: int) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, wire_seconds=0.02, window=200) as w:
            campaign = await ongoing(w, 600, rate=400)
            pauses = 0
            while (await w.until(campaign, *Status, longest_seconds=1)).status is not Status.completed:
                await clock.sleep(w.rng.random() * 0.03)
                found = await w.until(campaign, *Status, longest_seconds=1)
                if found.status is Status.completed or pauses == most:
                    break
                await campaigns.move(w.runtime, found, Move.pause)
                answered = last_id(w)
                await clock.sleep(w.rng.random() * 0.3)
                assert last_id(w) == answered, "a message left after the pause had answered"
                pauses += 1
                found = await w.until(campaign, *Status, longest_seconds=1)
                await campaigns.move(w.runtime, found, Move.resume)
            await w.until(found, Status.completed, longest_seconds=60)
            assert pauses > 50
            assert len(taken_by(w)) == w.ledger.count() == 600

    run(main, start=MONDAY_NOON)


def test_an_opt_out_during_a_campaign_is_final(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            key = w.store.vault.app(w.app.no)
            assert key is not None
            stopping = [f"+1212{2000000 + 9909 + i * 10000:07}" for i in range(30)]
            from factories import contact  # noqa: PLC0415

            first = await make_list(w.store, w.app, clock, [contact(w.store, w.app, to) for to in stopping])
            second = await make_list(w.store, w.app, clock, [contact(w.store, w.app, to) for to in stopping])
            for contact_list in (first, second):
                campaign = await w.store.campaigns.create(
                    w.app.no, make_definition([contact_list]), clock.now(), unique_names=True
                )
                await w.run_campaign(campaign)
                await w.until(campaign, Status.completed, longest_seconds=60)
                await clock.sleep(30)
            assert sum(bool(message.campaign_id) for message in w.sent()) == len(stopping)
            assert w.ledger.count() == 2 * len(stopping), "each was confirmed once"
            assert (await w.counters(campaign))["suppressed:opted_out"] == len(stopping)

    run(main, start=MONDAY_NOON)


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.full) for seed in (2, 3))])
def test_a_pause_that_lasts_a_moment_strands_nobody(tmp_path: Path, seed: int) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, seed=seed, tuning=Tuning(), window=50) as w:
            campaign = await ongoing(w, 1500, rate=None)
            await clock.sleep(0.1 + w.rng.random() * 0.2)
            paused = await campaigns.move(w.runtime, campaign, Move.pause)
            await clock.sleep(w.rng.random() * 0.06)
            await campaigns.move(w.runtime, paused, Move.resume)
            await w.until(campaign, Status.completed, longest_seconds=120)
            assert len(taken_by(w)) == w.ledger.count() == 1500

    run(main, start=MONDAY_NOON)
