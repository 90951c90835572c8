"""What the noun rooms of the store need of a database: Core statements in a transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import sqlalchemy as sa

T = TypeVar("T")


class Database(Protocol):
    """One transaction a call; none stays open across an await of anything else."""

    async def write(self, run: Callable[[sa.Connection], T]) -> T:
        """Run a function of Core statements in a transaction of its own and return after its commit."""

    async def read(self, run: Callable[[sa.Connection], T]) -> T:
        """Run a function of Core statements on one snapshot."""

    async def close(self) -> None:
        """Finish what is queued and close."""
