"""From a started campaign that calls to its outcomes and retries, with simulated phones and a clock that jumps."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from callsheet.core.campaign import Order, Status
from callsheet.core.run import AppSettings
from callsheet.store.callbacks import Wanted
from engine.calls import call, called, codes, count_at_once, placed, play
from engine.world import World
from factories import change_settings, person_of
from phone_numbers import numbers

PEOPLE = [to for to in numbers("IN", 60) if not to[-4:].startswith("99")]


def ending(digits: str, count: int = 1) -> list[str]:
    return numbers("IN", count, ending=digits)


def test_every_outcome_becomes_what_it_means_for_its_attempt(tmp_path: Path):
    expected = {
        PEOPLE[0]: [(1, "delivered", "human")],
        ending("9921")[0]: [(1, "undelivered", "busy")],
        ending("9922")[0]: [(1, "undelivered", "no_answer")],
        ending("9923")[0]: [(1, "undelivered", "rejected")],
        ending("9905")[0]: [(1, "rejected", "invalid_number")],
        ending("9907")[0]: [(1, "uncertain", "no_answer_from_network")],
    }

    async def main(w: World) -> None:
        await called(w, list(expected), ring_seconds=20)

        assert {to: await codes(w, to) for to in expected} == expected
        assert len(await placed(w)) == len(expected)

    play(tmp_path, main)


def test_a_trunk_that_fails_costs_no_attempt(tmp_path: Path):
    (to,) = ending("9925")

    async def main(w: World) -> None:
        await called(w, [to], max_attempts=1)

        happened = await codes(w, to)
        assert [(kind, code) for _, kind, code in happened] == [
            ("refused", "trunk_failed"), ("refused", "trunk_failed"), ("delivered", "human"),
        ]  # fmt: skip

    play(tmp_path, main)


@pytest.mark.parametrize("order", list(Order))
def test_who_was_not_connected_comes_again_after_the_period_and_after_all_others(tmp_path: Path, order: Order):
    busy, silent = ending("9921", 3), ending("9922", 2)
    people = [*busy, *silent, *PEOPLE[:30]]

    async def main(w: World) -> None:
        await called(w, people, max_attempts=3, retry_minutes=10, ring_seconds=15, order=order)
        calls = await placed(w)

        tries = Counter(one.to for one in calls)
        assert {tries[to] for to in (*busy, *silent)} == {3}
        assert {tries[to] for to in PEOPLE[:30]} == {1}
        first = list(dict.fromkeys(one.to for one in calls))
        assert first == (people if order is Order.fifo else people[::-1])
        last_fresh = max(one.placed_at for one in calls if one.to in PEOPLE)
        for to in (*busy, *silent):
            at = [one.placed_at for one in calls if one.to == to]
            assert all(later - earlier >= timedelta(minutes=10) for earlier, later in pairwise(at))
            assert at[1] > last_fresh
            # A tick late at most.
            waited = [b.placed_at - a.ended_at for a, b in pairwise(one for one in calls if one.to == to) if a.ended_at]
            assert [timedelta(minutes=10) <= each <= timedelta(minutes=10, seconds=5) for each in waited] == [True] * 2

    play(tmp_path, main)


@pytest.mark.parametrize("order", list(Order))
def test_whose_period_is_over_waits_until_all_others_had_their_turn(tmp_path: Path, order: Order):
    (busy,), others = ending("9921"), PEOPLE[:40]
    people = [busy, *others]

    async def main(w: World) -> None:
        walked = people if order is Order.fifo else people[::-1]
        await called(w, walked, max_attempts=2, retry_minutes=1, order=order)
        calls = await placed(w)

        assert [one.to for one in calls] == [*people, busy]
        first, last = calls[0], calls[-1]
        assert first.ended_at is not None
        assert calls[-2].placed_at > first.ended_at + timedelta(minutes=1), "somebody was left when the period was over"
        assert last.placed_at > calls[-2].placed_at

    play(tmp_path, main, settings=AppSettings(agentless_concurrent_calls=1))


@pytest.mark.parametrize("most", [1, 4])
def test_no_more_calls_go_on_at_once_than_the_app_allows(tmp_path: Path, most: int):
    async def main(w: World) -> None:
        going_on = count_at_once(w)
        await called(w, PEOPLE[:20])

        assert max(going_on) == most
        assert len(await placed(w)) == 20

    play(tmp_path, main, settings=AppSettings(agentless_concurrent_calls=most))


def test_who_asked_to_be_called_at_a_time_is_called_then(tmp_path: Path):
    later, holding = PEOPLE[0], ending("9922")[0]

    async def main(w: World) -> None:
        campaign = await call(w, [later, holding], ring_seconds=60, max_attempts=2, retry_minutes=30)
        while not await codes(w, later):
            await w.clock.sleep(1)
        (active,) = await w.store.runs.active()
        at = w.clock.now() + timedelta(minutes=10)
        wanted = Wanted(person_of(w.store, w.app, later), at)
        assert list(await w.store.callbacks.ask(active, [wanted], w.clock.now())) == [""]
        w.conductor.wake()
        await w.until(campaign, Status.completed, longest_seconds=4 * 3600, step=10)

        instants = [one.placed_at for one in await placed(w) if one.to == later]
        assert len(instants) == 2
        assert instants[1] >= at
        assert instants[1] - at < timedelta(seconds=30)

    play(tmp_path, main)


def test_a_call_may_last_as_long_as_the_app_says_now(tmp_path: Path):
    async def main(w: World) -> None:
        longest: list[int] = []
        dial = w.phones.dial

        async def noted(*args: object) -> object:
            longest.append(args[1].longest_seconds)  # type: ignore[attr-defined]
            return await dial(*args)  # type: ignore[arg-type]

        w.phones.dial = noted  # type: ignore[method-assign,assignment]
        await called(w, PEOPLE[:2])
        await change_settings(w.store, w.app, AppSettings(longest_call_seconds=7200))
        await called(w, PEOPLE[2:4])

        assert longest == [45, 45, 7200, 7200]

    play(tmp_path, main, settings=AppSettings(longest_call_seconds=45))
