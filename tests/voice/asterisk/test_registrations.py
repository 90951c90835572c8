"""How a trunk stands that registers: a wrong password is seen within seconds, and nobody is called for nothing."""

import asyncio
from dataclasses import replace

from callsheet.core.condition import State
from callsheet.voice.asterisk.registrations import read_registrations
from ports import deaf_port
from voice_nodes import running_home, trunk_to, until

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
