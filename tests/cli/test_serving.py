"""What a server says leaves at once: a client that waits for an answer waits for nothing else."""

import asyncio
import socket

import pytest

from callsheet.cli.serving import _bound
from callsheet.folder import DataFolder


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_an_answer_does_not_wait_for_the_other_side_to_acknowledge_its_beginning(host, tmp_path):
    delays = asyncio.get_running_loop().create_future()

    def look(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        delays.set_result(not writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with _bound(host, 0, DataFolder(tmp_path)) as listener:
        server = await asyncio.start_server(look, sock=listener)
        _, writer = await asyncio.open_connection(*listener.getsockname()[:2])

        assert not await delays

        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()
