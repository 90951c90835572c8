"""Dialouts: single calls that were asked for by a call of the API, and what whoever asked is told of each.

The words are those of the documented notices. What is told follows from what is recorded of the call alone, so it is
the same however often, and on whatever node, it is worked out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from callsheet.core.clearing import STATUSES
from callsheet.core.instants import write_instant
from callsheet.core.outcome import Outcome

TIME_TO_PLACE: Final = timedelta(minutes=1)
"""A call that cannot be placed for so long is given up: it was asked for now."""

PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (1, 5, 30, 120, 600, 1800, 3600, 3 * 3600))
"""How long to wait after each try to tell something that failed; after as many more tries it is given up."""


class AmdEvent(StrEnum):
    """What machine detection found, as it is told."""

    human = "amd_human_detected"
    machine = "amd_machine_detected"
    no_speech = "amd_no_speech_detected"
    time_out = "amd_decision_timeout"
    stopped_speaking = "amd_machine_stopped_speaking"
    tone = "amd_tone_detected"
    error = "amd_error"
    stopped = "amd_stopped"


class Status(StrEnum):
    """How a call stands, as it is told."""

    going_on = "Call-In-Progress"
    answered = "Answered"
    completed = "completed"
    failed = "Failed"


class Dialout(NamedTuple):
    """A call that was asked for, as far as notices name it."""

    sid: str
    call_id: str
    detects: bool
    """Machine detection was asked for."""
    events: Collection[str] | None
    """Which events of machine detection are told; None: all."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is recorded of a call so far."""

    dialed_at: datetime | None = None
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    verdict: str = ""
    """Who answered: `human`, `machine`, `unsure`; empty: nobody knows yet."""
    why: str = ""
    """Why machine detection says so, as far as it is recorded yet."""
    has_stopped_speaking: bool = False
    """The greeting of the machine was heard to its end."""
    has_beeped: bool = False
    """So was its beep."""
    is_over: bool = False
    """Nothing more happens to it."""
    ended_at: datetime | None = None
    sip_status: int = 0
    outcome: str = ""
    """See `Outcome`; or, where it was never dialed, why."""
    ended_by: str = ""
    """`us`, `them` or `network`; empty: nobody knows."""


class Notice(NamedTuple):
    """One thing that is told once."""

    name: str
    """What tells it from the others of the same call."""
    payload: Mapping[str, Any]


_FAILURES: Final[Mapping[str, str]] = {
    Outcome.busy: "Busy Here",
    Outcome.no_answer: "Temporarily Unavailable",
    Outcome.rejected: "Temporarily Unavailable",
    Outcome.cancelled: "Temporarily Unavailable",
}
"""The documented reasons of calls that failed; of all others: the service is unavailable."""
_UNAVAILABLE: Final = "Service Unavailable"
_ENDS: Final[Mapping[str, str]] = {"them": "caller-disconnected", "us": "bot-disconnected"}
_BROKEN: Final = "KoreVG-disconnected"
"""It was neither of the two who talked."""
_FOUND: Final[Mapping[str, AmdEvent]] = {
    Outcome.human: AmdEvent.human,
    Outcome.machine: AmdEvent.machine,
    Outcome.lost: AmdEvent.error,
}
_UNSURE: Final[Mapping[str, AmdEvent]] = {"no_speech": AmdEvent.no_speech, "ended": AmdEvent.stopped}


def notices_of(dialout: Dialout, facts: Facts) -> list[Notice]:
    """Return everything that is to have been told by now, in its order."""
    told: list[Notice] = []
    if facts.dialed_at is not None:
        told.append(_status(dialout, facts, Status.going_on))
    if facts.answered_at is not None:
        told.append(_status(dialout, facts, Status.answered))
    found = _found(facts) if dialout.detects else []
    told += [_event(dialout, one) for one in found if dialout.events is None or one in dialout.events]
    if facts.is_over:
        told.append(_end(dialout, facts))
    return told


def _found(facts: Facts) -> list[AmdEvent]:
    """Return what machine detection found: a verdict, and the tone that told it."""
    if facts.answered_at is None:
        return []
    if not facts.verdict:
        # It was answered, and ended before anybody knew by whom.
        return [AmdEvent.stopped] if facts.is_over else []
    if facts.verdict == Outcome.unsure:
        # Why nobody can tell is recorded with the end of the call.
        return [_UNSURE.get(facts.why, AmdEvent.time_out)] if facts.why or facts.is_over else []
    found = [_FOUND.get(facts.verdict, AmdEvent.error)]
    if found[0] is not AmdEvent.machine:
        return found
    stopped = [AmdEvent.stopped_speaking] if facts.has_stopped_speaking else []
    return [*found, *stopped, *([AmdEvent.tone] if facts.has_beeped or facts.why == "beep" else [])]


def _event(dialout: Dialout, event: AmdEvent) -> Notice:
    names = {"conversationId": dialout.sid, "sessionId": dialout.sid, "callId": dialout.call_id}
    return Notice(event.value, {**names, "type": event.value, "event": event.value})


def _end(dialout: Dialout, facts: Facts) -> Notice:
    return _status(dialout, facts, Status.completed if facts.answered_at is not None else Status.failed)


def _status(dialout: Dialout, facts: Facts, status: Status) -> Notice:
    """Return the notice of a status, with what the call had come to by then."""
    is_end = status in (Status.completed, Status.failed)
    began, rang, answered = facts.dialed_at, facts.rang_at, facts.answered_at
    if status is Status.going_on:
        answered = None
    until = answered or (facts.ended_at if is_end else None)
    reason, code = _reasons(facts, status)
    payload: dict[str, Any] = {
        "conversationId": dialout.sid,
        "sessionId": dialout.sid,
        "callId": dialout.call_id,
        "status": status.value,
        "reason": reason,
        "reasonCode": code,
        "callConnectTime": write_instant(answered) if answered is not None else "",
        "callDisconnectTime": write_instant(facts.ended_at) if is_end and facts.ended_at is not None else "",
        "ringDurationInMS": _milliseconds(rang or began, until),
        "connectDurationInMS": _milliseconds(answered, facts.ended_at) if is_end else 0,
        "callDuration": _milliseconds(began, facts.ended_at) // 1000 if is_end else 0,
    }
    if is_end and dialout.detects and facts.verdict:
        payload["machineDetection"] = facts.verdict
    return Notice("ended" if is_end else status.value, payload)


def _reasons(facts: Facts, status: Status) -> tuple[str, str]:
    """Return the reason in words, and the documented code of it."""
    if status is Status.completed:
        by = _ENDS.get(facts.ended_by, _BROKEN)
        return ("Machine detected" if facts.verdict == Outcome.machine and by == _ENDS["us"] else "OK"), by
    if status is not Status.failed:
        return "OK", ""
    code = _FAILURES.get(facts.outcome, _UNAVAILABLE)
    meaning = STATUSES.get(facts.sip_status)
    if meaning is not None:
        return f"{facts.sip_status} {meaning.words}", code
    return facts.outcome.replace("_", " ") or code, code


def _milliseconds(begin: datetime | None, end: datetime | None) -> int:
    if begin is None or end is None:
        return 0
    return max(0, (end - begin) // timedelta(milliseconds=1))


def pause_after(tries: int) -> timedelta | None:
    """Return how long to wait after so many tries to tell something that all failed; None: it is given up."""
    return PAUSES[tries - 1] if tries <= len(PAUSES) else None
