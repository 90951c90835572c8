"""Asking: one request to a URL of somebody else, its answer, and what no answer means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol


class Request(NamedTuple):
    """What is asked of a URL."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None


class Answer(NamedTuple):
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    body: bytes


class NotReached(Exception):
    """No answer came, or none that we take; the sentence says why, and quotes nothing that was answered."""

    def __init__(self, why: str, *, was_sent: bool = True) -> None:
        """Say why, and whether the request, or a part of it, may have arrived.

        `was_sent` is false only where that is certain: no address, no connection, no certificate that we believe.
        """
        self.was_sent = was_sent
        super().__init__(why)


class HeldBack(NotReached):
    """It was connected, and then the request was not written: it must not leave any more."""


Leave = Callable[[], bool]
"""Asked just before the first octet leaves; false: it must not leave any more, and is given up."""


def nobody_forbids() -> bool:
    """Let it leave."""
    return True


class Ask(Protocol):
    """Asks once: however it fails, the request arrives at most once."""

    async def __call__(
        self,
        request: Request,
        *,
        seconds: float,
        most_bytes: int,
        most_hops: int = 0,
        leave: Leave = nobody_forbids,
    ) -> Answer:
        """Return the answer. `leave` is asked when the request is to go out. Raises NotReached, HeldBack."""
