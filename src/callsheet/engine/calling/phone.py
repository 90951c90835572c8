"""The phone of a node: what leads the conversations in its calls, put together."""

from __future__ import annotations

from callsheet.clock import Clock
from callsheet.engine.calling.awaiting_beep import BeepWaiter
from callsheet.engine.calling.listening import Listener
from callsheet.engine.calling.phone_talk import PhoneTalk
from callsheet.engine.calling.playing import Player, Prompts
from callsheet.engine.calling.recordings import RecordingKeeper
from callsheet.engine.calling.turn_book import TurnBook
from callsheet.engine.failpoints import Failpoints
from callsheet.engine.flow_shelf import FlowShelf
from callsheet.store.store import Store
from callsheet.voice.detection.readiness import Readiness


def make_phone(
    store: Store, clock: Clock, shelf: FlowShelf, failpoints: Failpoints, prompts: Prompts, *, node_no: int
) -> PhoneTalk:
    """Return what leads the conversations in the calls of a node."""
    return PhoneTalk(
        clock,
        shelf,
        TurnBook(store, clock, shelf, failpoints, node_no=node_no),
        Player(prompts, clock),
        Listener(RecordingKeeper(store), clock),
        BeepWaiter(Readiness, clock),
    )
