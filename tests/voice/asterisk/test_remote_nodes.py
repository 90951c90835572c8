"""Nodes on other hosts join by a key, and carry calls as the one beside us does."""

import os
import signal
import ssl
from contextlib import AsyncExitStack

import pytest
from aiohttp import ClientSession

from callsheet.voice.asterisk.remote.key import secret_of
from callsheet.voice.base import Answered, HungUp, Lost, NotDialed, Played, Ringing
from certificates import issue
from ports import free_port
from voice.asterisk.calls import loudness, make_tone
from voice.asterisk.remote_nodes import KEY, node, outpost_of, running_center, running_outpost, until_connected
from voice_nodes import dial, trunk_to, until

ECHO, RINGS, SILENT = "0001", "0006", "0013"


@pytest.fixture
async def two(tmp_path, phone_network):
    """Run an engine with two nodes of other hosts."""
    port = free_port()
    async with AsyncExitStack() as stack:
        center = await stack.enter_async_context(running_center(tmp_path, trunk_to(phone_network), port=port))
        outposts = [
            await stack.enter_async_context(running_outpost(tmp_path, name, port, most_calls=most))
            for name, most in (("east", 10), ("west", 20))
        ]
        await until_connected(center, "east", "west")
        yield center, outposts


async def test_calls_go_to_the_node_with_the_most_room_and_an_emptied_one_gets_none(two, phone_network):
    center, (_, west) = two
    assert center.bears({"trk-1"}) == 30
    calls = [await dial(center, phone_network.number(SILENT)) for _ in range(6)]
    for _, ear in calls:
        await ear.hears(Answered)
    assert [sum(call.node == name for call, _ in calls) for name in ("east", "west")] == [2, 4]
    assert [node(center, name).calls for name in ("east", "west")] == [2, 4]

    assert center.drain("west")
    more = [await dial(center, phone_network.number(SILENT)) for _ in range(3)]
    assert {call.node for call, _ in more} == {"east"}
    # The node remembers it, so that it holds when either of us starts anew.
    await until(west.supervisor.is_draining, "the node's memory")

    assert center.resume("west")
    assert (await dial(center, phone_network.number(SILENT)))[0].node == "west"
    await until(lambda: not west.supervisor.is_draining(), "the node's memory")
    assert not center.drain("north")


async def test_prompts_come_to_a_node_and_audio_and_recordings_come_back(two, phone_network, tmp_path):
    center, outposts = two
    call, ear = await dial(center, phone_network.number(ECHO))
    await ear.hears(Answered)
    heard: list[bytes] = []
    await call.listen(heard.append)
    await call.record(both_sides=True)
    tone = make_tone(tmp_path / "tone.wav", hertz=700, seconds=1)

    for _ in range(2):
        await call.play(tone)
    await until(lambda: sum(isinstance(event, Played) for event in ear.events) == 2, "what was played")
    recording = await call.stop_recording(both_sides=True)

    assert all(event.is_whole for event in ear.events if isinstance(event, Played))
    assert loudest(b"".join(heard)) > 0.9
    assert recording.path.is_relative_to(tmp_path / "brought")
    assert recording.seconds > 1
    assert loudest(recording.path.read_bytes()[44:]) > 0.9
    for outpost in outposts:
        assert not list(outpost.supervisor.place().files.recordings.iterdir())


async def test_a_recording_waits_for_a_connection_that_was_lost(two, phone_network, tmp_path):
    center, _ = two
    call, ear = await dial(center, phone_network.number(ECHO))
    await ear.hears(Answered)
    await call.record(both_sides=True)
    await call.play(make_tone(tmp_path / "tone.wav", hertz=700, seconds=1))
    await ear.hears(Played)

    for helm in center._door._helms.values():
        await helm.close()
    recording = await call.stop_recording(both_sides=True)

    assert loudest(recording.path.read_bytes()[44:]) > 0.9


async def test_a_trunk_that_is_made_is_used_on_a_node_when_the_node_has_it(two, phone_network):
    center, _ = two
    center.put(trunk_to(phone_network, "trk-2"))
    await until(lambda: center.room("trk-2") == 30, "the trunk on both nodes")

    calls = [await dial(center, phone_network.number(SILENT), trunk_id="trk-2") for _ in range(3)]
    for _, ear in calls:
        await ear.hears(Answered)
    assert {call.node for call, _ in calls} == {"east", "west"}

    center.drop("trk-2")
    with pytest.raises(NotDialed):
        await dial(center, phone_network.number(SILENT), trunk_id="trk-2")
    assert not any(ear.heard(HungUp) for _, ear in calls)


async def test_a_node_for_some_trunks_gets_calls_through_those_only(tmp_path, phone_network):
    port = free_port()
    trunks = trunk_to(phone_network), trunk_to(phone_network, "trk-2")
    async with (
        running_center(tmp_path, *trunks, port=port) as center,
        running_outpost(tmp_path, "east", port, trunks=("trk-1",)) as east,
    ):
        await until_connected(center, "east")

        assert (center.room("trk-1"), center.room("trk-2")) == (400, 0)
        assert "trk-2" not in (east.supervisor.place().files.sounds.parents[1] / "etc/pjsip.conf").read_text()


