from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callsheet.carriers.base import Heard, Inbound, NoAnswer, NotConnected, Receipt
from callsheet.carriers.sandbox.behaviour import Timings
from callsheet.carriers.sandbox.carrier import SandboxCarrier
from callsheet.carriers.sandbox.ledger import Ledger
from callsheet.clock import SystemClock
from callsheet.core.attempt import Kind
from callsheet.engine import virtual_time
from callsheet.engine.virtual_time import VirtualClock
from carriers.table import Ear, answer_of, outbound

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
FAST = Timings(
    answer_seconds=(0.0, 0.002),
    receipt_seconds=(0.001, 0.01),
    late_seconds=0.02,
    reply_seconds=0.01,
    give_up_seconds=0.05,
)

USUAL = Timings()

Scene = Callable[[VirtualClock, Ledger, SandboxCarrier, Ear], Awaitable[None]]


def play(scene: Scene, *, timings: Timings = USUAL, window: int = 1_000) -> None:
    """Run a scene with an open carrier in virtual time."""

    async def main(clock: VirtualClock) -> None:
        ledger, ear = Ledger(":memory:", inline=True), Ear(clock)
        carrier = SandboxCarrier(ledger, clock, random.Random(1), timings=timings, window=window)
        await carrier.open(ear)
        await scene(clock, ledger, carrier, ear)
        await carrier.close()
        ledger.close()

    virtual_time.run(main, start=START)


async def die(carrier: SandboxCarrier) -> None:
    """End a carrier as a crash does: nothing more is answered, told or acknowledged."""
    assert carrier._telling is not None
    carrier._telling.cancel()
    await asyncio.gather(carrier._telling, return_exceptions=True)


def test_a_crash_between_taking_and_answering_leaves_a_receipt_to_be_told() -> None:
    async def scene(clock: VirtualClock, ledger: Ledger, carrier: SandboxCarrier, ear: Ear) -> None:
        sending = asyncio.create_task(carrier.send(outbound("ref-a", "+12025550001")))
        await clock.sleep(0)
        assert ledger.count() == 1
        assert not sending.done()
        sending.cancel()
        await die(carrier)
        await clock.sleep(3_600)
        assert ear.heard == []

        again = SandboxCarrier(ledger, clock, random.Random(2))
        await again.open(ear)
        await clock.sleep(1)
        assert [(receipt.reference, receipt.kind) for receipt in ear.receipts] == [("ref-a", Kind.delivered)]
        assert ear.receipts[0].at < clock.now()
        carrier._teller = carrier._telling = None
        await again.close()

    play(scene)


