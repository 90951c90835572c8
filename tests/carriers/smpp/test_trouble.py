"""A carrier that answers garbage, too much, slowly or never: its session alone ends, and nothing is sent twice."""

import asyncio
from itertools import count

import pytest

from callsheet.carriers.base import Accepted, InvalidMessage, NoAnswer
from callsheet.carriers.smpp import commands as c
from callsheet.carriers.smpp.ear import MOST_HEARD
from callsheet.carriers.smpp.pdu import HEADER, Pdu, answer_to, encode
from callsheet.core.condition import State
from carriers.smpp.rig import bound, message, until
from carriers.smpp.rogue import Link, playing, polite

HEAD = 16


@pytest.mark.parametrize(
    "noise",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        HEADER.pack(7, c.ENQUIRE_LINK, 0, 1),
        HEADER.pack(1 << 31, c.DELIVER_SM, 0, 1),
        HEADER.pack(HEAD + 3, c.DELIVER_SM, 0, 1) + b"abc" + b"\0" * 64,
        bytes(range(256)) * 64,
    ],
    ids=["http", "too short", "too long", "broken", "all octets"],
)
async def test_garbage_ends_that_session_and_the_next_one_works(noise):
    turns = count()

    async def play(link: Link) -> None:
        if next(turns) == 0:
            await link.read(c.SUBMIT_SM)
            link.writer.write(noise)
            await link.read(c.UNBIND)
        await polite(link)

    async with playing(play) as port, bound(port) as rig:
        assert isinstance(await rig.send(message(1)), NoAnswer)
        await rig.until_bound()
        assert isinstance(await rig.send(message(2)), Accepted)


async def test_what_cannot_be_read_alone_is_refused_and_the_session_goes_on():
    async def play(link: Link) -> None:
        link.writer.write(HEADER.pack(HEAD + 3, c.DELIVER_SM, 0, 77) + b"abc")
        nack = await link.read(c.GENERIC_NACK)
        assert (nack.sequence, nack.status) == (77, 0x01)
        link.say(Pdu(0x00000777, 78, 0, b"what is this"))
        nack = await link.read(c.GENERIC_NACK)
        assert (nack.sequence, nack.status) == (78, 0x03)
        await polite(link)

    async with playing(play) as port, bound(port) as rig:
        assert await rig.send(message(1)) == Accepted("id-2", 1, ("id-2",))


async def test_answers_that_nobody_waits_for_change_nothing():
    async def play(link: Link) -> None:
        for sequence in (0, 5_000, 0xFFFFFFFF):
            for command in (c.SUBMIT_SM_RESP, c.GENERIC_NACK, c.BIND_TRANSCEIVER_RESP, c.DELIVER_SM_RESP, 0x80000999):
                link.say(Pdu(command, sequence, 0x0B))
        submit = await link.read(c.SUBMIT_SM)
        for status in (0, 0x0B, 0):
            link.say(Pdu(c.SUBMIT_SM_RESP, submit.sequence, status))
        await polite(link)

    async with playing(play) as port, bound(port) as rig:
        assert await rig.send(message(1)) == Accepted("", 1)
        assert await rig.send(message(2)) == Accepted("id-3", 1, ("id-3",))
        assert rig.carrier.condition()[:4] == (State.open, "", 1, 0)
    assert rig.heard == []


async def test_a_nack_to_a_message_is_a_definite_no():
    async def play(link: Link) -> None:
        submit = await link.read(c.SUBMIT_SM)
        link.say(Pdu(c.GENERIC_NACK, submit.sequence, 0x02))
        await polite(link)

    async with playing(play) as port, bound(port) as rig:
        answer = await rig.send(message(1))

    assert isinstance(answer, InvalidMessage)
    assert answer.code == "invalid_command_length"


async def test_a_carrier_that_fell_silent_is_asked_and_then_left():
    links = count(1)
    again = asyncio.Event()

    async def play(link: Link) -> None:
        if next(links) == 1:
            await link.read(c.ENQUIRE_LINK)
            await asyncio.sleep(60)
        again.set()
        await polite(link)

    async with playing(play) as port, bound(port, enquire_link_seconds=1, answer_seconds=0.5) as rig:
        await until(again.is_set)
        # A machine that stands still is taken for a silent carrier again, and another session follows.
        for number in count():
            await rig.until_bound()
            if isinstance(await rig.send(message(number)), Accepted):
                break


async def test_a_carrier_that_asks_whether_we_are_there_is_answered():
    async def play(link: Link) -> None:
        link.say(Pdu(c.ENQUIRE_LINK, 9))
        assert (await link.read(c.ENQUIRE_LINK_RESP)).sequence == 9
        await polite(link)

    async with playing(play) as port, bound(port) as rig:
        assert isinstance(await rig.send(message(1)), Accepted)


async def test_a_carrier_that_wants_to_go_answers_what_it_owes_first():
    turns = count(1)
    again = asyncio.Event()

    async def play(link: Link) -> None:
        if next(turns) == 1:
            first = await link.read(c.SUBMIT_SM)
            link.say(Pdu(c.UNBIND, 5))
            link.writer.write(answer_to(first, "owed"))
            assert (await link.read(c.UNBIND_RESP)).sequence == 5
            assert await link.reader.read() == b""
            return
        again.set()
        await polite(link)

    async with playing(play) as port, bound(port) as rig:
        assert await rig.send(message(1)) == Accepted("owed", 1, ("owed",))
        await until(again.is_set)
        await rig.until_bound()


