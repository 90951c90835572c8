"""Pools: several senders that speak as one. Each contact keeps the sender that it knows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import blake2b

_SCORE_BYTES = 8


@dataclass(frozen=True, slots=True)
class Pool:
    """The senders among which a pool chooses, by their numbers in the store."""

    members: tuple[int, ...]
    fail_over: bool = False
    """Contacts of a member whose trunk is broken go to another one; otherwise they wait for it."""


def choose(members: Collection[int], person: bytes, last: int | None = None) -> int:
    """Return the sender of a person: the `last` one while it is a member, else by rendezvous hashing.

    Each member has a score for each person, and the highest wins (Thaler and Ravishankar, 1998): the shares are even,
    and when a member comes or goes only those who were its own, or become so, change. `members` must not be empty.
    """
    if last is not None and last in members:
        return last
    return max(members, key=lambda no: (_score(no, person), no))


def _score(member: int, person: bytes) -> bytes:
    return blake2b(person, digest_size=_SCORE_BYTES, key=member.to_bytes(8, "big")).digest()
