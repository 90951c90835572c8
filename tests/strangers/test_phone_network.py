"""The phone network stands up and does what its table says: a broken one would make every test of a call lie."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from callsheet.voice.asterisk.modules import MODULES
from e2e.running import until
from ports import free_port
from strangers.asterisk import ask, running_asterisk
from strangers.phone_network import PhoneNetwork
from strangers.phones import PHONES

RINGING_PHONES = {ending for ending, phone in PHONES.items() if not phone.answers and not phone.cause}


@contextmanager
def caller(network: PhoneNetwork) -> Iterator[Path]:
    """Run an Asterisk that can call the network, from its console."""
    modules = "\n".join(f"load = {name}.so" for name in (*MODULES, "res_clioriginate"))
    auth = f"[auth]\ntype=auth\nauth_type=digest\nusername={network.username}\npassword=wonderful\\;secret\n"
    files = {
        "modules.conf": f"[modules]\nautoload = no\n{modules}\n",
        "pjsip.conf": (
            f"[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{free_port()}\n"
            "[trunk]\ntype=endpoint\ndisallow=all\nallow=ulaw\naors=trunk\n"
            f"{'outbound_auth=auth' if network.asks_password else ''}\n"
            f"[trunk]\ntype=aor\ncontact=sip:{network.host}:{network.port}\n{auth if network.asks_password else ''}"
        ),
        "extensions.conf": "[out]\nexten => s,1,Wait(60)\n",
        "rtp.conf": "[general]\nrtpstart=20000\nrtpend=24000\n",
    }
    with tempfile.TemporaryDirectory(prefix="caller-") as name, running_asterisk(Path(name), files):
        yield Path(name)


def call(folder: Path, number: str) -> None:
    ask(folder, f"channel originate PJSIP/{number}@trunk extension s@out")


def test_each_phone_does_what_the_table_says(phone_network):
    numbers = {ending: phone_network.number(ending) for ending in PHONES}
    with caller(phone_network) as folder:
        for number in numbers.values():
            call(folder, number)
        for ending, number in numbers.items():
            phone = PHONES[ending]
            ends = bool(phone.cause) or ending == "0011"
            (one,) = phone_network.await_calls(number, came=1, answered=int(phone.answers), ended=int(ends))
            assert one.cause == phone.cause or not phone.cause
        ask(folder, "channel request hangup all")
        for ending in RINGING_PHONES:
            (one,) = phone_network.await_calls(numbers[ending], ended=1)
            assert one.answered_at is None


@pytest.mark.parametrize("ending", ["0018", "0020"])
def test_a_phone_that_changes_its_mind_answers_the_second_call(phone_network, ending):
    number = phone_network.number(ending)
    with caller(phone_network) as folder:
        call(folder, number)
        phone_network.await_calls(number, ended=1)
        call(folder, number)
        first, second = phone_network.await_calls(number, came=2, answered=1)

    assert (first.cause, first.answered_at) == (PHONES[ending].cause, None)
    assert second.answered_at
    assert phone_network.times_dialed()[number] == 2


def test_a_network_that_asks_for_a_password_gets_it(start_phone_network):
    network = start_phone_network(asks_password=True)
    number = network.number("0001")
    with caller(network) as folder:
        call(folder, number)
        network.await_calls(number, answered=1)


def test_a_phone_keeps_what_it_hears(phone_network):
    number = phone_network.number("0015")
    with caller(phone_network) as folder:
        call(folder, number)
        phone_network.await_calls(number, answered=1)
        ask(folder, "channel request hangup all")
        (one,) = phone_network.await_calls(number, ended=1)

    until(lambda: phone_network.recording(one).exists(), "the recording")
