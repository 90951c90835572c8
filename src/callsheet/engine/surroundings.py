"""Surroundings: what the engine of a node is given from outside."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from callsheet.clock import Clock
from callsheet.engine.calling.playing import Prompts
from callsheet.engine.calling.switchboard import Engines
from callsheet.engine.failpoints import Failpoints
from callsheet.engine.line import TextLine
from callsheet.engine.recorder import Recorder
from callsheet.engine.tuning import Tuning
from callsheet.store.apps import Trunk
from callsheet.store.store import Store

MakeLine = Callable[[Trunk, Recorder], TextLine]
"""How a trunk becomes a line for text."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the engine is given from outside."""

    store: Store
    clock: Clock
    rng: random.Random
    make_line: MakeLine
    failpoints: Failpoints = field(default_factory=Failpoints)
    tuning: Tuning = field(default_factory=Tuning)
    sole_owner: bool = True
    """No other node works on this store (SQLite): what an earlier process left is settled at the start."""
    engines: Engines = field(default_factory=dict)
    """What places calls."""
    prompts: Prompts | None = None
    """What speaks in calls; None: nothing does."""
