"""A node as we know it before it connects: its name and secret, and the folders that we share with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

SOUNDS: Final = "callsheet"
"""The folder of our sounds, inside the node's `sounds`."""


@dataclass(frozen=True, slots=True)
class NodePlace:
    """A node that may connect to us."""

    name: str
    secret: str = field(repr=False)
    sounds: Path
    """Its `sounds` folder: `astdatadir/sounds`."""
    recordings: Path
    """Where it records to: `astspooldir/recording`."""
    records: Path | None = None
    """Its call detail records (`Master.csv`), where we can read them."""
    most_calls: int = 400
    """So many calls may go on at once on it."""
