"""The audit log as a chain: each line's hash covers the line before it, so that none is changed or taken out unseen.

The hash of a line is SHA-256 (FIPS 180-4) over the hash before it, 32 zero bytes before the first, and the line as JSON
with sorted keys and nothing between its parts. Anybody can compute it from what the API shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

GENESIS = bytes(32)
"""What stands where the first line's hash before it would."""


class ActorKind(StrEnum):
    """What did something."""

    client = "client"
    user = "user"
    engine = "engine"
    nobody = "nobody"
    """Somebody who did not prove who he is."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did. No number, no text and no secret stands in it."""

    actor_kind: ActorKind
    actor_id: str
    action: str
    """A route, such as `POST /v1/apps/{app}/templates`, or what the engine did, such as `run.started`."""
    thing: str = ""
    """The ids of what it was done to, with slashes between."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """More about it, as JSON values."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log."""

    seq: int
    """Its place in the chain, from 1 on without a gap."""
    at: datetime
    deed: Deed

    def hash(self, before: bytes) -> bytes:
        """Return the hash of the line behind the one whose hash is `before`."""
        return hashlib.sha256(before + self.canonical()).digest()

    def written_at(self) -> str:
        """Return the instant as it is hashed: UTC, with all six decimals."""
        return self.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"

    def canonical(self) -> bytes:
        """Write the line as it is hashed."""
        deed = self.deed
        return write_json(
            {
                "seq": self.seq,
                "at": self.written_at(),
                "actor": {"kind": deed.actor_kind.value, "id": deed.actor_id},
                "action": deed.action,
                "thing": deed.thing,
                "details": deed.details,
            }
        ).encode()


def write_json(value: Any) -> str:
    """Write a value in the one way that it is hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
