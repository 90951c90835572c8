from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callsheet.carriers.sandbox.behaviour import Planned
from callsheet.carriers.sandbox.ledger import Acceptance, Ledger, LedgerReader, Status
from carriers.table import outbound

AT = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC)
RECEIPT = Planned(0.25, "delivered", "")


@pytest.fixture(params=["thread", "inline", "memory"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledger]:
    path = ":memory:" if request.param == "memory" else tmp_path / "ledger.db"
    ledger = Ledger(path, inline=request.param != "thread")
    yield ledger
    ledger.close()


async def test_a_duplicate_is_shown_not_hidden(ledger: Ledger) -> None:
    first = await ledger.accept(outbound("ref-a", "+12025550001"), Status.accepted, AT)
    second = await ledger.accept(outbound("ref-a", "+12025550001"), Status.accepted, AT)
    await ledger.accept(outbound("ref-b", "+12025550002"), Status.accepted, AT)

    assert first.carrier_id != second.carrier_id
    assert ledger.count() == 3
    assert [message.reference for message in ledger.outbox()] == ["ref-a", "ref-a", "ref-b"]
    assert ledger.duplicates() == {"ref-a": 2}


async def test_the_outbox_gives_back_what_was_sent(ledger: Ledger) -> None:
    message = outbound("ref-a", "+12025550001", text="Grüße 👋 'quoted' \x00 end", campaign_id="cd-9")
    acceptance = await ledger.accept(message, Status.accepted, AT)

    (kept,) = ledger.outbox()
    assert kept.carrier_id == acceptance.carrier_id
    assert (kept.reference, kept.to, kept.sender, kept.text, kept.segments, kept.campaign_id) == message[:6]
    assert (kept.status, kept.accepted_at) == ("accepted", AT)


async def test_a_cursor_misses_nothing_and_repeats_nothing(ledger: Ledger) -> None:
    await asyncio.gather(
        *(
            ledger.accept(outbound(f"ref-{i}", "+12025550001", campaign_id=f"cd-{i % 3}"), Status.accepted, AT)
            for i in range(250)
        )
    )
    seen: list[str] = []
    after = 0
    while page := ledger.outbox(after, 40):
        assert len(page) <= 40
        seen += [message.reference for message in page]
        after = page[-1].id
    assert seen == [f"ref-{i}" for i in range(250)]


async def test_one_app_sees_only_its_own_campaigns(ledger: Ledger) -> None:
    for i in range(6):
        await ledger.accept(outbound(f"ref-{i}", "+12025550001", campaign_id=f"cd-{i % 3}"), Status.accepted, AT)

    assert [m.reference for m in ledger.outbox(0, 10, {"cd-0", "cd-2"})] == ["ref-0", "ref-2", "ref-3", "ref-5"]
    assert [m.reference for m in ledger.outbox(1, 1, ["cd-0"])] == ["ref-3"]
    assert ledger.outbox(0, 10, []) == []
    assert (ledger.count(), ledger.count({"cd-1"}), ledger.count(set())) == (6, 2, 0)


async def test_what_was_acknowledged_is_not_pending(ledger: Ledger) -> None:
    acceptance = await ledger.accept(
        outbound("ref-a", "+12025550001"), Status.accepted, AT, [RECEIPT, Planned(1.5, "reply", "STOP")]
    )
    assert ledger.pending() == list(acceptance.tellings)
    assert [telling.due_at for telling in ledger.pending()] == [
        AT + timedelta(seconds=0.25),
        AT + timedelta(seconds=1.5),
    ]

    await ledger.acknowledge(acceptance.tellings[:1], AT)
    assert ledger.pending() == list(acceptance.tellings[1:])
    assert ledger.outbox()[0].status == "delivered"

    await ledger.acknowledge(acceptance.tellings, AT)
    assert ledger.pending() == []
    assert ledger.outbox()[0].status == "delivered"


async def test_refusals_are_counted_and_are_no_acceptances(ledger: Ledger) -> None:
    answers = await asyncio.gather(*(ledger.refuse("+12025559906", "throttled", AT, at_most=2) for _ in range(5)))
    assert sorted(answers) == [False, False, False, True, True]
    assert await ledger.refuse("+12025559905", "invalid_number", AT)

    assert ledger.count() == 0


async def test_one_message_that_cannot_be_written_takes_no_neighbour_with_it(ledger: Ledger) -> None:
    results = await asyncio.gather(
        *(
            ledger.accept(outbound(f"ref-{i}", "+12025550001", text=text), Status.accepted, AT, [RECEIPT])
            for i, text in enumerate(["before", "half a pair \ud83d", "after"])
        ),
        return_exceptions=True,
    )
    assert isinstance(results[1], UnicodeEncodeError)
    assert [message.reference for message in ledger.outbox()] == ["ref-0", "ref-2"]
    assert [telling.reference for telling in ledger.pending()] == ["ref-0", "ref-2"]


async def test_a_thousand_messages_that_come_together_share_a_few_commits(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    await asyncio.gather(
        *(ledger.accept(outbound(f"ref-{i}", "+12025550001"), Status.accepted, AT, [RECEIPT]) for i in range(1_000))
    )
    assert ledger.count() == 1_000
    assert ledger.commits <= 100
    ledger.close()


async def test_a_message_whose_sender_gave_up_is_in_the_ledger_and_told(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    durable: list[Acceptance] = []
    sending = asyncio.create_task(
        ledger.accept(outbound("ref-a", "+12025550001"), Status.accepted, AT, [RECEIPT], after=durable.append)
    )
    await asyncio.sleep(0)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending

    await ledger.flush()
    assert [message.reference for message in ledger.outbox()] == ["ref-a"]
    assert [acceptance.tellings for acceptance in durable] == [tuple(ledger.pending())]
    ledger.close()


async def test_ids_go_on_after_a_restart(tmp_path: Path) -> None:
    ids = []
    for _ in range(3):
        ledger = Ledger(tmp_path / "ledger.db")
        await ledger.accept(outbound("ref", "+12025550001"), Status.accepted, AT, [RECEIPT])
        ids = [message.id for message in ledger.outbox()]
        ledger.close()
    assert ids == [1, 2, 3]


async def test_another_reader_sees_what_was_committed_while_the_writer_is_at_work(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger(path)
    with LedgerReader(path) as reader:
        for i in range(5):
            await ledger.accept(outbound(f"ref-{i}", "+12025550001"), Status.accepted, AT)
            assert reader.count() == i + 1
        with pytest.raises(sqlite3.OperationalError):
            reader._reading.execute("delete from messages")
    ledger.close()


async def test_a_closed_ledger_takes_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.close()
    ledger.close()
    with pytest.raises(RuntimeError, match="closed"):
        await ledger.accept(outbound("ref", "+12025550001"), Status.accepted, AT)


def test_a_ledger_of_another_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    Ledger(path, inline=True).close()
    with sqlite3.connect(path) as connection:
        connection.execute("pragma user_version = 7")
    connection.close()
    with pytest.raises(RuntimeError, match="version 7"):
        Ledger(path)


def test_a_ledger_in_memory_has_one_connection(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="inline"):
        Ledger(":memory:")


def test_nobody_else_on_the_machine_reads_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger(path)
    assert {file.stat().st_mode & 0o077 for file in tmp_path.iterdir()} == {0}
    ledger.close()
