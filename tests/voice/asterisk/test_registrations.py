"""How a trunk stands that registers: a wrong password is seen within seconds, and nobody is called for nothing."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

from aiohttp import ClientSession

from callsheet.clock import SystemClock
from callsheet.core.condition import State
from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.place import Registration
from callsheet.voice.asterisk.registrations import Registrations, read_failures, read_registrations
from callsheet.voice.asterisk.remote import words
from ports import deaf_port, free_port, free_ports
from voice.asterisk.guests import guest_of, logged_in, told
from voice.asterisk.remote_nodes import running_center, running_outpost, until_connected
from voice.asterisk.sip_peer import sip_peer
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

FROM = "[2026-11-22 14:36:44] WARNING[3040] res_pjsip_outbound_registration.c:"
WHERE = "received from 'sip:a.example:5060' on registration attempt to 'sip:u'2@a.example:5060',"
COMPLAINTS = f"""
{FROM} No response {WHERE} retrying in '30'
{FROM} Temporal response '401' {WHERE} retrying in '30'
{FROM} 403 Forbidden fatal response {WHERE} retrying in '300' seconds
{FROM} '404' fatal response {WHERE} retrying in '300' seconds
{FROM} Fatal response '405' {WHERE} stopping outbound registration
{FROM} Failed to create authenticated REGISTER request to server 'sip:a.example:5060' from client 'sip:u'2@a.example'
[2026-11-22 14:36:44] WARNING[3040] res_pjsip_session.c: 403 is somewhere else
"""  # as Asterisk 22.10 says it


def test_what_the_console_says_is_read():
    assert read_registrations(SAID) == {
        "tr-8060c7c5-adef-4b27-a151-9e99f3a0addd": "Registered",
        "tr-dead": "Unregistered",
        "tr-wrong": "Rejected",
        "tr-bare": "Stopped",
    }
    assert read_registrations("No such command 'pjsip show registrations'") == {}


def test_what_the_log_says_of_registrars_is_read():
    where = ("sip:a.example:5060", "sip:u'2@a.example:5060")
    assert list(read_failures(COMPLAINTS.splitlines())) == [(where, code) for code in (0, 401, 403, 404, 405)]


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


async def test_a_registrar_that_is_not_there_refuses_nobody_and_calls_go_on(tmp_path, start_phone_network):
    network = start_phone_network(asks_password=True)
    one, another = free_ports(2)
    silent = SipTrunk("trk-silent", "127.0.0.1", one, username="us", password="right", registers=True)
    with deaf_port() as closed:
        shut, busy = replace(silent, id="trk-shut", port=closed), replace(silent, id="trk-busy", port=another)
        async with (
            sip_peer(one) as provider,
            sip_peer(another) as overloaded,
            running_home(tmp_path, silent, shut, busy) as home,
        ):
            overloaded.registers = "503 Service Unavailable\r\nRetry-After: 3600"
            there = (silent.id, shut.id, busy.id)
            # Asterisk prints the same of those who refuse and of those who are not there.
            while set(await stands(home, *there)) != {"Rejected"}:
                await asyncio.sleep(0.1)
            # That it is refused is known by a look that was later.
            home.put(replace(trunk_to(network, "trk-wrong"), registers=True, password="another"))
            await until(lambda: home.condition("trk-wrong").state is State.broken, "the refusal")
            for trunk_id in there:
                assert home.condition(trunk_id).state is State.open
                assert "not registered" in home.condition(trunk_id).why
                assert home.room(trunk_id)
            provider.says = ["486 Busy Here"]
            assert (await (await dial(home, "+12025550171", trunk_id=silent.id))[1].end()).sip_status == 486

            provider.registers = "404 Not Found"
            await home.supervisor.ask("pjsip send register trk-silent")
            await until(lambda: home.condition(silent.id).state is State.broken, "the refusal of who was silent")
            provider.registers = "500 Server Internal Error"
            await home.supervisor.ask("pjsip send register trk-silent")
            await until(lambda: home.condition(silent.id).state is State.open, "trouble instead of a refusal")
            assert home.condition(shut.id).state is State.open


async def test_who_comes_later_asks_why_a_node_is_not_registered(tmp_path, start_phone_network):
    wrong = replace(trunk_to(start_phone_network(asks_password=True)), registers=True, password="another")
    async with running_home(tmp_path, replace(wrong, id="trk-first", registers=False), wrong) as home:
        await until(lambda: home.condition("trk-1").state is State.broken, "the refusal")
        later = Registrations(SystemClock(), home.supervisor.ask, lambda: None)
        home.supervisor.on_complaints = later.hear
        later.use([wrong])
        later.open()
        await until(lambda: later.stands.get("trk-1") is Registration.unregistered, "what nobody told it the cause of")
        await until(lambda: later.stands["trk-1"] is Registration.rejected, "the cause")
        await later.close()


async def test_a_name_that_is_no_part_of_a_uri_registers_and_is_found_in_the_log(tmp_path):
    async with sip_peer(free_port()) as provider:
        provider.registers = "403 Forbidden"
        names = ("us@pbx.example", "a b", "it's;lr", "50%")
        trunks = [
            SipTrunk(f"trk-{no}", "127.0.0.1", provider.port, username=name, password="right", registers=True)
            for no, name in enumerate(names)
        ]
        async with running_home(tmp_path, SipTrunk("trk-first", "127.0.0.1", provider.port), *trunks) as home:
            for trunk in trunks:
                await until(lambda it=trunk: home.condition(it.id).state is State.broken, f"{trunk.username} refused")


async def stands(home, *trunk_ids):
    """Return how trunks stand, in the words of the console."""
    found = read_registrations(await home.supervisor.ask("pjsip show registrations"))
    return [found.get(trunk_id) for trunk_id in trunk_ids]


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
