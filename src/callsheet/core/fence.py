"""The fence: which addresses outside we may call for somebody else, so that no URL of theirs reads what is ours.

Two looks at every request: at the URL before it is kept or called, and at the address that its name resolved to at the
moment of connecting. Only the second is proof, because a name may mean another address a moment later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

SCHEMES = {"http": 80, "https": 443}
LONGEST_URL = 2000

# IANA special-purpose registries (RFC 6890 and its successors), multicast and what is reserved. Written out, because
# `ipaddress.is_global` says something else in each release of Python.
_NOT_PUBLIC_4 = tuple(
    IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
        "168.63.129.16/32",  # a cloud's own service, on an address that looks public
    )
)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_UNICAST_6 = IPv6Network("2000::/3")
# Documentation, benchmarks, and ways to write an IPv4 address as one of IPv6 (Teredo, 6to4).
_NOT_PUBLIC_6 = tuple(IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the open internet; what is no address is not.

    IPv4 inside IPv6 (mapped, translated, tunnelled) is not, whatever it stands for.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return not any(parsed in network for network in _NOT_PUBLIC_4)
    return _is_public_6(parsed)


def _is_public_6(address: IPv6Address) -> bool:
    return address in _UNICAST_6 and not any(address in network for network in _NOT_PUBLIC_6)


@dataclass(frozen=True, slots=True)
class Fence:
    """What the owner of the process lets out."""

    allow_private: bool = False
    """Whether addresses of the own machine and network may be called, as on a laptop."""
    ports: frozenset[int] = frozenset()
    """To which ports; empty: any."""
    sip_allows_private: bool = True
    """Whether SIP trunks may be there: a PBX usually is. What a SIP server answers is a status, and no page of it."""

    def of_sip(self) -> Fence:
        """Return what SIP may reach: any port, and private addresses as far as the owner lets it."""
        return replace(self, allow_private=self.allow_private or self.sip_allows_private, ports=frozenset())

    def lets_through(self, address: str) -> bool:
        """Tell whether a resolved address may be connected to."""
        return self.allow_private or is_public(address)

    def fault_of(self, url: str) -> str | None:
        """Say what is wrong with a URL, or None. It says nothing about where a host's name leads."""
        if len(url) > LONGEST_URL:
            return f"A URL has at most {LONGEST_URL} characters."
        if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
            return "Give a URL in ASCII, with other characters percent-encoded."
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return "This is not a URL."
        return self._fault_of(parts, port)

    def _fault_of(self, parts: SplitResult, port: int | None) -> str | None:
        if parts.scheme not in SCHEMES or not parts.hostname:
            return "Give a URL that begins with https:// or http:// and names a host."
        if "@" in parts.netloc:
            return "Give a URL without a user and a password in it."
        return self.fault_of_port(port or SCHEMES[parts.scheme]) or self.fault_of_host(parts.hostname)

    def fault_of_port(self, port: int) -> str | None:
        """Say what is wrong with a port, or None."""
        if self.ports and port not in self.ports:
            return f"This port is not one of those that may be called: {', '.join(map(str, sorted(self.ports)))}."
        return None

    def fault_of_host(self, name: str) -> str | None:
        """Say what is wrong with a host, or None. It says nothing about where a name leads."""
        host = name.lower().removesuffix(".")
        # `localhost` and what is below it are the own machine: RFC 6761, section 6.3. Of other names only their
        # resolution says where they lead.
        is_here = host.rpartition(".")[2] == "localhost" and not self.allow_private
        if is_here or (_is_address(host) and not self.lets_through(host)):
            return "This is an address of a private network, which is not called."
        return None


def _is_address(host: str) -> bool:
    """Tell whether a host is an address, in the usual spelling or in one that resolvers take (127.1, 0x7f000001)."""
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
