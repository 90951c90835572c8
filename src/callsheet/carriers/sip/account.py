"""An account with a SIP provider, or with a PBX: where it is, who we are there, and how it wants to be called."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, SecretStr, StrictBool, StringConstraints, field_validator, model_validator

from callsheet.account import Account, Place, Written, refuse
from callsheet.core.sip import USUAL_CODECS, USUAL_DIAL_STRING, SipTrunk, Transport

USUAL_PORT: Final = 5060
USUAL_TLS_PORT: Final = 5061
"""RFC 3261, section 19.1.2."""
MOST_CALLS: Final = 10_000
SCHEME: Final = "sip"
"""Of places that are reached by SIP."""

_NO_HOST: Final = "Give a name or an address, without port and path."
_NO_PROXY: Final = "Give a name or an address, with a port if it is not the usual one: sip.example.com:5060."
_NO_NAME: Final = "Give at most 128 letters, digits and signs."
_ENDPOINT: Final = "@{trunk}"
_BY_URI: Final = re.compile(r"PJSIP/\{trunk\}/sips?:[^@]*@(?P<place>[A-Za-z0-9.-]+(?::[0-9]{1,5})?)(?:[;?].*)?")
_SIGNS: Final = re.compile(r"[A-Za-z0-9+*#/@:;?=._~{}-]+")


class Codec(StrEnum):
    """How speech is coded on the way, in Asterisk's words."""

    ulaw = "ulaw"
    alaw = "alaw"
    g722 = "g722"
    gsm = "gsm"
    opus = "opus"


def _check_host(host: str) -> str:
    if ":" in host and not _is_address(host):
        raise ValueError(_NO_HOST)
    return host


def _check_proxy(proxy: str) -> str:
    if proxy:
        host, port = _parts_of(proxy)
        if not host or (":" in host and not _is_address(host)) or port not in (None, *range(1, 65_536)):
            raise ValueError(_NO_PROXY)
    return proxy


def _check_dial_string(text: str) -> str:
    if text.count("{number}") != 1:
        raise ValueError("The number has to stand in it, once: {number}.")
    if text.count("{trunk}") != 1 or re.search(r"[{}]", text.replace("{number}", "").replace("{trunk}", "")):
        raise ValueError("Beside {number} it has {trunk}, once, and nothing else in braces.")
    # Whatever else a dial string can name (another trunk, the dialplan) belongs to somebody else.
    is_usual = text.startswith("PJSIP/") and text.endswith(_ENDPOINT) and not re.search(r"[/@;?]", text[6:-8])
    if not _SIGNS.fullmatch(text) or not (is_usual or _BY_URI.fullmatch(text)):
        raise ValueError("Give PJSIP/{number}@{trunk}, or PJSIP/{trunk}/sip:{number}@host, with what stands around.")
    return text


Host = Annotated[str, Written(r"^[A-Za-z0-9._:-]{1,253}$", _NO_HOST), AfterValidator(_check_host)]
Proxy = Annotated[str, Written(r"^[A-Za-z0-9._:\[\]-]{0,260}$", _NO_PROXY), AfterValidator(_check_proxy)]
DialString = Annotated[str, StringConstraints(max_length=300), AfterValidator(_check_dial_string)]


