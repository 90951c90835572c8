"""Ports for servers that are told where to listen, because others must know it before, and ports of nobody."""

import os
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager

# Below those that the kernel gives to whoever asks for any, and above those that nodes take for themselves: nobody is
# given one between our look and its use. Whoever dials a port that is not open yet may else be held by a stranger.
_FIRST, _LAST = 28_000, 32_000


def _share() -> list[int]:
    """Return the ports of this worker, shuffled: beside each other they must not find the same one free."""
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    mine = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ports = [*range(_FIRST + mine, _LAST, count)]
    random.SystemRandom().shuffle(ports)
    return ports


_left = _share()
"""Each is given once: one that was looked at and is not used yet would be found free a second time."""


def free_port() -> int:
    """Return a port that nobody listens on, and that nobody was given before."""
    while True:
        port = _left.pop()
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue


def free_ports(count: int) -> list[int]:
    """Return so many different ones."""
    return [free_port() for _ in range(count)]


@contextmanager
def deaf_port() -> Iterator[int]:
    """Hold a port at which nobody listens, so that nobody else does either."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
