"""Every setting of a SIP trunk is checked, and says in a sentence what is wrong with it."""

import pytest

from callsheet.account import read_account, read_places, split
from callsheet.carriers.known import KNOWN
from callsheet.carriers.sip.account import SipAccount
from callsheet.core.campaign import Channel
from callsheet.core.errors import Invalid
from callsheet.core.sip import SipTrunk, Transport
from certificates import issue

NO_PROXY = "Give a name or an address, with a port if it is not the usual one: sip.example.com:5060."
BARE = {"host": "sip.example.com"}


def faults_of(**settings):
    with pytest.raises(Invalid) as caught:
        read_account(SipAccount, BARE | settings)
    return {fault.path.removeprefix("settings."): fault.message for fault in caught.value.fields}


def test_a_host_is_enough():
    trunk = read_account(SipAccount, BARE).trunk("tr-1")
    assert trunk == SipTrunk("tr-1", "sip.example.com", 5060)


def test_every_setting_reaches_the_voice_engine():
    pem = issue("Authority").pem
    settings = {
        "host": "sip.example.com", "port": 5099, "transport": "tls", "username": "us", "password": "p;w",
        "realm": "their realm", "registers": True, "from_domain": "example.com",
        "outbound_proxy": "proxy.example.com:5070",
        "dial_string": "PJSIP/{trunk}/sip:9{number}@gw.example.com:5080;user=phone", "number_prefix": "00",
        "codecs": ["opus", "alaw"], "srtp": True, "verify_certificate": False, "ca_certificate": pem, "most_calls": 7,
        "media_timeout_seconds": 11,
    }  # fmt: skip
    account = read_account(SipAccount, settings)
    expected = settings | {"transport": Transport.tls, "codecs": ("opus", "alaw"), "id": "tr-1"}
    assert account.trunk("tr-1") == SipTrunk(**expected)
    assert set(settings) == set(SipAccount.model_fields)
    assert split(account).secrets == {"password": "p;w"}


@pytest.mark.parametrize(("transport", "port"), [("udp", 5060), ("tcp", 5060), ("tls", 5061)])
def test_the_usual_port_is_that_of_the_transport(transport, port):
    assert read_account(SipAccount, BARE | {"transport": transport}).trunk("t").port == port


@pytest.mark.parametrize(
    "text",
    [
        "PJSIP/{number}@{trunk}",
        "PJSIP/1234#{number}@{trunk}",
        "PJSIP/{trunk}/sip:{number}@gw.example.com",
        "PJSIP/{trunk}/sip:{number}@10.0.0.1:5080;user=phone",
    ],
)
def test_dial_strings_that_name_this_trunk_are_taken(text):
    assert read_account(SipAccount, BARE | {"dial_string": text}).dial_string == text


@pytest.mark.parametrize(
    "text",
    [
        "", "PJSIP/@{trunk}", "PJSIP/{number}{number}@{trunk}", "PJSIP/{number}@other",
        "PJSIP/{number}@other&PJSIP/1@{trunk}",
        "Local/{number}@{trunk}", "PJSIP/{number}@{trunk}{caller}", "PJSIP/{number}/x@{trunk}",
        "PJSIP/{trunk}/{number}",
        "PJSIP/{trunk}/sip:{number}@host\nexten", "PJSIP/{trunk}/sip:{number}@host,1", "{number}@{trunk}",
        "PJSIP/{number}@a@{trunk}",
    ],
)  # fmt: skip
def test_dial_strings_that_may_lead_elsewhere_are_refused(text):
    assert set(faults_of(dial_string=text)) == {"dial_string"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"host": "sip.example.com:5060"}, {"host": "Give a name or an address, without port and path."}),
        ({"host": "a b"}, {"host": "Give a name or an address, without port and path."}),
        ({"outbound_proxy": "p:99999"}, {"outbound_proxy": NO_PROXY}),
        ({"outbound_proxy": "[::1"}, {"outbound_proxy": NO_PROXY}),
        ({"password": "x"}, {"username": "A password needs a username."}),
        ({"username": "us"}, {"password": "A username needs a password."}),
        ({"registers": True}, {"username": "Who registers has a username and a password."}),
        ({"realm": "r"}, {"realm": "It says for whom a password is, and there is none."}),
        ({"username": "us", "password": "a\nb"}, {"password": "Give ASCII letters, digits and signs."}),
        ({"srtp": True}, {"srtp": "Its keys would go in the clear: give the transport tls."}),
        ({"ca_certificate": "x"}, {"ca_certificate": "Certificates are given, but the transport is not tls."}),
        ({"transport": "tls", "ca_certificate": "x"}, {"ca_certificate": "These are no certificates in PEM."}),
        ({"codecs": ["ulaw", "ulaw"]}, {"codecs": "Name each once."}),
        ({"number_prefix": "+1 "}, {"number_prefix": "Give +, 00, or at most 16 digits, * and #."}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_a_sentence(settings, said):
    assert faults_of(**settings) == said


def test_every_wrong_setting_is_named_at_once():
    wrong = {
        "port": 0, "transport": "sctp", "username": "a;b", "realm": '"', "from_domain": "a b", "codecs": [],
        "srtp": "yes", "most_calls": 0, "media_timeout_seconds": 1, "colour": "red",
    }  # fmt: skip
    assert set(faults_of(**wrong)) == set(wrong)


def test_nothing_that_is_taken_can_break_out_of_a_line_of_configuration():
    for name in ("host", "username", "realm", "from_domain", "outbound_proxy", "dial_string", "number_prefix"):
        for text in ("x\ny", "x;y", "x]y", "x\x00"):
            if (name, text) != ("outbound_proxy", "x]y"):
                assert name in faults_of(**{name: text}), (name, text)
    assert "outbound_proxy" in faults_of(outbound_proxy="x]y\n")


def test_whoever_requests_go_to_is_a_place_that_secrets_belong_to():
    settings = BARE | {"outbound_proxy": "[::1]:5070", "dial_string": "PJSIP/{trunk}/sip:{number}@gw.example.com"}
    assert {name: (place.host, place.port) for name, place in read_places(SipAccount, settings).items()} == {
        "host": ("sip.example.com", 5060),
        "outbound_proxy": ("::1", 5070),
        "dial_string": ("gw.example.com", 5060),
    }


def test_each_carrier_says_how_it_reaches_people():
    voice = {name for name, known in KNOWN.items() if Channel.voice in known.channels}
    texts = {name for name, known in KNOWN.items() if Channel.sms in known.channels}
    assert voice == {"sandbox", "sip"}
    assert texts == {name for name, known in KNOWN.items() if known.make is not None} == set(KNOWN) - {"sip"}
