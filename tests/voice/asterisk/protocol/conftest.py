"""An engine, and a node that does as a test tells it."""

from collections.abc import AsyncIterator

import pytest

from callsheet.clock import SystemClock
from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.engine import AsteriskEngine
from callsheet.voice.asterisk.patience import Patience
from voice.asterisk.calls import until
from voice.asterisk.scripted_node import PLACE, ScriptedNode, scripted_node

TRUNK = SipTrunk("tr-1", "192.0.2.1", 5060)
SELDOM = Patience(watch_seconds=3600, closing_seconds=0)


@pytest.fixture
def patience() -> Patience:
    """Compare what the node has with what we have when it connects, and not again while a test runs."""
    return SELDOM


@pytest.fixture
async def engine(patience) -> AsyncIterator[AsteriskEngine]:
    engine = AsteriskEngine(SystemClock(), patience=patience)
    engine.let_in(PLACE)
    engine.use([TRUNK])
    await engine.open()
    yield engine
    await engine.close()


@pytest.fixture
async def node(engine) -> AsyncIterator[ScriptedNode]:
    async with scripted_node(engine.port) as node:
        await until(lambda: engine.room(TRUNK.id))
        yield node