async def test_what_was_heard_is_stored_and_acknowledged_before_we_unbind():
    said: list[tuple[int, int]] = []
    begin, heard = asyncio.Event(), asyncio.Event()

    async def play(link: Link) -> None:
        await begin.wait()
        link.deliver(5, b"STOP")
        link.say(Pdu(c.ENQUIRE_LINK, 6))
        await link.read(c.ENQUIRE_LINK_RESP)
        heard.set()
        for _ in range(2):
            pdu = await link.read()
            said.append((pdu.command, pdu.status))
        link.writer.write(answer_to(pdu))

    async with playing(play) as port, bound(port) as rig:
        rig.gate.clear()
        begin.set()
        await until(heard.is_set)
        asyncio.get_running_loop().call_later(0.3, rig.gate.set)

    assert said == [(c.DELIVER_SM_RESP, 0), (c.UNBIND, 0)]
    assert len(rig.heard) == 1


async def test_nobody_is_heard_before_we_are_bound():
    statuses: list[int] = []

    async def before(link: Link) -> None:
        link.deliver(5, b"STOP")
        statuses.append((await link.read(c.DELIVER_SM_RESP)).status)

    async with playing(polite, before) as port, bound(port) as rig:
        assert isinstance(await rig.send(message(1)), Accepted)

    assert statuses == [c.Status.INCORRECT_BIND]
    assert rig.heard == []


async def test_a_carrier_that_does_not_read_gets_no_more_than_its_window():
    async def play(link: Link) -> None:
        await asyncio.sleep(60)

    async with playing(play) as port, bound(port, answer_seconds=1, window=1000) as rig:
        answers = await rig.send_all([message(n, "x" * 160) for n in range(3000)])

    assert sum(isinstance(one, NoAnswer) for one in answers) <= 1000


async def test_a_reply_that_is_told_again_after_a_drop_is_one_and_two_equal_replies_are_two():
    turns = count(1)
    told = asyncio.Event()

    async def play(link: Link) -> None:
        if next(turns) == 1:
            link.deliver(1, b"1")
            link.deliver(2, b"1")
            link.say(Pdu(c.ENQUIRE_LINK, 3))
            await link.read(c.ENQUIRE_LINK_RESP)  # so it has read both
            return
        # It was answered nothing, and tells both again; then the person says it a third time.
        for sequence in (1, 2, 3):
            link.deliver(sequence, b"1")
        told.set()
        for _ in range(3):
            assert (await link.read(c.DELIVER_SM_RESP)).status == 0
        await polite(link)

    async with playing(play) as port, bound(port, sessions=0) as rig:
        rig.gate.clear()
        await until(told.is_set)
        rig.gate.set()
        await until(lambda: len(rig.heard) == 5)

    assert len({one.inbound_id for one in rig.heard}) == 3


async def test_a_reply_that_was_answered_long_before_the_drop_is_not_mistaken_for_a_repetition():
    turns = count(1)

    async def play(link: Link) -> None:
        link.deliver(1, b"1")
        await link.read(c.DELIVER_SM_RESP)
        if next(turns) == 1:
            await asyncio.sleep(2.2)
            return
        await polite(link)

    async with playing(play) as port, bound(port) as rig:
        await until(lambda: len(rig.heard) == 2)

    assert len({one.inbound_id for one in rig.heard}) == 2


async def test_a_link_that_is_cut_within_an_answer_is_a_dropped_link():
    async def play(link: Link) -> None:
        submit = await link.read(c.SUBMIT_SM)
        link.writer.write(answer_to(submit, "half")[:-3])
        await link.writer.drain()

    async with playing(play) as port, bound(port) as rig:
        answer = await rig.send(message(1))

    assert isinstance(answer, NoAnswer)
    assert answer.code == "link_dropped"


async def test_a_flood_of_what_cannot_be_read_ends_the_session():
    over = asyncio.Event()

    async def play(link: Link) -> None:
        if over.is_set():
            await polite(link)
        broken = encode(Pdu(c.DELIVER_SM, 1))
        link.writer.write(broken * 500)
        try:
            while await link.reader.read(65_536):
                pass
        finally:
            over.set()

    async with playing(play) as port, bound(port, sessions=0) as rig:
        await until(over.is_set)
        await rig.until_bound()
        assert isinstance(await rig.send(message(1)), Accepted)


async def test_what_there_is_no_room_for_is_kept_by_the_carrier_and_heard_when_it_is_told_again():
    over = 7
    everything = range(1, MOST_HEARD + over + 1)
    answers: dict[int, int] = {}
    shut, full, stored = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def tell(link: Link, sequence: int) -> None:
        link.deliver(sequence, f"Reply {sequence}".encode(), f"4477{sequence:08}")

    async def play(link: Link) -> None:
        await shut.wait()
        for sequence in everything:
            tell(link, sequence)
        for _ in range(2):  # What was said before the first question is answered before the second.
            link.say(Pdu(c.ENQUIRE_LINK, 1))
            while (pdu := await link.read()).command != c.ENQUIRE_LINK_RESP:
                answers[pdu.sequence] = pdu.status
        full.set()
        await stored.wait()
        for sequence in answers:
            tell(link, sequence)
        await polite(link)

    async with playing(play) as port, bound(port, sessions=0) as rig:
        rig.gate.clear()
        shut.set()
        await until(full.is_set)
        rig.gate.set()
        assert list(answers.values()) == [c.Status.RECEIVER_TEMPORARY_ERROR] * over
        await until(lambda: len(rig.heard) == MOST_HEARD)
        stored.set()
        await until(lambda: len(rig.heard) == len(everything))

    assert sorted(one.text for one in rig.heard) == sorted(f"Reply {sequence}" for sequence in everything)
