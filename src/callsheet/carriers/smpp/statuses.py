"""What a carrier's status means for a message, and for a bind: a table, and nothing else.

A status that is not zero is a definite "not taken" (SMPP 3.4, section 5.1.3). Whether it is "not now" or "never"
decides what comes after it; what is not in the table, a carrier's own status for instance, is "never" for this message:
nobody is helped when what a carrier does not take is offered again and again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from callsheet.carriers.base import (
    AccountRefused,
    InvalidMessage,
    InvalidNumber,
    NotConnected,
    SendError,
    Throttled,
    Unwell,
)
from callsheet.carriers.smpp.commands import Status, name_status

_ERRORS: Final[Mapping[int, type[SendError]]] = {
    Status.INCORRECT_BIND: NotConnected,
    Status.ALREADY_BOUND: NotConnected,
    Status.SYSTEM_ERROR: Unwell,
    Status.RECEIVER_TEMPORARY_ERROR: Unwell,
    Status.UNKNOWN_ERROR: Unwell,
    0x102: Unwell,  # SMPP 5.0: the service type is not available now
    Status.INVALID_SOURCE: InvalidMessage,
    Status.INVALID_SOURCE_TON: InvalidMessage,
    Status.INVALID_SOURCE_NPI: InvalidMessage,
    Status.INVALID_DESTINATION: InvalidNumber,
    Status.INVALID_DESTINATION_TON: InvalidNumber,
    Status.INVALID_DESTINATION_NPI: InvalidNumber,
    Status.BIND_FAILED: AccountRefused,
    Status.INVALID_PASSWORD: AccountRefused,
    Status.INVALID_SYSTEM_ID: AccountRefused,
    Status.INVALID_SYSTEM_TYPE: AccountRefused,
    0x100: AccountRefused,  # SMPP 5.0: not authorised for the service type
    Status.QUEUE_FULL: Throttled,
    Status.THROTTLED: Throttled,
}

_BIND_WORDS: Final[Mapping[int, str]] = {
    Status.ALREADY_BOUND: "it says that we are bound already, perhaps as often as it lets us",
    Status.INVALID_PASSWORD: "it does not take the password",
    Status.INVALID_SYSTEM_ID: "it does not know the system id",
    Status.INVALID_SYSTEM_TYPE: "it does not take the system type",
}
BROKEN: Final = frozenset(
    {
        Status.INVALID_COMMAND,
        Status.INCORRECT_BIND,
        Status.BIND_FAILED,
        Status.INVALID_PASSWORD,
        Status.INVALID_SYSTEM_ID,
        Status.INVALID_SYSTEM_TYPE,
    }
)
"""Statuses of a bind that people have to mend: it is tried again, seldom."""


def error_of(status: int) -> SendError:
    """Return what a status that is not zero means for the message that it answers."""
    return _ERRORS.get(status, InvalidMessage)(name_status(status))


def words_of_bind(status: int) -> str:
    """Say why a bind was refused, for people."""
    return f"{_BIND_WORDS.get(status, 'it refused the bind')} ({name_status(status)})"
