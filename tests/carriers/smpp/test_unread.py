"""A carrier that asks and asks and reads no answer: its session ends before what we would say fills the memory."""

import asyncio
import random
import socket

from callsheet.carriers.smpp import commands as c
from callsheet.carriers.smpp.account import SmppAccount
from callsheet.carriers.smpp.ear import Ear
from callsheet.carriers.smpp.pdu import HEADER_OCTETS, Pdu, answer_to, encode
from callsheet.carriers.smpp.session import MOST_UNSENT_OCTETS, Role, Session
from callsheet.clock import SystemClock

QUESTIONS = 4096
"""Are asked at once; the answer to each is a header."""


async def test_a_carrier_that_reads_nothing_is_left_before_its_answers_fill_the_memory():
    account, clock = SmppAccount(host="smsc.example", system_id="us"), SystemClock()
    session = Session(account, Role.transceiver, clock, Ear(account, clock, random.Random(1)))
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    transport, _ = await loop.create_connection(lambda: session, sock=ours)
    await loop.sock_sendall(theirs, answer_to(Pdu(c.BIND_TRANSCEIVER, 1), "smsc"))
    assert await session.bound == "smsc"

    question = encode(Pdu(c.ENQUIRE_LINK, 1))
    asked = unsent = 0
    with theirs:
        while asked * HEADER_OCTETS < 2 * MOST_UNSENT_OCTETS and not session.gone.is_set():
            try:
                await loop.sock_sendall(theirs, question * QUESTIONS)
            except ConnectionError:
                break
            asked += QUESTIONS
            unsent = max(unsent, transport.get_write_buffer_size())
    assert session.gone.is_set()
    assert session.why == "it does not read what it is sent"
    assert MOST_UNSENT_OCTETS / 2 < unsent <= MOST_UNSENT_OCTETS + HEADER_OCTETS
    assert session.out.in_flight == 0
