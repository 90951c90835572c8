from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callsheet.carriers.base import Carrier
from callsheet.carriers.sandbox.behaviour import BY_ENDING, REPLY, FirstReceipt, Timings, behaviour_of, plan
from callsheet.carriers.sandbox.carrier import SandboxCarrier
from callsheet.carriers.sandbox.ledger import Ledger, LedgerReader
from callsheet.engine import virtual_time
from callsheet.engine.virtual_time import VirtualClock
from carriers.table import CASES, Case, Ear, check

START = datetime(2026, 3, 2, 9, tzinfo=UTC)

IN_THE_LEDGER = {
    "9904": ["undelivered"],
    "9905": [],
    "9907": ["unanswered"],
    "9908": ["accepted"],
}


@pytest.mark.parametrize("inline", [True, False], ids=["inline", "thread"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.ending)
def test_a_number_does_what_its_ending_says(case: Case, inline: bool, tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def main(clock: VirtualClock) -> None:
        ledger, ear = Ledger(path, inline=inline), Ear(clock)
        carrier: Carrier = SandboxCarrier(ledger, clock, random.Random(7))
        await carrier.open(ear)
        await check(case, carrier, ear, clock)
        await carrier.close()
        ledger.close()

    virtual_time.run(main, start=START)
    with LedgerReader(path) as reader:
        assert [message.status for message in reader.outbox()] == IN_THE_LEDGER.get(case.ending, ["delivered"])
        assert reader.pending() == []
    with closing(sqlite3.connect(path)) as ledger_file:
        refused = ledger_file.execute("select code, times from refusals").fetchall()
    assert refused == {"9905": [("invalid_number", 3)], "9906": [("throttled", 2)]}.get(case.ending, [])


def test_every_ending_that_misbehaves_is_in_the_table() -> None:
    assert set(BY_ENDING) == {case.ending for case in CASES} - {"0123"}


@pytest.mark.parametrize("number", ["+4917199019902", "+9199029902", "9902", "+1 202 555 9902"])
def test_an_ending_counts_in_every_country(number: str) -> None:
    assert behaviour_of(number) is BY_ENDING["9902"]


@pytest.mark.parametrize("ending", [*sorted(BY_ENDING), "0000"])
def test_the_same_seed_plans_the_same(ending: str) -> None:
    behaviour, timings = behaviour_of(ending), Timings()
    one = [plan(behaviour, timings, rng) for rng in [random.Random(3)] for _ in range(50)]
    other = [plan(behaviour, timings, rng) for rng in [random.Random(3)] for _ in range(50)]
    assert one == other
    assert len({planned.answer_seconds for planned in one}) == 50


@pytest.mark.parametrize("ending", [*sorted(BY_ENDING), "0000"])
def test_nothing_is_told_before_its_time(ending: str) -> None:
    behaviour, timings, rng = behaviour_of(ending), Timings(), random.Random(5)
    for _ in range(200):
        answer_seconds, tellings = plan(behaviour, timings, rng)
        assert 0.002 <= answer_seconds <= 0.020
        moments = [telling.after_seconds for telling in tellings]
        assert moments == sorted(moments)
        receipts = [telling.after_seconds for telling in tellings if telling.kind != REPLY]
        if behaviour.pace is FirstReceipt.before_answer:
            assert receipts[0] == 0.0
        elif receipts:
            late = timings.late_seconds if behaviour.pace is FirstReceipt.late else 0.0
            assert 0.1 <= receipts[0] - answer_seconds - late <= 0.6 + 1e-9
