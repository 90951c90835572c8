"""A SIP trunk as a value: what a voice engine has to know to place calls through a provider."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Transport(StrEnum):
    """By what SIP goes to the provider."""

    udp = "udp"
    tcp = "tcp"
    tls = "tls"


USUAL_DIAL_STRING = "PJSIP/{number}@{trunk}"
USUAL_CODECS = ("ulaw", "alaw")

USUAL_NODE_CALLS = 400
"""So many calls a voice node takes at once, unless it is told otherwise."""
MOST_NODE_CALLS = 2_000
"""A voice node is not told to take more: each takes two of its ports for media."""


@dataclass(frozen=True, slots=True)
class SipTrunk:
    """A configured account with a SIP provider."""

    id: str
    """The trunk's public id: also the name of its endpoint."""
    host: str
    port: int
    transport: Transport = Transport.udp
    username: str = ""
    """Empty: the provider knows us by our address."""
    password: str = field(default="", repr=False)
    realm: str = ""
    """Empty: whatever the provider asks for."""
    registers: bool = False
    """We tell the provider where we are, and again before that runs out."""
    from_domain: str = ""
    """What stands after the @ of From; empty: our address."""
    outbound_proxy: str = ""
    """`host` or `host:port`; empty: none."""
    dial_string: str = USUAL_DIAL_STRING
    """How a call is asked for: `{number}` is E.164 as the trunk wants it, `{trunk}` the endpoint."""
    number_prefix: str = "+"
    """What stands before the digits of a number: `+`, `00`, a tech prefix."""
    codecs: tuple[str, ...] = USUAL_CODECS
    srtp: bool = False
    """Media goes encrypted (SDES)."""
    verify_certificate: bool = True
    ca_certificate: str = ""
    """PEM; empty: the certificates that the machine trusts."""
    most_calls: int = 30
    """So many calls may go on at once, over all nodes."""
    media_timeout_seconds: int = 60
    """A call without media for so long is ended."""
