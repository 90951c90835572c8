"""A recording of a node elsewhere is in one place at least, whatever breaks while it is brought."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse

from callsheet.voice.asterisk.remote import words
from callsheet.voice.asterisk.remote.files import RemoteFiles
from callsheet.voice.asterisk.remote.key import secret_of
from voice.asterisk.remote_nodes import KEY, running_center
from voice_nodes import until

TAPE = b"RIFF and the rest"


class Guest:
    """A node that does only what a test says."""

    def __init__(self, http: ClientSession, url: str) -> None:
        self._http = http
        self._url = url

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[ClientWebSocketResponse]:
        async with self._http.ws_connect(self._url + words.JOIN_PATH) as messages:
            await messages.send_str(words.write(words.Hello(words.VERSION, "one", 10)))
            yield messages

    async def put(self, data: object) -> int:
        async with self._http.put(f"{self._url}{words.RECORDINGS_PATH}tape", data=data) as answer:
            return answer.status


async def asked(messages: ClientWebSocketResponse) -> words.Bring:
    """Return the next request for a recording."""
    while True:
        word = words.read_to_node(await messages.receive_str())
        if isinstance(word, words.Bring):
            return word


@pytest.fixture
async def center(tmp_path):
    async with running_center(tmp_path) as center:
        await until(lambda: center._door is not None, "the door")
        yield center


@pytest.fixture
async def guest(center):
    login = base64.b64encode(f"east:{secret_of(KEY, 'east')}".encode()).decode()
    async with ClientSession(headers={"Authorization": f"Basic {login}"}) as http:
        yield Guest(http, f"http://127.0.0.1:{center._door.port}")


async def files_of(center) -> RemoteFiles:
    await until(lambda: "east" in center._door._helms and center._door._helms["east"].is_there, "the node")
    return center._door._files["east"]


async def test_one_that_was_brought_is_here_although_the_node_could_not_say_so(center, guest, tmp_path):
    async with guest.joined() as messages:
        files = await files_of(center)
        taking = asyncio.create_task(files.take_recording("tape"))
        await asked(messages)
        release = asyncio.Event()

        async def parts() -> AsyncIterator[bytes]:
            yield TAPE
            await release.wait()

        putting = asyncio.create_task(guest.put(parts()))
        await until(lambda: any((tmp_path / "brought").iterdir()), "the first part")
    await until(lambda: not center._door._helms["east"].is_there, "the news")
    async with guest.joined() as messages:
        again = await asked(messages)
        release.set()
        assert await putting == 204
        # By now the node has deleted it, and does not find it any more.
        await messages.send_str(words.write(words.Done(again.no, is_done=False)))

        assert (await taking).read_bytes() == TAPE
        # Who did not hear that it was taken brings it again, and may delete it then.
        assert await guest.put(TAPE) == 204


async def test_one_that_is_not_waited_for_any_more_stays_with_the_node(center, guest, tmp_path):
    async with guest.joined() as messages:
        files = await files_of(center)
        taking = asyncio.create_task(files.take_recording("tape"))
        await asked(messages)
        release = asyncio.Event()

        async def parts() -> AsyncIterator[bytes]:
            yield TAPE
            await release.wait()

        putting = asyncio.create_task(guest.put(parts()))
        await until(lambda: any((tmp_path / "brought").iterdir()), "the first part")
        taking.cancel()
        await asyncio.wait([taking])
        release.set()

        assert await putting == 409
        assert not list((tmp_path / "brought").iterdir())


async def test_one_that_the_node_does_not_have_is_nowhere(center, guest):
    async with guest.joined() as messages:
        files = await files_of(center)
        taking = asyncio.create_task(files.take_recording("tape"))
        word = await asked(messages)
        await messages.send_str(words.write(words.Done(word.no, is_done=False)))

        assert await taking is None
        assert await guest.put(TAPE) == 404
