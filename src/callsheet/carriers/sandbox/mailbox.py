"""What waits for one system id: handed to whoever is bound for it, again and again until it is acknowledged."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from callsheet.carriers.sandbox.ledger import Telling

_AGAIN_SECONDS: Final = 1.0


class Receiver(Protocol):
    """A session that is bound to receive."""

    def has_room(self) -> bool:
        """Say whether one more may be under way."""

    def deliver(self, telling: Telling) -> None:
        """Send it."""


class Mailbox:
    """The tellings of one system id, in the order in which they fell due, shared out among its sessions in turn."""

    def __init__(self, acknowledge: Callable[[Telling], None]) -> None:
        self._acknowledge = acknowledge
        self._waiting: deque[Telling] = deque()
        self._receivers: deque[Receiver] = deque()

    @property
    def is_attended(self) -> bool:
        """Whether somebody is bound to receive."""
        return bool(self._receivers)

    def put(self, telling: Telling) -> None:
        """Tell this as soon as somebody is there and has room."""
        self._waiting.append(telling)
        self.pump()

    def attach(self, receiver: Receiver) -> None:
        """Begin to tell somebody."""
        self._receivers.append(receiver)
        self.pump()

    def detach(self, receiver: Receiver, unheard: Iterable[Telling]) -> None:
        """Stop to tell somebody; what he did not acknowledge is told to the next one."""
        self._receivers.remove(receiver)
        self._waiting.extendleft(reversed(list(unheard)))
        self.pump()

    def heard(self, telling: Telling) -> None:
        """Tell this no more."""
        self._acknowledge(telling)
        self.pump()

    def put_again(self, telling: Telling) -> None:
        """Tell this again after a while: it could not be taken now."""
        asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self.put, telling)
        self.pump()

    def pump(self) -> None:
        """Hand over what there is room for."""
        for _ in range(len(self._receivers)):
            while self._waiting and self._receivers[0].has_room():
                self._receivers[0].deliver(self._waiting.popleft())
            self._receivers.rotate(-1)
