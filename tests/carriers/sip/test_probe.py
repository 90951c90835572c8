"""A test call asks whether a SIP server is there and knows us, calls nobody, and says plainly what came of it."""

import ssl
from itertools import count

import pytest

from callsheet.account import read_account
from callsheet.carriers.sip.account import SipAccount
from callsheet.carriers.sip.probe import SipProber
from callsheet.clock import SystemClock
from callsheet.core.fence import Fence
from carriers.sip.registrar import PASSWORD, USER, Registrar, by_tcp, by_udp
from certificates import issue

ANYWHERE = Fence().of_sip()


async def tried(registrar, *, fence=ANYWHERE, **changes):
    settings = {"host": "127.0.0.1", "port": registrar.port, **changes}
    return await SipProber(read_account(SipAccount, settings), SystemClock(), fence).probe()


ALICE = {"username": USER, "password": PASSWORD, "registers": True}


async def test_a_server_that_answers_is_there_and_nothing_is_registered_with_it():
    async with by_udp(Registrar()) as registrar:
        probe = await tried(registrar)
    assert probe.ok
    assert probe.said == (
        f"Asked 127.0.0.1:{registrar.port} by UDP (OPTIONS): it answered 200 OK."
        " It should know us by our address: the first call shows it."
    )
    assert [heard.split()[0] for heard in registrar.heard] == ["OPTIONS"]


@pytest.mark.parametrize("changes", [{}, {"algorithm": "SHA-256"}, {"qop": ""}, {"drops": 2}])
async def test_a_registration_is_tried_without_being_made(changes):
    async with by_udp(Registrar(**changes)) as registrar:
        probe = await tried(registrar, **ALICE)
    assert probe.ok, probe.said
    assert probe.said.endswith("It knows us: 200 OK (REGISTER).")
    registers = [heard for heard in registrar.heard if heard.startswith("REGISTER")]
    assert registers
    assert not any("Contact:" in heard for heard in registers)


async def test_a_wrong_password_is_said_and_not_shown():
    async with by_udp(Registrar()) as registrar:
        probe = await tried(registrar, **ALICE | {"password": "kanarien9"})
    assert not probe.ok
    assert "It does not let us in: 403 Forbidden (REGISTER)." in probe.said
    assert "kanarien9" not in probe.said


async def test_a_password_for_another_realm_is_not_given_away():
    async with by_udp(Registrar()) as registrar:
        probe = await tried(registrar, **ALICE, realm="elsewhere")
    assert not probe.ok
    assert not any("Authorization" in heard for heard in registrar.heard)


async def test_answers_over_tcp_come_in_pieces():
    async with by_tcp(Registrar()) as registrar:
        probe = await tried(registrar, transport="tcp", **ALICE)
    assert probe.ok, probe.said


async def test_tls_looks_at_the_certificate(tmp_path):
    authority = issue("Authority")
    paper, pem = issue("pbx.example", authority), authority.pem
    (tmp_path / "c.pem").write_text(paper.pem + paper.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c.pem")
    async with by_tcp(Registrar(), tls=context) as registrar:
        assert "its certificate is not trusted" in (await tried(registrar, transport="tls")).said
        assert (await tried(registrar, transport="tls", ca_certificate=pem)).ok
        assert (await tried(registrar, transport="tls", verify_certificate=False)).ok


async def test_a_server_that_is_not_well_is_not_ok():
    async with by_udp(Registrar(options="503 Service Unavailable")) as registrar:
        probe = await tried(registrar)
    assert not probe.ok
    assert "503 Service Unavailable" in probe.said


async def test_where_nobody_answers_it_is_said_why():
    async with by_tcp(Registrar()) as registrar:
        pass
    assert "nobody listens there" in (await tried(registrar, transport="tcp")).said
    assert "nobody listens there" in (await tried(registrar)).said
    elsewhere = await tried(registrar, host="nowhere.invalid")
    assert elsewhere.said == f"Tried nowhere.invalid:{registrar.port} by UDP: the name nowhere.invalid leads nowhere."


async def test_what_the_fence_does_not_let_through_gets_no_request():
    fence = Fence(sip_allows_private=False).of_sip()
    async with by_udp(Registrar()) as registrar:
        probe = await tried(registrar, fence=fence)
    assert "leads to a private address, which is not called" in probe.said
    assert not registrar.heard


async def test_noise_is_no_answer_and_no_harm():
    noise = count()

    async def talk(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write((b"HTTP/1.1 400 Bad\r\n\r\n", b"x" * 100_000, b"")[next(noise)])
        await writer.drain()

    async with by_tcp(Registrar(), talk) as registrar:
        said = [(await tried(registrar, transport="tcp")).said for _ in range(3)]
    assert [one.rpartition(": ")[2] for one in said] == [
        "it ended the connection without an answer.",
        "what it says is no SIP.",
        "it ended the connection without an answer.",
    ]
