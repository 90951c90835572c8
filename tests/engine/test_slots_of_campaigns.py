"""Several campaigns share the slots for calls: nobody is armed for whom there is none, and nobody starves."""

import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from callsheet.core.allowance import Allowance
from callsheet.core.campaign import Campaign, Move, Status
from callsheet.core.run import AppSettings
from callsheet.engine import campaigns
from databases import rows
from engine.calls import call, count_at_once, placed, play
from engine.world import World
from phone_numbers import numbers

PEOPLE = [to for to in numbers("IN", 240) if not to[-4:].startswith("99")][:200]
FIRST, SECOND = "+912233445566", "+912233445567"
FOUR = [FIRST, SECOND, "+912233445568", "+912233445569"]


async def end_of(w: World, campaigns: Sequence[Campaign]) -> None:
    for campaign in campaigns:
        await w.until(campaign, Status.completed, longest_seconds=24 * 3600, step=5.0)


async def events(w: World) -> Counter[tuple[str, str]]:
    found = await rows(w.store, "select kind, code from event")
    return Counter((row.kind, row.code) for row in found)


async def tries(w: World) -> list[int]:
    return [row.n for row in await rows(w.store, "select n from attempt")]


@pytest.mark.parametrize(
    ("most", "labels"),
    [
        (1, [FIRST, SECOND]),
        (3, [FIRST, FIRST]),
        (1, FOUR),
        *(
            pytest.param(*more, marks=pytest.mark.full)
            for more in ((3, [FIRST, SECOND]), (1, [FIRST, FIRST]), (3, FOUR))
        ),
    ],
)
def test_nobody_is_armed_for_whom_there_is_no_slot(tmp_path: Path, most: int, labels: list[str]):
    async def main(w: World) -> None:
        going_on = count_at_once(w)
        share = 60 // len(labels)
        begun = [
            await call(w, PEOPLE[i * share : (i + 1) * share], sender=label, priority=1 + i)
            for i, label in enumerate(labels)
        ]
        await end_of(w, begun)

        assert await events(w) == {("delivered", "human"): 60}
        assert set(await tries(w)) == {1}
        assert max(going_on) == most

    play(tmp_path, main, settings=AppSettings(agentless_concurrent_calls=most))


def test_a_day_has_as_many_calls_as_its_cap_says_although_slots_are_few(tmp_path: Path):
    """Who is taken back for want of a slot would have used up a place in the day."""

    async def main(w: World) -> None:
        for label in (FIRST, SECOND):
            sender = await w.store.apps.find_sender(w.app.no, label, w.clock.now())
            assert sender is not None
            changes = {"allowance": Allowance(segments_per_day=30)}
            await w.store.senders.change(w.app.no, sender.id, changes, w.clock.now())
        for i, label in enumerate((FIRST, SECOND)):
            await call(w, PEOPLE[i * 50 : (i + 1) * 50], sender=label)
        while len(await placed(w)) < 60:
            await w.clock.sleep(5)
        await w.clock.sleep(120)

        assert await events(w) == {("delivered", "human"): 60}

    play(tmp_path, main, settings=AppSettings(agentless_concurrent_calls=2))


@pytest.mark.parametrize("most", [1, 5, pytest.param(2, marks=pytest.mark.full)])
def test_campaigns_of_different_senders_share_the_slots_by_their_priorities(tmp_path: Path, most: int):
    async def main(w: World) -> None:
        await call(w, PEOPLE[:100], sender=FIRST, priority=3)
        await call(w, PEOPLE[100:200], sender=SECOND, priority=1)
        while len(calls := await placed(w)) < 80:
            await w.clock.sleep(5)

        first = set(PEOPLE[:100])
        shares = Counter(one.to in first for one in calls[:80])
        assert 50 <= shares[True] <= 66
        assert shares[False] >= 14

    play(tmp_path, main, settings=AppSettings(agentless_concurrent_calls=most))


def test_who_stops_leaves_the_slots_to_the_others(tmp_path: Path):
    async def main(w: World) -> None:
        first = await call(w, PEOPLE[:100], sender=FIRST)
        second = await call(w, PEOPLE[100:130], sender=SECOND)
        while len(await placed(w)) < 10:
            await w.clock.sleep(1)
        await campaigns.move(w.runtime, first, Move.pause)
        await end_of(w, [second])

        at = sorted(one.placed_at for one in await placed(w) if one.to in PEOPLE[100:130])
        gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(at)]
        assert max(gaps) < 20
        assert set(await events(w)) == {("delivered", "human")}

    play(tmp_path, main, settings=AppSettings(agentless_concurrent_calls=1))
