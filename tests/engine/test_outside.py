"""Whatever a stranger's URL says, resolves to or answers: nothing of ours is read, and nothing of ours waits for it."""

import asyncio
import socket
from typing import Any

import pytest
from aiohttp import web

from callsheet.core.asking import HeldBack, NotReached, Request
from callsheet.core.fence import Fence, is_public
from callsheet.engine.outside import Outside
from engine.receivers import receiver
from ports import deaf_port

OPEN = Fence(allow_private=True)
CLOSED = Fence()
PATIENCE = 60.0
"""Where something comes for certain, however slow the machine is."""


async def refuses(fence: Fence, url: str, **limits: Any) -> str:
    async with Outside(fence) as outside:
        with pytest.raises(NotReached) as caught:
            await outside.ask(Request("GET", url), **{"seconds": PATIENCE, "most_bytes": 1000, **limits})
    return str(caught.value)


async def hello(_: web.Request) -> web.Response:
    return web.Response(text="hello")


async def test_an_answer_comes_back():
    async with receiver(hello) as url, Outside(OPEN) as outside:
        answer = await outside.ask(Request("GET", url), seconds=PATIENCE, most_bytes=100)

    assert (answer.status, answer.body) == (200, b"hello")


@pytest.mark.parametrize(
    "host", ["localhost", "2130706433", "0x7f000001", "127.1", "0177.0.0.1", "0", "127.0.0.1", "[::ffff:127.0.0.1]"]
)
async def test_no_spelling_of_this_machine_gets_a_packet(host):
    asked = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    async with receiver(handle) as url:
        await refuses(CLOSED, f"http://{host}:{url.rpartition(':')[2]}/")

    assert asked == []


async def test_a_name_that_means_another_address_a_moment_later_is_looked_at_when_it_is_connected(monkeypatch):
    answers = iter(["93.184.215.14", "127.0.0.1", "127.0.0.1"])
    asked = []

    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    async with receiver(handle) as url:
        port = int(url.rpartition(":")[2])
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        assert socket.getaddrinfo("rebind.test", port)[0][4][0] == "93.184.215.14"
        assert "private network" in await refuses(CLOSED, f"http://rebind.test:{port}/")

    assert asked == []


class FirstOnly(Fence):
    """A fence for which one address of this machine is one of the internet."""

    __slots__ = ()

    def lets_through(self, address: str) -> bool:
        return address == "127.0.0.1" or is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.2", "localhost.localdomain", "[::1]", "169.254.169.254", "2130706434"])
async def test_a_redirect_leads_nobody_past_the_fence(host, monkeypatch):
    asked = []
    real = socket.getaddrinfo

    def resolve(name: str, *rest: Any, **more: Any) -> Any:
        return real("127.0.0.2" if name == "localhost.localdomain" else name, *rest, **more)

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.host)
        raise web.HTTPFound(f"http://{host}:{request.url.port}/latest/meta-data")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    async with receiver(handle, host="0.0.0.0") as url:
        await refuses(FirstOnly(), url, most_hops=3)

    assert len(asked) == 1


async def test_a_redirect_to_another_host_takes_no_secret_along():
    heard: dict[str, Any] = {}

    async def other(request: web.Request) -> web.Response:
        heard.update(request.headers, method=request.method, body=await request.text())
        return web.Response(text="there")

    async with receiver(other) as target:

        async def handle(_: web.Request) -> web.Response:
            raise web.HTTPTemporaryRedirect(target)

        async with receiver(handle) as url, Outside(OPEN) as outside:
            request = Request("POST", url, {"X-Api-Key": "secret"}, b"secret too")
            answer = await outside.ask(request, seconds=PATIENCE, most_bytes=100, most_hops=3)

    assert (answer.status, answer.body, heard["method"], heard["body"]) == (200, b"there", "POST", "")
    assert "X-Api-Key" not in heard


async def test_redirects_in_a_circle_end():
    async def handle(request: web.Request) -> web.Response:
        raise web.HTTPFound("/again")

    async with receiver(handle) as url:
        assert "more than 3 times" in await refuses(OPEN, url, most_hops=3)


async def test_a_body_without_an_end_is_cut_off():
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 10_000)

    async with receiver(handle) as url:
        assert "larger" in await refuses(OPEN, url, most_bytes=50_000)


async def test_a_small_answer_that_grows_when_it_is_unpacked_is_cut_off():
    async def handle(_: web.Request) -> web.Response:
        response = web.Response(body=b"0" * 5_000_000)
        response.enable_compression()
        return response

    async with receiver(handle) as url:
        assert "larger" in await refuses(OPEN, url, most_bytes=100_000)


