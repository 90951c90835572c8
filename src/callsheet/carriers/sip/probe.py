"""A test call to a SIP trunk: ask whether a server is there (OPTIONS), and whether it knows us (REGISTER).

The REGISTER has no Contact: it asks what is registered and changes nothing (RFC 3261, section 10.2.3). Nobody is
called.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Final, cast

from callsheet.account import Place
from callsheet.carriers.base import Probe
from callsheet.carriers.sip.account import SipAccount
from callsheet.carriers.sip.requests import LONGEST_ANSWER, Answer, Asking, authorize, read_answer, written
from callsheet.clock import Clock
from callsheet.core.fence import Fence
from callsheet.core.sip import Transport

ANSWER_SECONDS: Final = 8.0
"""So long each of two requests may take, so that both end within the time of a test call."""
FIRST_REPEAT_SECONDS: Final = 0.5
LONGEST_REPEAT_SECONDS: Final = 4.0
"""Over UDP a request is repeated: T1 and T2 of RFC 3261, section 17.1.1.1."""
_CHALLENGES: Final = (401, 407)


class _NotThere(Exception):
    """Nobody answered; the sentence says why."""


class SipProber:
    """Tries whether a SIP account works."""

    def __init__(self, account: SipAccount, clock: Clock, fence: Fence) -> None:
        self._account = account
        self._clock = clock
        self._fence = fence

    async def probe(self) -> Probe:
        """Ask, without calling anybody."""
        account = self._account
        hop = account.next_hop
        tried = f"{written(hop.host)}:{hop.port} by {account.transport.value.upper()}"
        try:
            wire = await self._connect(hop)
        except _NotThere as error:
            return Probe(ok=False, said=f"Tried {tried}: {error}.")
        try:
            return await self._ask(wire, tried)
        except _NotThere as error:
            return Probe(ok=False, said=f"Tried {tried}: {error}.")
        finally:
            wire.close()

    async def _ask(self, wire: _Wire, tried: str) -> Probe:
        account = self._account
        asking = Asking(account.place, account.transport, wire.ours, account.username)
        answer = await wire.ask(self._clock, asking, asking.write("OPTIONS"))
        said = f"Asked {tried} (OPTIONS): it answered {answer.line}."
        if not account.registers:
            how = "password" if account.username else "address"
            ok = answer.status < 500
            return Probe(ok=ok, said=f"{said} It should know us by our {how}: the first call shows it.")
        # A registration has a dialog of its own.
        asking = Asking(account.place, account.transport, wire.ours, account.username)
        answer = await wire.ask(self._clock, asking, asking.write("REGISTER"))
        if answer.status in _CHALLENGES:
            password = account.password.get_secret_value()
            shown = authorize(answer, asking, account.username, password, account.realm)
            if shown is None:
                return Probe(ok=False, said=f"{said} It asks for a password in a way that we do not know (REGISTER).")
            answer = await wire.ask(self._clock, asking, asking.write("REGISTER", shown))
        ok = 200 <= answer.status < 300
        what = "It knows us" if ok else "It does not let us in"
        return Probe(ok=ok, said=f"{said} {what}: {answer.line} (REGISTER).")

    async def _connect(self, hop: Place) -> _Wire:
        """Connect to the first address that may be called and that lets us. Raises _NotThere."""
        is_udp = self._account.transport is Transport.udp
        kind = socket.SOCK_DGRAM if is_udp else socket.SOCK_STREAM
        try:
            found = await asyncio.get_running_loop().getaddrinfo(hop.host, hop.port, type=kind)
        except (OSError, UnicodeError):
            raise _NotThere(f"the name {hop.host} leads nowhere") from None
        addresses = [str(place[0]) for *_, place in found if self._fence.lets_through(str(place[0]))]
        if not addresses:
            raise _NotThere("it leads to a private address, which is not called")
        why = ""
        for address in addresses:
            try:
                async with asyncio.timeout(ANSWER_SECONDS / len(addresses)):
                    return await (_by_udp(address, hop.port) if is_udp else self._by_stream(address, hop))
            except (OSError, ssl.SSLError) as error:
                why = _why(error)
        raise _NotThere(why)

    async def _by_stream(self, address: str, hop: Place) -> _Wire:
        account, context = self._account, None
        if account.transport is Transport.tls:
            context = ssl.create_default_context(cadata=account.ca_certificate or None)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if not account.verify_certificate:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        loop = asyncio.get_running_loop()
        name = hop.host if context is not None else None
        _, wire = await loop.create_connection(_Stream, address, hop.port, ssl=context, server_hostname=name)
        return wire


class _Wire:
    """What a request goes over, and what comes back."""

    repeats = False

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Answer | str] = asyncio.Queue()
        """Answers; a text: why none comes any more."""
        self.ours = ""

    def send(self, data: bytes) -> None:
        """Send a request."""
        raise NotImplementedError

    def close(self) -> None:
        """End it."""
        raise NotImplementedError

    async def ask(self, clock: Clock, asking: Asking, request: bytes) -> Answer:
        """Send a request, and again where it may be lost; return the final answer. Raises _NotThere."""
        again = asyncio.get_running_loop().create_task(self._send(clock, request))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                while True:
                    heard = await self.heard.get()
                    if isinstance(heard, str):
                        raise _NotThere(heard)
                    if heard.is_final and asking.is_answer(heard):
                        return heard
        except TimeoutError:
            raise _NotThere(f"it did not answer within {ANSWER_SECONDS:g} seconds") from None
        finally:
            again.cancel()

    async def _send(self, clock: Clock, request: bytes) -> None:
        self.send(request)
        pause = FIRST_REPEAT_SECONDS
        while self.repeats:
            await clock.sleep(pause)
            self.send(request)
            pause = min(2 * pause, LONGEST_REPEAT_SECONDS)


class _Datagrams(_Wire, asyncio.DatagramProtocol):
    repeats = True
    _transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self.ours = cast("asyncio.DatagramTransport", transport), _ours(transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        del addr
        if (answer := read_answer(data)) is not None:
            self.heard.put_nowait(answer)

    def error_received(self, exc: Exception) -> None:
        self.heard.put_nowait(_why(exc))

    def send(self, data: bytes) -> None:
        self._transport.sendto(data)

    def close(self) -> None:
        self._transport.close()


class _Stream(_Wire, asyncio.Protocol):
    _transport: asyncio.Transport

    def __init__(self) -> None:
        super().__init__()
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self.ours = cast("asyncio.Transport", transport), _ours(transport)

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while (end := self._rest.find(b"\r\n\r\n")) >= 0:
            head = self._rest[: end + 4]
            answer = read_answer(head.lstrip(b"\r\n"))
            length = answer.headers.get("content-length", ("0",))[0] if answer is not None else "0"
            whole = len(head) + (int(length) if length.isdecimal() and len(length) < 6 else 0)
            if len(self._rest) < whole:
                break
            self._rest = self._rest[whole:]
            if answer is not None:
                self.heard.put_nowait(answer)
        if len(self._rest) > LONGEST_ANSWER:
            self.heard.put_nowait("what it says is no SIP")
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.heard.put_nowait("it ended the connection without an answer")

    def send(self, data: bytes) -> None:
        self._transport.write(data)

    def close(self) -> None:
        self._transport.abort()


async def _by_udp(address: str, port: int) -> _Wire:
    _, wire = await asyncio.get_running_loop().create_datagram_endpoint(_Datagrams, remote_addr=(address, port))
    return wire


def _ours(transport: asyncio.BaseTransport) -> str:
    host, port, *_ = transport.get_extra_info("sockname")
    return f"{written(host)}:{port}"


def _why(error: BaseException) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS failed: {error.reason or 'it broke off'}"
        case TimeoutError():
            return "it does not answer"
        case ConnectionRefusedError():
            return "nobody listens there"
        case _:
            return f"it cannot be reached ({type(error).__name__})"
