"""The SMPP carrier: several sessions with one SMSC, bound again whenever one is lost."""

from __future__ import annotations

import asyncio
import random
from typing import Final, NamedTuple

import structlog

from callsheet import meters
from callsheet.carriers.base import Done, Hear, NotConnected, Outbound, Probe, SendError
from callsheet.carriers.smpp.account import BindMode, SmppAccount
from callsheet.carriers.smpp.ear import DeafEar, Ear
from callsheet.carriers.smpp.link import Fenced, Linker, Trouble, trouble_of
from callsheet.carriers.smpp.sending import Sending
from callsheet.carriers.smpp.session import BindRefused, Role, Session
from callsheet.carriers.smpp.submits import Submits
from callsheet.carriers.smpp.text import LongTexts
from callsheet.clock import Clock
from callsheet.core.asking import Leave
from callsheet.core.condition import Condition, State
from callsheet.core.fence import Fence

log = structlog.get_logger()

FAILURES: Final = (OSError, Fenced, BindRefused)


class Backoff(NamedTuple):
    """How long to wait before the next try to bind: a random part of a time that doubles (full jitter)."""

    first_seconds: float = 1.0
    longest_seconds: float = 60.0
    broken_first_seconds: float = 30.0
    """Where only people can mend it."""
    broken_longest_seconds: float = 600.0
    steady_seconds: float = 10.0
    """A session that lived so long was a good one: the next try comes soon again."""

    def seconds(self, tries: int, rng: random.Random, *, is_for_people: bool) -> float:
        """Return how long to wait after so many tries that failed, from 1 on."""
        first, longest = self[2:4] if is_for_people else self[:2]
        # Never nothing at all: many sessions that lost one carrier must not all come at once.
        return max(first / 10, rng.uniform(0, min(longest, first * 2.0 ** min(tries - 1, 30))))


_USUAL_BACKOFF: Final = Backoff()


