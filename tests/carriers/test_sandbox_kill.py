from __future__ import annotations

import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from callsheet.carriers.sandbox.carrier import SandboxCarrier
from callsheet.carriers.sandbox.ledger import Ledger, LedgerReader
from callsheet.clock import SystemClock
from carriers.table import Ear

CHILD = Path(__file__).with_name("sandbox_child.py")


def run_and_kill(path: Path, *, lines: int) -> dict[str, set[str]]:
    """Let a process send, kill it after so many lines, and give the references that it sent, had answered, heard."""
    said: dict[str, set[str]] = defaultdict(set)
    with subprocess.Popen([sys.executable, str(CHILD), str(path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for number, line in enumerate(child.stdout, start=1):
            word, _, reference = line.rstrip("\n").partition(" ")
            if line.endswith("\n"):
                said[word].add(reference)
            if number == lines // 2:
                with LedgerReader(path) as beside:
                    assert beside.count() >= len(said["answered"])
            if number == lines:
                child.kill()
    return said


@pytest.mark.parametrize("lines", [60, 400, 2_000])
async def test_a_kill_while_messages_are_sent_loses_none_that_was_answered(lines: int, tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    said = run_and_kill(path, lines=lines)
    assert said["answered"]

    with LedgerReader(path) as reader:
        accepted = {message.reference for message in reader.outbox(0, 1_000_000)}
        assert reader.count() == len(accepted)
        assert said["answered"] <= accepted <= said["sent"]
        pending = {telling.reference for telling in reader.pending()}
        assert accepted - pending <= said["heard"]

    clock = SystemClock()
    ledger, ear = Ledger(path), Ear(clock)
    carrier = SandboxCarrier(ledger, clock, random.Random(2))
    await carrier.open(ear)
    await ear.until(len(pending))
    await carrier.close()
    assert ledger.pending() == []
    ledger.close()
    assert {receipt.reference for receipt in ear.receipts} == pending
    assert said["heard"] | pending == accepted
