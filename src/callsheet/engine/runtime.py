"""Everything that runs in one process, for those who serve it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from callsheet.clock import Clock
from callsheet.engine.calling.prompts import Prompts
from callsheet.engine.conductor import Conductor
from callsheet.engine.deliverer import Deliverer
from callsheet.engine.dialout_teller import DialoutTeller
from callsheet.engine.doors import Ingest
from callsheet.engine.importer import Importer
from callsheet.engine.outside import Outside
from callsheet.engine.puller import Puller
from callsheet.engine.sign_in import SignIn
from callsheet.engine.trunks import Trunks
from callsheet.store.store import Store
from callsheet.voice.audio.converter import Converter
from callsheet.voice.nodes import VoiceNodes


class SandboxMessage(Protocol):
    """A message that the sandbox carrier took, as its handset shows it."""

    @property
    def id(self) -> int:
        """Its place in the order of acceptance: the cursor of the outbox."""

    @property
    def to(self) -> str:
        """The number that it went to."""

    @property
    def sender(self) -> str:
        """The caller ID that it came from."""

    @property
    def text(self) -> str:
        """What the handset shows."""

    @property
    def campaign_id(self) -> str:
        """The public id of its campaign."""

    @property
    def status(self) -> str:
        """How it stands: accepted, unanswered, delivered or undelivered."""

    @property
    def accepted_at(self) -> datetime:
        """When the carrier took it."""


class SandboxCall(Protocol):
    """A call that a simulated phone got."""

    @property
    def id(self) -> int:
        """Its place in the order of placing: the cursor."""

    @property
    def reference(self) -> str:
        """The id of its attempt."""

    @property
    def to(self) -> str:
        """The number that was called."""

    @property
    def sender(self) -> str:
        """The caller ID that it showed."""

    @property
    def campaign_id(self) -> str:
        """The public id of its campaign."""

    @property
    def status(self) -> str:
        """`ringing`, `talking`, or how it ended."""

    @property
    def keys(self) -> str:
        """What the callee pressed."""

    @property
    def placed_at(self) -> datetime:
        """When it was placed."""

    @property
    def answered_at(self) -> datetime | None:
        """When it was answered, if it was."""

    @property
    def ended_at(self) -> datetime | None:
        """When it ended, if it has."""


CallsOf = Callable[[int, int, int, Collection[str] | None], Sequence[SandboxCall]]
"""Reads what the sandbox's phones got: app, after which id, how many, and of which campaigns only."""
OutboxOf = Callable[[int, int, int, Collection[str] | None], Sequence[SandboxMessage]]
"""Reads the sandbox carrier's outbox: app, after which id, how many, and of which campaigns only."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """One process of Callsheet."""

    store: Store
    conductor: Conductor
    importer: Importer
    clock: Clock
    data: Path
    sandbox_outbox: OutboxOf
    sandbox_calls: CallsOf
    started_at: datetime
    outside: Outside
    deliverer: Deliverer
    dialouts: DialoutTeller
    puller: Puller
    sign_in: SignIn
    trunks: Trunks
    ingest: Ingest
    converter: Converter
    prompts: Prompts
    voice_nodes: VoiceNodes
