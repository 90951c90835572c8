"""The simulator's SMPP port: what it tells is told until it was heard, and who sends rubbish harms himself alone."""

import asyncio
import struct
from pathlib import Path

import pytest

from callsheet.carriers.sandbox.smpp_session import Account
from callsheet.carriers.smpp import commands as c
from callsheet.carriers.smpp.commands import Status
from callsheet.carriers.smpp.pdu import Bind, Data, Message, Query
from callsheet.carriers.smpp.tlv import Tlv
from carriers.simulating import Link, a_message, simulator


def text_of(message: Message) -> bytes:
    return message.short_message


async def test_numbers_behave_as_their_last_digits_say(tmp_path: Path):
    async with simulator(tmp_path) as it:
        link = await Link.bound(it)

        assert (await link.text("447700900001")).status == 0
        assert (await link.text("447700909905")).status == Status.INVALID_DESTINATION
        assert [(await link.text("447700909906")).status for _ in range(3)] == [Status.THROTTLED, Status.THROTTLED, 0]
        assert (await link.text("447700909904")).status == 0
        told = sorted([text_of(await link.told()) for _ in range(3)])
        assert [b"stat:UNDELIV err:001" in text for text in told].count(True) == 1


async def test_a_receipt_may_come_before_the_answer_and_a_reply_after_it(tmp_path: Path):
    async with simulator(tmp_path) as it:
        link = await Link.bound(it)
        link.write(c.SUBMIT_SM, a_message("447700909903"))
        first, second = await link.next(), await link.next()
        assert (first.command, second.command) == (c.DELIVER_SM, c.SUBMIT_SM_RESP)

        await link.text("447700909911")
        assert (await link.told()).esm_class == c.RECEIPT
        reply = await link.told()
        assert (reply.source, reply.source_ton, reply.destination) == ("447700909911", 1, "Acme")
        assert reply.short_message.startswith(b"Thank you.")


async def test_a_receipt_repeats_the_reference_and_comes_only_when_it_is_wanted(tmp_path: Path):
    async with simulator(tmp_path) as it:
        link = await Link.bound(it)
        await link.text("447700900001", registered_delivery=0)
        await link.text("447700900002", registered_delivery=2)
        await link.text("447700909904", registered_delivery=2, tlvs=(Tlv(0x0204, b"\x12\x34"),))

        told = await link.told()
        assert told.source == "447700909904"
        assert dict(told.tlvs)[0x0204] == b"\x12\x34"


async def test_what_nobody_was_there_to_hear_is_told_to_the_next_one(tmp_path: Path):
    async with simulator(tmp_path) as it:
        sender = await Link.bound(it, command=c.BIND_TRANSMITTER)
        await sender.text("447700900001")
        stranger = await Link.bound(it, system_id="other")
        await asyncio.sleep(1)  # its receipt is due long since

        first = await Link.bound(it, command=c.BIND_RECEIVER)
        assert (await first.next()).command == c.DELIVER_SM
        first.writer.transport.abort()
        second = await Link.bound(it, command=c.BIND_RECEIVER)
        assert b"stat:DELIVRD" in text_of(await second.told(Status.RECEIVER_TEMPORARY_ERROR))
        assert b"stat:DELIVRD" in text_of(await second.told())
        assert (await stranger.ask(c.ENQUIRE_LINK)).status == 0


async def test_a_receipt_that_was_heard_is_not_told_again_after_a_restart(tmp_path: Path):
    async with simulator(tmp_path) as it:
        link = await Link.bound(it)
        await link.text("447700900001")
        await link.text("447700900002")
        heard = await link.told()
        assert (await link.next()).command == c.DELIVER_SM  # this one is not acknowledged
    async with simulator(tmp_path) as it:
        link = await Link.bound(it)
        again = await link.told()
        assert again.source != heard.source
        await link.text("447700900003")
        assert (await link.told()).source == "447700900003"


async def test_the_parts_of_a_long_text_are_one_text_on_the_handset_and_get_one_reply(tmp_path: Path):
    async with simulator(tmp_path) as it:
        link = await Link.bound(it)
        for number in (2, 1, 3):
            await link.text("447700909909", bytes([5, 0, 3, 9, 3, number]) + b"part %d " % number, esm_class=0x40)
        told = [await link.told() for _ in range(4)]

        assert [message.esm_class for message in told].count(c.RECEIPT) == 3
        assert told[-1].short_message == b"STOP"
        (item,) = (await it.get("/outbox"))["items"]
        assert (item["text"], item["to"]) == ("part 1 part 2 part 3 ", "+447700909909")
        assert len(item["ids"]) == 3
        parts = (await it.get("/outbox?parts=1"))["items"]
        assert [part["part"]["number"] for part in parts] == [2, 1, 3]


async def test_a_text_in_a_payload_and_one_by_data_sm_arrive(tmp_path: Path):
    async with simulator(tmp_path) as it:
        link = await Link.bound(it)
        payload = (Tlv(0x0424, "Дом".encode("utf-16-be")),)
        assert (await link.text("447700900001", b"", data_coding=8, tlvs=payload)).status == 0
        body = Data("", 5, 0, "Acme", 1, 1, "447700900002", 0, 1, 8, payload)
        assert (await link.ask(c.DATA_SM, body)).command == c.DATA_SM_RESP

        assert [item["text"] for item in (await it.get("/outbox"))["items"]] == ["Дом", "Дом"]


