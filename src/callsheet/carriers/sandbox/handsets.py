"""The simulated handsets behind both ports: they take messages, and what they say goes back the way it came."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Final

from callsheet.carriers.base import Accepted, Outbound
from callsheet.carriers.sandbox.behaviour import REPLY, Timings
from callsheet.carriers.sandbox.carrier import SandboxCarrier
from callsheet.carriers.sandbox.ledger import Ledger, Telling
from callsheet.carriers.sandbox.mailbox import Mailbox
from callsheet.carriers.sandbox.misbehaviour import Misbehaviour
from callsheet.carriers.sandbox.origin import Origin
from callsheet.clock import Clock, to_micros
from callsheet.core.segments import measure

_USUAL: Final = Timings()


class Handsets:
    """One ledger, one carrier, and a mailbox for each system id that ever handed something in or is bound."""

    def __init__(self, ledger: Ledger, clock: Clock, rng: random.Random, *, timings: Timings = _USUAL) -> None:
        self.ledger = ledger
        self.clock = clock
        self.rng = rng
        self.misbehaviour = Misbehaviour()
        self.cut_links: list[Callable[[], None]] = []
        """What to call to cut every link."""
        self.call_back: Callable[[Origin, Telling], None] = lambda _, telling: self.acknowledge(telling)
        self._carrier = SandboxCarrier(ledger, clock, rng, timings=timings)
        self._mailboxes: dict[str, Mailbox] = {}
        self._last_reply = 0
        self._heard: list[Telling] = []
        self._acknowledging: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to tell, first what was not acknowledged before."""
        await self._carrier.open_to(self._post)

    async def hang_up(self) -> None:
        """Answer what is under way, and take nothing more."""
        await self._carrier.close()

    async def close(self) -> None:
        """Write down what was heard. The ledger stays open."""
        if self._acknowledging is not None:
            await self._acknowledging

    async def take(self, origin: Origin, to: str, sender: str, text: str) -> Accepted:
        """Take a message: it is in the ledger when this returns. Raises SendError."""
        outbound = Outbound(origin.write(), to, sender, text, measure(text).count, "")
        return await self._carrier.send(outbound)

    async def reply(self, number: str, sender: str, text: str) -> Origin | None:
        """Let a handset text to a sender, and return who is told; None: nobody there is.

        That is who texted last from this sender, to this handset if he did, or else who is bound to receive. It is
        kept until he has heard it, or this process ends.
        """
        origin = self._listener_to(number, sender)
        if origin is None:
            return None
        now = self.clock.now()
        # Below zero: not in the ledger. An instant: never used again by the next process.
        self._last_reply = min(self._last_reply - 1, -to_micros(now))
        telling = Telling(self._last_reply, 0, now, REPLY, text, origin.write(), number, sender)
        await self._post([telling])
        return origin

    def _listener_to(self, number: str, sender: str) -> Origin | None:
        latest = self.ledger.latest(sender, number)
        if latest is not None:
            origin = Origin.read(latest)._replace(part=None)
            if origin.way == "smpp" or origin.reply_url:
                return origin
        bound = [system_id for system_id, mailbox in self._mailboxes.items() if mailbox.is_attended]
        return Origin("smpp", bound[-1]) if bound else None

    def cut(self) -> None:
        """Cut every link at once."""
        for cut_link in self.cut_links:
            cut_link()

    def mailbox(self, system_id: str) -> Mailbox:
        """Return what waits for a system id."""
        return self._mailboxes.setdefault(system_id, Mailbox(self.acknowledge))

    def acknowledge(self, telling: Telling) -> None:
        """Write down, with others of the moment, that this was heard."""
        self._heard.append(telling)
        if self._acknowledging is None or self._acknowledging.done():
            self._acknowledging = asyncio.get_running_loop().create_task(self._acknowledge_all())

    async def _acknowledge_all(self) -> None:
        while self._heard:
            batch, self._heard = self._heard, []
            await self.ledger.acknowledge(batch, self.clock.now())

    async def _post(self, batch: Sequence[Telling]) -> None:
        """Put each where it belongs; it stays there until it was heard, and in the ledger as well."""
        for telling in batch:
            origin = Origin.read(telling.reference)
            if not origin.wants(telling):
                self.acknowledge(telling)
            elif origin.way == "smpp":
                self.mailbox(origin.who).put(telling)
            else:
                self.call_back(origin, telling)
