"""Feed a gateway by HTTP and take its callbacks: a child of `sms.py`, with as little work of its own as possible."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

from store import number_of

CONNECTIONS = 32
QUIET_SECONDS = 60
"""When no callback comes for so long, the rest is lost."""
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nACK/Jasmin"
"""Jasmin calls again unless it reads this; Kannel wants no more than the status."""

PATHS = {
    "Kannel": "/cgi-bin/sendsms?{who}&text={text}&dlr-mask=3&dlr-url={url}",
    # The last receipt alone, as Kannel calls back.
    "Jasmin": "/send?{who}&content={text}&dlr=yes&dlr-level=2&dlr-method=GET&dlr-url={url}",
}


class Callbacks(asyncio.Protocol):
    """Takes what a gateway says of receipts: a count is all that is kept."""

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
            self.seen.add(request.split(b" ", 2)[1].partition(b"?")[0])
        self._transport.write(ANSWER * len(whole))
        if len(self.seen) >= self.wanted:
            self.done.set()


class Feeder(asyncio.Protocol):
    """Hands one message after the other to a gateway."""

    def __init__(self, requests: Iterator[bytes], refusals: list[str]) -> None:
        self._refusals = refusals
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
        length = head.lower().partition(b"content-length:")[2].split()
        # Jasmin writes in chunks, of which the last is empty.
        whole = len(body) >= int(length[0]) if length else body.endswith(b"0\r\n\r\n")
        if not whole:
            return
        if not head.startswith((b"HTTP/1.1 20", b"HTTP/1.0 20")):
            self._refusals.append(body.decode("latin-1"))
            Callbacks.done.set()
            return
        self._rest = b""
        self._next()


def _requests(gateway: str, messages: int, callback_port: int) -> Iterator[bytes]:
    for index in range(messages):
        number = number_of(index)[1:]
        text = f"Dear+Ann%2C+your+parcel+{number[-8:]}+arrives+on+Monday."
        url = f"http%3A%2F%2F127.0.0.1%3A{callback_port}%2F{number}"
        who = f"username=tester&password=secret&from=15550100001&to={number}"
        path = PATHS[gateway].format(who=who, text=text, url=url)
        yield f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n".encode()


async def play(gateway: str, port: int, messages: int) -> None:
    """Say that we are ready, and after the word begin; tell the seconds."""
    loop = asyncio.get_running_loop()
    Callbacks.seen, Callbacks.wanted, Callbacks.done = set(), messages, asyncio.Event()
    server = await loop.create_server(Callbacks, "127.0.0.1", 0)
    requests = iter(list(_requests(gateway, messages, server.sockets[0].getsockname()[1])))
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    refusals: list[str] = []
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: Feeder(requests, refusals), "127.0.0.1", port)
    await _receipts()
    told = {"seconds": time.perf_counter() - began, "receipts": len(Callbacks.seen), "refusals": refusals}
    print(json.dumps(told), flush=True)


async def _receipts() -> None:
    """Wait for all callbacks, for as long as some come."""
    seen = -1
    while not Callbacks.done.is_set() and seen < len(Callbacks.seen):
        seen = len(Callbacks.seen)
        with suppress(TimeoutError):
            async with asyncio.timeout(QUIET_SECONDS):
                await Callbacks.done.wait()


if __name__ == "__main__":
    asyncio.run(play(**json.loads(sys.argv[1])))
