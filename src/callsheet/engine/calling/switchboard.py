"""The switchboard of a node: its voice engines, what leads their calls, and the lines that are made of trunks."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from callsheet.clock import Clock
from callsheet.core.errors import Conflict
from callsheet.core.run import AppSettings, Run
from callsheet.engine.agenda import Agenda
from callsheet.engine.calling.adoption import Adoption
from callsheet.engine.calling.call_meters import CallMeters
from callsheet.engine.calling.call_records import CallRecords
from callsheet.engine.calling.call_tapes import CallTapes
from callsheet.engine.calling.detecting import Detecting
from callsheet.engine.calling.hanging_up import HangUpWatch
from callsheet.engine.calling.leader import GRACE_SECONDS, Leader, Talks
from callsheet.engine.calling.leading import Leading
from callsheet.engine.calling.live_call import LiveCall
from callsheet.engine.calling.machine_samples import MachineSamples
from callsheet.engine.calling.recordings import RecordingKeeper
from callsheet.engine.calling.ring_watch import RingWatch
from callsheet.engine.calling.slots import AGENTLESS, Limit, Slots
from callsheet.engine.calling.voice_line import VoiceLine
from callsheet.engine.recorder import Recorder
from callsheet.store.apps import Trunk
from callsheet.store.store import Store
from callsheet.voice.base import VoiceEngine

Engines = Mapping[str, VoiceEngine]
"""The voice engines of this process, by the name of the carrier whose trunks they call through."""


class Switchboard:
    """What this node has for calls."""

    def __init__(
        self,
        engines: Engines,
        store: Store,
        agenda: Agenda,
        recorder: Recorder,
        clock: Clock,
        rng: random.Random,
        talk: Talks,
        records: CallRecords,
        slots: Slots,
    ) -> None:
        self._engines = engines
        self._agenda = agenda
        self._runs = store.runs
        self._recorder = recorder
        self._clock = clock
        self._rng = rng
        self._slots = slots
        self._on_nodes: Counter[str] = Counter()
        """Places that are kept on nodes for contacts that are being armed, by carrier."""
        self.tapes = CallTapes(store, clock, records)
        self._samples = MachineSamples(RecordingKeeper(store), clock)
        detecting = Detecting(clock, rng, self._samples)
        self._leaders = {
            carrier: Leader(engine, recorder, clock, talk, detecting) for carrier, engine in engines.items()
        }  # fmt: skip
        for carrier, leader in self._leaders.items():
            measured = CallMeters(carrier, records.dialed, self.tapes.ended)
            leader.on_dialed, leader.on_ended = partial(self._dialed, measured), measured.ended
            leader.on_answered = self.tapes.answered
        self._adoptions = {
            carrier: Adoption(leader, slots, store.ringing, self._run, clock)
            for carrier, leader in self._leaders.items()
        }
        self.ring_watch = RingWatch(store.ringing, self._ringing)
        self.hang_ups = HangUpWatch(store.hang_ups, clock, self._led, records.node_no)
        self.on_free: Callable[[], None] = lambda: None
        """Called when there may be room for another call."""

    def _ringing(self) -> Iterator[Leading]:
        """Yield the calls of this node that nobody has answered yet."""
        for leader in self._leaders.values():
            yield from leader.ringing()

    def _led(self) -> Iterator[Leading]:
        """Yield the calls of this node."""
        for leader in self._leaders.values():
            yield from leader.led()

    def _dialed(self, measured: CallMeters, live: LiveCall) -> None:
        measured.dialed(live)
        self.hang_ups.begun()

    def look(self) -> None:
        """Look now what somebody asks of calls that go on."""
        self.tapes.wake()
        self.hang_ups.wake()

    def make_line(self, trunk: Trunk) -> VoiceLine:
        """Return the line of a trunk, not opened yet. Raises Conflict where no engine here calls through it."""
        engine = self._engines.get(trunk.carrier)
        if engine is None:
            raise Conflict("This process has no voice engine for calls through this trunk.")
        return VoiceLine(
            trunk, engine, self._leaders[trunk.carrier], self._slots, partial(self._limits, trunk), self._run,
            self._recorder, self._clock, self._rng, self._on_nodes,
        )  # fmt: skip

    def bears(self, trunks: Sequence[Trunk]) -> int:
        """Return how many calls may go on at once here through any of these trunks; 0: nobody can say yet."""
        return sum(
            engine.bears({trunk.id for trunk in trunks if trunk.carrier == carrier})
            for carrier, engine in self._engines.items()
        )

    def _limits(self, trunk: Trunk) -> tuple[Limit, ...]:
        """Return how many calls may go on at once through a trunk."""
        settings = self._agenda.settings_of(trunk.app) or AppSettings()
        agentless = Limit(trunk.app, AGENTLESS, settings.agentless_concurrent_calls)
        most = trunk.settings.get("most_calls")
        return (agentless, Limit(trunk.app, trunk.id, most)) if isinstance(most, int) else (agentless,)

    async def _run(self, run_no: int) -> Run | None:
        state = self._agenda.states.get(run_no)
        return state.run if state is not None else await self._runs.by_no(run_no)

    async def open(self) -> None:
        """Begin: from now on engines take calls."""
        self._slots.on_free = self.on_free
        for carrier, engine in self._engines.items():
            engine.on_free = self.on_free
            engine.on_found = self._adoptions[carrier].found
        await asyncio.gather(*(engine.open() for engine in self._engines.values()))

    def calls(self) -> int:
        """Return how many calls go on here."""
        return sum(len(leader) for leader in self._leaders.values())

    async def leave(self) -> None:
        """Take back what rings, and return when what was answered is over, too."""
        await asyncio.gather(*(leader.leave() for leader in self._leaders.values()))

    async def drain(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Let nothing go on: what rings is taken back, what was answered has a moment."""
        await asyncio.gather(*(adoption.drain(grace_seconds) for adoption in self._adoptions.values()))
        await self.tapes.drain()
        await self._samples.drain()

    async def close(self) -> None:
        """End the engines; their calls were drained before."""
        await asyncio.gather(*(engine.close() for engine in self._engines.values()))
