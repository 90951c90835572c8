"""A sender's rate on a real clock, where loops are late: what is above it, a carrier refuses or bills."""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callsheet.clock import SystemClock
from callsheet.core.campaign import Status
from callsheet.engine.pace import SLICE_SECONDS
from engine.world import world
from factories import make_definition, make_list

CLOCK = SystemClock()
PULSE_SECONDS = 0.01
LATE_SECONDS = 0.1
"""Loops are this late on a machine that does other work too; what is later is a machine that stood still."""


@asynccontextmanager
async def standstills() -> AsyncIterator[list[tuple[float, float]]]:
    """Note from when until when the whole process stood still, each time that it did."""
    found: list[tuple[float, float]] = []

    async def pulse() -> None:
        while True:
            due = CLOCK.monotonic() + PULSE_SECONDS
            await asyncio.sleep(PULSE_SECONDS)
            if (now := CLOCK.monotonic()) > due + LATE_SECONDS:
                found.append((due, now))

    beating = asyncio.create_task(pulse())
    yield found
    beating.cancel()


@pytest.mark.parametrize(
    ("rate", "contacts"),
    [(100, 300), pytest.param(10, 150, marks=pytest.mark.full), pytest.param(100, 1500, marks=pytest.mark.full)],
)
async def test_a_sender_keeps_its_rate_in_real_time_and_uses_nearly_all_of_it(
    tmp_path: Path, instants: list[float], rate: int, contacts: int
) -> None:
    async with world(CLOCK, tmp_path) as w, standstills() as stood:  # type: ignore[arg-type] # the loops take any clock
        contact_list = await make_list(w.store, w.app, CLOCK, contacts)
        campaign = await w.store.campaigns.create(
            w.app.no, make_definition([contact_list]), CLOCK.now(), unique_names=True
        )
        await w.limit(campaign, rate)
        await w.run_campaign(campaign)
        await w.until(campaign, Status.completed, longest_seconds=10 * contacts / rate + 60, step=0.2)

    assert len(instants) == contacts
    assert max(bisect_left(instants, at + 1.0) - i for i, at in enumerate(instants)) <= rate + 1
    first, last = instants[0], instants[-1]
    # After it stood still, what was leased for that time is stale: the next slice comes a slice later.
    idle = [min(until, last) - max(since, first) + SLICE_SECONDS for since, until in stood if first < until < last]
    assert (contacts - 1) / (last - first - sum(idle)) >= 0.98 * rate
