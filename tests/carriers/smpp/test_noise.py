"""Whatever octets come on a bound session: nothing breaks, every message is answered once, and nothing grows."""

import asyncio
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from callsheet.carriers.base import Outbound
from callsheet.carriers.smpp import commands as c
from callsheet.carriers.smpp.account import SmppAccount
from callsheet.carriers.smpp.ear import Ear
from callsheet.carriers.smpp.pdu import HEADER, HEADER_OCTETS, Pdu, answer_to
from callsheet.carriers.smpp.sending import Sending
from callsheet.carriers.smpp.session import MOST_UNREADABLE, Role, Session
from callsheet.carriers.smpp.submits import Submits
from callsheet.clock import SystemClock
from carriers.smpp.rig import message

ACCOUNT = SmppAccount(host="smsc.example", system_id="us", window=4)
COMMANDS = [value for name, value in vars(c).items() if name.isupper() and isinstance(value, int) and value > 0xFF]
KNOWN = st.sampled_from([*COMMANDS, *range(1, 16), c.SUBMIT_SM_RESP, c.DELIVER_SM])
FRAMES = st.builds(
    lambda command, status, sequence, body: HEADER.pack(HEADER_OCTETS + len(body), command, status, sequence) + body,
    KNOWN | st.integers(0, 0xFFFFFFFF),
    st.sampled_from([0, 0, 0x58, 0x0B, 0x14]) | st.integers(0, 0xFFFFFFFF),
    st.integers(0, 8) | st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=64),
)


class Wire(asyncio.Transport):
    """A transport that goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self._closing = False

    def write(self, data: Any) -> None:
        assert not self._closing
        self.written.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    abort = close


@given(st.lists(FRAMES | st.binary(max_size=40), max_size=30), st.integers(1, 64))
def test_a_session_bears_everything(frames: list[bytes], bite: int) -> None:
    asyncio.run(_bear(b"".join(frames), bite))


async def _bear(octets: bytes, bite: int) -> None:
    clock, rng = SystemClock(), random.Random(1)
    ear = Ear(ACCOUNT, clock, rng)
    session, wire, submits = Session(ACCOUNT, Role.transceiver, clock, ear), Wire(), Submits(ACCOUNT, clock, rng)
    session.connection_made(wire)
    session.data_received(answer_to(Pdu(c.BIND_TRANSCEIVER, 1), "smsc"))
    answers: dict[str, list[Any]] = {}

    def submit(one: Outbound) -> None:
        told = answers.setdefault(one.reference, [])
        parts = submits.write(one)
        session.submit(Sending(one, parts, lambda: True, told.append, clock.monotonic() + 10))

    for number in range(6):
        submit(message(number, "x" * 400 if number % 2 else "Hi", segments=3 if number % 2 else 1))
    await asyncio.sleep(0)
    for at in range(0, len(octets), bite):
        session.data_received(octets[at : at + bite])
        await asyncio.sleep(0)
    session.connection_lost(None)
    assert [len(told) for told in answers.values()] == [1] * 6
    assert session.out.in_flight == session.out.load == 0
    assert len(wire.written) < 20 + MOST_UNREADABLE + len(octets) // HEADER_OCTETS
