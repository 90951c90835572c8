"""A carrier that does what it likes: a socket that binds whoever comes, and then what the test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from callsheet.carriers.smpp import commands as c
from callsheet.carriers.smpp.pdu import Message, Pdu, answer_to, encode
from callsheet.carriers.smpp.stream import Decoder


class Link:
    """One connection that somebody bound."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.came: list[Pdu] = []
        self._decoder = Decoder()

    async def read(self, command: int = 0) -> Pdu:
        """Return the next PDU, or the next of a command; what came before that one is kept for the next reads.

        The other side may say several things at once, and nothing tells which of them comes first.
        """
        while True:
            for pdu in self.came:
                if command in (0, pdu.command):
                    self.came.remove(pdu)
                    return pdu
            data = await self.reader.read(65_536)
            if not data:
                raise ConnectionResetError
            self.came += self._decoder.feed(data)

    def say(self, pdu: Pdu) -> None:
        self.writer.write(encode(pdu))

    def deliver(self, sequence: int, text: bytes, number: str = "447700900001") -> None:
        self.say(Pdu(c.DELIVER_SM, sequence, 0, Message("", 1, 1, number, 1, 1, "447700900999", short_message=text)))


Play = Callable[[Link], Awaitable[None]]


@asynccontextmanager
async def playing(play: Play, before: Play | None = None) -> AsyncIterator[int]:
    """Listen on a free port, bind whoever comes, and play with each in turn; `before` its bind is answered too."""
    links: list[asyncio.StreamWriter] = []

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        links.append(writer)
        link = Link(reader, writer)
        try:
            bind = await link.read()
            if before is not None:
                await before(link)
            writer.write(answer_to(bind, "rogue"))
            await play(link)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(attend, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in links:
            writer.transport.abort()


async def polite(link: Link) -> None:
    """Answer every message and every question, until it unbinds."""
    while True:
        pdu = await link.read()
        if pdu.command == c.SUBMIT_SM:
            link.writer.write(answer_to(pdu, f"id-{pdu.sequence}"))
        elif not pdu.command & c.RESPONSE:
            link.writer.write(answer_to(pdu))
        if pdu.command == c.UNBIND:
            return
