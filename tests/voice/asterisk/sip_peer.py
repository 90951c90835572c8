"""A provider that misbehaves: as little of SIP as it takes, over UDP, written down as it comes."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

Headers = dict[str, str]
GARBAGE = (b"", b"\x00" * 40, b"SIP/2.0 999999999999 \xff\r\n\r\n", b"INVITE sip:x SIP/2.0\r\nVia: \r\n\r\n")
SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"


class SipPeer(asyncio.DatagramProtocol):
    """Rings, and then does what it is told."""

    def __init__(self) -> None:
        self.port = 0
        self.got: list[str] = []
        """The methods of requests, in order; those that are sent again only once."""
        self.says: list[str] = ["180 Ringing"]
        """What it answers to INVITE, in order; `GARBAGE`: what nobody can read."""
        self.registers = ""
        """What it answers to REGISTER, a status and perhaps a header; empty: nothing at all."""
        self.answers_when_cancelled = False
        """200 to an INVITE that was cancelled a moment ago."""
        self._tag = secrets.token_hex(4)
        self._invite: Headers = {}
        self._from = ("", 0)
        self._seen: set[tuple[str, str]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        first, *lines = data.decode(errors="replace").split("\r\n\r\n")[0].split("\r\n")
        if first.startswith("SIP/2.0"):
            return
        method = first.split()[0]
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        key = (headers["call-id"], headers["cseq"])
        if key not in self._seen:
            self._seen.add(key)
            self.got.append(method)
        elif method != "ACK":
            return  # it is sent again
        self._from = address
        if method == "INVITE":
            self._invite = headers
            for said in self.says:
                self.say(said)
        elif method == "CANCEL":
            self._send(headers, "200 OK")
            self.say("200 OK" if self.answers_when_cancelled else "487 Request Terminated")
        elif method == "REGISTER" and self.registers:
            self._send(headers, self.registers)
        elif method in ("BYE", "OPTIONS"):
            self._send(headers, "200 OK")

    def say(self, status: str) -> None:
        """Answer the INVITE."""
        if status == "GARBAGE":
            for octets in (
                b"",
                b"\x00" * 40,
                b"SIP/2.0 999999999999 \xff\r\n\r\n",
                b"INVITE sip:x SIP/2.0\r\nVia: \r\n\r\n",
            ):
                self.transport.sendto(octets, self._from)
        else:
            self._send(self._invite, status, SDP.format(port=self.port) if status.startswith("200") else "")

    def hang_up(self) -> None:
        """Say BYE, whether the call is there or not."""
        invite, number = self._invite, secrets.token_hex(4)
        uri = invite["contact"].split("<")[-1].split(">")[0]
        lines = [
            f"BYE {uri} SIP/2.0", f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{number};rport",
            "Max-Forwards: 70", f"From: {invite['to']};tag={self._tag}", f"To: {invite['from']}",
            f"Call-ID: {invite['call-id']}", "CSeq: 7 BYE", "Content-Length: 0", "", "",
        ]  # fmt: skip
        self.transport.sendto("\r\n".join(lines).encode(), self._from)

    def _send(self, request: Headers, status: str, body: str = "") -> None:
        to = request["to"] if "tag=" in request["to"] else f"{request['to']};tag={self._tag}"
        lines = [
            f"SIP/2.0 {status}", f"Via: {request['via']}", f"From: {request['from']}", f"To: {to}",
            f"Call-ID: {request['call-id']}", f"CSeq: {request['cseq']}", f"Contact: <sip:peer@127.0.0.1:{self.port}>",
            *(["Content-Type: application/sdp"] if body else []), f"Content-Length: {len(body)}", "", body,
        ]  # fmt: skip
        self.transport.sendto("\r\n".join(lines).encode(), self._from)


@asynccontextmanager
async def sip_peer(port: int) -> AsyncIterator[SipPeer]:
    """Run one until the block ends."""
    loop = asyncio.get_running_loop()
    transport, peer = await loop.create_datagram_endpoint(SipPeer, local_addr=("127.0.0.1", port))
    try:
        yield peer
    finally:
        transport.close()
