"""A handset simulator in the process of a test, and a client that writes PDUs by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from callsheet.carriers.sandbox.simulator import simulating
from callsheet.carriers.sandbox.smpp_session import Account
from callsheet.carriers.smpp import commands as c
from callsheet.carriers.smpp.pdu import Bind, Message, Pdu, answer_to, encode
from callsheet.carriers.smpp.stream import Decoder
from callsheet.clock import SystemClock

PATIENCE_SECONDS = 30


class Simulator:
    """Where it listens, and plain calls to its HTTP port."""

    def __init__(self, smpp_port: int, http_port: int, session: aiohttp.ClientSession) -> None:
        self.smpp_port = smpp_port
        self.url = f"http://127.0.0.1:{http_port}"
        self._session = session
        self.links: list[Link] = []

    async def get(self, path: str) -> Any:
        async with self._session.get(self.url + path) as answer:
            return await answer.json()

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        async with self._session.post(self.url + path, json=body) as answer:
            return answer.status, await answer.json(content_type=None)


class Link:
    """One connection, PDU by PDU."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._decoder = Decoder()
        self._read: list[Pdu] = []
        self._sequence = 0

    @classmethod
    async def connect(cls, simulator: Simulator) -> Link:
        link = cls(*await asyncio.open_connection("127.0.0.1", simulator.smpp_port))
        simulator.links.append(link)
        return link

    @classmethod
    async def bound(cls, simulator: Simulator, system_id: str = "us", command: int = c.BIND_TRANSCEIVER) -> Link:
        link = await cls.connect(simulator)
        answer = await link.ask(command, Bind(system_id, "secret"))
        assert answer.status == 0
        return link

    def write(self, command: int, body: Any = None) -> int:
        self._sequence += 1
        self.writer.write(encode(Pdu(command, self._sequence, 0, body)))
        return self._sequence

    async def ask(self, command: int, body: Any = None) -> Pdu:
        """Write a request, and return its answer; what else comes meanwhile is for `next`."""
        sequence = self.write(command, body)
        put_back = []
        while (pdu := await self.next()).sequence != sequence or not pdu.command & c.RESPONSE:
            put_back.append(pdu)
        self._read = put_back + self._read
        return pdu

    async def text(self, to: str, octets: bytes = b"Hi", **fields: Any) -> Pdu:
        return await self.ask(c.SUBMIT_SM, a_message(to, octets, **fields))

    async def next(self) -> Pdu:
        """Return what comes next. Raises EOFError at the end of the connection."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self._read:
                data = await self._reader.read(65_536)
                if not data:
                    raise EOFError
                self._read += self._decoder.feed(data)
        return self._read.pop(0)

    async def told(self, status: int = 0) -> Message:
        """Return the next receipt or reply, and answer it."""
        while (pdu := await self.next()).command != c.DELIVER_SM:
            pass
        assert isinstance(pdu.body, Message)
        self.writer.write(answer_to(pdu, "", status))
        return pdu.body


def a_message(to: str, octets: bytes = b"Hi", **fields: Any) -> Message:
    fields = {"registered_delivery": 1, "source": "Acme", "source_ton": 5, **fields}
    return Message(destination=to, destination_ton=1, destination_npi=1, short_message=octets, **fields)


@asynccontextmanager
async def simulator(folder: Path, **options: Any) -> AsyncIterator[Simulator]:
    """Simulate handsets on free ports."""
    account = options.pop("account", Account())
    async with (
        simulating(
            folder / "ledger.db", SystemClock(), host="127.0.0.1", smpp_port=0, http_port=0, account=account, seed=1
        ) as ports,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_SECONDS)) as session,
    ):
        it = Simulator(ports.smpp_port, ports.http_port, session)
        yield it
        for link in it.links:
            link.writer.close()
            with suppress(ConnectionError):
                await link.writer.wait_closed()
