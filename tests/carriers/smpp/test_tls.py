"""TLS with a certificate authority of the carrier's own, and a certificate of ours."""

from pathlib import Path

import pytest

from callsheet.account import read_account, split
from callsheet.carriers.base import Accepted
from callsheet.carriers.smpp.account import SmppAccount
from callsheet.core.condition import State
from callsheet.core.errors import Invalid
from carriers.smpp.rig import bound, make, message, until
from certificates import Paper, issue


@pytest.fixture(scope="module")
def authority() -> Paper:
    return issue("Carrier authority")


@pytest.fixture
def server(authority, tmp_path: Path) -> dict[str, str]:
    """Write what the SMSC needs: it demands a certificate of its authority."""
    paper = issue("smsc.example", authority)
    files = {"key": paper.key_pem, "cert": paper.pem, "ca": authority.pem}
    for name, text in files.items():
        (tmp_path / f"{name}.pem").write_text(text)
    return {name: str(tmp_path / f"{name}.pem") for name in files}


async def test_a_carrier_with_its_own_authority_that_wants_our_certificate(node_smpp, authority, server):
    ours = issue("us", authority)
    smsc = node_smpp(**server)
    papers = {"tls_ca": authority.pem, "tls_certificate": ours.pem, "tls_key": ours.key_pem}
    async with bound(smsc.port, tls=True, **papers) as rig:
        assert isinstance(await rig.send(message(1)), Accepted)
        await until(lambda: rig.heard)
    async with bound(smsc.port, tls=True, tls_server_name="smsc.example", **papers) as rig:
        assert isinstance(await rig.send(message(2)), Accepted)

    assert smsc.counters()["unbinds"] == 2


async def test_nobody_is_told_our_password_who_has_no_certificate_that_we_trust(node_smpp, authority, server):
    smsc = node_smpp(**{**server, "ca": ""})
    async with bound(smsc.port, sessions=0, tls=True) as rig:
        await until(lambda: rig.carrier.condition().state is State.broken)
        assert "is not trusted" in rig.carrier.condition().why

    other = await make(smsc.port, tls=True, tls_ca=authority.pem, tls_server_name="other.example").probe()
    assert not other.ok
    assert "not trusted" in other.said
    assert smsc.counters()["binds"] == 0


async def test_a_carrier_that_wants_a_certificate_lets_nobody_in_without(node_smpp, authority, server):
    smsc = node_smpp(**server)
    probe = await make(smsc.port, tls=True, tls_ca=authority.pem).probe()

    assert not probe.ok
    assert smsc.counters()["binds"] == 0


async def test_whoever_wants_no_proof_gets_none(node_smpp, server):
    smsc = node_smpp(**{**server, "ca": ""})
    async with bound(smsc.port, tls=True, tls_verify=False) as rig:
        assert isinstance(await rig.send(message(1)), Accepted)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"tls_ca": "-----BEGIN NOTHING-----"}, "tls_ca"),
        ({"tls_certificate": "x"}, "tls_key"),
        ({"tls_certificate": "x", "tls_key": "y"}, "tls_certificate"),
        ({"tls": False, "tls_certificate": "x", "tls_key": "y"}, "tls"),
        ({"window": 0}, "settings.window"),
        ({"host": "a b"}, "settings.host"),
        ({"answer_seconds": 30}, "settings.answer_seconds"),
        ({"validity_seconds": 5}, "settings.validity_seconds"),
        ({"reference_bits": 12}, "settings.reference_bits"),
        ({"password": "пароль"}, "settings.password"),
        ({"colour": "red"}, "settings.colour"),
    ],
)
def test_a_wrong_setting_is_named_and_no_secret_is_quoted(wrong, named):
    whole = {"host": "smsc.example", "system_id": "us", "password": "topsecret", "tls": True}
    with pytest.raises(Invalid) as caught:
        read_account(SmppAccount, {**whole, **wrong})

    fault = caught.value.fields[0]
    assert named in fault.path
    assert "topsecret" not in f"{fault.path} {fault.message}"


def test_secrets_are_apart_from_settings_and_together_they_are_the_account(authority):
    ours = issue("us", authority)
    account = SmppAccount.model_validate(
        {"host": "smsc.example", "system_id": "us", "password": "topsecret", "tls": True, "tls_ca": authority.pem,
         "tls_certificate": ours.pem, "tls_key": ours.key_pem}
    )  # fmt: skip
    settings, secrets = split(account)

    assert set(secrets) == {"password", "tls_key"}
    assert "topsecret" not in str(settings) + repr(account)
    assert read_account(SmppAccount, settings | secrets) == account
