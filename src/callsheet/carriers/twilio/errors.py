"""What Twilio's error codes mean: https://www.twilio.com/docs/api/errors."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from callsheet.carriers.base import (
    AccountRefused,
    InvalidMessage,
    InvalidNumber,
    SendError,
    Stopped,
    Throttled,
    Unwell,
)
from callsheet.carriers.web import error_of_status

BY_CODE: Final[Mapping[int, type[SendError]]] = MappingProxyType(
    {
        # Our account: keys, suspension, credit, what it may reach at all.
        **dict.fromkeys((20003, 20005, 20006, 20008, 20404, 30002, 30010, 21640), AccountRefused),
        # The rate of the account, or the queue of the sender.
        **dict.fromkeys((20429, 14107, 21611, 30001), Throttled),
        # The number: none, no mobile, nothing that messages reach.
        **dict.fromkeys((21201, 21211, 21214, 21217, 21612, 21614, 21635), InvalidNumber),
        21610: Stopped,
        # The sender: not ours, none, not for messages, not registered.
        **dict.fromkeys((21212, 21601, 21603, 21606, 21618, 21659, 21660, 21661, 21701, 21703, 21704), InvalidMessage),
        # The text: empty, too long.
        **dict.fromkeys((21602, 21605, 21617, 21619), InvalidMessage),
    }
)
"""What is not here is judged by its status."""

_UNAVAILABLE: Final = 503


def error_of(status: int, code: int | None) -> SendError:
    """Return what an answer that is no success means; `code` is None where it is not in Twilio's own form."""
    said = str(code) if code is not None else f"http_{status}"
    if code is not None and code in BY_CODE:
        return BY_CODE[code](said)
    if status == _UNAVAILABLE and code is not None:
        # Twilio itself says that it did not take it. From anybody else, such as a proxy, 503 may mean that what is
        # behind it did not answer in time, and that says nothing.
        return Unwell(said)
    return error_of_status(status, said)
