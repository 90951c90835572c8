"""Everything that runs in one process, for those who serve it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from callsheet.clock import Clock
from callsheet.engine.conductor import Conductor
from callsheet.engine.importer import Importer
from callsheet.store.store import Store


class SandboxMessage(Protocol):
    """A message that the sandbox carrier took, as its handset shows it."""

    id: int
    to: str
    sender: str
    text: str
    campaign_id: str
    status: str
    accepted_at: datetime


OutboxOf = Callable[[int, int, int], Sequence[SandboxMessage]]
"""Reads the sandbox carrier's outbox: app, after which id, how many."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """One process of Callsheet."""

    store: Store
    conductor: Conductor
    importer: Importer
    clock: Clock
    data: Path
    sandbox_outbox: OutboxOf
    started_at: datetime
