"""What is known of a call that an earlier process placed: its trunk, its answer, and what was recorded of it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from calling import PlainPrompts
from callsheet.core.campaign import MachineDetection, Status
from callsheet.core.pools import Pool
from callsheet.core.run import AppSettings
from callsheet.store.told_calls import WantedCalls
from callsheet.voice.sandbox.ledger import PlacedCall
from conversing import make_flow
from databases import rows
from engine.calls import call, codes, play
from engine.test_call_endings import kill, ringing
from engine.test_phone_talk import PAYMENT
from engine.world import World
from factories import number
from phone_numbers import numbers

PERSON = number(1)
SILENT = numbers("IN", 8, ending="9922")
(MACHINE,) = numbers("IN", 1, ending="9924")
FIRST, SECOND = "+12125550111", "+12125550112"


async def make_pool(w: World) -> None:
    """Make a pool of two senders, each on a trunk of its own."""
    now = w.clock.now()
    await w.store.apps.create_trunk(w.app.no, name="Other", carrier="sandbox", takes_any_sender=True, now=now)
    trunks = await w.store.apps.trunks(w.app.no)
    members = []
    for label, trunk in zip((FIRST, SECOND), trunks, strict=True):
        await w.store.senders.put(w.app.no, label, trunk.no, {}, now)
        members.append(await w.store.apps.find_sender(w.app.no, label, now))
    pool = await w.store.apps.find_sender(w.app.no, "Pool", now)
    assert pool is not None
    numbers_of_members = tuple(one.no for one in members if one is not None)
    await w.store.senders.change(w.app.no, pool.id, {"pool": Pool(numbers_of_members)}, now)


async def networks(w: World) -> dict[int, Sequence[PlacedCall]]:
    """Return the calls that each trunk's network got."""
    return {trunk.no: w.phones.calls(trunk.id, 0, 1000) for trunk in await w.store.apps.trunks(w.app.no)}


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_call_of_a_pool_is_recorded_with_the_trunk_that_carried_it(tmp_path: Path, is_killed: bool):
    async def main(w: World) -> None:
        await make_pool(w)
        campaign = await call(w, SILENT, sender="Pool", ring_seconds=30)
        await ringing(w, len(SILENT))
        if is_killed:
            await kill(w)
            await w.start()
        await w.until(campaign, Status.completed, longest_seconds=600)

        carried = {one.reference: no for no, mine in (await networks(w)).items() for one in mine}
        found = await w.store.told_calls.page(w.app.no, WantedCalls(w.clock.now()), limit=100)
        assert found is not None
        ids = {trunk.no: trunk.id for trunk in await w.store.apps.trunks(w.app.no)}
        assert {one.attempt_id: one.trunk_id for one in found} == {key: ids[no] for key, no in carried.items()}
        assert set(carried.values()) == set(ids), "both carried some"

    play(tmp_path, main)


def test_the_slot_of_a_call_that_was_found_is_that_of_its_own_trunk(tmp_path: Path):
    async def main(w: World) -> None:
        await make_pool(w)
        await call(w, SILENT, sender="Pool", ring_seconds=30)
        await ringing(w, len(SILENT))
        living = {no: len(mine) for no, mine in (await networks(w)).items()}
        await kill(w)
        await w.start()
        await w.clock.sleep(0.1)
        used = w.conductor._slots._used
        for trunk in await w.store.apps.trunks(w.app.no):
            assert used[w.app.no, trunk.id] == living[trunk.no]

    play(tmp_path, main)


def test_a_call_that_was_found_was_answered_when_somebody_answered_it(tmp_path: Path):
    async def main(w: World) -> None:
        flow = await make_flow(w.store, w.app, PAYMENT)
        campaign = await call(w, [PERSON], flow=flow)
        while not await codes(w, PERSON):
            await w.clock.sleep(0.1)
        await kill(w)
        await w.clock.sleep(20)
        await w.start()
        await w.until(campaign, Status.completed, longest_seconds=600)

        ((answered,),) = (await networks(w)).values()
        found = await w.store.told_calls.page(w.app.no, WantedCalls(w.clock.now()), limit=10)
        assert found is not None
        assert [one.answered_at for one in found] == [answered.answered_at]

    play(tmp_path, main, prompts=PlainPrompts(2.0))


def test_nobody_talks_in_a_call_whose_result_is_recorded(tmp_path: Path):
    """The process died between the record, that a machine was there, and the hang-up."""

    async def main(w: World) -> None:
        flow = await make_flow(w.store, w.app, PAYMENT)
        campaign = await call(w, [MACHINE], detection=MachineDetection.disconnect, flow=flow)
        expected = [(1, "accepted", "answered"), (1, "undelivered", "machine")]
        for _ in range(10_000):
            if await codes(w, MACHINE) == expected:
                break
            await w.clock.sleep(0.005)
        assert w.phones.living()
        await kill(w)
        await w.clock.sleep(5)
        await w.start()
        await w.clock.sleep(1)
        assert not w.phones.living(), "it was hung up"
        await w.until(campaign, Status.completed, longest_seconds=600)

        assert await codes(w, MACHINE) == expected
        assert await rows(w.store, "select 1 from flow_session") == []
        found = await w.store.told_calls.page(w.app.no, WantedCalls(w.clock.now()), limit=10)
        assert found is not None
        assert [one.outcome for one in found] == ["machine"]

    play(tmp_path, main, prompts=PlainPrompts(2.0), settings=AppSettings())
