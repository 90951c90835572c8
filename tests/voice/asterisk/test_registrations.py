"""How a trunk stands that registers: a wrong password is seen within seconds, and nobody is called for nothing."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

from aiohttp import ClientSession

from callsheet.core.condition import State
from callsheet.voice.asterisk.place import Registration
from callsheet.voice.asterisk.registrations import read_registrations
from callsheet.voice.asterisk.remote import words
from ports import deaf_port, free_port
from voice.asterisk.guests import guest_of, logged_in, told
from voice.asterisk.remote_nodes import running_center, running_outpost, until_connected
from voice_nodes import dial, running_home, trunk_to, until

SAID = """
 <Registration/ServerURI..............................>  <Auth....................>  <Status.......>
==========================================================================================

 tr-8060c7c5-adef-4b27-a151-9e99f3a0addd/sip:127.0.0.1:  tr-8060c7c5-adef-4b27-a151-9e99f3a0addd  Registered        (exp. 588s)
 tr-dead/sip:127.0.0.1:44185                             tr-dead                     Unregistered      (exp. 2s ago)
 tr-wrong/sip:[::1]:5070;transport=tcp                   tr-wrong                    Rejected          (exp. 23s)
 tr-bare/sip:pbx.example:5060                                                        Stopped

Objects found: 4
"""  # noqa: E501 - as Asterisk 22.10 says it


def test_what_the_console_says_is_read():
    assert read_registrations(SAID) == {
        "tr-8060c7c5-adef-4b27-a151-9e99f3a0addd": "Registered",
        "tr-dead": "Unregistered",
        "tr-wrong": "Rejected",
        "tr-bare": "Stopped",
    }
    assert read_registrations("No such command 'pjsip show registrations'") == {}


async def test_a_wrong_password_breaks_the_trunk_until_it_is_right(tmp_path, start_phone_network):
    network = start_phone_network(asks_password=True)
    right = replace(trunk_to(network, "trk-right"), registers=True)
    wrong = replace(right, id="trk-wrong", password="another")
    with deaf_port() as port:
        deaf = replace(right, id="trk-deaf", port=port)
        async with running_home(tmp_path, right, wrong, deaf) as home:
            await until(lambda: home.condition("trk-wrong").state is State.broken, "the refusal")
            assert "password" in home.condition("trk-wrong").why
            assert not home.condition("trk-wrong").takes
            await until(lambda: home.condition("trk-right") == (State.open, "", 1, 0, False, 0.0), "the registration")
            await until(lambda: home.condition("trk-deaf").why, "what of the other")
            assert "not registered" in home.condition("trk-deaf").why

            home.put(replace(wrong, password=network.password))
            while (
                read_registrations(await home.supervisor.ask("pjsip show registrations"))["trk-wrong"] != "Registered"
            ):
                await asyncio.sleep(0.1)
            await until(lambda: home.condition("trk-wrong").state is State.open, "the trunk with the right password")


async def test_a_node_elsewhere_says_how_it_is_registered(tmp_path, start_phone_network):
    network, port = start_phone_network(asks_password=True), free_port()
    wrong = replace(trunk_to(network), registers=True, password="another")
    async with running_center(tmp_path, wrong, port=port) as center, running_outpost(tmp_path, "east", port):
        await until(lambda: center.condition("trk-1").state is State.broken, "the refusal")
        assert "(voice node: east)" in center.condition("trk-1").why
        assert center.room("trk-1") == 0

        center.put(replace(wrong, password=network.password))
        await until(lambda: center.condition("trk-1") == (State.open, "", 1, 0, False, 0.0), "the right password")
        await until_connected(center, "east")


async def test_a_trunk_is_broken_when_all_nodes_are_refused_and_the_refused_ones_are_named(tmp_path, phone_network):
    port = free_port()
    async with (
        running_center(tmp_path, trunk_to(phone_network), port=port) as center,
        running_outpost(tmp_path, "west", port),
        ClientSession(headers=logged_in("east")) as http,
        AsyncExitStack() as stack,
    ):
        await until_connected(center, "west")
        guest = guest_of(http, port)
        messages = await stack.enter_async_context(guest.joined("one"))
        await stack.enter_async_context(guest.asterisk("one"))
        await told(messages, words.Trunks)
        await messages.send_str(words.write(words.Knows(["trk-1"])))
        for stands, why in (("rejected", "refuses"), ("unregistered", "not registered"), ("rejected", "refuses")):
            await messages.send_str(words.write(words.Registers({"trk-1": Registration[stands]})))
            await until(lambda why=why: why in center.condition("trk-1").why, stands)
            assert "(voice node: east)" in center.condition("trk-1").why
            assert (center.condition("trk-1").state, center.condition("trk-1").sessions) == (State.open, 2)
        assert not center.engine.node("east").place.may_use("trk-1")
        assert (await dial(center, phone_network.number("0002")))[0].node == "west"

        west = center.engine.node("west")
        center.engine.let_in(replace(west.place, registrations={"trk-1": Registration.rejected}))
        assert (center.condition("trk-1").state, center.room("trk-1")) == (State.broken, 0)
        assert "(voice node: east, west)" in center.condition("trk-1").why
