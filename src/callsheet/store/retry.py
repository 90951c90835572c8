"""Contacts that come again, as rows of `retry`."""

from __future__ import annotations

from typing import NamedTuple


class Retry(NamedTuple):
    """A contact that comes again: the columns of `retry` after the app and the run."""

    turn: int
    due: int
    """Microseconds UTC."""
    list_no: int
    pos: int
    person: bytes
    n: int
    used: int
    group_no: int
    reason: str
