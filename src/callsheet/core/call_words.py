"""The words of the documented product for how a call of a campaign ended."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from callsheet.core.attempt import Kind
from callsheet.core.gate import Reason
from callsheet.core.outcome import Outcome


class DialerDisposition(StrEnum):
    """What the dialer says of a contact: the words of its dashboard."""

    connected = "Connected"
    busy = "Busy"
    no_answer = "No Answer"
    failed = "Failed"
    answering_machine = "Answering Machine"
    dnc_excluded = "DNC Excluded"
    filter_skipped = "Filter Skipped"
    retry_cancelled = "Retry Cancelled"


class ContactStatus(StrEnum):
    """What its reports say of the latest call to a contact."""

    answered = "answered"
    no_answer = "no-answer"
    busy = "busy"
    failed = "failed"


class Words(NamedTuple):
    """Both words for how a contact stands."""

    disposition: DialerDisposition
    contact_status: ContactStatus


_CONNECTED: Final = Words(DialerDisposition.connected, ContactStatus.answered)
_BUSY: Final = Words(DialerDisposition.busy, ContactStatus.busy)
_NO_ANSWER: Final = Words(DialerDisposition.no_answer, ContactStatus.no_answer)
_FAILED: Final = Words(DialerDisposition.failed, ContactStatus.failed)

_BY_STATE: Final[Mapping[str, Words]] = {
    Kind.delivered: _CONNECTED,
    Kind.undelivered: _NO_ANSWER,
    Kind.rejected: _FAILED,
    Kind.refused: _FAILED,
    Kind.uncertain: _FAILED,
}
"""What a state says, whatever its code."""

_BY_STATE_AND_CODE: Final[Mapping[tuple[str, str], Words]] = {
    (Kind.accepted, "answered"): _CONNECTED,
    (Kind.delivered, Outcome.machine): Words(DialerDisposition.answering_machine, ContactStatus.answered),
    # It was hung up on, so the contact did not answer.
    (Kind.undelivered, Outcome.machine): Words(DialerDisposition.answering_machine, ContactStatus.no_answer),
    (Kind.undelivered, Outcome.busy): _BUSY,
}

_PROHIBITIONS: Final = frozenset({Reason.dnc, Reason.opted_out})


def words_of(state: str, code: str, reason: str = "") -> Words | None:
    """Return the words for how a contact stands; None: nothing has come of it yet.

    `state` and `code` are those of the latest attempt, empty where there is none; `reason` is why the contact is not
    called (any more), empty where nothing stands in the way. What comes between a contact and its next call cancels
    the retry, unless it was reached.
    """
    said = _BY_STATE_AND_CODE.get((state, code)) or _BY_STATE.get(state)
    if not reason or (said is not None and said.disposition is DialerDisposition.connected):
        return said
    if said is not None:
        return Words(DialerDisposition.retry_cancelled, said.contact_status)
    if reason in _PROHIBITIONS:
        return Words(DialerDisposition.dnc_excluded, ContactStatus.failed)
    return Words(DialerDisposition.filter_skipped, ContactStatus.failed)
