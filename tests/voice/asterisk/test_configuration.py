"""The configuration of a node, as a value: whatever a trunk says, nothing of it becomes more than a value."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.sip import SipTrunk, Transport
from callsheet.voice.asterisk.architecture import ARCHITECTURES
from callsheet.voice.asterisk.configuration import Dispatcher, NodePlan, configure
from callsheet.voice.asterisk.pjsip import SipSide, tls_name
from callsheet.voice.asterisk.sections import NotWritable
from callsheet.voice.asterisk.tree import Tree

TREE = Tree(Path("/tree/root"), ARCHITECTURES["x86_64"], "1:22")
TRUNK = SipTrunk("trk-1", "sip.example.com", 5060)
WORDS = st.text(st.sampled_from('ab;\\=>[]#\n\r "@%+'), max_size=12)
TRUNKS = st.builds(
    SipTrunk,
    st.just("trk-1"),
    st.sampled_from(["sip.example.com", "192.0.2.1", "2001:db8::1"]),
    st.integers(1, 65535),
    st.sampled_from(Transport),
    username=WORDS,
    password=WORDS,
    realm=WORDS,
    registers=st.booleans(),
    from_domain=WORDS,
    outbound_proxy=WORDS,
    srtp=st.booleans(),
    verify_certificate=st.booleans(),
    ca_certificate=st.sampled_from(["", "PEM\n[trk-2]\n"]),
)


def plan(*trunks: SipTrunk, **side: object) -> NodePlan:
    tls_ports = {tls_name(trunk): 10_000 + n for n, trunk in enumerate(trunks)}
    return NodePlan(
        Path("/node"),
        TREE,
        Dispatcher("ws://127.0.0.1:9000", "local", "sesame"),
        SipSide("0.0.0.0", 5060, tls_ports, **side),
        (10_000, 13_999),
        trunks,
    )


def shape(text: str) -> list[str]:
    """Return what lines say apart from values: sections, and names of options."""
    return [line if line.startswith("[") else line.partition(" = ")[0] for line in text.split("\n") if line]


@given(TRUNKS)
def test_no_trunk_adds_a_line_that_a_harmless_one_does_not_have(trunk):
    try:
        text = configure(plan(trunk))["pjsip.conf"]
    except NotWritable:
        return
    harmless = {
        name: "x" for name in ("username", "password", "realm", "from_domain", "outbound_proxy") if getattr(trunk, name)
    }

    assert shape(text) == shape(configure(plan(replace(trunk, **harmless)))["pjsip.conf"])


def test_the_caller_id_goes_out_and_nobody_elses_identity_does():
    lines = configure(plan(TRUNK))["pjsip.conf"].splitlines()

    assert {"send_pai = yes", "trust_id_outbound = yes", "send_connected_line = no", "rtp_timeout = 60"} <= set(lines)
    assert not [line for line in lines if line.startswith("from_user")]


def test_trunks_that_trust_the_same_certificates_share_a_transport_and_others_do_not():
    one = replace(TRUNK, transport=Transport.tls, ca_certificate="PEM")
    trunks = [one, replace(one, id="trk-2"), replace(one, id="trk-3", verify_certificate=False)]
    files = configure(plan(*trunks))

    transports = [line for line in files["pjsip.conf"].splitlines() if line.startswith("[tls-")]
    assert len(transports) == 2
    assert sorted(text for name, text in files.items() if name.endswith(".pem")) == ["PEM", "PEM"]


def test_a_nat_is_told_of_and_own_networks_are_not_behind_it():
    text = configure(plan(TRUNK, external_address="203.0.113.7"))["pjsip.conf"]

    assert "external_media_address = 203.0.113.7" in text
    assert "local_net = 192.168.0.0/16" in text
    assert "external" not in configure(plan(TRUNK))["pjsip.conf"]


def test_a_node_asks_nobody_in_and_keeps_no_number():
    files = configure(plan(TRUNK))

    assert "enabled = no" in files["http.conf"]
    assert not any(column in files["cdr_custom.conf"] for column in ("src", "dst", "clid", "channel"))
    assert [name for name, text in files.items() if "sesame" in text] == ["ari.conf", "websocket_client.conf"]


def test_the_node_gives_us_time_to_read_and_writes_nothing_to_its_console():
    files = configure(plan(TRUNK))

    # Its usual 100 ms would drop us whenever our machine is busy.
    assert "websocket_write_timeout = 5000" in files["ari.conf"].splitlines()
    assert "console" not in files["logger.conf"]
