"""Our SMPP carrier against an SMSC that others wrote: what it answers, what it hears, and what trouble does to it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from callsheet.carriers.base import (
    Accepted,
    Inbound,
    InvalidMessage,
    InvalidNumber,
    NoAnswer,
    NotConnected,
    Throttled,
    Unwell,
)
from callsheet.core.attempt import Kind
from callsheet.core.condition import State
from callsheet.core.fence import Fence
from callsheet.core.ids import hint_of
from carriers.smpp.rig import bound, make, message, reference, until


async def test_a_message_is_taken_and_its_receipt_is_heard_and_acknowledged(node_smpp):
    smsc = node_smpp(record=True, reference=True)
    async with bound(smsc.port) as rig:
        answer = await rig.send(message(1, "Hello €"))
        await until(lambda: rig.heard)
        await until(lambda: smsc.counters()["receipts_acknowledged"] == 1)

    assert answer == Accepted("1000000001", 1, ("1000000001",))
    (receipt,) = rig.heard
    assert (receipt.carrier_id, receipt.kind, receipt.number) == ("1000000001", Kind.delivered, "+447700900001")
    assert receipt.hint == hint_of(reference(1))
    (taken,) = smsc.submits()
    assert (taken["text"], taken["source_addr"], taken["destination_addr"]) == (
        "Hello €",
        "447700900999",
        "447700900001",
    )
    assert rig.left == [reference(1)]
    assert smsc.counters()["unbinds"] == 1


async def test_a_transmitter_and_a_receiver_do_what_a_transceiver_does(node_smpp):
    smsc = node_smpp(receipts_on="any")
    async with bound(smsc.port, sessions=4, bind="pair", binds=2) as rig:
        assert all(isinstance(one, Accepted) for one in await rig.send_all([message(n) for n in range(20)]))
        await until(lambda: len(rig.heard) == 20)

    assert smsc.counters()["unbinds"] == 4


async def test_no_more_than_the_window_waits_for_an_answer(node_smpp):
    smsc = node_smpp(answer_delay_ms=50)
    async with bound(smsc.port, window=7) as rig:
        await rig.send_all([message(n) for n in range(50)])
        assert rig.carrier.room() == 7

    counters = smsc.counters()
    assert 1 < counters["most_open"] <= 7
    assert counters["duplicates"] == 0


async def test_room_is_counted_in_what_the_window_counts(node_smpp):
    smsc = node_smpp(answer_delay_ms=300)
    for concatenation, left in (("udh", [3, 2, 1, 1, -2]), ("payload", [10, 9, 8, 7, 6])):
        async with bound(smsc.port, window=10, concatenation=concatenation) as rig:
            room = []
            for n in range(5):
                room.append(rig.carrier.room(3))
                rig.submit(message(n, "x" * 400, segments=3))
            assert room == left
            assert rig.carrier.room() == (-5 if concatenation == "udh" else 5)
            await until(lambda rig=rig: len(rig.answers) == 5)


async def test_a_dropped_link_leaves_the_written_uncertain_and_the_unwritten_safe(node_smpp):
    smsc = node_smpp(answer_first=10, withhold=5, drop_after_withheld=True, receipt_delay_ms=200)
    async with bound(smsc.port, window=5) as rig:
        answers = await rig.send_all([message(n) for n in range(40)])
        taken = smsc.destinations()

        accepted = [one for one in answers if isinstance(one, Accepted)]
        uncertain = [one for one in answers if isinstance(one, NoAnswer)]
        safe = [one for one in answers if isinstance(one, NotConnected)]
        assert (len(accepted), len(uncertain), len(safe)) == (10, 5, 25)
        assert {one.code for one in uncertain} == {"link_dropped"}
        assert len(taken) == 15
        await rig.until_bound()
        # What was told just before the drop may be told again.
        await until(lambda: len({one.carrier_id for one in rig.heard}) == 15)
        assert (await rig.send(message(41))).carrier_id
    assert set(smsc.destinations().values()) == {1}


async def test_what_is_not_answered_in_time_is_uncertain_and_the_late_answer_tells_after_all(node_smpp):
    smsc = node_smpp(hold_answers=True, receipt_delay_ms=-1)
    async with bound(smsc.port, answer_seconds=2) as rig:
        answer = await rig.send(message(1))
        smsc.set(hold_answers=False)
        await until(lambda: rig.heard)

    assert isinstance(answer, NoAnswer)
    assert answer.code == "no_answer"
    (late,) = rig.heard
    assert (late.reference, late.carrier_id, late.kind) == (reference(1), "1000000001", Kind.accepted)
    assert late.part_ids == ("1000000001",)


async def test_a_carrier_that_never_answers_keeps_nobody_waiting(node_smpp):
    smsc = node_smpp(answer_first=0, withhold=100, receipt_delay_ms=-1)
    async with bound(smsc.port, answer_seconds=1, window=10) as rig:
        answers = await rig.send_all([message(n) for n in range(30)])

    assert sum(isinstance(one, NoAnswer) for one in answers) == smsc.counters()["taken"]
    assert {type(one) for one in answers} == {NoAnswer, Throttled}


async def test_throttling_is_a_refusal_and_the_window_shrinks_and_grows_back(node_smpp):
    smsc = node_smpp(throttle_per_second=10)
    async with bound(smsc.port, window=64) as rig:
        answers = await rig.send_all([message(n) for n in range(64)])
        refused = [one for one in answers if isinstance(one, Throttled)]
        assert refused
        assert {one.code for one in refused} == {"throttled"}
        assert len(refused) == smsc.counters()["throttled"]
        assert rig.carrier.room() <= 32
        assert State.throttled in rig.stood

        smsc.set(throttle_per_second=0)
        at = 100
        while rig.carrier.room() < 64:
            at += 64
            await until(lambda: rig.carrier.room() > 0)
            await rig.send_all([message(at + n) for n in range(rig.carrier.room())])


@pytest.mark.parametrize(
    ("status", "expected", "kind"),
    [
        (0x0B, InvalidNumber, Kind.rejected),
        (0x0A, InvalidMessage, Kind.rejected),
        (0x08, Unwell, Kind.refused),
        (0x14, Throttled, Kind.refused),
        (0x411, InvalidMessage, Kind.rejected),
    ],
)
async def test_each_status_has_its_meaning(node_smpp, status, expected, kind):
    smsc = node_smpp(refuse_every=1, refuse_status=status)
    async with bound(smsc.port) as rig:
        answer = await rig.send(message(1))

    assert type(answer) is expected
    assert answer.kind is kind


@pytest.mark.parametrize("concatenation", ["udh", "sar", "payload"])
async def test_a_long_text_is_one_message_of_many_parts(node_smpp, concatenation):
    smsc = node_smpp(record=True)
    text = "word " * 100
    async with bound(smsc.port, concatenation=concatenation) as rig:
        answer = await rig.send(message(1, text, segments=4))

    assert isinstance(answer, Accepted)
    assert (answer.segments, len(answer.carrier_ids)) == (4, 1 if concatenation == "payload" else 4)
    assert "".join(part["text"] for part in smsc.submits()) == text
    assert rig.left == [reference(1)]


async def test_255_parts_go_through_a_window_of_ten(node_smpp):
    smsc = node_smpp()
    async with bound(smsc.port, window=10) as rig:
        answer = await rig.send(message(1, "x" * (153 * 255), segments=255))
        too_long = await rig.send(message(2, "x" * (153 * 255 + 1), segments=256))

    assert isinstance(answer, Accepted)
    assert len(set(answer.carrier_ids)) == 255
    assert isinstance(too_long, InvalidMessage)
    assert smsc.counters()["taken"] == 255


async def test_a_throttled_part_is_tried_again_until_the_text_is_whole(node_smpp):
    smsc = node_smpp(refuse_every=2, refuse_status=0x58)
    async with bound(smsc.port) as rig:
        answer = await rig.send(message(1, "x" * 153 * 4, segments=4))

    assert isinstance(answer, Accepted)
    assert len(answer.carrier_ids) == 4
    assert smsc.counters()["taken"] == 4
    assert smsc.counters()["duplicates"] <= 3  # the parts of this text say the same


async def test_a_text_of_which_a_later_part_is_rejected_never_becomes_a_second_text(node_smpp):
    smsc = node_smpp(refuse_every=3, refuse_status=0x0B, receipt_delay_ms=-1)
    async with bound(smsc.port) as rig:
        answer = await rig.send(message(1, "x" * 153 * 3, segments=3))
        await until(lambda: rig.heard)

    assert isinstance(answer, Accepted)
    assert answer.segments == 2
    # No receipt names the part that never was, so the text never counts as delivered.
    assert answer.carrier_ids[2:] == ("",)
    (told,) = rig.heard
    assert (told.reference, told.kind, told.code) == (reference(1), Kind.undelivered, "incomplete")


async def test_closing_takes_the_answers_that_are_owed(node_smpp):
    smsc = node_smpp(answer_delay_ms=300)
    async with bound(smsc.port) as rig:
        for n in range(20):
            rig.submit(message(n))
        await until(lambda: smsc.counters()["submits"] == 20)

    assert [type(answer) for answer in rig.answers.values()] == [Accepted] * 20
    assert smsc.counters()["unbinds"] == 1


async def test_what_could_not_be_stored_is_kept_by_the_carrier(node_smpp):
    smsc = node_smpp()
    async with bound(smsc.port) as rig:
        rig.fails = 1
        await rig.send(message(1))
        await until(lambda: smsc.counters()["receipts_kept_now"] == 1)
        assert not rig.heard
        smsc.drop()
        await until(lambda: len(rig.heard) == 1)
        await until(lambda: smsc.counters()["receipts_acknowledged"] == 1)


async def test_nothing_is_acknowledged_before_it_is_stored(node_smpp):
    smsc = node_smpp()
    async with bound(smsc.port) as rig:
        rig.gate.clear()
        await rig.send(message(1))
        await until(lambda: smsc.counters()["receipts"] == 1)
        smsc.deliver("447700900001", "447700900999", "STOP")
        # An answer to a message is no answer to a receipt: it takes the same way, and later.
        await rig.send(message(2))
        assert smsc.counters()["receipts_acknowledged"] == smsc.counters()["delivers_acknowledged"] == 0
        rig.gate.set()
        await until(lambda: smsc.counters()["receipts_acknowledged"] == 2)
        await until(lambda: smsc.counters()["delivers_acknowledged"] == 1)


async def test_a_reply_is_heard_with_its_words(node_smpp):
    smsc = node_smpp()
    async with bound(smsc.port) as rig:
        for _ in range(2):
            smsc.deliver("447700900001", "447700900999", "Grüße €", source_addr_ton=1, dest_addr_ton=1, data_coding=0)
        await until(lambda: len(rig.heard) == 2)

    first, second = rig.heard
    assert isinstance(first, Inbound)
    assert (first.number, first.sender, first.text) == ("+447700900001", "+447700900999", "Grüße €")
    # The same words said twice are two messages.
    assert first.inbound_id != second.inbound_id


async def test_a_refused_bind_is_broken_and_says_why(node_smpp):
    smsc = node_smpp(system_id="us", password="another")
    async with bound(smsc.port, sessions=0) as rig:
        await until(lambda: rig.carrier.condition().state is State.broken)
        assert "does not take the password" in rig.carrier.condition().why
        assert rig.carrier.room() == 0
        assert isinstance(await rig.send(message(1)), NotConnected)
        smsc.set(password="secret")
        await rig.until_bound()
        assert rig.carrier.condition()[:4] == (State.open, "", 1, 0)


async def test_it_binds_as_soon_as_the_carrier_is_back(node_smpp):
    smsc = node_smpp(refuse_binds=3, bind_status=0x08)
    async with bound(smsc.port) as rig:
        assert isinstance(await rig.send(message(1)), Accepted)

    assert smsc.counters()["refused_binds"] == 3


async def test_nothing_behind_the_fence_is_connected_to(node_smpp):
    smsc = node_smpp()
    async with bound(smsc.port, sessions=0, host="localhost", fence=Fence()) as rig:
        await until(lambda: rig.carrier.condition().state is State.broken)
        assert "private address" in rig.carrier.condition().why

    assert smsc.counters()["links"] == 0


async def test_a_test_call_says_what_happened_and_no_secret(node_smpp):
    smsc = node_smpp(system_id="us", password="right")
    good = await make(smsc.port, password="right").probe()
    bad = await make(smsc.port, password="wrong").probe()
    nobody = await make(1).probe()
    nameless = await make(1, host="a..b").probe()

    assert good == (
        True,
        f"Connected to 127.0.0.1:{smsc.port}, which calls itself node-smpp. Bound as transceiver us. Unbound.",
    )
    assert not bad.ok
    assert "password" in bad.said
    assert "wrong" not in bad.said
    assert nobody == (False, "Tried 127.0.0.1:1 as us: nobody listens at 127.0.0.1:1.")
    assert nameless == (False, "Tried a..b:1 as us: the name a..b leads nowhere.")
    assert smsc.counters()["unbinds"] == 1


async def test_a_carrier_is_asked_to_give_up_when_the_window_of_the_contact_closes(node_smpp):
    smsc = node_smpp(record=True)
    async with bound(smsc.port, validity_seconds=7200) as rig:
        now = datetime.now(UTC)
        await rig.send(message(1, valid_until=now + timedelta(minutes=30)))
        await rig.send(message(2, valid_until=now + timedelta(days=3)))
        await rig.send(message(3, tags={"dlt_entity_id": "110", "dlt_template_id": "220"}, wants_receipt=False))

    first, second, third = smsc.submits()
    assert [_minutes(one) for one in (first, second, third)] == [30, 120, 120]
    assert [one["registered_delivery"] for one in (first, second, third)] == [1, 1, 0]
    assert [bytes(third[tag]["data"]) for tag in ("5120", "5121")] == [b"110", b"220"]


def _minutes(taken: dict[str, Any]) -> int:
    """Return how long the SMSC was to try, as it understood it."""
    until = datetime.fromisoformat(taken["validity_period"])
    return round((until.timestamp() - taken["at"] / 1000) / 60)


async def test_a_sender_that_no_carrier_can_write_is_refused_and_the_others_go(node_smpp):
    smsc = node_smpp(record=True)
    async with bound(smsc.port) as rig:
        refused = await rig.send(message(1, sender="A name that is far too long"))
        named = await rig.send(message(2, sender="Callsheet"))
        coded = await rig.send(message(3, sender="60800"))

    assert isinstance(refused, InvalidMessage)
    assert all(isinstance(one, Accepted) for one in (named, coded))
    assert [(one["source_addr_ton"], one["source_addr_npi"]) for one in smsc.submits()] == [(5, 0), (3, 0)]


async def test_parts_that_are_answered_late_bring_all_their_ids(node_smpp):
    smsc = node_smpp(hold_answers=True, receipt_delay_ms=-1)
    async with bound(smsc.port, answer_seconds=2) as rig:
        assert isinstance(await rig.send(message(1, "x" * 153 * 3, segments=3)), NoAnswer)
        smsc.set(hold_answers=False)
        await until(lambda: rig.heard)

    (late,) = rig.heard
    assert (late.kind, len(late.part_ids)) == (Kind.accepted, 3)


async def test_what_a_link_never_carried_because_it_dropped_within_a_text_is_uncertain(node_smpp):
    smsc = node_smpp(answer_first=1, withhold=1, drop_after_withheld=True, receipt_delay_ms=-1)
    async with bound(smsc.port, window=1) as rig:
        answer = await rig.send(message(1, "x" * 153 * 3, segments=3))

    assert isinstance(answer, NoAnswer)
    # Receipts will name the part that was answered; of the others nobody knows by what.
    assert answer.carrier_ids == ("1000000001", "", "")
    assert smsc.counters()["taken"] == 2
