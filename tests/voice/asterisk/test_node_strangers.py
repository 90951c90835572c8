"""Who may connect as a node, and whose audio is taken."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from callsheet.clock import SystemClock
from callsheet.voice.asterisk.channel import Channel
from callsheet.voice.asterisk.engine import AsteriskEngine
from callsheet.voice.asterisk.place import NodePlace
from voice.asterisk.calls import until
from voice.asterisk.scripted_node import PLACE, channel, login, scripted_node


@pytest.fixture
async def engine() -> AsyncIterator[AsteriskEngine]:
    engine = AsteriskEngine(SystemClock())
    engine.let_in(PLACE)
    await engine.open()
    yield engine
    await engine.close()


@pytest.mark.parametrize("password", ["", "wrong", f"{PLACE.secret} "])
async def test_a_node_with_another_secret_is_not_let_in(engine, password):
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with scripted_node(engine.port, password):
            pass

    assert refused.value.status == 401
    assert not engine._nodes.connected()


@pytest.mark.parametrize("header", [None, "", "Basic", "Basic !!!", "Bearer x", "Basic bm9ib2R5Og=="])
@pytest.mark.parametrize("path", ["/node", "/media"])
async def test_a_stranger_is_not_let_in(engine, header, path):
    headers = {} if header is None else {"Authorization": header}
    url = f"http://127.0.0.1:{engine.port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        assert answer.status == 401


async def test_audio_of_a_channel_that_nobody_listens_to_is_not_taken(engine):
    url = f"http://127.0.0.1:{engine.port}/media"
    async with (
        aiohttp.ClientSession(headers=login()) as session,
        session.ws_connect(url, protocols=("media",)) as socket,
    ):
        await socket.send_str("MEDIA_START connection_id:media channel:WebSocket/1 channel_id:nobody format:slin")

        assert (await socket.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


async def test_a_channel_that_cannot_be_taken_holds_no_place_and_hides_no_other(engine):
    found = []
    engine.on_found = lambda one: found.append(one.call.id) or (lambda _: None)
    odd, good = channel("a" * 48) | {"creationtime": "never"}, channel("b" * 48)
    async with scripted_node(engine.port, channels=[odd, good]) as node:
        await until(lambda: found)
        await node.request(f"DELETE channels/{'a' * 48}")

        assert (found, list(engine.living())) == (["b" * 48], ["b" * 48])
        # It is looked at again.
        await node.request("GET channels", 2)


async def test_a_node_takes_no_call_of_another(engine):
    found = []
    engine.on_found = lambda one: found.append(one.call.id) or (lambda _: None)
    engine.let_in(NodePlace("other", "secret", PLACE.files))
    other = engine.node("other")
    other.channels["a" * 48] = Channel(other, "a" * 48, "", lambda _: None, None)

    async with scripted_node(engine.port, channels=[channel("a" * 48), channel("b" * 48)]) as node:
        await until(lambda: found)
        await node.request(f"DELETE channels/{'a' * 48}")

        assert found == ["b" * 48]
