"""One message on its way: one `submit_sm`, or one for each part of a long text, and what came of them."""

from __future__ import annotations

from collections.abc import Sequence

from callsheet.carriers.base import Accepted, Done, NoAnswer, NotConnected, Outbound, SendError
from callsheet.carriers.smpp.pdu import Message
from callsheet.core.asking import Leave
from callsheet.core.attempt import Kind

LINK_DROPPED = "link_dropped"
"""The code of what was on a connection that was lost."""


class Sending:
    """A message and its parts, numbered from 0.

    A part waits to be written, is on the wire (its sequence number is known), was taken or was refused.
    """

    __slots__ = ("_done", "_leave", "deadline", "ended", "errors", "ids", "message", "on_wire", "parts",
                 "unwritten")  # fmt: skip

    def __init__(self, message: Outbound, parts: Sequence[Message], leave: Leave, done: Done, deadline: float) -> None:
        self.message = message
        self.parts = parts
        self.deadline = deadline
        """On the monotonic clock: then it is ended, whatever is known."""
        self.ended = False
        self.ids: dict[int, str] = {}
        """Of the parts that were taken; some carriers give no id."""
        self.errors: dict[int, SendError] = {}
        self.on_wire: dict[int, int] = {}
        """Sequence number to part."""
        self.unwritten = len(parts)
        self._leave = leave
        self._done = done

    @property
    def is_begun(self) -> bool:
        """Whether the carrier may have a part of it."""
        return bool(self.on_wire or self.ids)

    @property
    def is_spoiled(self) -> bool:
        """Whether it cannot become whole any more."""
        return bool(self.errors) and any(error.kind is not Kind.refused for error in self.errors.values())

    def may_leave(self) -> bool:
        """Ask whether its next part may leave. What was begun is ended: a torn text helps nobody."""
        return self.is_begun or self._leave()

    def write(self, part: int, sequence: int) -> None:
        """A part goes to the wire."""
        self.on_wire[sequence] = part
        self.unwritten -= 1

    def take(self, sequence: int, carrier_id: str) -> None:
        """Note that a part was taken."""
        self.ids[self.on_wire.pop(sequence)] = carrier_id

    def refuse(self, sequence: int, error: SendError) -> None:
        """Note that a part was refused."""
        self.errors[self.on_wire.pop(sequence)] = error

    def retry(self) -> list[int]:
        """Return the parts to be written again, and forget that they were refused."""
        parts = sorted(self.errors)
        self.errors.clear()
        self.unwritten += len(parts)
        return parts

    def end(self, answer: Accepted | SendError) -> None:
        """Tell the answer, once."""
        if not self.ended:
            self.ended = True
            self._done(answer)

    def verdict(self, silence: str = "", untouched: SendError | None = None) -> tuple[Accepted | SendError, bool]:
        """Return what is known, and whether the carrier took some of it and definitely not all.

        `silence` is the code where nobody knows, `untouched` what it is when nothing was written.
        """
        if len(self.ids) == len(self.parts):
            return self._accepted(), False
        if self.on_wire:
            return NoAnswer(silence, self._carrier_ids(), cut_off=silence == LINK_DROPPED), False
        if self.ids:
            # The person has a part of it: whatever follows must not become a second text.
            return self._accepted(), True
        for error in self.errors.values():
            if error.kind is not Kind.refused:
                return error, False
        return next(iter(self.errors.values()), untouched or NotConnected()), False

    def _accepted(self) -> Accepted:
        segments = self.message.segments if len(self.parts) == 1 else len(self.ids)
        return Accepted(self.ids[min(self.ids)], segments, self._carrier_ids())

    def _carrier_ids(self) -> tuple[str, ...]:
        """Return the ids of the parts that were taken, and an empty one for each other: no receipt may name that.

        So the whole is never taken for delivered because of some parts. Empty where the carrier gives no ids.
        """
        known = tuple(filter(None, (self.ids[part] for part in sorted(self.ids))))
        return known + ("",) * (len(self.parts) - len(self.ids)) if known else ()
