"""The events of a call: what its engine tells, in order, until somebody reads it."""

from __future__ import annotations

import asyncio

from callsheet.voice.base import Answered, CallEvent, HungUp, Lost


class CallEvents(asyncio.Queue[CallEvent]):
    """What is told of one call. The last event is `HungUp` or `Lost`."""

    def __init__(self) -> None:
        super().__init__()
        self.answered = asyncio.Event()
        """Somebody answered, whether that was read or not."""
        self.over = asyncio.Event()
        """The last one was told, read or not: whoever waits for something else need not wait any more."""

    def put_nowait(self, item: CallEvent) -> None:
        """Take an event."""
        super().put_nowait(item)
        if isinstance(item, Answered):
            self.answered.set()
        if isinstance(item, HungUp | Lost):
            self.over.set()