async def test_a_server_that_drips_is_given_up_in_time():
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.05)

    async with receiver(handle) as url:
        assert "within 0.5 seconds" in await refuses(OPEN, url, seconds=0.5)


async def test_what_is_not_http_is_no_answer():
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"+OK redis\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert "not HTTP" in await refuses(OPEN, f"http://127.0.0.1:{port}/")


async def test_where_nobody_listens_nothing_is_reached():
    with deaf_port() as port:
        assert "does not take connections" in await refuses(OPEN, f"http://127.0.0.1:{port}/")
    assert "leads nowhere" in await refuses(OPEN, "http://nowhere.invalid/")


async def not_reached(
    url: str, *, method: str = "POST", body: bytes | None = b"x", seconds: float = PATIENCE
) -> NotReached:
    async with Outside(OPEN) as outside:
        with pytest.raises(NotReached) as caught:
            await outside.ask(Request(method, url, {}, body), seconds=seconds, most_bytes=10)
    return caught.value


async def test_what_never_had_a_connection_was_certainly_not_sent():
    with deaf_port() as port:
        nobody = await not_reached(f"http://127.0.0.1:{port}/")
    nowhere = await not_reached("http://nowhere.invalid/")

    async with receiver(hello) as url:
        not_tls = await not_reached(url.replace("http:", "https:"))

    assert [error.was_sent for error in (nobody, nowhere, not_tls)] == [False, False, False]


async def test_who_listens_and_never_takes_the_connection_was_sent_nothing():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
        assert not (await not_reached(url, seconds=0.5)).was_sent


async def test_what_went_out_and_got_no_answer_may_have_arrived():
    came = asyncio.Event()

    async def never(_: web.Request) -> web.Response:
        came.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def large(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * 100)

    async with receiver(never) as url, receiver(large) as large_url:
        seconds, unanswered = 0.5, await not_reached(url, seconds=0.5)
        while not came.is_set():  # the machine took so long that nothing had left
            seconds, unanswered = 4 * seconds, await not_reached(url, seconds=4 * seconds)
        assert unanswered.was_sent
        assert (await not_reached(large_url)).was_sent


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_a_request_that_broke_off_is_not_asked_again_by_itself(method):
    asked = []

    async def hang_up(request: web.Request) -> web.Response:
        asked.append(request.method)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with receiver(hang_up) as url:
        error = await not_reached(url, method=method)

    assert asked == [method]
    assert error.was_sent


async def test_who_waits_for_a_request_to_leave_is_told_before_the_answer_and_once():
    told: list[str] = []

    async def handle(_: web.Request) -> web.Response:
        told.append("asked")
        return web.Response()

    async with receiver(handle) as url, Outside(OPEN) as outside:
        request = Request("POST", url, {}, b"x")
        await outside.ask(request, seconds=PATIENCE, most_bytes=10, leave=lambda: told.append("left") is None)

    assert told == ["left", "asked"]


async def test_what_must_not_leave_any_more_is_not_asked():
    told: list[str] = []

    async def handle(_: web.Request) -> web.Response:
        told.append("asked")
        return web.Response()

    async with receiver(handle) as url, Outside(OPEN) as outside:
        with pytest.raises(HeldBack) as caught:
            await outside.ask(Request("POST", url, {}, b"x"), seconds=PATIENCE, most_bytes=10, leave=lambda: False)
        assert not caught.value.was_sent
        await outside.ask(Request("GET", url), seconds=PATIENCE, most_bytes=10)

    assert told == ["asked"]


async def test_what_is_forbidden_while_it_connects_is_not_asked():
    allowed = True
    came = b""
    connected = asyncio.Event()

    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The first octets of TLS come, and are not answered: it is connecting for as long as it is allowed to.
        nonlocal came
        await reader.read(1)
        connected.set()
        await asyncio.sleep(0.1)
        writer.close()
        came = await reader.read(100)

    def leave() -> bool:
        told.append(allowed)
        return allowed

    told: list[bool] = []
    server = await asyncio.start_server(stall, "127.0.0.1", 0)
    async with server, Outside(OPEN) as outside:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        asking = asyncio.create_task(outside.ask(Request("POST", url), seconds=PATIENCE, most_bytes=10, leave=leave))
        await connected.wait()
        assert not told, "it was asked for before there was a connection"
        allowed = False
        with pytest.raises(NotReached) as caught:
            await asking
        assert not caught.value.was_sent
