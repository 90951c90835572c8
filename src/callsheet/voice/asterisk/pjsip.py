"""The SIP side of a node's configuration (`pjsip.conf`): a way out for each trunk.

What is set here was measured: where a line looks odd, its reason stands beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from callsheet.core.calling import SILENT_SECONDS
from callsheet.core.sip import SipTrunk, Transport
from callsheet.voice.asterisk.sections import Section, write_sections

REFUSED: Final = "refused"
"""The context of calls that come in: nobody is there to take them."""
_PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8")
_REGISTER_SECONDS: Final = 600
_RETRY_SECONDS: Final = 30
_SILENCE_MILLISECONDS: Final = round(1000 * SILENT_SECONDS)
_HOLD_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class SipSide:
    """Where a node stands on the SIP network."""

    address: str
    """Where it listens; `0.0.0.0`: everywhere."""
    port: int
    """UDP, and TCP where a trunk wants it."""
    tls_ports: Mapping[str, int] = field(default_factory=dict)
    """By the name of a TLS transport (`tls_name`); each listens on its own."""
    external_address: str = ""
    """What the world calls it, behind a NAT; empty: there is none."""


def tls_name(trunk: SipTrunk) -> str:
    """Return the transport that a trunk with TLS needs: trunks that trust the same certificates share one.

    Another trust is another name: a transport that is in use cannot be changed, but a new one can be added.
    """
    trust = hashlib.sha256(f"{trunk.verify_certificate}\n{trunk.ca_certificate}".encode()).hexdigest()
    return f"tls-{trust[:12]}"


def ca_file(trunk: SipTrunk) -> str:
    """Return the name of the file with the certificates that a trunk trusts; empty: the machine's."""
    return f"{tls_name(trunk)}.pem" if trunk.ca_certificate else ""