class SmppCarrier:
    """An SMSC as a carrier."""

    def __init__(
        self,
        account: SmppAccount,
        clock: Clock,
        rng: random.Random,
        fence: Fence,
        *,
        trunk_id: str = "",
        backoff: Backoff = _USUAL_BACKOFF,
    ) -> None:
        self._account = account
        self._clock = clock
        self._rng = rng
        self._backoff = backoff
        self._linker = Linker(account, clock, fence)
        self._submits = Submits(account, clock, rng)
        self._ear = Ear(account, clock, rng)
        self._log = log.bind(trunk=trunk_id)
        self._sessions: set[Session] = set()
        self._troubles: dict[int, Trouble] = {}
        """Why a place has no session, by its number."""
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False

    def room(self, segments: float = 1.0) -> int:
        """Return how many more messages would be begun at once; a window counts parts, and a payload is one."""
        parts = 1.0 if self._account.concatenation is LongTexts.payload else segments
        rooms = [session.out.room() for session in self._sessions if session.is_usable]
        # One is begun where there is any room: of a text longer than the window too.
        return sum([max(1, int(room / parts)) for room in rooms if room > 0]) or max(rooms, default=0)

    async def open(self, hear: Hear) -> None:
        """Begin to bind, and to tell what is heard. Does nothing when it is open."""
        if self._tasks:
            return
        self._closing = False
        roles = (Role.transceiver,) if self._account.bind is BindMode.transceiver else (Role.transmitter, Role.receiver)
        places = enumerate(roles * self._account.binds)
        self._tasks = [asyncio.create_task(self._ear.run(hear), name="smpp ear")]
        self._tasks += [asyncio.create_task(self._keep(place, role), name=f"smpp {role}") for place, role in places]

    def submit(self, message: Outbound, leave: Leave, done: Done) -> None:
        """Hand one message to the session with most room."""
        usable = [session for session in self._sessions if session.is_usable]
        if not usable or self._closing:
            done(NotConnected(cut_off=True))
            return
        try:
            parts = self._submits.write(message)
        except SendError as error:
            done(error)
            return
        deadline = self._clock.monotonic() + self._account.answer_seconds
        session = usable[0] if len(usable) == 1 else max(usable, key=lambda one: one.out.room())
        session.submit(Sending(message, parts, leave, done, deadline))

    def condition(self) -> Condition:
        """Return how it stands."""
        bound = [session for session in self._sessions if session.is_bound]
        senders = [session.out for session in bound if session.role.sends]
        in_flight = sum(out.in_flight for out in senders)
        trouble = next(iter(self._troubles.values()), None)
        why = trouble.why if trouble else ""
        now = self._clock.monotonic()
        if not self._tasks:
            state = State.closed
        elif not senders:
            state = State.broken if trouble and trouble.is_for_people else State.connecting
        else:
            state = State.throttled if any(out.congestion.is_slow(now) for out in senders) else State.open
        if state is State.throttled and not why:
            why = "it asks for fewer messages"
        held_seconds = min([out.congestion.held_for(now) for out in senders], default=0.0)
        return Condition(state, why, len(bound), in_flight, held_seconds=held_seconds)

    async def probe(self) -> Probe:
        """Connect, bind and unbind on a connection of its own."""
        account = self._account
        place = f"{account.host}:{account.port}{' with TLS' if account.tls else ''}"
        role = Role.transceiver if account.bind is BindMode.transceiver else Role.transmitter
        try:
            session = await self._linker.bind(role, DeafEar(account, self._clock, self._rng))
        except FAILURES as error:
            return Probe(ok=False, said=f"Tried {place} as {account.system_id}: {trouble_of(error, account).why}.")
        name = f", which calls itself {session.bound.result()}" if session.bound.result() else ""
        await session.leave()
        return Probe(ok=True, said=f"Connected to {place}{name}. Bound as {role} {account.system_id}. Unbound.")

    async def close(self) -> None:
        """Take the answers that are owed, unbind every session, and stop telling."""
        self._closing = True
        keepers = self._tasks[1:]
        # What is just being connected ends with its task.
        leaving = [session.leave() for session in self._sessions]
        await asyncio.gather(*leaving)
        for task in keepers:
            task.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        # What the sessions told at their end is stored as well, if that can be.
        try:
            async with asyncio.timeout(self._account.answer_seconds):
                await self._ear.quiet.wait()
        except TimeoutError:
            self._log.warning("smpp.not_heard", count=self._ear.waiting, error="closing")
        for task in self._tasks[:1]:
            task.cancel()
        await asyncio.gather(*self._tasks[:1], return_exceptions=True)
        self._tasks = []

    async def _keep(self, place: int, role: Role) -> None:
        """Keep one place bound: bind, wait for the end, wait a while, and again."""
        tries = 0
        while not self._closing:
            began = self._clock.monotonic()
            trouble = await self._live(place, role)
            tries = 1 if self._clock.monotonic() - began > self._backoff.steady_seconds else tries + 1
            if self._closing:
                return
            self._troubles[place] = trouble
            seconds = self._backoff.seconds(tries, self._rng, is_for_people=trouble.is_for_people)
            await self._clock.sleep(seconds)

    async def _live(self, place: int, role: Role) -> Trouble:
        """Live through one session, and return why it ended or never began."""
        try:
            session = await self._linker.bind(role, self._ear)
        except FAILURES as error:
            trouble = trouble_of(error, self._account)
            self._log.warning("smpp.not_bound", role=str(role), why=trouble.why)
            return trouble
        except Exception:  # noqa: BLE001 (it is logged)
            # A fault of ours must not leave the trunk without a session for ever.
            self._log.exception("smpp.broke", role=str(role))
            return Trouble("a fault of ours, which the log names", is_for_people=True)
        self._troubles.pop(place, None)
        self._sessions.add(session)
        meters.smpp_sessions.inc()
        self._log.info("smpp.bound", role=str(role))
        try:
            await session.gone.wait()
        finally:
            session.end("the carrier is closed")
            self._sessions.discard(session)
            meters.smpp_sessions.dec()
        if not self._closing:
            self._log.warning("smpp.ended", role=str(role), why=session.why)
        return Trouble(session.why, is_for_people=False)
