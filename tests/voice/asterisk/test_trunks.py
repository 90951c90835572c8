"""A real Asterisk takes the configuration of every kind of trunk, and calls through it."""

import random
import socket
from dataclasses import replace

from callsheet.core.sip import SipTrunk, Transport
from callsheet.voice.asterisk.control import ask
from callsheet.voice.base import Answered, HungUp
from ports import deaf_port
from strangers.phone_network import PhoneNetwork
from voice_nodes import dial, running_home, trunk_to, until


def tls(network: PhoneNetwork, trunk_id: str, **more: object) -> SipTrunk:
    trusted = {"ca_certificate": network.certificate.read_text().partition("-----BEGIN PRIVATE")[0], **more}
    return replace(trunk_to(network, trunk_id), port=network.tls_port, transport=Transport.tls, **trusted)


async def test_calls_go_by_udp_tcp_and_tls_with_and_without_srtp_and_through_a_proxy(tmp_path, phone_network):
    udp = trunk_to(phone_network, "trk-udp")
    trunks = [
        udp,
        replace(udp, id="trk-tcp", transport=Transport.tcp),
        tls(phone_network, "trk-tls"),
        tls(phone_network, "trk-srtp", srtp=True),
        tls(phone_network, "trk-anyone", verify_certificate=False, ca_certificate=""),
        replace(udp, id="trk-proxy", host="sip.example.com", outbound_proxy=f"{udp.host}:{udp.port}"),
        replace(udp, id="trk-domain", from_domain="us.example.com"),
        replace(udp, id="trk-prefix", number_prefix="00"),
    ]
    async with running_home(tmp_path, *trunks) as home:
        numbers = {trunk.id: phone_network.number("0001") for trunk in trunks}
        for trunk in trunks:
            call, ear = await dial(home, numbers[trunk.id], trunk_id=trunk.id)
            await until(lambda ear=ear: ear.events[1:], f"the answer by {trunk.id}; it heard {ear.events}")
            assert ear.heard(Answered), (trunk.id, ear.events)
            dialed = trunk.number_prefix + numbers[trunk.id][1:]
            (seen,) = phone_network.await_calls(dialed, answered=1)
            assert seen.is_encrypted == trunk.srtp
            await call.hang_up()
            await ear.end()

    assert "us.example.com" in phone_network.calls(numbers["trk-domain"])[0].caller


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path, phone_network):
    number = phone_network.number("0001")
    async with running_home(tmp_path, tls(phone_network, "trk-tls", ca_certificate="")) as home:
        _, ear = await dial(home, number, trunk_id="trk-tls", ring_seconds=5)
        await ear.end()

        assert not ear.heard(Answered)
        assert not phone_network.calls(number)


async def test_a_password_with_signs_of_the_files_own_language_is_right_and_another_is_wrong(
    tmp_path, start_phone_network
):
    network = start_phone_network(asks_password=True)
    right = trunk_to(network, "trk-right")
    async with running_home(tmp_path, right, replace(right, id="trk-wrong", password=f"{network.password}x")) as home:
        _, ear = await dial(home, network.number("0002"), trunk_id="trk-right")
        assert (await ear.end()).cause == 17

        _, ear = await dial(home, network.number("0002"), trunk_id="trk-wrong")
        end = await ear.end()
        assert not ear.heard(Answered)
        assert end.sip_status in {401, 403}


async def test_a_trunk_registers_and_calls_that_come_in_are_refused(tmp_path, start_phone_network):
    network = start_phone_network(asks_password=True)
    trunk = replace(trunk_to(network, "trk-reg"), registers=True)
    async with running_home(tmp_path, trunk):
        await until(lambda: f"{network.username}/sip" in network.ask("pjsip show contacts"), "the registration")

        assert network.call_back() == 21


async def test_asterisk_reads_passwords_as_they_were_written(tmp_path, phone_network):
    passwords = ["a;b", "=>x", ">x", "#x", "[x]", 'q"x', "back\\", "\\;--", ";;;", "a,b|c${x}"]
    trunk = replace(trunk_to(phone_network), username="name")
    trunks = [replace(trunk, id=f"trk-{n}", password=password) for n, password in enumerate(passwords)]
    async with running_home(tmp_path, *trunks):
        shown = [await ask(tmp_path / "node/run", f"pjsip show auth {trunk.id}") for trunk in trunks]

    lines = [[line.partition(":") for line in text.splitlines()] for text in shown]
    read = [value.strip() for one in lines for name, _, value in one if name.strip() == "password"]
    assert read == passwords


async def test_garbage_from_the_network_harms_nobody(tmp_path, phone_network):
    rng = random.Random(20261122)
    request = b"INVITE sip:+12125550100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK\r\n"
    async with running_home(tmp_path, trunk_to(phone_network)) as home:
        pid, where = home.standing.pid, ("127.0.0.1", home.supervisor.keep.sip_port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(300):
                torn = bytearray(request + rng.randbytes(rng.randrange(200)))
                torn[rng.randrange(len(torn))] = rng.randrange(256)
                for datagram in (bytes(torn), rng.randbytes(rng.randrange(1, 1400)), request[: rng.randrange(90)]):
                    sender.sendto(datagram, where)
        _, ear = await dial(home, phone_network.number("0002"))

        assert (await ear.end()).cause == 17
        assert home.standing.pid == pid


async def test_a_trunk_that_says_nothing_at_all_is_given_up_before_the_ring_time_is_over(tmp_path, phone_network):
    with deaf_port() as port:
        dead = replace(trunk_to(phone_network), port=port)
        async with running_home(tmp_path, dead) as home:
            _, ear = await dial(home, phone_network.number("0001"), ring_seconds=60)
            end = await ear.end()

    assert [type(event) for event in ear.events] == [HungUp]
    assert (end.by_us, end.cause, end.sip_status) == (False, 18, 408)
