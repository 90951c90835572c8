"""The ledger of calls, in real time: durable before the phone rings, and the judge of duplicates."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from callsheet.clock import SystemClock
from callsheet.core.asking import nobody_forbids
from callsheet.voice.sandbox.behaviour import CallTimings
from callsheet.voice.sandbox.engine import SandboxVoice
from callsheet.voice.sandbox.ledger import CallLedger, CallLedgerReader
from voice.sandbox.calling import START, TRUNK, Ear, dial

CHILD = Path(__file__).with_name("calling_child.py")
FAST = CallTimings(setup=(0.001, 0.002), ring=(0.001, 0.02), think=(0.001, 0.01), patience=0.05)


async def test_calls_in_real_time_end_and_stand_in_the_ledger(tmp_path: Path) -> None:
    voice = SandboxVoice(tmp_path, SystemClock(), timings=FAST)
    await voice.open()
    ears = [Ear() for _ in range(40)]
    dialed = (
        voice.dial(TRUNK, dial("0123", reference=f"at-{number}"), nobody_forbids, ear)
        for number, ear in enumerate(ears)
    )
    await asyncio.gather(*dialed)
    for ear in ears:
        await ear.ended()
    await voice.close()
    with CallLedgerReader(tmp_path / f"{TRUNK}-calls.db") as reader:
        assert (reader.count(), reader.duplicates()) == (40, {})
        assert {entry.status for entry in reader.calls()} == {"answered"}
        assert [len(reader.calls(after, 25)) for after in (0, 25)] == [25, 15]
        assert len(reader.calls(campaign_ids=["cd-2"])) == 0
        assert reader.times("answered") == {"+12025550123": 40}


async def test_an_attempt_that_is_placed_twice_is_shown_twice(tmp_path: Path) -> None:
    ledger = CallLedger(tmp_path / "calls.db")
    for _ in range(2):
        await ledger.place(dial("0123"), "ringing", START)
    assert ledger.duplicates() == {"at-0123": 2}
    await ledger.flush()
    ledger.close()


def test_a_kill_loses_no_call_that_was_placed(tmp_path: Path) -> None:
    placed: set[str] = set()
    with subprocess.Popen([sys.executable, str(CHILD), str(tmp_path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if line.endswith("\n"):
                placed.add(line.strip())
            if len(placed) == 60:
                child.kill()
    with CallLedgerReader(tmp_path / f"{TRUNK}-calls.db") as reader:
        assert placed <= {entry.reference for entry in reader.calls(0, 1_000_000)}
        assert reader.duplicates() == {}


def test_a_ledger_of_another_version_is_refused(tmp_path: Path) -> None:
    ledger = CallLedger(tmp_path / "calls.db", inline=True)
    ledger._writing.execute("pragma user_version = 9")
    ledger.close()
    with pytest.raises(RuntimeError, match="version 9"):
        CallLedger(tmp_path / "calls.db")
