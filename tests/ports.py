"""Ports for servers that are told where to listen, because others must know it before, and ports of nobody."""

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager

# Below those that the kernel gives to whoever asks for any: nobody is given one between our look and its use.
_FIRST, _LAST = 10_000, 32_000
_random = random.SystemRandom()


def free_port() -> int:
    """Return a port that nobody listens on."""
    while True:
        port = _random.randint(_FIRST, _LAST)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue


def free_ports(count: int) -> list[int]:
    """Return so many different ones."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return list(found)


@contextmanager
def deaf_port() -> Iterator[int]:
    """Hold a port at which nobody listens, so that nobody else does either."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
