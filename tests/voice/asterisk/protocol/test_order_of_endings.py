"""Which end comes first: a bridge that is deleted before its call has ended would overwrite why the call ended."""

import asyncio

from callsheet.voice.base import Answered, HungUp
from voice.asterisk.calls import Told, dial_of, place
from voice.asterisk.protocol.test_node_protocol import NUMBER, TRUNK
from voice.asterisk.scripted_node import PLACE, ScriptedNode, channel, words_of


async def answered(engine, node: ScriptedNode) -> Told:
    """Place a call that is answered."""
    dial = dial_of(NUMBER)
    node.channels.append(channel(dial.reference))
    told = await place(engine, TRUNK.id, dial)
    await node.tell_channel("StasisStart", dial.reference, args=[])
    await told.next(Answered)
    return told


def asked(node: ScriptedNode) -> list[str]:
    """Return what was asked, in order; what was asked again only once: who is to end is asked until he does."""
    return list(dict.fromkeys(words_of(request) for request in node.requests))


async def test_a_joined_call_is_hung_up_first_and_its_bridge_goes_when_it_has_ended(engine, node):
    first, second = await answered(engine, node), await answered(engine, node)
    await first.call.join(second.call)
    (bridge,) = [words.partition("/")[2] for words in asked(node) if words.endswith(".joint")]

    await first.call.hang_up()
    # What is asked later is answered later: had the bridge been deleted with the call, it had been asked by now.
    assert await engine.is_well(PLACE.name)
    assert f"DELETE channels/{first.call.id}" in asked(node)
    assert f"DELETE bridges/{bridge}" not in asked(node)
    await node.tell_channel("ChannelDestroyed", first.call.id, cause=16)
    end = await first.next(HungUp)
    await node.request(f"DELETE bridges/{bridge}")

    assert (end.cause, end.by_us) == (16, True)
    order = [words for words in asked(node) if words.startswith("DELETE")]
    assert order == [f"DELETE channels/{first.call.id}", f"DELETE bridges/{bridge}"]


async def test_a_joined_call_that_its_other_side_ended_keeps_its_cause(engine, node):
    first, second = await answered(engine, node), await answered(engine, node)
    await first.call.join(second.call)

    await node.tell_channel("ChannelDestroyed", first.call.id, cause=19, tech_cause=480)
    end = await first.next(HungUp)
    await node.request("DELETE bridges")

    assert (end.cause, end.sip_status, end.by_us) == (19, 480, False)
    assert [words for words in asked(node) if words.startswith("DELETE channels")] == []


async def test_a_call_that_is_heard_is_hung_up_first_and_its_ear_goes_when_it_has_ended(engine, node):
    told = await answered(engine, node)
    hearing = asyncio.create_task(told.call.listen(lambda _: None))
    for start in ("POST channels/externalMedia", f"POST channels/{told.call.id}/snoop"):
        query = {pair["name"]: pair["value"] for pair in (await node.request(start))["query_strings"]}
        await node.tell_channel("StasisStart", query.get("channelId") or query["snoopId"], args=[])
    await hearing

    await told.call.hang_up()
    assert await engine.is_well(PLACE.name)
    assert [words for words in asked(node) if words.startswith("DELETE")] == [f"DELETE channels/{told.call.id}"]
    await node.tell_channel("ChannelDestroyed", told.call.id, cause=16)
    await told.next(HungUp)
    await node.request("DELETE bridges")

    deleted = [words.rpartition(".")[2] for words in asked(node) if words.startswith("DELETE")][1:]
    assert deleted == ["media", "snoop", "bridge"], "channels go before their bridge"
