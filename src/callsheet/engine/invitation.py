"""The one-time sign-in link: who holds its token sees the welcome page once, and makes the first user once."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta

from callsheet.clock import Clock

VALID_FOR = timedelta(minutes=30)
_TOKEN_BYTES = 24


class Invitation:
    """The link of one process. A new token ends the one before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._token = ""
        self._until: datetime | None = None
        self._is_shown = False
        self._is_redeemed = False

    def make(self) -> str:
        """Make a token, good for half an hour."""
        self._token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._until = self._clock.now() + VALID_FOR
        self._is_shown = self._is_redeemed = False
        return self._token

    def may_be_shown(self, token: str) -> bool:
        """Tell whether this token still opens the page."""
        return self._fits(token) and not self._is_shown

    def show(self) -> None:
        """Note that the page was shown."""
        self._is_shown = True

    def may_be_redeemed(self, token: str) -> bool:
        """Tell whether this token still makes a user."""
        return self._fits(token) and not self._is_redeemed

    def redeem(self) -> None:
        """Note that a user was made."""
        self._is_redeemed = True

    def _fits(self, token: str) -> bool:
        valid = self._until is not None and self._clock.now() < self._until
        return valid and hmac.compare_digest(token.encode(errors="replace"), self._token.encode())
