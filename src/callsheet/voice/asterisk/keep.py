"""What a node of ours keeps from start to start: its secret, and its ports, which others may know by now."""

from __future__ import annotations

import errno
import json
import random
import secrets
import socket
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from callsheet.core.sip import MOST_NODE_CALLS
from callsheet.voice.asterisk.secret_file import write_secret

RTP_PORTS: Final = 2 * MOST_NODE_CALLS
"""So many: each call takes two."""
# Below those that the kernel gives to whoever asks for any.
_FIRST, _LAST = 10_000, 28_000
_LOCAL = "127.0.0.1"
_MOST_TRIES: Final = 1000
_random = random.SystemRandom()


class PortTaken(Exception):
    """The port that the node is told to take cannot be had. The sentence says which setting names it."""


@dataclass(frozen=True, slots=True)
class Keep:
    """What is kept."""

    secret: str = field(repr=False)
    events_port: int
    """Where we listen, and the node dials in."""
    sip_port: int
    rtp_first: int
    tls_ports: dict[str, int] = field(default_factory=dict)
    is_draining: bool = False
    """It is to get no calls."""

    @property
    def rtp_ports(self) -> tuple[int, int]:
        """The first and the last port of the media."""
        return self.rtp_first, self.rtp_first + RTP_PORTS - 1


def open_keep(path: Path, *, is_in_use: bool) -> Keep:
    """Return what is kept in a file, made at the first time.

    Where we listen is chosen anew when somebody else has taken it, and no node runs that knows it (`is_in_use`).
    """
    keep = _read(path)
    if keep is None:
        keep = Keep(secrets.token_urlsafe(24), free_port(_LOCAL), 0, 0)
    elif is_in_use or is_free(keep.events_port, _LOCAL):
        return keep
    else:
        keep = replace(keep, events_port=free_port(_LOCAL))
    _write(path, keep)
    return keep


def keep_sip_ports(path: Path, keep: Keep, address: str, *, sip_port: int, rtp_first: int) -> Keep:
    """Return it with the ports of a node that is about to start: those that we are told, or its own while free.

    Raises PortTaken: the node would start, and never hear an answer.
    """
    if sip_port:
        _check_told(sip_port, address)
    new = replace(
        keep,
        sip_port=sip_port or (keep.sip_port if is_free(keep.sip_port, address) else free_port(address)),
        rtp_first=rtp_first or keep.rtp_first or _random.randrange(_FIRST, _LAST, 2),
        tls_ports={name: port for name, port in keep.tls_ports.items() if is_free(port, address)},
    )
    if new != keep:
        _write(path, new)
    return new


def keep_tls_ports(path: Path, keep: Keep, names: Iterable[str], address: str) -> Keep:
    """Return it with a port for each TLS transport."""
    new = {name: free_port(address) for name in names if name not in keep.tls_ports}
    if new:
        keep = replace(keep, tls_ports={**keep.tls_ports, **new})
        _write(path, keep)
    return keep


def keep_draining(path: Path, keep: Keep, *, is_draining: bool) -> Keep:
    """Return it with what was last wished: a node that was emptied stays so after a restart."""
    if is_draining != keep.is_draining:
        keep = replace(keep, is_draining=is_draining)
        _write(path, keep)
    return keep


def free_port(address: str) -> int:
    """Return a port that nobody listens on, neither by UDP nor by TCP. Raises OSError: the address is not ours."""
    for _ in range(_MOST_TRIES):
        if is_free(port := _random.randrange(_FIRST, _LAST), address):
            return port
    raise OSError(errno.EADDRNOTAVAIL, f"no port is free at {address}: is it an address of this machine?")


def is_free(port: int, address: str) -> bool:
    """Tell whether nobody listens on a port, neither by UDP nor by TCP; 0 is no port."""
    if not port:
        return False
    try:
        _take(port, address)
    except OSError:
        return False
    return True


def _check_told(port: int, address: str) -> None:
    try:
        _take(port, address)
    except OSError as error:
        raise PortTaken(
            f"Asterisk cannot listen for SIP on port {port} at {address}: {error.strerror}. The settings"
            " CALLSHEET_SIP_PORT and CALLSHEET_SIP_ADDRESS say where it is to listen."
        ) from None


def _take(port: int, address: str) -> None:
    """Listen on a port for a moment, by UDP and by TCP. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with (
        closing(socket.socket(family, socket.SOCK_STREAM)) as stream,
        closing(socket.socket(family, socket.SOCK_DGRAM)) as datagrams,
    ):
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stream.bind((address, port))
        stream.listen()
        datagrams.bind((address, port))


def _read(path: Path) -> Keep | None:
    try:
        return Keep(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _write(path: Path, keep: Keep) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(path, json.dumps(asdict(keep)) + "\n")
