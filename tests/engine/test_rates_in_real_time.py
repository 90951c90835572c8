"""A sender's rate on a real clock, where loops are late: what is above it, a carrier refuses or bills."""

from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path

import pytest

from callsheet.carriers.base import Done, Outbound
from callsheet.carriers.one_by_one import OneByOne
from callsheet.clock import SystemClock
from callsheet.core.campaign import Status
from engine.world import world
from factories import make_definition, make_list

CLOCK = SystemClock()


@pytest.fixture
def instants(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note when each message is handed to the carrier, on the monotonic clock."""
    found: list[float] = []
    submit = OneByOne.submit

    def noted(carrier: OneByOne, message: Outbound, leave: Callable[[], None], done: Done) -> None:
        found.append(CLOCK.monotonic())
        submit(carrier, message, leave, done)

    monkeypatch.setattr(OneByOne, "submit", noted)
    return found


@pytest.mark.parametrize(
    ("rate", "contacts"),
    [(100, 300), pytest.param(10, 150, marks=pytest.mark.full), pytest.param(100, 1500, marks=pytest.mark.full)],
)
async def test_a_sender_keeps_its_rate_in_real_time_and_uses_nearly_all_of_it(
    tmp_path: Path, instants: list[float], rate: int, contacts: int
) -> None:
    async with world(CLOCK, tmp_path) as w:  # type: ignore[arg-type] # the loops take any clock
        contact_list = await make_list(w.store, w.app, CLOCK, contacts)
        campaign = await w.store.campaigns.create(
            w.app.no, make_definition([contact_list]), CLOCK.now(), unique_names=True
        )
        await w.limit(campaign, rate)
        await w.run_campaign(campaign)
        await w.until(campaign, Status.completed, longest_seconds=10 * contacts / rate + 60, step=0.2)

    assert len(instants) == contacts
    assert max(bisect_left(instants, at + 1.0) - i for i, at in enumerate(instants)) <= rate + 1
    assert (contacts - 1) / (instants[-1] - instants[0]) >= 0.98 * rate
