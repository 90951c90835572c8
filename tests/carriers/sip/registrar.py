"""A small SIP server for test calls: it answers OPTIONS, and lets those register who know the password."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

USER, PASSWORD, REALM = "alice", "wonder;land", "pbx.example"


@dataclass(slots=True)
class Registrar:
    """What it does, and what it heard."""

    options: str = "200 OK"
    drops: int = 0
    """So many requests get lost first."""
    algorithm: str = "MD5"
    qop: str = ', qop="auth"'
    heard: list[str] = field(default_factory=list)
    port: int = 0

    def answer(self, message: bytes) -> bytes | None:
        """Answer one request."""
        lines = message.decode().split("\r\n")
        method = lines[0].split()[0]
        self.heard.append(message.decode())
        if self.drops:
            self.drops -= 1
            return None
        status, more = (self.options, []) if method == "OPTIONS" else self._let_in(lines)
        kept = [line for line in lines if re.match(r"(Via|From|To|Call-ID|CSeq):", line)]
        return "\r\n".join([f"SIP/2.0 {status}", *kept, *more, "Content-Length: 0", "", ""]).encode()

    def _let_in(self, lines: list[str]) -> tuple[str, list[str]]:
        header = next((line for line in lines if line.startswith("Authorization:")), None)
        if header is None:
            ask = f'Digest realm="{REALM}", nonce="n0nce"{self.qop}, algorithm={self.algorithm}, opaque="op"'
            return "401 Unauthorized", [f"WWW-Authenticate: {ask}"]
        said = {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^", ]+))', header)}
        named = "sha256" if self.algorithm == "SHA-256" else "md5"

        def of(*parts: str) -> str:
            return hashlib.new(named, ":".join(parts).encode()).hexdigest()

        between = (said["nc"], said["cnonce"], said["qop"]) if "qop" in said else ()
        due = of(of(USER, REALM, PASSWORD), "n0nce", *between, of("REGISTER", lines[0].split()[1]))
        is_right = said["username"] == USER and said["response"] == due
        return ("200 OK", []) if is_right else ("403 Forbidden", [])


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, registrar: Registrar) -> None:
        self.registrar = registrar

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data, addr) -> None:
        if (answer := self.registrar.answer(data)) is not None:
            self.transport.sendto(b"SIP/2.0 100 Trying\r\n\r\n", addr)
            self.transport.sendto(answer, addr)


@asynccontextmanager
async def by_udp(registrar: Registrar) -> AsyncIterator[Registrar]:
    """Let it listen on UDP."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(registrar), local_addr=("127.0.0.1", 0))
    registrar.port = transport.get_extra_info("sockname")[1]
    try:
        yield registrar
    finally:
        transport.close()


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def by_tcp(registrar: Registrar, talk: Talk | None = None, tls=None) -> AsyncIterator[Registrar]:
    """Let it listen on TCP, or TLS, and answer in pieces."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while message := await reader.readuntil(b"\r\n\r\n"):
            said = registrar.answer(message) or b""
            for part in (b"\r\n\r\n", said[:30], said[30:]):
                writer.write(part)
                await writer.drain()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await (talk or answer)(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0, ssl=tls)
    registrar.port = server.sockets[0].getsockname()[1]
    try:
        yield registrar
    finally:
        server.close()
