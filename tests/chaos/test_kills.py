"""SIGKILL inside running campaigns: nothing is lost, nobody is contacted twice, every uncertain one is listed."""

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from campaign import POINTS, Kill, exercise, plan


def check(kills: list[Kill], seed: int, contacts: int) -> list[str]:
    """Run a campaign through these kills and hold the two books together; return the kills that fell inside."""
    verdict = asyncio.run(exercise(seed, kills, contacts))
    assert not verdict.duplicated, f"contacted twice: {len(verdict.duplicated)}"
    assert not verdict.lost, f"lost: {len(verdict.lost)}"
    assert not verdict.silent, f"uncertain, and not said: {len(verdict.silent)}"
    assert not verdict.padded, f"said to be uncertain, and known: {len(verdict.padded)}"
    assert sum(verdict.states.values()) == verdict.contacts
    return verdict.kills


# At their rate so many contacts last for seconds longer than the kills: a machine may stand still meanwhile.
FEW = [Kill("after_arm", 3), Kill(seconds=0.9), Kill("after_hand", 2)]
MORE = [*FEW[:2], Kill("before_record", 4), *FEW[2:]]


@pytest.mark.parametrize(("kills", "contacts"), [(FEW, 1500), pytest.param(MORE, 2000, marks=pytest.mark.full)])
def test_a_campaign_survives_kills_at_failpoints_and_at_a_random_moment(kills: list[Kill], contacts: int) -> None:
    assert len(check(kills, seed=11, contacts=contacts)) == len(kills)


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_campaigns_survive_kills_at_every_failpoint_and_at_random_moments() -> None:
    inside: list[str] = []
    for i, kills in enumerate(plan(25, seed=1)):
        inside += check(kills, seed=100 + i, contacts=2000)
    assert len(inside) >= 20
    assert {kill.split(":")[0] for kill in inside if ":" in kill} == set(POINTS)
