"""Instants as others read them: ISO 8601 in UTC, with milliseconds and `Z`, as the documented samples do."""

from __future__ import annotations

from datetime import UTC, datetime


def write_instant(at: datetime) -> str:
    """Write an aware instant."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