async def test_calls_of_an_asterisk_that_dies_are_lost_and_the_others_go_on(two, phone_network):
    center, (_, west) = two
    calls = [await dial(center, phone_network.number(SILENT)) for _ in range(6)]
    for _, ear in calls:
        await ear.hears(Answered)

    os.kill(west.supervisor.standing.pid, signal.SIGKILL)
    ends = [await ear.end() for call, ear in calls if call.node == "west"]

    assert {type(end) for end in ends} <= {Lost, HungUp}
    assert not any(ear.heard(Lost) or ear.heard(HungUp) for call, ear in calls if call.node == "east")
    # It is started anew, by itself.
    await until_connected(center, "east", "west")
    assert center.room("trk-1") == 28


async def test_a_node_whose_process_is_away_gets_no_calls_and_goes_on_with_those_that_it_has(tmp_path, phone_network):
    port = free_port()
    async with running_center(tmp_path, trunk_to(phone_network), port=port) as center:
        first = outpost_of(tmp_path, "east", port)
        await first.open()
        await until_connected(center, "east")
        call, ear = await dial(center, phone_network.number(ECHO))
        await ear.hears(Answered)
        pid = first.supervisor.standing.pid
        # As if it was killed: it says nothing more, and stops nothing.
        first._joining.cancel()
        await first.supervisor.leave()
        await until(lambda: node(center, "east").state == "away", "the news")
        assert center.room("trk-1") == 0
        assert not ear.heard(Lost)

        async with running_outpost(tmp_path, "east", port) as second:
            await until_connected(center, "east")
            assert second.supervisor.standing.pid == pid
            await call.play(make_tone(tmp_path / "tone.wav", seconds=0.3))
            await ear.hears(Played)
            await call.hang_up()
            assert (await ear.end()).cause == 16


async def test_calls_of_a_node_that_is_stopped_end_as_its_records_say(two, phone_network):
    center, outposts = two
    called = [await dial(center, phone_network.number(RINGS)) for _ in range(3)]
    for _, ear in called:
        await ear.hears(Ringing)
    found = []
    center.on_found = found.append

    for outpost in outposts:
        await outpost.close()

    assert {type(await ear.end()) for _, ear in called} == {HungUp}
    assert not found


async def test_a_node_joins_by_tls_and_trusts_nobody_else(tmp_path, phone_network):
    port, ours, strange = free_port(), issue("ours"), issue("strange")
    paper = issue("127.0.0.1", ours)
    for name, text in (("certificate.pem", paper.pem), ("key.pem", paper.key_pem)):
        (tmp_path / name).write_text(text)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    async with (
        running_center(tmp_path, trunk_to(phone_network), port=port, tls=tls) as center,
        running_outpost(tmp_path, "west", port, scheme="https", ca_certificate=strange.pem),
        running_outpost(tmp_path, "east", port, scheme="https", ca_certificate=ours.pem),
    ):
        await until_connected(center, "east")
        call, ear = await dial(center, phone_network.number(ECHO))
        await ear.hears(Answered)
        heard: list[bytes] = []
        await call.listen(heard.append)
        await call.play(make_tone(tmp_path / "tone.wav", hertz=700, seconds=1))
        await ear.hears(Played)

        assert loudest(b"".join(heard)) > 0.9
        assert node(center, "west") is None


async def test_who_does_not_know_the_key_and_who_takes_a_name_that_is_taken_stay_outside(tmp_path, phone_network):
    port = free_port()
    async with (
        running_center(tmp_path, trunk_to(phone_network), port=port) as center,
        running_outpost(tmp_path, "east", port) as east,
        ClientSession() as http,
    ):
        await until(lambda: east.is_joined, "the node")
        login = {"Authorization": east._login}
        for path in ("/join", "/node", "/media", "/sounds/x"):
            assert (await http.get(f"http://127.0.0.1:{port}{path}")).status == 401
        # Nobody fetches or brings what was not asked for.
        assert (await http.get(f"http://127.0.0.1:{port}/sounds/x", headers=login)).status == 404
        assert (await http.put(f"http://127.0.0.1:{port}/recordings/x", headers=login, data=b"x")).status == 404

        async with running_outpost(tmp_path / "twin", "east", port) as twin:
            await until(lambda: twin.failures, "the refusal")
            assert not twin.is_joined
        assert east.is_joined
        assert len(center.nodes()) == 1


def test_the_secret_of_a_node_says_nothing_of_the_key_and_is_for_one_name():
    assert len({KEY, secret_of(KEY, "east"), secret_of(KEY, "west"), secret_of(KEY + "x", "east")}) == 4


def loudest(audio: bytes) -> float:
    """Return how pure the tone that was played is, where it is purest."""
    parts = (audio[start : start + 6400] for start in range(0, len(audio) - 6400, 3200))
    return max((loudness(part, 700) for part in parts), default=0.0)