def test_what_was_not_acknowledged_is_told_again_and_the_rest_is_not(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def before(clock: VirtualClock) -> None:
        ledger, ear = Ledger(path), Ear(clock)
        carrier = SandboxCarrier(ledger, clock, random.Random(1))
        await carrier.open(ear)
        await carrier.send(outbound("heard", "+12025550001"))
        await clock.sleep(2)
        await carrier.send(outbound("not yet", "+12025550002"))
        await carrier.send(outbound("replies", "+12025559909"))
        await carrier.close()
        ledger.close()
        assert [receipt.reference for receipt in ear.receipts] == ["heard"]

    async def after(clock: VirtualClock) -> None:
        ledger, ear = Ledger(path), Ear(clock)
        carrier = SandboxCarrier(ledger, clock, random.Random(1))
        await carrier.open(ear)
        await clock.sleep(10)
        await carrier.close()
        ledger.close()
        assert sorted(receipt.reference for receipt in ear.receipts) == ["not yet", "replies"]
        assert [reply.text for reply in ear.replies] == ["STOP"]

    async def at_last(clock: VirtualClock) -> None:
        ledger, ear = Ledger(path), Ear(clock)
        carrier = SandboxCarrier(ledger, clock, random.Random(1))
        await carrier.open(ear)
        await clock.sleep(10)
        await carrier.close()
        ledger.close()
        assert ear.hearings == 0

    for scene in (before, after, at_last):
        virtual_time.run(scene, start=START)


def test_throttling_is_remembered_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def send_once(clock: VirtualClock) -> str:
        ledger = Ledger(path)
        carrier = SandboxCarrier(ledger, clock, random.Random(1))
        await carrier.open(Ear(clock))
        code, _, _ = await answer_of(carrier, outbound("ref", "+12025559906"))
        await carrier.close()
        ledger.close()
        return code

    codes = [virtual_time.run(send_once, start=START) for _ in range(4)]
    assert codes == ["throttled", "throttled", "accepted", "accepted"]


def test_an_ear_that_fails_hears_everything_later_and_once() -> None:
    async def scene(clock: VirtualClock, ledger: Ledger, carrier: SandboxCarrier, ear: Ear) -> None:
        ear.deaf_times = 6
        await asyncio.gather(*(carrier.send(outbound(f"ref-{i}", "+12025550001")) for i in range(20)))
        await clock.sleep(60)
        assert ear.deaf_times == 0
        assert sorted(receipt.reference for receipt in ear.receipts) == sorted(f"ref-{i}" for i in range(20))
        assert ledger.pending() == []

    play(scene)


def test_a_telling_that_is_never_heard_holds_up_no_other() -> None:
    async def scene(clock: VirtualClock, ledger: Ledger, carrier: SandboxCarrier, ear: Ear) -> None:
        await carrier.close()
        heard: list[str] = []

        async def picky(batch: Sequence[Heard]) -> None:
            references = [item.reference for item in batch if isinstance(item, Receipt)]
            if "ref-poison" in references:
                raise ValueError
            heard.extend(references)

        await carrier.open(picky)
        names = ["ref-poison", *(f"ref-{i}" for i in range(30))]
        await asyncio.gather(*(carrier.send(outbound(name, "+12025550001")) for name in names))
        await clock.sleep(120)
        assert sorted(heard) == sorted(names[1:])
        assert [telling.reference for telling in ledger.pending()] == ["ref-poison"]

    play(scene)


def test_a_listener_that_is_cancelled_does_not_end_the_telling() -> None:
    async def scene(clock: VirtualClock, ledger: Ledger, carrier: SandboxCarrier, ear: Ear) -> None:
        await carrier.close()
        failures = iter([asyncio.CancelledError()])

        async def hear(batch: Sequence[Heard]) -> None:
            for failure in failures:
                raise failure
            await ear(batch)

        await carrier.open(hear)
        await carrier.send(outbound("ref-a", "+12025550001"))
        await clock.sleep(10)
        assert [receipt.reference for receipt in ear.receipts] == ["ref-a"]

    play(scene)


def test_receipts_of_the_same_moment_are_heard_together() -> None:
    async def scene(clock: VirtualClock, ledger: Ledger, carrier: SandboxCarrier, ear: Ear) -> None:
        await asyncio.gather(*(carrier.send(outbound(f"ref-{i}", "+12025550001")) for i in range(1_000)))
        await clock.sleep(10)
        assert len(ear.receipts) == 1_000
        assert ear.hearings <= 40

    play(scene)


def test_a_wall_clock_that_is_set_back_holds_up_no_receipt() -> None:
    async def scene(clock: VirtualClock, ledger: Ledger, carrier: SandboxCarrier, ear: Ear) -> None:
        await carrier.send(outbound("ref-a", "+12025550001"))
        clock.step_wall(-86_400)
        await clock.sleep(1)
        assert len(ear.receipts) == 1

    play(scene)


def test_closing_answers_what_is_under_way_and_only_then_stops() -> None:
    async def scene(clock: VirtualClock, ledger: Ledger, carrier: SandboxCarrier, ear: Ear) -> None:
        sending = [asyncio.create_task(carrier.send(outbound(f"ref-{i}", "+12025550001"))) for i in range(50)]
        early = asyncio.create_task(carrier.send(outbound("early", "+12025559903")))
        silent = asyncio.create_task(carrier.send(outbound("silent", "+12025559907")))
        await clock.sleep(0)
        await carrier.close()

        assert all(task.done() and task.exception() is None for task in [*sending, early])
        assert isinstance(silent.exception(), NoAnswer)
        with pytest.raises(NotConnected):
            await carrier.send(outbound("too late", "+12025550001"))
        heard = len(ear.heard)
        await clock.sleep(100)
        assert len(ear.heard) == heard

    play(scene)


def test_a_closed_carrier_can_be_opened_again() -> None:
    async def scene(clock: VirtualClock, ledger: Ledger, carrier: SandboxCarrier, ear: Ear) -> None:
        for i in range(3):
            await carrier.send(outbound(f"ref-{i}", "+12025550001"))
            await carrier.close()
            await carrier.close()
            await carrier.open(ear)
            await carrier.open(ear)
        await clock.sleep(10)
        assert sorted(receipt.reference for receipt in ear.receipts) == ["ref-0", "ref-1", "ref-2"]

    play(scene)


def test_more_than_the_window_bears_is_refused_and_not_sent() -> None:
    async def scene(clock: VirtualClock, ledger: Ledger, carrier: SandboxCarrier, ear: Ear) -> None:
        assert carrier.limits.window == 3
        answers = await asyncio.gather(*(answer_of(carrier, outbound(f"ref-{i}", "+12025550001")) for i in range(5)))
        assert [code for code, _, _ in answers] == ["accepted"] * 3 + ["window_full"] * 2
        assert answers[-1][1] is Kind.refused
        assert ledger.count() == 3
        assert (await answer_of(carrier, outbound("ref-5", "+12025550001")))[0] == "accepted"

    play(scene, window=3)


def test_a_message_without_an_answer_frees_its_place_when_its_sender_gives_up() -> None:
    async def scene(clock: VirtualClock, ledger: Ledger, carrier: SandboxCarrier, ear: Ear) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await carrier.send(outbound("silent", "+12025559907"))
        assert (await answer_of(carrier, outbound("ref", "+12025550001")))[0] == "accepted"
        assert [message.status for message in ledger.outbox()] == ["unanswered", "accepted"]

    play(scene, window=1)


def test_a_message_that_comes_twice_is_taken_and_confirmed_twice() -> None:
    async def scene(clock: VirtualClock, ledger: Ledger, carrier: SandboxCarrier, ear: Ear) -> None:
        for _ in range(2):
            await carrier.send(outbound("ref-a", "+12025550001"))
        await clock.sleep(5)
        assert ledger.duplicates() == {"ref-a": 2}
        assert len({receipt.carrier_id for receipt in ear.receipts}) == 2

    play(scene)


def test_a_text_that_no_encoding_takes_is_rejected() -> None:
    async def scene(clock: VirtualClock, ledger: Ledger, carrier: SandboxCarrier, ear: Ear) -> None:
        code, kind, _ = await answer_of(carrier, outbound("ref", "+12025550001", text="half a pair \ud83d"))
        assert (code, kind) == ("not_encodable", Kind.rejected)
        assert ledger.count() == 0

    play(scene)


def test_a_ledger_that_fails_leaves_the_message_uncertain() -> None:
    async def scene(clock: VirtualClock, ledger: Ledger, carrier: SandboxCarrier, ear: Ear) -> None:
        ledger._reading.execute("alter table tellings rename to away")
        code, kind, _ = await answer_of(carrier, outbound("ref-a", "+12025550001"))
        assert (code, kind) == ("ledger_failed", Kind.uncertain)

        ledger._reading.execute("alter table away rename to tellings")
        assert (await answer_of(carrier, outbound("ref-b", "+12025550001")))[0] == "accepted"
        await clock.sleep(5)
        assert [receipt.reference for receipt in ear.receipts] == ["ref-b"]

    play(scene)


def test_a_reply_that_is_told_again_keeps_its_id() -> None:
    async def scene(clock: VirtualClock, ledger: Ledger, carrier: SandboxCarrier, ear: Ear) -> None:
        told: list[str] = []

        async def hear(batch: Sequence[Heard]) -> None:
            told.extend(item.inbound_id for item in batch if isinstance(item, Inbound))
            if len(told) == 1:
                raise ConnectionError

        await carrier.close()
        await carrier.open(hear)
        await carrier.send(outbound("ref-a", "+12025559910"))
        await clock.sleep(30)
        assert len(told) == 2
        assert len(set(told)) == 1

    play(scene)


def digest_of(seed: int) -> str:
    """Give a digest of all answers and all that is heard, with its times, of one run with this seed."""
    digest = hashlib.sha256()

    async def main(clock: VirtualClock) -> None:
        ledger, ear = Ledger(":memory:", inline=True), Ear(clock)
        ear.deaf_times = 2
        carrier = SandboxCarrier(ledger, clock, random.Random(seed))
        await carrier.open(ear)

        async def send_all(first: int) -> None:
            for i in range(first, 600, 12):
                ending = 9900 + i % 13
                answer = await answer_of(carrier, outbound(f"ref-{i}", f"+120255{i % 50:02d}{ending}"))
                digest.update(repr((i, answer, clock.now())).encode())

        await asyncio.gather(*(send_all(first) for first in range(12)))
        await clock.sleep(60)
        await carrier.close()
        digest.update(repr(ear.heard).encode())
        digest.update(repr(ledger.outbox(0, 1_000)).encode())
        ledger.close()

    virtual_time.run(main, start=START)
    return digest.hexdigest()


def test_the_same_seed_plays_the_same_and_another_seed_another() -> None:
    assert digest_of(4) == digest_of(4)
    assert digest_of(4) != digest_of(5)


async def test_a_thousand_messages_in_real_time_are_answered_confirmed_and_share_commits(tmp_path: Path) -> None:
    clock = SystemClock()
    ledger, ear = Ledger(tmp_path / "ledger.db"), Ear(clock)
    carrier = SandboxCarrier(ledger, clock, random.Random(1), timings=FAST)
    await carrier.open(ear)
    answers = await asyncio.gather(*(answer_of(carrier, outbound(f"ref-{i}", "+12025550001")) for i in range(1_000)))
    assert {code for code, _, _ in answers} == {"accepted"}
    await ear.until(1_000)
    await carrier.close()
    assert len(ear.receipts) == 1_000
    assert ledger.pending() == []
    assert ledger.commits <= 150
    ledger.close()
