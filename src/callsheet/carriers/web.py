"""By web: a carrier that takes each message as an HTTP request of its own.

How one carrier words requests and answers is a `Wording`: pure, and the only thing in which two of them differ.

What an answer that never came means is decided here, once. A request that certainly was not sent (no address, no
connection, no certificate that we believe) is safe to send again. One of which a byte may have left is not: whether the
carrier took the message is unknown.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Protocol

from callsheet.carriers.base import (
    Accepted,
    AccountRefused,
    Forbidden,
    Hear,
    InvalidMessage,
    Limits,
    NoAnswer,
    NotConnected,
    Outbound,
    Probe,
    SendError,
    Throttled,
    Unwell,
)
from callsheet.carriers.callback import Doors
from callsheet.carriers.one_by_one import SUBMIT_SECONDS
from callsheet.clock import Clock
from callsheet.core.asking import Answer, Ask, HeldBack, Leave, NotReached, Request, nobody_forbids
from callsheet.core.condition import Condition, State

ANSWER_SECONDS: Final = SUBMIT_SECONDS - 1.0
"""How long all tries for one message take: we want to know whether it was sent, so we stop waiting first."""
MOST_BYTES: Final = 65_536
"""How large an answer may be."""


_ANSWERED: Final = range(400, 500)
_REQUEST_TIMEOUT, _CONFLICT, _TOO_MANY = 408, 409, 429
_ACCOUNT: Final = frozenset({401, 402, 403, 404, 405, 407})
"""Whoever we are, or whatever is at this URL, nothing was taken."""


def error_of_status(status: int, said: str) -> SendError:
    """Judge an answer that is no success by its HTTP status (RFC 9110); `said` is its code."""
    if status == _TOO_MANY:
        return Throttled(said)
    if status in _ACCOUNT:
        return AccountRefused(said)
    if status not in _ANSWERED or status in (_REQUEST_TIMEOUT, _CONFLICT):
        # A fault of theirs may come before the message was taken or after; a redirect, a time-out of a proxy and a
        # conflict (with the same request, perhaps, which goes on) say as little.
        return NoAnswer(said)
    return InvalidMessage(said)


def seconds_left(message: Outbound, now: datetime, least: int, most: int) -> int:
    """Return how long the carrier may try to deliver a message, as far as it lets us choose."""
    if message.valid_until is None:
        return most
    return max(least, min(int((message.valid_until - now).total_seconds()), most))


class WebGiven(Protocol):
    """What such a carrier is given besides its account."""

    @property
    def clock(self) -> Clock:
        """The clock."""

    @property
    def ask(self) -> Ask:
        """Asks over HTTP."""

    @property
    def doors(self) -> Doors:
        """Where the carrier calls us back."""


class Wording(Protocol):
    """How a carrier is spoken to."""

    def write(self, message: Outbound, now: datetime) -> Request:
        """Return the request that hands a message over."""

    def read(self, answer: Answer, message: Outbound) -> Accepted:
        """Return what the answer says. Raises SendError."""

    def question(self) -> Request | None:
        """Return a request that tells whether the account works and sends nothing; None when there is none."""

    def judge(self, answer: Answer) -> Probe:
        """Return what the answer to that question says."""


class WebCarrier:
    """A carrier that is asked over HTTP. What it tells later comes as callbacks, not through here."""

    def __init__(self, wording: Wording, ask: Ask, clock: Clock, *, window: int, tries: int = 1) -> None:
        """Speak to a carrier. `tries` is more than 1 only where the carrier knows a repeated request for what it is."""
        self._wording = wording
        self._ask = ask
        self._clock = clock
        self._tries = tries
        self._condition = Condition(State.closed)
        self.limits = Limits(window)

    async def open(self, _hear: Hear) -> None:
        """Be ready; there is nothing to connect."""
        self._condition = Condition(State.open)

    async def send(self, message: Outbound, leave: Leave = nobody_forbids) -> Accepted:
        """Ask, and read the answer. Raises SendError."""
        request = self._wording.write(message, self._clock.now())
        try:
            accepted = self._wording.read(await self._answer(request, leave), message)
        except SendError as error:
            self._stand(error)
            raise
        self._condition = Condition(State.open)
        return accepted

    async def _answer(self, request: Request, leave: Leave) -> Answer:
        """Ask, as often as that is safe."""
        was_sent = False
        for _ in range(self._tries):
            try:
                return await self._ask(
                    request, seconds=ANSWER_SECONDS / self._tries, most_bytes=MOST_BYTES, leave=leave
                )
            except HeldBack as error:
                raise (NoAnswer if was_sent else Forbidden) from error
            except NotReached as error:
                was_sent = was_sent or error.was_sent
                why = str(error)
        self._condition = Condition(State.connecting, why)
        raise NoAnswer if was_sent else NotConnected

    def _stand(self, error: SendError) -> None:
        """Note what an answer says about the line; one about a number or a text says that the line works."""
        match error:
            case AccountRefused():
                self._condition = Condition(State.broken, f"The carrier refuses the account ({error.word}).")
            case Throttled():
                self._condition = Condition(State.throttled, f"The carrier asks us to slow down ({error.word}).")
            case Unwell() | NoAnswer():
                if self._condition.state is not State.connecting:
                    why = f"The carrier answered that it cannot, or not what we understand ({error.word})."
                    self._condition = Condition(State.throttled, why)
            case NotConnected() | Forbidden():
                pass
            case _:
                self._condition = Condition(State.open)

    def condition(self) -> Condition:
        """Return how the last answers let it stand."""
        return self._condition._replace(is_tried=True)

    async def probe(self) -> Probe:
        """Ask the carrier about our account."""
        request = self._wording.question()
        if request is None:
            return Probe(ok=False, said="Nothing was tried: the account names no URL for that.")
        try:
            answer = await self._ask(request, seconds=ANSWER_SECONDS, most_bytes=MOST_BYTES)
        except NotReached as error:
            return Probe(ok=False, said=str(error))
        return self._wording.judge(answer)

    async def close(self) -> None:
        """Be closed; nothing is connected."""
        self._condition = Condition(State.closed)
