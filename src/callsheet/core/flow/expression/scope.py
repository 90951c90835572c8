"""What an expression can see, and what it can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import NamedTuple, Protocol, TypeAlias

Value: TypeAlias = "bool | int | Decimal | str | datetime | date | time | Sequence[Value] | Mapping[str, Value] | None"


class Scope(NamedTuple):
    """The names that an expression can use, and the instant that NOW() and TODAY() mean."""

    names: Mapping[str, object]
    """Values of JSON, dates, and mappings whose `get` may find a name however it is spelled."""
    now: datetime


class Expression(Protocol):
    """An expression that was read once."""

    def __call__(self, scope: Scope) -> Value:
        """Return its value. Raises Amiss."""


class Text(Protocol):
    """A text with expressions in it, read once."""

    @property
    def is_plain(self) -> bool:
        """Tell whether there is no expression in it."""

    def __call__(self, scope: Scope) -> str:
        """Return the text as it is said. Raises Amiss."""
