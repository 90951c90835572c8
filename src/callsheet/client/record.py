"""What the API answers, as typed values."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, or a part of it. Fields that a newer server adds are left out."""


class Page(Record, Generic[T], frozen=True):
    """Some items of many, and the cursor of those that follow: None when none follow."""

    items: tuple[T, ...]
    next: str | int | None = None
