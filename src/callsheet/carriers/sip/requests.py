"""The two SIP requests that a test call makes (RFC 3261), and what of an answer it reads. They change nothing there."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from callsheet.account import Place
from callsheet.core.sip import Transport

LONGEST_ANSWER: Final = 65_535
_BRANCH: Final = "z9hG4bK"  # RFC 3261, section 8.1.1.7
_STATUS: Final = re.compile(r"SIP/2\.0 ([1-6][0-9]{2}) ?([^\r\n]{0,200})")
_PARAMETER: Final = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^",\s]+))')
_HASHES: Final[Mapping[str, str]] = {"": "md5", "md5": "md5", "sha-256": "sha256"}  # RFC 8760


class Answer(NamedTuple):
    """What a SIP server said."""

    status: int
    reason: str
    headers: Mapping[str, tuple[str, ...]]
    """By their name in small letters, and in its long form."""

    @property
    def is_final(self) -> bool:
        """Tell whether nothing more comes."""
        return self.status >= 200

    @property
    def line(self) -> str:
        """Return status and reason, as far as they can stand in a sentence."""
        said = "".join(char for char in self.reason if char.isascii() and char.isprintable())[:80].strip()
        return f"{self.status} {said}".strip()


@dataclass(slots=True)
class Asking:
    """A dialog's worth of requests from one address of ours to one server."""

    server: Place
    transport: Transport
    ours: str
    """Our address and port, as the server sees them on this connection."""
    user: str = ""
    call_id: str = field(default_factory=lambda: secrets.token_hex(12))
    tag: str = field(default_factory=lambda: secrets.token_hex(6))
    turn: int = 0
    branch: str = ""

    def write(self, method: str, authorization: tuple[str, str] | None = None) -> bytes:
        """Return the next request of it."""
        self.turn += 1
        self.branch = _BRANCH + secrets.token_hex(10)
        us = f"<sip:{self.user or 'callsheet'}@{written(self.server.host)}>"
        lines = [
            f"{method} {self.uri} SIP/2.0",
            f"Via: SIP/2.0/{self.transport.value.upper()} {self.ours};branch={self.branch};rport",
            "Max-Forwards: 70",
            f"From: {us};tag={self.tag}",
            f"To: {us if method == 'REGISTER' else f'<{self.uri}>'}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.turn} {method}",
            "User-Agent: Callsheet",
            *([f"Contact: <sip:callsheet@{self.ours}>", "Accept: application/sdp"] if method == "OPTIONS" else []),
            *([f"{authorization[0]}: {authorization[1]}"] if authorization else []),
            "Content-Length: 0",
        ]
        return "\r\n".join([*lines, "", ""]).encode()

    @property
    def uri(self) -> str:
        """Return whom it asks."""
        return f"sip:{written(self.server.host)}:{self.server.port}"

    def is_answer(self, answer: Answer) -> bool:
        """Tell whether an answer is one to the latest request."""
        return any(f"branch={self.branch}" in via for via in answer.headers.get("via", ()))


def written(host: str) -> str:
    """Return a host as it stands in a URI."""
    return f"[{host}]" if ":" in host else host


_SHORT: Final[Mapping[str, str]] = {"v": "via", "l": "content-length", "f": "from", "t": "to", "i": "call-id"}


def read_answer(message: bytes) -> Answer | None:
    """Read an answer; None: it is none."""
    head = message.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    first, *lines = head.split("\r\n")
    status = _STATUS.match(first)
    if status is None:
        return None
    headers: dict[str, tuple[str, ...]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        key = name.strip().lower()
        key = _SHORT.get(key, key)
        headers[key] = (*headers.get(key, ()), value.strip())
    return Answer(int(status[1]), status[2], headers)


def authorize(answer: Answer, asking: Asking, username: str, password: str, realm: str) -> tuple[str, str] | None:
    """Return the header that answers a challenge to REGISTER (RFC 7616, RFC 8760); None: we cannot.

    `realm` is the one that the password is for; empty: any.
    """
    theirs, ours = (
        ("proxy-authenticate", "Proxy-Authorization") if answer.status == 407 else ("www-authenticate", "Authorization")
    )
    for challenge in answer.headers.get(theirs, ()):
        scheme, _, rest = challenge.partition(" ")
        asked = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(rest)}
        algorithm = asked.get("algorithm", "")
        named = _HASHES.get(algorithm.lower())
        if scheme.lower() != "digest" or named is None or (realm and asked.get("realm") != realm):
            continue
        return ours, _digest(asked, named, asking.uri, username, password)
    return None


def _digest(asked: Mapping[str, str], named: str, uri: str, username: str, password: str) -> str:
    def of(*parts: str) -> str:
        return hashlib.new(named, ":".join(parts).encode(), usedforsecurity=False).hexdigest()

    realm, nonce = asked.get("realm", ""), asked.get("nonce", "")
    who, what = of(username, realm, password), of("REGISTER", uri)
    said = f'Digest username="{username}", realm="{realm}", nonce="{nonce}", uri="{uri}"'
    if "auth" in asked.get("qop", "").replace(" ", "").lower().split(","):
        ours = secrets.token_hex(8)
        said += f', response="{of(who, nonce, "00000001", ours, "auth", what)}", qop=auth, nc=00000001, cnonce="{ours}"'
    else:
        said += f', response="{of(who, nonce, what)}"'
    for name in ("algorithm", "opaque"):
        if name in asked:
            said += f', {name}="{asked[name]}"' if name == "opaque" else f", {name}={asked[name]}"
    return said
