"""Passwords as they are kept: argon2id (RFC 9106), hashed beside the loop, and not many at once."""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from callsheet.core.passwords import spelled

AT_ONCE: Final = 2
"""Each takes 64 MiB of memory while it lasts."""


class Passwords:
    """Hashes passwords, and compares them."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._nobodys = _impossible(self._hasher)

    async def hash(self, password: str) -> str:
        """Return the hash of a password."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, spelled(password))

    async def is_right(self, kept: str | None, password: str) -> bool:
        """Tell whether a password is the one of a hash. Without a hash it takes as long, and is not."""
        async with self._turn:
            return await asyncio.to_thread(self._verify, kept or self._nobodys, spelled(password))

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False


def _impossible(hasher: PasswordHasher) -> str:
    """Return a hash that costs what a true one costs, and that nobody knows a password for."""
    salt, digest = (b64encode(os.urandom(length)).decode().rstrip("=") for length in (hasher.salt_len, hasher.hash_len))
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${digest}"
