"""Count: numbers in words, as a person says them."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """Say how many there are of something: `1 row`, `2,000 rows`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
