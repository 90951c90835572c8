"""How a node stands, in words for people."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from callsheet.voice.asterisk.fetching import Step


class NodeState(StrEnum):
    """How a node stands."""

    stopped = "stopped"
    fetching = "fetching"
    starting = "starting"
    running = "running"
    broken = "broken"
    """It does not run, and is tried again later."""
    stopping = "stopping"


class Standing(NamedTuple):
    """How a node stands, in words for people."""

    state: NodeState
    why: str = ""
    version: str = ""
    """Debian's version of Asterisk; empty: none was fetched yet."""
    pid: int = 0


STEPS: Final = {
    Step.waits: "another process fetches Asterisk",
    Step.lists: "reading what packages Debian has",
    Step.packages: "fetching Asterisk's packages",
    Step.all_packages: "fetching all packages that Asterisk needs",
    Step.unpacks: "unpacking Asterisk",
    Step.checks: "checking Asterisk",
}
