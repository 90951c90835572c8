"""The simulators in this process: a carrier for each trunk of the sandbox, and one phone network, with ledgers."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from pathlib import Path

from callsheet.carriers.sandbox.behaviour import Timings
from callsheet.carriers.sandbox.carrier import SandboxCarrier
from callsheet.carriers.sandbox.ledger import Ledger, Message
from callsheet.clock import Clock
from callsheet.store.apps import Trunk
from callsheet.voice.sandbox.engine import SandboxVoice
from callsheet.voice.sandbox.ledger import PlacedCall


class Sandbox:
    """The sandbox carriers of this process, with the ledger of each, and its phone network."""

    def __init__(
        self, folder: Path, clock: Clock, timings: Timings, *, seed: int | None, window: int, inline: bool
    ) -> None:
        """Keep the ledgers in a folder; of a `seed`, handsets behave the same each time."""
        self._folder = folder
        self._seed = seed
        self._window = window
        self._clock = clock
        self._timings = timings
        self._inline = inline
        self._ledgers: dict[int, dict[int, Ledger]] = {}
        self._trunks: dict[int, dict[int, str]] = {}
        """The ids of an app's trunks, by their numbers."""
        self.voice = SandboxVoice(folder, clock, seed=seed, inline=inline)
        """Opened and closed by who leads calls."""

    def carrier(self, trunk: Trunk) -> SandboxCarrier:
        """Return the simulator of a trunk; one that is not stored has no ledger that lasts."""
        rng = random.Random(None if self._seed is None else f"{self._seed}:{trunk.no}")  # noqa: S311 (handsets, not secrets)
        return SandboxCarrier(self._ledger(trunk), self._clock, rng, timings=self._timings, window=self._window)

    def _ledger(self, trunk: Trunk) -> Ledger:
        is_stored = trunk.no > 0
        if is_stored:
            self._trunks.setdefault(trunk.app, {})[trunk.no] = trunk.id
        ledgers = self._ledgers.setdefault(trunk.app if is_stored else 0, {})
        if trunk.no not in ledgers:
            path = self._folder / f"{trunk.id}.db" if is_stored else ":memory:"
            ledgers[trunk.no] = Ledger(path, inline=self._inline or not is_stored)
        return ledgers[trunk.no]

    def outbox(
        self, app: int, after: int, limit: int, campaign_ids: Collection[str] | None = None
    ) -> Sequence[Message]:
        """Return what the app's sandbox carrier accepted, oldest first, from an id on, of these campaigns only."""
        ledgers = self._ledgers.get(app, {})
        # The ids of two ledgers have no common order: the outbox is that of the first trunk.
        first = min(ledgers, default=None)
        return ledgers[first].outbox(after, limit, campaign_ids) if first is not None else ()

    def calls(
        self, app: int, after: int, limit: int, campaign_ids: Collection[str] | None = None
    ) -> Sequence[PlacedCall]:
        """Return the calls that the app's simulated phones got, as `outbox` does messages."""
        trunks = self._trunks.get(app, {})
        first = min(trunks, default=None)
        return self.voice.calls(trunks[first], after, limit, campaign_ids) if first is not None else ()

    def close(self) -> None:
        """Write what was given, and close the ledgers."""
        for ledgers in self._ledgers.values():
            for ledger in ledgers.values():
                ledger.close()
        self.voice.shut()
