"""Webhooks: how a delivery is signed, and what follows from the answer to it.

The form is that of Standard Webhooks 1.0 (https://www.standardwebhooks.com): the headers `webhook-id`,
`webhook-timestamp` and `webhook-signature`, and a body `{"type", "timestamp", "data"}`.
"""

from __future__ import annotations

import hmac
import math
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

SECRET_PREFIX = "whsec_"  # noqa: S105 (how every secret begins)
SECRET_BYTES = 32
OVERLAP = timedelta(hours=24)
"""So long a secret goes on signing beside the one that took its place."""

PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""About how long to wait after each try that failed; after as many more tries as these a delivery is given up."""
JITTER = 0.2
"""A pause is up to so much of itself longer, so that what failed together does not come back together."""
LONGEST_RETRY_AFTER = timedelta(hours=24)
PATIENCE = timedelta(days=5)
"""A webhook to which nothing got through for so long is disabled."""
HASTY_TRIES = 3
"""But not by the first tries of a delivery: the one before it may have been long ago, and an outage over since."""


def make_secret(random32: bytes) -> str:
    """Make a signing secret of 32 random bytes."""
    return SECRET_PREFIX + b64encode(random32).decode()


def sign(secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers of a delivery: a signature by each secret, the newest first."""
    timestamp = str(int(at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    keys = [b64decode(secret.removeprefix(SECRET_PREFIX)) for secret in secrets]
    signatures = [b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


@dataclass(frozen=True, slots=True)
class Done:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class Retry:
    """It is sent again at this instant."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It is not sent again by itself."""


@dataclass(frozen=True, slots=True)
class Disable:
    """Nothing is sent to this webhook any more; the sentence says why."""

    reason: str


def after(
    status: int | None,
    tries: int,
    *,
    now: datetime,
    jitter: float,
    retry_after: timedelta | None = None,
    failing_since: datetime | None = None,
) -> Done | Retry | GiveUp | Disable:
    """Decide what follows a try.

    `status` is the HTTP status of the answer, None when there was none; `tries` counts this one; `jitter` is a random
    number in [0, 1); `failing_since` is when the webhook failed first since something last got through, None when it
    has not failed before.
    """
    if status is not None and 200 <= status < 300:
        return Done()
    if status == HTTPStatus.GONE:
        return Disable("The receiver answered 410 Gone: it wants nothing more.")
    if failing_since is not None and now - failing_since >= PATIENCE and tries > HASTY_TRIES:
        return Disable(f"Nothing got through for {PATIENCE.days} days.")
    if tries > len(PAUSES):
        return GiveUp()
    pause = PAUSES[tries - 1] * (1 + JITTER * jitter)
    return Retry(now + max(pause, min(retry_after or pause, LONGEST_RETRY_AFTER)))


def read_retry_after(text: str | None, now: datetime) -> timedelta | None:
    """Read the header Retry-After (RFC 9110, section 10.2.3): seconds or a date; what is neither counts for nothing."""
    if not text:
        return None
    if text.isascii() and text.isdecimal():
        return timedelta(seconds=min(int(text[:9]), math.ceil(LONGEST_RETRY_AFTER.total_seconds())))
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(timedelta(), (at if at.tzinfo else at.replace(tzinfo=UTC)) - now)
