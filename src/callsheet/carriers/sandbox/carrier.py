"""The sandbox carrier: takes messages, answers, confirms and replies as the number's ending says.

A message is in the ledger, durably, before it is answered. So a crash between the two leaves what a crash at
a real carrier leaves: a message that went out, no answer, and a receipt that comes later.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from callsheet.carriers.base import (
    Accepted,
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
)
from callsheet.carriers.sandbox.behaviour import Behaviour, FirstReceipt, Plan, Timings, behaviour_of, plan
from callsheet.carriers.sandbox.ledger import Acceptance, Ledger, Status, Telling
from callsheet.carriers.sandbox.teller import Tell, Teller, phrase
from callsheet.clock import Clock
from callsheet.core.asking import Leave, nobody_forbids
from callsheet.core.condition import Condition, State

DEFAULT_WINDOW: Final = 1_000
_USUAL_TIMINGS: Final = Timings()


class SandboxCarrier:
    """A carrier without a network: see `behaviour` for what the numbers do.

    The ledger stays open when the carrier is closed; who opened it closes it. The same seed of `rng`, the
    same order of messages and an inline ledger give the same happenings in virtual time.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        rng: random.Random,
        *,
        timings: Timings = _USUAL_TIMINGS,
        window: int = DEFAULT_WINDOW,
    ) -> None:
        self.limits = Limits(window=window)
        self._ledger = ledger
        self._clock = clock
        self._rng = rng
        self._timings = timings
        self._teller: Teller | None = None
        self._telling: asyncio.Task[None] | None = None
        self._under_way = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._hung_up = asyncio.Event()

    async def open(self, hear: Hear) -> None:
        """Begin to tell, first what the ledger holds as not acknowledged. Does nothing when it is open."""

        async def tell(batch: Sequence[Telling]) -> None:
            await hear([phrase(telling) for telling in batch])
            await self._ledger.acknowledge(batch, self._clock.now())

        await self.open_to(tell)

    async def open_to(self, tell: Tell) -> None:
        """Begin to tell somebody who acknowledges in the ledger by himself, one by one."""
        # A message whose sender gave up may be on its way into the ledger still.
        await self._ledger.flush()
        if self._teller is not None:
            return
        self._hung_up.clear()
        self._teller = Teller(self._clock, tell)
        self._teller.add(self._ledger.pending())
        self._telling = asyncio.create_task(self._teller.run(), name="sandbox teller")

    async def send(self, message: Outbound, leave: Leave = nobody_forbids) -> Accepted:
        """Take one message, and answer as its number's ending says.

        Raises InvalidNumber (9905), Throttled (9906; `window_full` beyond `limits.window`), NoAnswer (9907,
        after `give_up_seconds` or when the carrier is closed; `ledger_failed`), InvalidMessage (a text that
        no encoding takes) and NotConnected (not open).
        """
        teller = self._teller
        if teller is None or self._hung_up.is_set():
            raise NotConnected
        if self._under_way >= self.limits.window:
            raise Throttled("window_full")
        self._under_way += 1
        self._quiet.clear()
        try:
            return await self._answer(message, teller, leave)
        except sqlite3.Error as error:
            # A commit that failed may still have reached the disk.
            raise NoAnswer("ledger_failed") from error
        except UnicodeEncodeError as error:
            raise InvalidMessage("not_encodable") from error
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._quiet.set()

    def condition(self) -> Condition:
        """Return whether handsets can be reached: always, once it is open."""
        return Condition(State.open if self._teller is not None else State.closed, in_flight=self._under_way)

    async def probe(self) -> Probe:
        """Say that a simulator needs no account."""
        return Probe(ok=True, said="The handset simulator is part of this process: there is no account to try.")

    async def close(self) -> None:
        """Answer what is under way, then stop telling; the ledger keeps the rest for the next `open`."""
        self._hung_up.set()
        await self._quiet.wait()
        if self._teller is not None:
            self._teller.stop()
        if self._telling is not None:
            await self._telling
        self._teller = self._telling = None

    async def _answer(self, message: Outbound, teller: Teller, leave: Leave) -> Accepted:
        behaviour = behaviour_of(message.to)
        planned = plan(behaviour, self._timings, self._rng)
        at = self._clock.now()
        refusal = await self._refuse(behaviour, message.to, at)
        if refusal is not None:
            await self._clock.sleep(planned.answer_seconds)
            raise refusal
        if not leave():
            raise Forbidden
        acceptance, tried = await self._accept(message, behaviour, planned, at, teller)
        if not behaviour.answered:
            await self._stay_silent()
        if tried is not None:
            await asyncio.shield(tried)
        await self._clock.sleep(planned.answer_seconds)
        return Accepted(acceptance.carrier_id, message.segments)

    async def _refuse(self, behaviour: Behaviour, number: str, at: datetime) -> SendError | None:
        refused_as = behaviour.refused_as
        if refused_as is None:
            return None
        refused = await self._ledger.refuse(number, refused_as.code, at, at_most=behaviour.refused_times)
        return refused_as() if refused else None

    async def _accept(
        self, message: Outbound, behaviour: Behaviour, planned: Plan, at: datetime, teller: Teller
    ) -> tuple[Acceptance, asyncio.Future[None] | None]:
        status = Status.accepted if behaviour.answered else Status.unanswered
        tried: asyncio.Future[None] | None = None

        # From the commit, not from here: a sender that gives up meanwhile gets its receipts all the same.
        def begin(acceptance: Acceptance) -> None:
            nonlocal tried
            if behaviour.pace is FirstReceipt.before_answer:
                tried = teller.first_try(acceptance.tellings[0])
            teller.add(acceptance.tellings)

        return await self._ledger.accept(message, status, at, planned.tellings, after=begin), tried

    async def _stay_silent(self) -> None:
        """Wait as one waits for an answer that does not come. Raises NoAnswer."""
        try:
            async with asyncio.timeout(self._timings.give_up_seconds):
                await self._hung_up.wait()
        except TimeoutError:
            pass
        raise NoAnswer