def pjsip_conf(side: SipSide, trunks: Sequence[SipTrunk], certificates: Path) -> str:
    """Return the file; `certificates` is the folder of the trunks' CA files. Raises NotWritable."""
    return write_sections(
        (
            Section(
                "global", {"type": "global", "user_agent": "Callsheet", "endpoint_identifier_order": "ip,username"}
            ),
            # A provider that says nothing at all for so long is not there; one that says `trying` has its time to ring.
            Section(
                "system", {"type": "system", "timer_t1": _SILENCE_MILLISECONDS // 64, "timer_b": _SILENCE_MILLISECONDS}
            ),
            *_transports(side, trunks, certificates),
            *(section for trunk in trunks for section in trunk_sections(trunk)),
        )
    )


def _transports(side: SipSide, trunks: Sequence[SipTrunk], certificates: Path) -> Iterator[Section]:
    yield _transport("udp", "udp", side, side.port)
    if any(trunk.transport is Transport.tcp for trunk in trunks):
        yield _transport("tcp", "tcp", side, side.port)
    for name, trunk in {tls_name(trunk): trunk for trunk in trunks if trunk.transport is Transport.tls}.items():
        trust: dict[str, str | int | bool] = {"method": "tlsv1_2", "verify_server": trunk.verify_certificate}
        if trunk.ca_certificate:
            trust["ca_list_file"] = str(certificates / ca_file(trunk))
        else:
            trust["ca_list_path"] = "/etc/ssl/certs"
        yield _transport(name, "tls", side, side.tls_ports[name], trust)


def _transport(
    name: str, protocol: str, side: SipSide, port: int, more: Mapping[str, str | int | bool] | None = None
) -> Section:
    where = f"[{side.address}]" if ":" in side.address else side.address
    options: dict[str, str | int | bool] = {"type": "transport", "protocol": protocol, "bind": f"{where}:{port}"}
    if not side.external_address:
        return Section(name, {**options, **(more or {})})
    external: dict[str, str | int | bool] = {
        "external_media_address": side.external_address,
        "external_signaling_address": side.external_address,
        "external_signaling_port": port,
    }
    return Section(name, {**options, **external, **(more or {})}, tuple(("local_net", net) for net in _PRIVATE))


def trunk_sections(trunk: SipTrunk) -> Iterator[Section]:
    """Return what one trunk needs."""
    place = _server_uri(trunk)
    proxy = _proxy(trunk)
    yield Section(trunk.id, _endpoint(trunk, proxy), tuple(("allow", codec) for codec in trunk.codecs))
    yield Section(trunk.id, {"type": "aor", "contact": place, "max_contacts": 1})
    if trunk.username:
        yield Section(
            trunk.id,
            {
                "type": "auth", "auth_type": "digest", "username": trunk.username, "password": trunk.password,
                "realm": trunk.realm,
            },
        )  # fmt: skip
    if trunk.registers:
        yield Section(trunk.id, _registration(trunk, proxy))
    if _is_address(trunk.host):
        yield Section(trunk.id, {"type": "identify", "endpoint": trunk.id, "match": trunk.host})


def _endpoint(trunk: SipTrunk, proxy: str) -> dict[str, str | int | bool]:
    return {
        "type": "endpoint",
        "transport": _transport_name(trunk),
        "context": REFUSED,
        "aors": trunk.id,
        "outbound_auth": trunk.id if trunk.username else "",
        "outbound_proxy": proxy,
        # No from_user: it would stand in From instead of the caller ID.
        "from_domain": trunk.from_domain,
        "send_pai": True,
        "trust_id_outbound": True,
        # Else the customer is told who was connected: an agent's own identity.
        "send_connected_line": False,
        "allow_transfer": False,
        "allow_subscribe": False,
        "direct_media": False,
        "rtp_symmetric": True,
        "force_rport": True,
        "rewrite_contact": False,
        "dtmf_mode": "rfc4733",
        "rtp_timeout": trunk.media_timeout_seconds,
        "rtp_timeout_hold": _HOLD_SECONDS,
        "media_encryption": "sdes" if trunk.srtp else "no",
        "disallow": "all",
    }


def _registration(trunk: SipTrunk, proxy: str) -> dict[str, str | int | bool]:
    server_uri, client_uri = registers_as(trunk)
    return {
        "type": "registration",
        "transport": _transport_name(trunk),
        "server_uri": server_uri,
        "client_uri": client_uri,
        # A name with an `@` is usual; Asterisk drops a registration whose contact is no URI.
        "contact_user": _in_uri(trunk.username),
        "outbound_auth": trunk.id,
        "outbound_proxy": proxy,
        "expiration": _REGISTER_SECONDS,
        "retry_interval": _RETRY_SECONDS,
        "forbidden_retry_interval": 10 * _RETRY_SECONDS,
        "fatal_retry_interval": 10 * _RETRY_SECONDS,
        "max_retries": 1_000_000,
        # A wrong password may be mended at the other end.
        "auth_rejection_permanent": False,
        # So that a wrong password is known at once: the usual wait is of up to ten seconds, by chance.
        "max_random_initial_delay": 1,
        "line": True,
        "endpoint": trunk.id,
    }


def registers_as(trunk: SipTrunk) -> tuple[str, str]:
    """Return where a trunk registers, and as whom, as URIs: a node complains of it by these."""
    return _server_uri(trunk), uri(trunk, trunk.from_domain or trunk.host, trunk.port, trunk.username)


def _server_uri(trunk: SipTrunk) -> str:
    return uri(trunk, trunk.host, trunk.port)


def uri(trunk: SipTrunk, host: str, port: int, user: str = "") -> str:
    """Return a SIP URI that goes by the trunk's transport."""
    name = f"{_in_uri(user)}@" if user else ""
    where = f"[{host}]" if ":" in host else host
    by = "" if trunk.transport is Transport.udp else f";transport={trunk.transport}"
    return f"sip:{name}{where}:{port}{by}"


def _proxy(trunk: SipTrunk) -> str:
    if not trunk.outbound_proxy:
        return ""
    by = "" if trunk.transport is Transport.udp else f";transport={trunk.transport}"
    return f"sip:{trunk.outbound_proxy}{by};lr"


def _in_uri(user: str) -> str:
    """Escape what may not stand in the user part of a URI (RFC 3261, section 25.1)."""
    return "".join(
        sign if sign.isascii() and (sign.isalnum() or sign in "-_.!~*'()&=+$,;?/") else f"%{sign.encode().hex()}"
        for sign in user
    )


def _transport_name(trunk: SipTrunk) -> str:
    return tls_name(trunk) if trunk.transport is Transport.tls else str(trunk.transport)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
