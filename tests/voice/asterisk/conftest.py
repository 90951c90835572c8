from collections.abc import AsyncIterator, Iterator

import pytest

from callsheet.clock import SystemClock
from callsheet.voice.asterisk.engine import AsteriskEngine
from ports import free_port
from voice.asterisk.calls import Told, dial_of, place, until
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
    await until(lambda: engine.room(TRUNK))
    yield engine
    await engine.close()


@pytest.fixture
def call(engine, phone_network):
    """Place a call to a phone of the network: `call("0001")`."""

    async def dial(ending: str, **options) -> Told:
        return await place(engine, TRUNK, dial_of(phone_network.number(ending), **options))

    return dial
