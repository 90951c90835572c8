"""Dialouts: single calls that were asked for by a call of the API, and what whoever asked is told of each.

The words are those of the documented notices. What is told follows from what is recorded of the call alone, so it is
the same however often, and on whatever node, it is worked out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from callsheet.core.instants import write_instant
from callsheet.core.outcome import Outcome
from callsheet.core.reason_phrases import PHRASES

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

    answered = "Answered"
    going_on = "Call-In-Progress"
    """It was answered, and machine detection found something."""
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
_OK: Final = "200 OK"
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
    if facts.answered_at is None:
        return [_end(dialout, facts, ())] if facts.is_over else []
    found = _found(facts) if dialout.detects else []
    told = [Notice(Status.answered.value, _payload(dialout, facts, Status.answered))]
    told += [_event(dialout, facts, one) for one in found if dialout.events is None or one in dialout.events]
    return [*told, _end(dialout, facts, found)] if facts.is_over else told


def _found(facts: Facts) -> list[AmdEvent]:
    """Return what machine detection found in a call that was answered: a verdict first, and what came after it."""
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


def _event(dialout: Dialout, facts: Facts, event: AmdEvent) -> Notice:
    return Notice(event.value, {**_payload(dialout, facts, Status.going_on), "machineDetection": event.value})


def _end(dialout: Dialout, facts: Facts, found: Sequence[AmdEvent]) -> Notice:
    """Return the last notice. Its times are those of the call; one that nobody answered was never connected."""
    status = Status.completed if facts.answered_at is not None else Status.failed
    ended = {
        "callDisconnectTime": write_instant(facts.ended_at) if facts.ended_at is not None else "",
        "callDuration": _milliseconds(facts.answered_at, facts.ended_at) // 1000,
    }
    verdict = {"machineDetection": found[0].value} if found else {}
    return Notice("ended", {**_payload(dialout, facts, status), **ended, **verdict})


def _payload(dialout: Dialout, facts: Facts, status: Status) -> dict[str, Any]:
    """Return what every notice says of a call.

    The samples give a call that failed the instant of its end as that of its connection, and the delays until then.
    """
    connected_at = facts.answered_at or facts.ended_at
    reason, code = _reasons(facts, status)
    return {
        "conversationId": dialout.sid,
        "sessionId": dialout.sid,
        "callId": dialout.call_id,
        "status": status.value,
        "reason": reason,
        "reasonCode": code,
        "callConnectTime": write_instant(connected_at) if connected_at is not None else "",
        "callDisconnectTime": "",
        "ringDurationInMS": _milliseconds(facts.rang_at or facts.dialed_at, connected_at),
        "connectDurationInMS": _milliseconds(facts.dialed_at, connected_at),
        "callDuration": 0,
    }


def _reasons(facts: Facts, status: Status) -> tuple[str, str]:
    """Return the reason as SIP words it, and the documented code of it."""
    if status is Status.completed:
        return _OK, _ENDS.get(facts.ended_by, _BROKEN)
    if status is not Status.failed:
        return _OK, "OK"
    code = _FAILURES.get(facts.outcome, _UNAVAILABLE)
    if facts.sip_status in PHRASES:
        return f"{facts.sip_status} {PHRASES[facts.sip_status]}", code
    return facts.outcome.replace("_", " ") or code, code


def _milliseconds(begin: datetime | None, end: datetime | None) -> int:
    if begin is None or end is None:
        return 0
    return max(0, (end - begin) // timedelta(milliseconds=1))


def pause_after(tries: int) -> timedelta | None:
    """Return how long to wait after so many tries to tell something that all failed; None: it is given up."""
    return PAUSES[tries - 1] if tries <= len(PAUSES) else None
