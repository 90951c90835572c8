"""A whole engine in virtual time: the real loops, SQLite on disk, the sandbox carrier, and a clock that jumps."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from callsheet.carriers.base import Accepted, Hear, Limits, Outbound, Probe
from callsheet.carriers.callback import Doors
from callsheet.carriers.known import Given
from callsheet.carriers.one_by_one import SUBMIT_SECONDS, AwaitedCarrier, OneByOne
from callsheet.carriers.sandbox.behaviour import Timings
from callsheet.carriers.sandbox.carrier import SandboxCarrier
from callsheet.carriers.sandbox.ledger import Ledger, Message
from callsheet.core.asking import nobody_forbids
from callsheet.core.campaign import Campaign, Status
from callsheet.core.condition import Condition
from callsheet.core.fence import Fence
from callsheet.core.run import NORMALLY, AppSettings, Launch
from callsheet.engine import schedules
from callsheet.engine.calling.playing import Prompts as CallPrompts
from callsheet.engine.calling.prompts import Prompts
from callsheet.engine.calling.speech import Speech
from callsheet.engine.calling.switchboard import Engines
from callsheet.engine.conductor import Conductor
from callsheet.engine.deliverer import Deliverer
from callsheet.engine.dialout_teller import DialoutTeller
from callsheet.engine.doors import Ingest
from callsheet.engine.failpoints import Failpoints
from callsheet.engine.importer import Importer
from callsheet.engine.outside import Outside
from callsheet.engine.puller import Puller
from callsheet.engine.recorder import Recorder
from callsheet.engine.runtime import Runtime
from callsheet.engine.sign_in import SignIn
from callsheet.engine.sms_line import SmsLine
from callsheet.engine.surroundings import Surroundings
from callsheet.engine.trunks import Trunks
from callsheet.engine.tuning import Tuning
from callsheet.engine.virtual_time import VirtualClock
from callsheet.store.apps import App, Trunk
from callsheet.store.inbox import Message as Reply
from callsheet.store.sqlite.database import SqliteDatabase
from callsheet.store.sqlite.hot import SqliteHot
from callsheet.store.store import Store
from callsheet.store.vault import Vault
from callsheet.voice.asterisk.embedded import EmbeddedAsterisk
from callsheet.voice.asterisk.local import Local
from callsheet.voice.audio.converter import Converter
from callsheet.voice.audio.shelf import SoundShelf
from callsheet.voice.sandbox.behaviour import Phone, phone_of
from callsheet.voice.sandbox.engine import SandboxVoice
from databases import make_file
from factories import make_app

SLOW_TICK = Tuning(tick_seconds=3600.0)
"""Loops wake by signals and at the instants that they know; hours of virtual time have few ticks then."""
TICKS = Tuning(tick_seconds=5.0)
MINUTES = Tuning(tick_seconds=60.0)
"""Where the tick itself has to come: how trunks stand, and what is allowed again or resumed, is seen by looking."""


class Passing:
    """Something in front of a carrier: passes on what it does not care about."""

    def __init__(self, carrier: AwaitedCarrier) -> None:
        self.carrier = carrier
        self.limits: Limits = carrier.limits

    async def open(self, hear: Hear) -> None:
        await self.carrier.open(hear)

    async def send(self, message: Outbound, leave: Callable[[], bool] = nobody_forbids) -> Accepted:
        return await self.carrier.send(message, leave)

    def condition(self) -> Condition:
        return self.carrier.condition()

    async def probe(self) -> Probe:
        return await self.carrier.probe()

    async def close(self) -> None:
        await self.carrier.close()


class SlowWire(Passing):
    """A wire between us and a carrier: a message is out of our hands a while after it was handed to the line."""

    def __init__(
        self, carrier: AwaitedCarrier, clock: VirtualClock, rng: random.Random, longest_seconds: float
    ) -> None:
        super().__init__(carrier)
        self._clock = clock
        self._rng = rng
        self._longest_seconds = longest_seconds

    async def send(self, message: Outbound, leave: Callable[[], bool] = nobody_forbids) -> Accepted:
        await self._clock.sleep(self._rng.random() * self._longest_seconds)
        return await self.carrier.send(message, leave)


@dataclass
class World:
    clock: VirtualClock
    store: Store
    app: App
    ledger: Ledger
    rng: random.Random
    folder: Path
    tuning: Tuning
    wire_seconds: float = 0.0
    timings: Timings = field(default_factory=Timings)
    window: int = 1000
    failpoints: Failpoints = field(default_factory=Failpoints)
    sole_owner: bool = True
    submit_seconds: float = SUBMIT_SECONDS
    wrap: Callable[[AwaitedCarrier], AwaitedCarrier] = lambda carrier: carrier
    """What stands between the engine and the carrier."""
    calls: bool = False
    """Whether there is a simulated phone network."""
    prompts: CallPrompts | None = None
    """What speaks in calls; None: nothing does."""
    engines: Engines = field(default_factory=dict)
    """What else places calls."""
    phone_of: Callable[[str], Phone] = phone_of
    """How the phone of a number behaves."""
    phones: SandboxVoice = field(init=False)
    conductor: Conductor = field(init=False)

    @property
    def runtime(self) -> Runtime:
        importer = Importer(self.store, self.clock, self.folder, on_rows=self.conductor.wake)
        outside = Outside(Fence(allow_private=True))
        deliverer = Deliverer(self.store, outside, self.clock, self.rng)
        puller = Puller(self.store, outside, self.clock, on_rows=self.conductor.wake)
        now = self.clock.now()
        sign_in = SignIn(self.store, self.clock)
        speech = Speech(self.store, outside.ask)
        return Runtime(
            self.store,
            self.conductor,
            importer,
            self.clock,
            self.folder,
            lambda *_: [],
            lambda *_: [],
            now,
            outside,
            deliverer,
            DialoutTeller(self.store, outside, self.clock),
            puller,
            sign_in,
            trunks := Trunks(self.store, self.clock, Fence(allow_private=True), self._given),
            Ingest(self.store, trunks, self.conductor, self.clock, public_url=""),
            Converter(),
            Prompts(self.store, speech, SoundShelf(self.folder / "sounds", self.clock), speech),
            EmbeddedAsterisk(Local(self.folder / "asterisk"), self.clock),
        )

    async def start(self) -> None:
        """Start an engine on this store, as a process does."""
        self.phones = SandboxVoice(self.folder / "phones", self.clock, seed=1, inline=True, phones=self.phone_of)
        engines = {**({"sandbox": self.phones} if self.calls else {}), **self.engines}
        self.conductor = Conductor(
            Surroundings(
                self.store,
                self.clock,
                self.rng,
                self._line,
                self.failpoints,
                self.tuning,
                self.sole_owner,
                engines,
                self.prompts,
            )
        )
        schedules.attend(self.runtime)
        await self.conductor.start()

    def _given(self, trunk: Trunk) -> Given:
        carrier = SandboxCarrier(self.ledger, self.clock, self.rng, timings=self.timings, window=self.window)
        fence = Fence(allow_private=True)
        sandbox = OneByOne(carrier)
        return Given(trunk.id, self.clock, self.rng, fence, lambda: sandbox, Outside(fence).ask, Doors(""))

    def _line(self, trunk: Trunk, recorder: Recorder) -> SmsLine:
        carrier = SandboxCarrier(self.ledger, self.clock, self.rng, timings=self.timings, window=self.window)
        mouth = SlowWire(carrier, self.clock, self.rng, self.wire_seconds) if self.wire_seconds else carrier
        asked = OneByOne(self.wrap(mouth), submit_seconds=self.submit_seconds)
        return SmsLine(asked, recorder, self.clock, self.conductor.hearing(trunk), self.rng)

    async def run_campaign(
        self, campaign: Campaign, text: str = "Hello {{first_name}}", *, launch: Launch = NORMALLY
    ) -> Campaign:
        """Start a campaign."""
        now = self.clock.now()
        sender = await self.store.apps.find_sender(campaign.app, campaign.definition.sender, now)
        assert sender is not None
        started = await self.store.campaigns.start(
            campaign, text=text, sender_no=sender.no, one_run_per_list=True, now=now, launch=launch
        )
        self.conductor.wake()
        return started

    async def limit(self, campaign: Campaign, segments_per_second: float) -> None:
        """Set the rate of a campaign's sender."""
        trunk = (await self.store.apps.trunks(campaign.app))[0]
        await self.store.senders.put(
            campaign.app,
            campaign.definition.sender,
            trunk.no,
            {"segments_per_second": segments_per_second},
            self.clock.now(),
        )

    async def until(self, campaign: Campaign, *statuses: Status, longest_seconds: float, step: float = 1.0) -> Campaign:
        """Wait in virtual time until a campaign has one of these states."""
        deadline = self.clock.monotonic() + longest_seconds
        while True:
            found = await self.store.campaigns.find(campaign.app, campaign_id=campaign.id)
            assert found is not None
            if found.status in statuses:
                return found
            assert self.clock.monotonic() < deadline, f"still {found.status} after {longest_seconds} s"
            await self.clock.sleep(step)

    async def counters(self, campaign: Campaign) -> Mapping[str, int]:
        found = await self.store.campaigns.find(campaign.app, campaign_id=campaign.id)
        assert found is not None
        assert found.run_no is not None
        counters = await self.store.reports.counters(campaign.app, found.run_no)
        return {name: count for name, count in counters.items() if count}

    def sent(self) -> list[Message]:
        """Return everything that the carrier ever took, oldest first."""
        found: list[Message] = []
        while page := self.ledger.outbox(found[-1].id if found else 0, 1000):
            found += page
        return found


