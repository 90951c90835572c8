"""When a call is sent again: pure arithmetic over what went wrong.

A call that may have arrived is sent again only because that is harmless: a POST or PUT goes under the same idempotency
key, GET changes nothing, PATCH writes the same once more, and what DELETE finds gone is gone.
"""

from __future__ import annotations

from callsheet.client.refusal import ApiError
from callsheet.core.errors import CallsheetError, Unavailable

FIRST_SECONDS = 0.25
LONGEST_SECONDS = 5.0
LONGEST_ASKED_SECONDS = 60.0
"""A server that wants more patience than this is not waited for."""

_PASSING = frozenset({429, 502, 503, 504})
_STILL_ON_ITS_WAY = "idempotency_key_in_use"
_NOT_FOUND = 404


def is_passing(trouble: CallsheetError) -> bool:
    """Tell whether the same call may go well a moment later."""
    if isinstance(trouble, ApiError):
        return trouble.status in _PASSING or trouble.code == _STILL_ON_ITS_WAY
    return isinstance(trouble, Unavailable)


def wait_seconds(trouble: CallsheetError, tried: int) -> float | None:
    """Return how long to wait after so many tries: what the server asks for, else twice as long each time.

    None: do not wait.
    """
    asked = trouble.retry_seconds if isinstance(trouble, ApiError) else None
    if asked is not None:
        return asked if asked <= LONGEST_ASKED_SECONDS else None
    return float(min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** (tried - 1)))


def is_already_gone(method: str, trouble: CallsheetError) -> bool:
    """Tell of a call that was sent before whether it found nothing because it had been heard then."""
    return method == "DELETE" and isinstance(trouble, ApiError) and trouble.status == _NOT_FOUND
