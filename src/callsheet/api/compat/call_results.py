"""What the documented results and reports say of calls."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from callsheet.core.call_words import DialerDisposition, Words, words_of
from callsheet.core.clearing import STATUSES
from callsheet.core.instants import write_instant
from callsheet.core.outcome import Outcome
from callsheet.store.call_outcomes import CallFacts
from callsheet.store.outcomes import ContactOutcome

_HUNG_UP: Final = {"them": ("userHangUp", "user_hangup"), "us": ("agentHangUp", "agent_hangup")}
"""The documented words for who ended a call that was answered."""
_NETWORK: Final = "Network Failure"
_REASONS: Final = {
    DialerDisposition.busy: "Busy",
    DialerDisposition.no_answer: "No Answer",
    DialerDisposition.answering_machine: "Answer Machine Detected",
    DialerDisposition.failed: _NETWORK,
}
"""The documented reasons of calls that reached nobody."""


def result_of(contact: ContactOutcome) -> dict[str, Any]:
    """Return what the results of a voice campaign say of a contact besides."""
    words = _words(contact)
    call = contact.call
    status, detail = _outbound(words, call, contact.code)
    return {
        "botOutboundStatus": status,
        "botOutboundStatusDetail": detail,
        "contactStatus": words.contact_status.value if words is not None else "",
        "dialerDisposition": words.disposition.value if words is not None else "",
        "botSessionId": call.session_id if call is not None else "",
        "agentDispositionCodes": [call.disposition] if call is not None and call.disposition else [],
        "agent": "",
        **times_of(call),
    }


def times_of(call: CallFacts | None) -> dict[str, Any]:
    """Return when a call began and ended, and how long it took in seconds."""
    began = call.dialed_at if call is not None else None
    answered = call.answered_at if call is not None else None
    ended = call.ended_at if call is not None else None
    return {
        "startTime": write_instant(began) if began is not None else "",
        "answerTime": write_instant(answered) if answered is not None else "",
        "endTime": write_instant(ended) if ended is not None else "",
        "duration": _seconds(answered, ended),
        "ringDuration": _seconds(call.rang_at if call is not None else None, answered or ended),
    }


def _words(contact: ContactOutcome) -> Words | None:
    if not contact.attempts and contact.state == "suppressed":
        return words_of("", "", contact.code)
    return words_of(contact.state, contact.code, contact.spared)


def _outbound(words: Words | None, call: CallFacts | None, code: str) -> tuple[str, str]:
    """Return the outbound status in a documented word, and what there is to say of it."""
    if words is None:
        return "", ""
    if words.disposition is DialerDisposition.connected and call is not None and call.ended_at is not None:
        return _HUNG_UP.get(call.ended_by, (_NETWORK, code))
    if words.disposition is DialerDisposition.connected:
        return "", code
    meaning = STATUSES.get(call.sip_status) if call is not None else None
    machine = code == Outcome.machine
    detail = code if machine or meaning is None else meaning.words
    return _REASONS.get(words.disposition, words.disposition.value), detail


def _seconds(begin: datetime | None, end: datetime | None) -> int:
    return max(0, (end - begin) // timedelta(seconds=1)) if begin is not None and end is not None else 0
