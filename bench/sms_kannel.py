"""Feed Kannel by `sendsms` and take its callbacks: a child of `sms.py`, with as little work of its own as possible."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator

from store import number_of

CONNECTIONS = 32
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Callbacks(asyncio.Protocol):
    """Takes what Kannel says of receipts: a count is all that is kept."""

    seen: set[bytes]
    wanted: int
    done: asyncio.Event

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        *whole, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for request in whole:
            self.seen.add(request.partition(b" ")[2].partition(b" ")[0])
        self._transport.write(ANSWER * len(whole))
        if len(self.seen) >= self.wanted:
            self.done.set()


class Feeder(asyncio.Protocol):
    """Hands one message after the other to smsbox."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self._requests = requests
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._rest += data
        head, found, body = self._rest.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        if len(body) < length:
            return
        if not head.startswith((b"HTTP/1.1 202", b"HTTP/1.0 202")):
            raise RuntimeError(f"Kannel refused: {body!r}")
        self._rest = body[length:]
        self._next()


def _requests(messages: int, callback_port: int) -> Iterator[bytes]:
    for index in range(messages):
        number = number_of(index)[1:]
        text = f"Dear+Ann%2C+your+parcel+{number[-8:]}+arrives+on+Monday."
        url = f"http%3A%2F%2F127.0.0.1%3A{callback_port}%2F{number}"
        path = (
            "/cgi-bin/sendsms?username=tester&password=secret&from=15550100001"
            f"&to={number}&text={text}&dlr-mask=3&dlr-url={url}"
        )
        yield f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n".encode()


async def play(port: int, messages: int) -> None:
    """Say that we are ready, and after the word begin; tell the seconds."""
    loop = asyncio.get_running_loop()
    Callbacks.seen, Callbacks.wanted, Callbacks.done = set(), messages, asyncio.Event()
    server = await loop.create_server(Callbacks, "127.0.0.1", 0)
    requests = iter(list(_requests(messages, server.sockets[0].getsockname()[1])))
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: Feeder(requests), "127.0.0.1", port)
    await Callbacks.done.wait()
    print(json.dumps({"seconds": time.perf_counter() - began, "receipts": len(Callbacks.seen)}), flush=True)


if __name__ == "__main__":
    asyncio.run(play(**json.loads(sys.argv[1])))
