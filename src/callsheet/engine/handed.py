"""A message that a carrier was given: it is asked for and answered once, whatever the carrier does."""

from __future__ import annotations

import structlog

from callsheet.carriers.base import Accepted, Carrier, Done, NoAnswer, Outbound, SendError, Unwell
from callsheet.core.asking import Leave

log = structlog.get_logger()


class Handed:
    """One message in a carrier's hands."""

    __slots__ = ("_done", "_has_left", "_is_over", "_leave")

    def __init__(self, leave: Leave, done: Done) -> None:
        self._leave = leave
        self._done = done
        self._has_left = self._is_over = False

    def submit(self, carrier: Carrier, message: Outbound) -> None:
        """Give it to the carrier. One that breaks its contract must neither lose a message nor keep its place."""
        try:
            carrier.submit(message, self.leave, self.done)
        except Exception:
            log.exception("line.carrier_failed", carrier=type(carrier).__name__)
            self.done(NoAnswer("carrier_failed") if self._has_left else Unwell("carrier_failed"))

    def leave(self) -> bool:
        """Tell whether it may leave; nothing leaves of what was answered."""
        if self._is_over or not self._leave():
            return False
        self._has_left = True
        return True

    def done(self, answer: Accepted | SendError) -> None:
        """Take the answer; a second one tells nothing new."""
        if not self._is_over:
            self._is_over = True
            self._done(answer)