class SipAccount(Account):
    """An account with a SIP provider, or a way into a PBX."""

    host: Host
    """The name or address of the provider's SIP server, or of the PBX."""
    port: Annotated[int, Field(ge=1, le=65_535, strict=True)] | None = None
    """Its port; none: 5060, and 5061 with TLS."""
    transport: Transport = Transport.udp
    """By what SIP goes there: `udp`, `tcp` or `tls`."""
    username: Annotated[
        str, Written(r"^[A-Za-z0-9._~+*#!&'%=@-]{0,128}$", "Give at most 128 letters, digits and signs.")
    ] = ""
    """Our name there; empty: the provider knows us by our address."""
    password: SecretStr = Field(default=SecretStr(""), max_length=128)
    """Our password there."""
    realm: Annotated[str, Written(r"^[A-Za-z0-9 ._:@-]{0,128}$", _NO_NAME)] = ""
    """For whom the password is; empty: for whoever asks there."""
    registers: StrictBool = False
    """Whether we tell the provider where we are (REGISTER), and again before that runs out."""
    from_domain: Annotated[str, Written(r"^[A-Za-z0-9._-]{0,253}$", "Give a domain.")] = ""
    """What stands after the @ of From; empty: our address."""
    outbound_proxy: Proxy = ""
    """Through what all requests go, `host` or `host:port`; empty: straight to `host`."""
    dial_string: DialString = USUAL_DIAL_STRING
    """How a call is asked for: `{number}` is the number as the trunk wants it, `{trunk}` this trunk."""
    number_prefix: Annotated[str, Written(r"^\+?[0-9*#]{0,16}$", "Give +, 00, or at most 16 digits, * and #.")] = "+"
    """What stands before the digits of a number, country code first: `+`, `00`, a tech prefix, or nothing."""
    codecs: Annotated[list[Codec], Field(min_length=1, max_length=len(Codec))] = Field(
        default_factory=lambda: [Codec(name) for name in USUAL_CODECS]
    )
    """How speech may be coded, the best first: `ulaw`, `alaw`, `g722`, `gsm`, `opus`."""
    srtp: StrictBool = False
    """Whether speech goes encrypted (SRTP, keys in SDP)."""
    verify_certificate: StrictBool = True
    """With TLS: whether the provider's certificate is checked."""
    ca_certificate: str = Field(default="", max_length=100_000)
    """The certificates that vouch for the provider's (PEM); empty: those that the machine trusts."""
    most_calls: Annotated[int, Field(ge=1, le=MOST_CALLS, strict=True)] = 30
    """How many calls may go on at once, over all nodes."""
    media_timeout_seconds: Annotated[int, Field(ge=10, le=3600, strict=True)] = 60
    """A call without any media for so long is ended."""

    @field_validator("password")
    @classmethod
    def _can_be_written(cls, password: SecretStr) -> SecretStr:
        text = password.get_secret_value()
        if not (text.isascii() and text.isprintable()):
            raise ValueError("Give ASCII letters, digits and signs.")
        return password

    @field_validator("codecs")
    @classmethod
    def _are_different(cls, codecs: list[Codec]) -> list[Codec]:
        if len(set(codecs)) < len(codecs):
            raise ValueError("Name each once.")
        return codecs

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        refuse([*self._faults_of_login(), *self._faults_of_tls()])
        return self

    def _faults_of_login(self) -> Iterator[tuple[str, str]]:
        password = self.password.get_secret_value()
        if password and not self.username:
            yield "username", "A password needs a username."
        if self.username and not password:
            yield "password", "A username needs a password."
        if self.registers and not self.username:
            yield "username", "Who registers has a username and a password."
        if self.realm and not self.username:
            yield "realm", "It says for whom a password is, and there is none."

    def _faults_of_tls(self) -> Iterator[tuple[str, str]]:
        if self.transport is not Transport.tls:
            if self.srtp:
                yield "srtp", "Its keys would go in the clear: give the transport tls."
            if self.ca_certificate:
                yield "ca_certificate", "Certificates are given, but the transport is not tls."
        elif self.ca_certificate and not _is_pem(self.ca_certificate):
            yield "ca_certificate", "These are no certificates in PEM."

    @property
    def place(self) -> Place:
        """Return where it is."""
        return Place(SCHEME, self.host.removesuffix("."), self.port or self._usual_port)

    @property
    def next_hop(self) -> Place:
        """Return where requests go first."""
        return self._place_of(self.outbound_proxy) if self.outbound_proxy else self.place

    def places(self) -> Mapping[str, Place]:
        """Return where requests go, and so answers to challenges."""
        places = {"host": self.place}
        if self.outbound_proxy:
            places["outbound_proxy"] = self.next_hop
        if by_uri := _BY_URI.fullmatch(self.dial_string):
            places["dial_string"] = self._place_of(by_uri["place"])
        return places

    def trunk(self, trunk_id: str) -> SipTrunk:
        """Return what a voice engine has to know of it."""
        return SipTrunk(
            id=trunk_id,
            host=self.host,
            port=self.place.port,
            transport=self.transport,
            username=self.username,
            password=self.password.get_secret_value(),
            realm=self.realm,
            registers=self.registers,
            from_domain=self.from_domain,
            outbound_proxy=self.outbound_proxy,
            dial_string=self.dial_string,
            number_prefix=self.number_prefix,
            codecs=tuple(codec.value for codec in self.codecs),
            srtp=self.srtp,
            verify_certificate=self.verify_certificate,
            ca_certificate=self.ca_certificate,
            most_calls=self.most_calls,
            media_timeout_seconds=self.media_timeout_seconds,
        )

    @property
    def _usual_port(self) -> int:
        return USUAL_TLS_PORT if self.transport is Transport.tls else USUAL_PORT

    def _place_of(self, text: str) -> Place:
        host, port = _parts_of(text)
        return Place(SCHEME, host.removesuffix("."), port or self._usual_port)


def _parts_of(text: str) -> tuple[str, int | None]:
    """Return host and port of a text, an address of IPv6 without its brackets; a port that is none is 0."""
    if text.startswith("["):
        host, closed, port = text[1:].partition("]")
        port = port.removeprefix(":") if closed else "none"
    else:
        host, _, port = text.partition(":")
    if not port and not text.endswith(":"):
        return host, None
    return host, int(port) if port.isdecimal() else 0


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_pem(certificates: str) -> bool:
    try:
        ssl.create_default_context(cadata=certificates)
    except (ssl.SSLError, ValueError):
        return False
    return True
