"""Whoever was not connected comes again: after the period, after the others, and as often as the campaign says."""

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from callsheet.carriers.sandbox.behaviour import Timings
from callsheet.core.campaign import Status
from callsheet.engine.virtual_time import VirtualClock, run
from engine.world import world
from factories import contact, make_campaign, make_list
from phone_numbers import numbers

QUICK = Timings(answer_seconds=(0.0, 0.1), receipt_seconds=(1.0, 5.0))


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_who_was_not_connected_comes_again_so_often_and_not_before_the_period(tmp_path: Path, attempts: int):
    bad, good = numbers("IN", 5, ending="9904"), [one for one in numbers("IN", 40) if not one[-4:].startswith("99")]

    async def scenario(clock: VirtualClock):
        async with world(clock, tmp_path) as here:
            here.timings = QUICK
            await here.conductor.stop()
            await here.start()
            people = [contact(here.store, here.app, to) for to in (*bad, *good)]
            contact_list = await make_list(here.store, here.app, clock, people)
            campaign = await make_campaign(
                here.store, here.app, clock, [contact_list], max_attempts=attempts, retry_minutes=30
            )
            await here.limit(campaign, 1.0)
            started = await here.run_campaign(campaign, "Hello")
            await here.until(started, Status.completed, longest_seconds=4 * 3600, step=10)
            return here.sent()

    sent = run(scenario, start=datetime(2026, 3, 2, 12, tzinfo=UTC))

    tries = Counter(message.to for message in sent)
    assert {tries[to] for to in bad} == {attempts}
    assert {tries[to] for to in good} == {1}
    instants = {to: [message.accepted_at for message in sent if message.to == to] for to in bad}
    gaps = [(later - earlier).total_seconds() for mine in instants.values() for earlier, later in pairwise(mine)]
    assert all(gap >= 30 * 60 for gap in gaps)
    last_first = max(message.accepted_at for message in sent if message.to in good)
    assert all(later > last_first for mine in instants.values() for later in mine[1:])