async def test_a_message_can_be_asked_after(tmp_path: Path):
    async with simulator(tmp_path) as it:
        link = await Link.bound(it)
        carrier_id = (await link.text("447700909908")).body.text

        assert (await link.ask(c.QUERY_SM, Query(carrier_id))).body.message_state == 1
        assert (await link.ask(c.QUERY_SM, Query("sb-000000999"))).status == Status.QUERY_FAILED
        assert (await link.ask(c.QUERY_SM, Query("x" * 60))).status == Status.QUERY_FAILED
        assert (await link.ask(c.CANCEL_SM, b"\0" * 10)).status == Status.CANCEL_FAILED


async def test_only_who_may_is_let_in_and_only_once(tmp_path: Path):
    async with simulator(tmp_path, account=Account("us", "secret")) as it:
        link = await Link.connect(it)
        assert (await link.ask(c.SUBMIT_SM, a_message("447700900001"))).status == Status.INCORRECT_BIND
        for bind, status in ((Bind("them", "secret"), Status.INVALID_SYSTEM_ID), (Bind("us"), Status.INVALID_PASSWORD)):
            assert (await link.ask(c.BIND_TRANSCEIVER, bind)).status == status
        assert (await link.ask(c.BIND_RECEIVER, Bind("us", "secret"))).status == 0
        assert (await link.ask(c.BIND_TRANSMITTER, Bind("us", "secret"))).status == Status.ALREADY_BOUND
        assert (await link.ask(c.SUBMIT_SM, a_message("447700900001"))).status == Status.INCORRECT_BIND
        assert (await link.ask(c.UNBIND)).command == c.UNBIND_RESP
        with pytest.raises(EOFError):
            await link.next()


async def test_rubbish_ends_its_own_session_and_no_other(tmp_path: Path):
    async with simulator(tmp_path) as it:
        good, bad = await Link.bound(it), await Link.bound(it)
        bad.writer.write(struct.pack(">IIII", 20, 0x00010203, 0, 7) + b"what")
        assert (await bad.next()).status == Status.INVALID_COMMAND
        bad.writer.write(struct.pack(">IIII", 18, c.SUBMIT_SM, 0, 8) + b"ab")
        refused = await bad.next()
        assert (refused.command, refused.sequence, refused.status) == (c.GENERIC_NACK, 8, Status.INVALID_MESSAGE_LENGTH)
        bad.writer.write(struct.pack(">IIII", 16, c.DELIVER_SM_RESP, 0, 99))  # to nothing that was said
        assert (await bad.text("447700909908")).status == 0
        bad.writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await bad.next()).status == Status.INVALID_COMMAND_LENGTH
        with pytest.raises(EOFError):
            await bad.next()

        assert (await good.text("447700909908")).status == 0


async def test_it_misbehaves_when_it_is_told_to(tmp_path: Path):
    async with simulator(tmp_path) as it:
        link = await Link.bound(it)
        await it.post("/misbehave", {"throttle": 2})
        assert [(await link.text("447700909908")).status for _ in range(3)] == [Status.THROTTLED, Status.THROTTLED, 0]

        await it.post("/misbehave", {"withhold_answers": 1})
        link.write(c.SUBMIT_SM, a_message("447700900001"))
        assert b"stat:DELIVRD" in text_of(await link.told())

        await it.post("/misbehave", {"refuse_binds": True})
        refused = await Link.connect(it)
        assert (await refused.ask(c.BIND_TRANSCEIVER, Bind("us"))).status == Status.BIND_FAILED
        await it.post("/misbehave", {"reset": True, "drop_link_after": 2})
        assert (await link.text("447700909908")).status == 0
        with pytest.raises((EOFError, ConnectionResetError)):
            await link.text("447700909908")
        assert (await it.get("/healthz"))["accepted"] == 4
        assert (await it.get("/misbehave"))["drop_link_after"] == 0


async def test_noise_in_place_of_an_answer_is_noise(tmp_path: Path):
    async with simulator(tmp_path) as it:
        link = await Link.bound(it)
        await it.post("/misbehave", {"garbage": 1})
        link.write(c.SUBMIT_SM, a_message("447700909908"))

        assert len(await link._reader.read(1000)) == 64
        assert (await it.get("/healthz"))["accepted"] == 1


async def test_a_handset_writes_what_it_is_told_to_who_texted_it_else_to_who_is_bound(tmp_path: Path):
    async with simulator(tmp_path) as it:

        async def write(to: str, text: str) -> tuple[int, dict[str, str]]:
            return await it.post("/replies", {"from": "+447700900123", "to": to, "text": text})

        assert await write("Acme", "Is anybody there?") == (409, {"error": "nobody_listens"})
        first, _ = await Link.bound(it, "first"), await Link.bound(it, "last")
        assert (await first.text("447700900001", registered_delivery=0)).status == 0

        assert await write("Acme", "Stop, please") == (201, {"way": "smpp", "told": "first"})
        reply = await first.told(Status.RECEIVER_TEMPORARY_ERROR)
        assert (reply.source, reply.source_ton, reply.destination) == ("447700900123", 1, "Acme")
        assert text_of(reply) == b"Stop, please"
        assert text_of(await first.told()) == b"Stop, please", "it was not heard"
        assert await write("+447700900999", "x" * 1000) == (201, {"way": "smpp", "told": "last"})
