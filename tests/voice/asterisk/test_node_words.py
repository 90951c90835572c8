"""What an operator, a node and the server tell each other holds, whatever connection ends in between."""

import pytest
from msgspec import DecodeError

from callsheet.voice.asterisk import wire
from callsheet.voice.asterisk.remote import words
from voice.asterisk.guests import told
from voice.asterisk.remote_nodes import node
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


def test_an_instant_without_a_zone_is_not_read():
    for said in ("2026-01-01T10:00:00", "yesterday"):
        with pytest.raises(DecodeError):
            words.read_from_node(f'{{"type":"Said","no":1,"records":{{"a":["{said}",16,null]}}}}')
        with pytest.raises(DecodeError):
            wire.read(f'{{"type":"ApplicationRegistered","timestamp":"{said}"}}')
    assert wire.read('{"type":"ApplicationRegistered","timestamp":"2026-01-01T10:00:00.000+0000"}').at.tzinfo
