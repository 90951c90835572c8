"""What the network knows of a voice campaign, laid beside what the program shows: what breaks its promise."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from callsheet.client.v1.reports import Attempt
from strangers.phone_network import PhoneCall

RETRY_MINUTES = 1
SHARES: Mapping[str, int] = {
    # What presses 1 or 2 is what the survey is about; each other outcome has its share.
    "0021": 6, "0022": 5, "0014": 1, "0002": 2, "0018": 2, "0003": 2, "0004": 2, "0006": 2, "0007": 1, "0010": 2,
    "0011": 1, "0012": 1, "0019": 2, "0020": 1,
}  # fmt: skip
"""How many of thirty numbers have which ending."""
DICTATED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "0021": (("delivered:human",),),
    "0022": (("delivered:human",),),
    "0014": (("delivered:human",),),
    "0002": (("undelivered:busy", "undelivered:busy"),),
    "0018": (("undelivered:busy", "delivered:unsure"), ("undelivered:busy", "delivered:human")),
    "0003": (("rejected:invalid_number",),),
    "0004": (("undelivered:rejected", "undelivered:rejected"),),
    "0006": (("undelivered:no_answer", "undelivered:no_answer"),),
    "0007": (("undelivered:no_answer", "undelivered:no_answer"),),
    "0010": (("undelivered:machine", "undelivered:machine"),),
    "0011": (("delivered:unsure",), ("delivered:human",)),
    "0012": (("undelivered:no_answer", "undelivered:no_answer"),),
    "0019": (("undelivered:no_answer", "delivered:unsure"), ("undelivered:no_answer", "delivered:human")),
    "0020": (("delivered:unsure",), ("delivered:human",)),
}
"""What comes of a number by its ending, attempt by attempt; several: who says nothing may be taken for either."""
PRESSES = {"0021": "1", "0022": "2"}


@dataclass
class Books:
    """What the network knows, and what the program shows."""

    numbers: Sequence[str]
    calls: list[PhoneCall]
    attempts: list[Attempt]
    pressed: Mapping[str, int]
    kills: list[datetime] = field(default_factory=list)
    due: Mapping[str, datetime] = field(default_factory=dict)
    """When who was not connected comes again, as the program said while they waited."""
    late: frozenset[str] = frozenset()
    """The attempts that were heard from too late on to tell who answered, by their ids: something stood still."""

    @property
    def tries(self) -> dict[str, list[Attempt]]:
        """The attempts of each number that were placed, in their order."""
        found: dict[str, list[Attempt]] = {number: [] for number in self.numbers}
        for one in sorted(self.attempts, key=lambda each: each.n):
            if one.state not in ("withdrawn", "refused"):
                found[one.number].append(one)
        return found

    @property
    def dialed(self) -> Counter[str]:
        """How often the network was asked to call each number; of those that it could not carry, nothing."""
        return Counter(f"+{call.number.lstrip('+')}" for call in self.calls if call.cause != CONGESTED)

    @property
    def struck(self) -> set[str]:
        """Numbers with a call that lived, or was being placed, when something was killed."""
        on_the_line = {number for kill in self.kills for number in self._on_the_line(kill, LATE, LATE)}
        return on_the_line | {one.number for one in self.attempts for kill in self.kills if abs(one.at - kill) <= LATE}

    def _on_the_line(self, kill: datetime, before: timedelta, after: timedelta) -> set[str]:
        """Return who the network was called for at a kill, or so shortly after it, or until so shortly before it."""
        return {
            f"+{call.number.lstrip('+')}"
            for call in self.calls
            if call.at - after <= kill <= (call.ended_at or kill) + before
        }

    def most_struck(self, most_calls: int) -> int:
        """Return how many numbers kills may have struck: those that the network had on the line, or had soon.

        Of those that it was never asked for, no more than there were places left when it was killed.
        """
        now = timedelta()
        seen = {number for kill in self.kills for number in self._on_the_line(kill, LATE, SOON)}
        left = sum(max(0, most_calls - len(self._on_the_line(kill, now, now))) for kill in self.kills)
        return len(seen) + left

    def faults(self) -> list[str]:
        """Say what breaks the promise; nothing: it holds."""
        said = []
        tries, dialed, struck = self.tries, self.dialed, self.struck
        if more := [number for number in self.numbers if dialed[number] > len(tries[number])]:
            said.append(f"called more often than there are attempts: {[n[-4:] for n in more]}")
        calm = [number for number in self.numbers if number not in struck]
        if fewer := [number for number in calm if dialed[number] != len(tries[number])]:
            said.append(f"not called as often as shown: {[n[-4:] for n in fewer]}")
        if wrong := {n[-4:]: told(tries[n]) for n in calm if not self._is_dictated(n, in_doubt=False)}:
            said.append(f"ended otherwise than the dialplan dictates: {wrong}")
        if odd := {n[-4:]: told(tries[n]) for n in struck if not self._is_dictated(n, in_doubt=True)}:
            said.append(f"ended otherwise after a kill than it may: {odd}")
        if hasty := [n[-4:] for n in self.numbers if not _waited(tries[n])]:
            said.append(f"called again too soon: {hasty}")
        said += self._due_wrongly(calm)
        said += self._counted_wrong(calm)
        return said

    def _is_dictated(self, number: str, *, in_doubt: bool) -> bool:
        """Tell whether each attempt ended as it should have; `in_doubt`: or in doubt, after that there is none.

        Only what went on, or was about to, when something was killed may be in doubt.
        """
        tries = self.tries[number]
        ended = told(tries)
        for wanted in DICTATED[number[-4:]]:
            fits = all(
                one == should
                or (one == UNSURE and tried.id in self.late)
                or (in_doubt and one in DOUBTFUL and self._is_near_a_kill(tried))
                for tried, one, should in zip(tries, ended, wanted, strict=False)
            )
            ends_in_doubt = in_doubt and bool(ended) and ended[-1] in DOUBTFUL
            if fits and len(ended) <= len(wanted) and (len(ended) == len(wanted) or ends_in_doubt):
                return True
        return False

    def _is_near_a_kill(self, tried: Attempt) -> bool:
        last_at = max([tried.at, *(event.at for event in tried.events)])
        return any(tried.at - LATE <= kill <= last_at + LATE for kill in self.kills)

    def _due_wrongly(self, calm: Sequence[str]) -> list[str]:
        """Say who was to come again at another time than the retry period after the end of their first attempt."""
        tries = self.tries
        again = [n for n in calm if len(tries[n]) > 1 and tries[n][0].state == "undelivered"]
        unknown = [n[-4:] for n in again if n not in self.due]
        wrong = {
            n[-4:]: (self.due[n], _ended_at(tries[n][0]))
            for n in again
            if n in self.due and self.due[n] != _ended_at(tries[n][0]) + timedelta(minutes=RETRY_MINUTES)
        }
        said = [f"nobody said when they come again: {unknown}"] if unknown else []
        return [*said, f"due at another time than the retry period says: {wrong}"] if wrong else said

    def _counted_wrong(self, calm: Sequence[str]) -> list[str]:
        least = Counter(PRESSES[n[-4:]] for n in calm if n[-4:] in PRESSES)
        most = Counter(PRESSES[n[-4:]] for n in self.numbers if n[-4:] in PRESSES)
        return [
            f"pressed {digit}: {self.pressed.get(digit, 0)}, and {least[digit]} to {most[digit]} did"
            for digit in most
            if not least[digit] <= self.pressed.get(digit, 0) <= most[digit]
        ]


CONGESTED = 34
LATE = timedelta(seconds=5)
SOON = 3 * LATE
"""Who was armed shortly after a kill is on the line by then."""
UNSURE = "delivered:unsure"
DOUBTFUL = {
    "uncertain:lease_ran_out", "uncertain:uncertain", "uncertain:node_away", "delivered:lost", "delivered:unsure",
}  # fmt: skip
"""How an attempt may end besides that was struck by a kill: nobody listens again to who had answered before it."""


def told(tries: Sequence[Attempt]) -> tuple[str, ...]:
    """Return how attempts ended: state and code of each."""
    return tuple(f"{one.state}:{_code(one)}" for one in tries)


def _code(attempt: Attempt) -> str:
    return next((event.code for event in attempt.events if event.kind == attempt.state), "")


def _ended_at(tried: Attempt) -> datetime:
    """Return when it was over, as it is recorded."""
    return next(event.at for event in tried.events if event.kind == tried.state)


def _waited(tries: Sequence[Attempt]) -> bool:
    """Tell whether each attempt came after the retry period of the one before."""
    for before, after in itertools.pairwise(tries):
        ended_at = max(event.at for event in before.events)
        if after.at < ended_at + timedelta(minutes=RETRY_MINUTES):
            return False
    return True
