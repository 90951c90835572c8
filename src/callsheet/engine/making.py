"""Making: what of a run's contact is handed to a line, a text or a call. A run has the maker of its channel."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple, Protocol

from callsheet.carriers.base import Outbound
from callsheet.core.attempt import Intent, Kind
from callsheet.core.calling import Dial
from callsheet.core.campaign import MachineDetection
from callsheet.core.ids import encode_attempt
from callsheet.core.run import Run, Sender
from callsheet.core.segments import measure
from callsheet.core.template import PersonalMessage
from callsheet.engine.line import ToHand


class Contacted(NamedTuple):
    """A contact who is about to be reached."""

    intent: Intent
    sender: Sender
    """Through whom."""
    armed_at: datetime | None
    zone: str
    """The contact's own zone; empty: none."""
    closes_at: datetime | None
    """When the contact's window closes."""


class Made(NamedTuple):
    """What is handed to a line."""

    what: ToHand
    segments: int
    """What it takes of the rates and of the days of its sender and trunk; a call is one."""


class Maker(Protocol):
    """Makes it of every contact of a run."""

    goes_on_after: frozenset[Kind]
    """After these events of an attempt the line has more to tell of it: it keeps its lease."""

    def guess(self, run: Run) -> float:
        """Return in how many segments a contact will go, before anything was made."""

    def make(self, run: Run, contacted: Contacted) -> Made:
        """Make it for one contact. Raises CallsheetError where this contact's columns do not go into it."""


class TextMaker:
    """Makes the messages of a run."""

    goes_on_after: frozenset[Kind] = frozenset()

    def __init__(self, message: PersonalMessage) -> None:
        self._message = message

    def guess(self, run: Run) -> float:
        """Return in how many segments its text goes without the values of a contact."""
        return measure(run.text, run.senders[0].writing).count

    def make(self, run: Run, contacted: Contacted) -> Made:
        """Render the text."""
        intent, sender = contacted.intent, contacted.sender
        text = self._message.render(intent.attributes, intent.number, contacted.armed_at, contacted.zone)
        segments = measure(text, sender.writing).count
        reference = encode_attempt(intent.run_no, intent.person, intent.n)
        message = Outbound(
            reference, intent.number, sender.label, text, segments, run.campaign_id, contacted.closes_at, run.tags
        )
        return Made(message, segments)


class CallMaker:
    """Makes the calls of a run. What is said in them is made while they are led."""

    goes_on_after: frozenset[Kind] = frozenset({Kind.accepted})

    def guess(self, _: Run) -> float:
        """Return 1: a call is one."""
        return 1.0

    def make(self, run: Run, contacted: Contacted) -> Made:
        """Say how the contact is called."""
        intent, plan = contacted.intent, run.definition.voice
        detection = plan.machine_detection if plan is not None else MachineDetection.no
        reference = encode_attempt(intent.run_no, intent.person, intent.n)
        dial = Dial(
            reference, intent.number, contacted.sender.label, run.definition.ring_seconds, detection,
            run.campaign_id, run.settings.longest_call_seconds,
        )  # fmt: skip
        return Made(dial, 1)


CALLS: Final = CallMaker()
