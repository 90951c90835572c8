"""Who sends a body that is refused hears why, over a real connection, and is not cut off while sending."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import uvicorn

from api.callers import V2
from callsheet.api.app import build
from callsheet.api.json_body import MOST_BYTES

# What happens at the door is the same whatever database lies behind it.
pytestmark = pytest.mark.parametrize("served_database", ["sqlite"], indirect=True)

LARGE = 24 * MOST_BYTES
"""More than the buffers of both ends hold."""


@pytest_asyncio.fixture(loop_scope="session")
async def port(server) -> AsyncIterator[int]:
    """Serve the API on a port of this machine."""
    config = uvicorn.Config(build(server.runtime), host="127.0.0.1", port=0, log_config=None, lifespan="off")
    listening = uvicorn.Server(config)
    serving = asyncio.create_task(listening.serve())
    while not listening.started:
        await asyncio.sleep(0.01)
    yield listening.servers[0].sockets[0].getsockname()[1]
    listening.should_exit = True
    await serving


async def post(shop, port: int, body: bytes, *headers: str, path: str = "") -> bytes:
    """Send a whole request before reading, as plain clients and proxies do, and return the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = (
        f"POST {path or f'{V2}/{shop.app_id}/campaign'} HTTP/1.1",
        "host: callsheet.test",
        "connection: close",
        *headers,
    )
    writer.write("\r\n".join((*lines, "", "")).encode() + body)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_body_of_a_length_that_is_too_large(shop, port):
    answer = await post(shop, port, b" " * LARGE, f"auth: {shop.token()}", f"content-length: {LARGE}")

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"body_too_large" in answer


async def test_a_body_that_grows_too_large(shop, port):
    chunks = b"%x\r\n%b\r\n" % (LARGE, b" " * LARGE) + b"0\r\n\r\n"

    answer = await post(shop, port, chunks, f"auth: {shop.token()}", "transfer-encoding: chunked")

    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_body_of_somebody_who_may_not_call(shop, port):
    answer = await post(shop, port, b" " * LARGE, f"content-length: {LARGE}")

    assert answer.startswith(b"HTTP/1.1 401 ")


async def test_a_file_for_a_list_that_is_not_there(shop, port):
    path = f"/v1/apps/{shop.app_id}/contact-lists/cl-nothing/imports"

    answer = await post(shop, port, b" " * LARGE, f"auth: {shop.token()}", f"content-length: {LARGE}", path=path)

    assert answer.startswith(b"HTTP/1.1 404 ")


async def test_who_asks_before_sending_is_told_at_once(shop, port):
    answer = await post(shop, port, b"", f"auth: {shop.token()}", f"content-length: {LARGE}", "expect: 100-continue")

    assert answer.startswith(b"HTTP/1.1 413 ")