@asynccontextmanager
async def world(
    clock: VirtualClock,
    folder: Path,
    *,
    seed: int = 1,
    settings: AppSettings | None = None,
    tuning: Tuning = SLOW_TICK,
    wire_seconds: float = 0.0,
    window: int = 1000,
    calls: bool = False,
    prompts: CallPrompts | None = None,
    engines: Engines | None = None,
    phones: Callable[[str], Phone] = phone_of,
) -> AsyncIterator[World]:
    """Make a world, and stop its engine at the end."""
    path = folder / "callsheet.db"
    await make_file(path)
    database = SqliteDatabase(path, inline=True)
    vault = Vault(os.urandom(32))
    store = Store(database, SqliteHot(database, vault, clock), vault)
    app = await make_app(store, clock, settings)
    ledger = Ledger(folder / "ledger.db", inline=True)
    made = World(
        clock, store, app, ledger, random.Random(seed), folder, tuning, wire_seconds=wire_seconds, window=window,
        calls=calls,
        prompts=prompts,
        engines=engines or {},
        phone_of=phones,
    )  # fmt: skip
    await made.start()
    try:
        yield made
    finally:
        await made.conductor.stop()
        ledger.close()
        await store.close()


async def settled(waits: Sequence[Awaitable[object]]) -> None:
    """Wait for all, and raise what any of them raised."""
    await asyncio.gather(*waits)


def taken(w: World) -> list[str]:
    """Return the replies that are taken from what waits, as they are taken."""
    got: list[str] = []
    waiting = w.store.inbox.waiting

    async def noting(now: datetime, limit: int, lease_seconds: float) -> list[Reply]:
        found = await waiting(now, limit, lease_seconds)
        got.extend(message.text for message in found)
        return found

    w.store.inbox.waiting = noting
    return got


__all__ = ["MINUTES", "SLOW_TICK", "World", "datetime", "settled", "taken", "world"]
