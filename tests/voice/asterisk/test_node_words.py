"""What an operator, a node and the server tell each other holds, whatever connection ends in between."""

import pytest
from aiohttp import ClientSession, WSServerHandshakeError
from msgspec import DecodeError

from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk import wire
from callsheet.voice.asterisk.remote import words
from voice.asterisk.guests import guest_of, logged_in, told
from voice.asterisk.remote_nodes import node, running_center
from voice_nodes import until


async def test_a_node_is_told_to_empty_until_it_says_that_it_remembers(center, guest):
    async with guest.joined() as messages:
        await until(lambda: node(center, "east"), "the node")
        assert center.drain("east")
        assert (await told(messages, words.Drain)).is_draining
        # It dies before it has written that.
    async with guest.joined(is_draining=False) as messages:
        assert (await told(messages, words.Drain)).is_draining
        assert node(center, "east").is_draining
        await messages.send_str(words.write(words.Kept(is_draining=True)))
        await until(lambda: center._door._helms["east"]._wish is None, "the answer")
    # From now on it is the node that knows: somebody there may have wished otherwise.
    async with guest.joined(is_draining=False) as messages:
        await told(messages, words.Trunks)
        assert not node(center, "east").is_draining


async def test_of_two_nodes_of_a_name_the_one_that_is_there_keeps_it(center, guest):
    async with guest.joined("one") as messages:
        await told(messages, words.Trunks)
        with pytest.raises(WSServerHandshakeError, match="401"):
            async with guest.asterisk("two"):
                pass
        async with guest.asterisk("one"):
            await until(lambda: node(center, "east").is_connected, "its Asterisk")
            await messages.close()
            await until(lambda: node(center, "east").state == "away", "the news")
            # Its process is away, to be upgraded: its Asterisk is there, and its calls go on.
            async with guest.joined("two") as twin:
                assert "another name" in (await told(twin, words.Refused)).why
            async with guest.joined("one") as again:
                await told(again, words.Trunks)
    await until(lambda: not node(center, "east").is_connected, "the end")
    async with guest.joined("two") as other:
        await told(other, words.Trunks)


def test_an_instant_without_a_zone_is_not_read():
    for said in ("2026-01-01T10:00:00", "yesterday"):
        with pytest.raises(DecodeError):
            words.read_from_node(f'{{"type":"Said","no":1,"records":{{"a":["{said}",16,null]}}}}')
        with pytest.raises(DecodeError):
            wire.read(f'{{"type":"ApplicationRegistered","timestamp":"{said}"}}')
    assert wire.read('{"type":"ApplicationRegistered","timestamp":"2026-01-01T10:00:00.000+0000"}').at.tzinfo


async def test_the_server_says_which_trunks_a_node_may_have(tmp_path):
    trunks = [SipTrunk(name, "127.0.0.1", 5060) for name in ("trk-1", "trk-2", "trk-3")]
    allowed = {"east": frozenset({"trk-1", "trk-2"})}
    async with (
        running_center(tmp_path, *trunks, trunks=allowed) as center,
        ClientSession(headers=logged_in("east")) as http,
    ):
        await until(lambda: center._door is not None, "the door")
        async with guest_of(http, center._door.port).joined(trunks=["trk-2", "trk-3"]) as messages:
            told_of = await told(messages, words.Trunks)
            assert [trunk.id for trunk in told_of.trunks] == ["trk-2"]
            assert node(center, "east").trunks == ("trk-2",)
            # It says that it has one that it was not given.
            await messages.send_str(words.write(words.Knows(["trk-2", "trk-3"])))
            place = center.engine.node("east")
            await until(lambda: place.place.may_use("trk-2"), "the news")
            assert not place.place.may_use("trk-3")
