"""The simulated voice engine: it places calls to phones that behave as their numbers say, without a network.

A call is in the ledger, durably, before its phone rings. The network outlives us as a real one does: calls that were
under way when the process ended are found again by the next one, and go on.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final

from callsheet.clock import Clock
from callsheet.core.asking import Leave
from callsheet.core.attempt import Kind
from callsheet.core.calling import Dial
from callsheet.core.condition import Condition, State
from callsheet.core.outcome import Outcome
from callsheet.voice.base import Call, CallEvent, Found, Hear, NotDialed
from callsheet.voice.sandbox import ledger as entries
from callsheet.voice.sandbox.behaviour import CallTimings, Phone, phone_of
from callsheet.voice.sandbox.call import SandboxCall, World
from callsheet.voice.sandbox.ledger import CallLedger, LedgerFailed, PlacedCall
from callsheet.voice.sandbox.placed import Placed, age

USUAL_ROOM: Final = 1_000
USUAL_RING_SECONDS: Final = 30.0
USUAL_LONGEST_SECONDS: Final = 3_600.0
_SUFFIX: Final = "-calls.db"
_USUAL: Final = CallTimings()


class SandboxVoice:
    """Calls of all sandbox trunks of this process; each trunk has a ledger of its own in the folder."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        *,
        seed: int | None = None,
        timings: CallTimings = _USUAL,
        room: int = USUAL_ROOM,
        inline: bool = False,
        phones: Callable[[str], Phone] = phone_of,
    ) -> None:
        """`seed`: people behave the same each time. `inline`: ledgers are written at once, for simulated time.

        `phones`: says how the phone of a number behaves.
        """
        self.on_found: Callable[[Found], Hear | None] = lambda _: None
        self.on_free: Callable[[], None] = lambda: None
        self._folder = folder
        self._clock = clock
        self._rng = random.Random(seed)  # noqa: S311 (people, not secrets)
        self._timings = timings
        self._room = room
        self._inline = inline
        self._phone_of = phones
        self._ledgers: dict[str, CallLedger] = {}
        self._failed: dict[tuple[str, str], int] = {}
        """How often a number was not reached through a trunk, of those that are not for ever."""
        self._calls: dict[str, SandboxCall | None] = {}
        """By their references; None: it is being placed."""
        self._closing = asyncio.Event()
        self._is_open = False

    def room(self, trunk_id: str) -> int:  # noqa: ARG002 (as every engine)
        """Return how many more calls it bears."""
        return max(0, self._room - len(self._calls)) if self._is_open else 0

    def bears(self, trunk_ids: Collection[str]) -> int:
        """Return how many calls it bears at once."""
        return self._room if trunk_ids else 0

    def condition(self, trunk_id: str) -> Condition:  # noqa: ARG002 (as every engine)
        """Return how a trunk stands: phones can always be reached, once it is open."""
        return Condition(State.open if self._is_open else State.closed, in_flight=len(self._calls))

    def living(self) -> Sequence[str]:
        """Return the ids of the calls that live."""
        return [reference for reference, call in self._calls.items() if call is not None]

    async def open(self) -> None:
        """Begin; whoever led a call before is asked for. Does nothing when it is open."""
        if self._is_open:
            return
        self._is_open = True
        self._closing.clear()
        self._recordings.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            trunk_id = path.name.removesuffix(_SUFFIX)
            for found in self._ledger(trunk_id).living():
                await self._find(trunk_id, found)

    async def close(self) -> None:
        """End: calls that live are hung up, and told. The ledgers are closed."""
        self._is_open = False
        self._closing.set()
        while self._calls:
            living = [call for call in self._calls.values() if call is not None]
            for call in living:
                await call.hang_up()
            await asyncio.gather(*(call.living for call in living))
            # What is on its way into the ledger rings in a moment.
            await self._clock.sleep(0)
        for ledger in self._ledgers.values():
            await ledger.flush()
        self.shut()

    def shut(self) -> None:
        """Close the ledgers: also those of an engine that was never open, and that somebody read."""
        for ledger in self._ledgers.values():
            ledger.close()
        self._ledgers.clear()

    async def dial(
        self,
        trunk_id: str,
        dial: Dial,
        leave: Leave,
        hear: Hear,
        beside: Call | None = None,  # noqa: ARG002 (there is one network)
    ) -> SandboxCall:
        """Place a call, which is in the ledger when this returns. Raises NotDialed."""
        if not self._is_open:
            raise NotDialed(Kind.refused, "not_connected", "The simulated network is not open.")
        if dial.reference in self._calls:
            raise NotDialed(Kind.uncertain, "already_placed", "A call of this attempt goes on already.")
        if not self.room(trunk_id):
            raise NotDialed(Kind.refused, "no_room", "The simulated network bears no more calls.")
        if not leave():
            raise NotDialed(Kind.withdrawn, "forbidden", "It was forbidden before it was placed.")
        self._calls[dial.reference] = None
        try:
            return await self._place(trunk_id, dial, hear)
        except BaseException:
            self._calls.pop(dial.reference, None)
            raise

    def calls(
        self, trunk_id: str, after: int, limit: int, campaign_ids: Collection[str] | None = None
    ) -> Sequence[PlacedCall]:
        """Return the calls that were placed through a trunk, oldest first, from an id on, of these campaigns only."""
        if trunk_id not in self._ledgers and not self._path(trunk_id).exists():
            return ()
        return self._ledger(trunk_id).calls(after, limit, campaign_ids)

    async def _place(self, trunk_id: str, dial: Dial, hear: Hear) -> SandboxCall:
        phone, ledger, at = self._phone_of(dial.to), self._ledger(trunk_id), self._clock.now()
        status = entries.RINGING if phone.is_told else entries.UNANSWERED
        try:
            call_id = await ledger.place(dial, status, at)
        except LedgerFailed:
            raise NotDialed(Kind.uncertain, "ledger_failed", "The simulated network's ledger failed.") from None
        if not phone.is_told:
            await self._stay_silent()
        placed = Placed(dial.reference, call_id, at, dial.ring_seconds, dial.longest_seconds)
        return self._begin(trunk_id, placed, self._present(trunk_id, dial.to, phone), hear)

    async def _stay_silent(self) -> None:
        """Wait as one waits for an answer that does not come. Raises NotDialed."""
        try:
            async with asyncio.timeout(self._timings.give_up):
                await self._closing.wait()
        except TimeoutError:
            pass
        raise NotDialed(Kind.uncertain, "no_answer_from_network", "The network did not say whether it took the call.")

    async def _find(self, trunk_id: str, found: PlacedCall) -> None:
        """Let a call go on that an earlier process placed; nobody knows it: it is over."""
        placed = Placed(
            found.reference,
            found.id,
            found.placed_at,
            USUAL_RING_SECONDS,
            USUAL_LONGEST_SECONDS,
            is_answered=found.answered_at is not None,
        )
        left = max(1.0, USUAL_RING_SECONDS - age(placed, self._clock.now()))
        call = self._begin(
            trunk_id,
            placed._replace(ring_seconds=left),
            self._present(trunk_id, found.to, self._phone_of(found.to)),
            _nobody,
        )
        hear = self.on_found(Found(call, placed.is_answered, placed.at, found.answered_at))
        if hear is None:
            await call.hang_up()
        else:
            call.hear = hear

    def _begin(self, trunk_id: str, placed: Placed, phone: Phone, hear: Hear) -> SandboxCall:
        world = World(self._clock, self._timings, self._ledger(trunk_id), self._recordings, self._forget)
        rng = random.Random(self._rng.random())  # noqa: S311 (one for each call: they do not depend on each other)
        call = self._calls[placed.reference] = SandboxCall(world, placed, phone, rng, hear)
        return call

    def _present(self, trunk_id: str, number: str, phone: Phone) -> Phone:
        """Return what a phone does this time: some do something else after a while."""
        clears = phone.clears
        if clears is None or clears.times is None:
            return phone
        times = self._failed.get((trunk_id, number), 0)
        self._failed[trunk_id, number] = times + 1
        return phone if times < clears.times else Phone(keys=phone.keys)

    def _forget(self, call: SandboxCall) -> None:
        self._calls.pop(call.id, None)
        self.on_free()

    def _ledger(self, trunk_id: str) -> CallLedger:
        if trunk_id not in self._ledgers:
            ledger = self._ledgers[trunk_id] = CallLedger(self._path(trunk_id), inline=self._inline)
            for number, times in ledger.times(Outcome.trunk_failed).items():
                self._failed[trunk_id, number] = times
        return self._ledgers[trunk_id]

    def _path(self, trunk_id: str) -> Path:
        return self._folder / f"{trunk_id}{_SUFFIX}"

    @property
    def _recordings(self) -> Path:
        return self._folder / "recordings"


def _nobody(event: CallEvent) -> None:
    """Hear nothing: nobody has asked for the call yet."""
