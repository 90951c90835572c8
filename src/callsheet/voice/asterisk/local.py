"""What a node on this machine is to be, and how closely it is watched."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from callsheet.core.sip import USUAL_NODE_CALLS
from callsheet.voice.asterisk.configuration import Dispatcher


class Watch(NamedTuple):
    """How closely a node is watched."""

    look_seconds: float = 1.0
    """So often we look whether it is alive."""
    looks_a_question: int = 5
    """Each so many-th time it is asked something."""
    answer_seconds: float = 10.0
    most_silent: int = 3
    """So many questions in a row without an answer at its console: it hangs, and is killed and started anew."""
    most_unheard: int = 18
    """So many questions in a row that its console answers, while who leads its calls does not hear it: 90 seconds.

    It is the network between the two that may be broken. Only long after its calls were given up
    (`Patience.away_seconds`) it is started anew, and ended in order.
    """


@dataclass(frozen=True, slots=True)
class Local:
    """What a node beside us is to be."""

    folder: Path
    """Everything of it is in there: `tree`, `node`, `keep.json`."""
    address: str = "0.0.0.0"  # noqa: S104 - providers are somewhere out there
    """Where it listens for SIP."""
    external_address: str = ""
    sip_port: int = 0
    """0: one that is free, and then always the same; the same holds for the media."""
    rtp_first: int = 0
    most_calls: int = USUAL_NODE_CALLS
    """So many calls may go on at once on it."""
    mirror: str = ""
    tree: Path | None = None
    """Where Asterisk is, or is to be; none: in the folder."""
    dispatcher: Dispatcher | None = None
    """Where it dials in; none: at us, who look after it."""
    pass_through: tuple[Path, ...] = field(default=())
    """Folders of ours that lead to it, through which the node has to pass when it runs as another user."""
