"""A relay between a node and an engine: what a network is that breaks, and an address that outlives a process."""

import asyncio
from contextlib import suppress

EVERYTHING = b""


class Relay:
    """Takes connections on one port, and brings them to another; it can be cut, and mended.

    It knows connections by what they begin with, such as `GET /node`.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self._target = 0
        self._server: asyncio.Server | None = None
        self._near: dict[asyncio.StreamWriter, bytes] = {}
        """Those who connected, and what they began with."""
        self._far: dict[asyncio.StreamWriter, bytes] = {}
        self._halved: bytes | None = None

    async def mend(self, target: int) -> None:
        """Let connections through, to a port."""
        self._target = target
        if self._halved is not None:
            halved, self._halved = self._halved, None
            _abort(self._near, halved)
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def cut(self) -> None:
        """Break all connections, and take no new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        while self._near or self._far:
            for ends in (self._near, self._far):
                _abort(ends, EVERYTHING)
            await asyncio.sleep(0.01)

    def halve(self, beginning: bytes) -> None:
        """Break some connections at their far end only: who made them is not told, and hears nothing any more."""
        self._halved = beginning
        _abort(self._far, beginning)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._near[writer] = EVERYTHING
        try:
            # One that was taken a moment before the cut is cut as well.
            if self._server is not None:
                await self._take(reader, writer)
        finally:
            del self._near[writer]
            writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            line = self._near[writer] = await reader.readuntil(b"\r\n")
            if not self._is_halved(line):
                await self._bring(line, reader, writer)
            while self._is_halved(line) and await reader.read(65536):
                pass

    async def _bring(self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far = await asyncio.open_connection("127.0.0.1", self._target)
        self._far[far] = line
        far.write(line)
        pumps = [asyncio.create_task(_pump(reader, far)), asyncio.create_task(_pump(far_reader, writer))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            del self._far[far]
            far.close()

    def _is_halved(self, line: bytes) -> bool:
        return self._halved is not None and line.startswith(self._halved)


def _abort(ends: dict[asyncio.StreamWriter, bytes], beginning: bytes) -> None:
    for end, line in list(ends.items()):
        if line.startswith(beginning):
            end.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while octets := await reader.read(65536):
            writer.write(octets)
            await writer.drain()
