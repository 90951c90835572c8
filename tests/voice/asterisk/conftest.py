from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import ClientSession

from callsheet.clock import SystemClock
from callsheet.voice.asterisk.embedded import EmbeddedAsterisk
from callsheet.voice.asterisk.engine import AsteriskEngine
from ports import free_port
from voice.asterisk.calls import Told, dial_of, place, until
from voice.asterisk.guests import Guest, guest_of, logged_in
from voice.asterisk.remote_nodes import running_center
from voice.asterisk.voice_node import TRUNK, VoiceNode, running_voice_node


@pytest.fixture(scope="session")
def voice_node(phone_network) -> Iterator[VoiceNode]:
    """Run one node for all tests: it dials in to the engine of each."""
    with running_voice_node("first", free_port(), phone_network) as node:
        yield node


@pytest.fixture
async def engine(voice_node) -> AsyncIterator[AsteriskEngine]:
    """Open an engine that the node has connected to."""
    engine = AsteriskEngine(SystemClock(), port=voice_node.port)
    engine.let_in(voice_node.place)
    engine.use([voice_node.trunk])
    await engine.open()
    try:
        await until(lambda: engine.room(TRUNK))
        yield engine
    finally:
        await engine.close()


@pytest.fixture
def call(engine, phone_network):
    """Place a call to a phone of the network: `call("0001")`."""

    async def dial(ending: str, **options) -> Told:
        return await place(engine, TRUNK, dial_of(phone_network.number(ending), **options))

    return dial


@pytest.fixture
async def center(tmp_path) -> AsyncIterator[EmbeddedAsterisk]:
    """Run an engine that lets nodes in, and has none."""
    async with running_center(tmp_path) as center:
        await until(lambda: center._door is not None)
        yield center


@pytest.fixture
async def guest(center) -> AsyncIterator[Guest]:
    """Return a node without an Asterisk, named east, that does what a test says."""
    async with ClientSession(headers=logged_in("east")) as http:
        yield guest_of(http, center._door.port)
