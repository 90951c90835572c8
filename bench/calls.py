"""How many calls one node sets up and holds, and what they cost: a node, a phone network, and our engine here.

Each call is answered after 0.2 s, plays a sound of five seconds, and is hung up. With machine detection a person says
two words first, the detector hears them, and only who is known as a person is played the sound. All of it shares the
machine, so that the CPU of the phone network is taken from the same cores: figures are a lower bound.

That is the driver alone; a whole campaign comes last (`campaign_of_calls.py`), its CPU beside the driver's.

`CALLSHEET_BENCH_CALLS=5000` is what the aim for memory is about: two times so many calls take four minutes.
"""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import struct
import sys
import time
import wave
from collections.abc import Awaitable, Callable, Iterator
from math import pi, sin
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, TypeVar

import campaign_of_calls
from campaign_of_calls import Cost
from processes import cpu_seconds
from row import Row

from callsheet.clock import SystemClock
from callsheet.core.asking import nobody_forbids
from callsheet.core.calling import Dial, Outcome
from callsheet.core.campaign import MachineDetection
from callsheet.core.detection import USUAL
from callsheet.voice.asterisk.engine import AsteriskEngine
from callsheet.voice.base import Answered, Call, CallEvent, CallGone, CannotHear, HungUp, Lost, NotDialed, Played, Sound
from callsheet.voice.detection import Detector

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from ports import free_port
from strangers.phone_network import PhoneNetwork, running_phone_network
from voice.asterisk.voice_node import TRUNK, VoiceNode, running_voice_node

CALLS = int(os.environ.get("CALLSHEET_BENCH_CALLS", "800"))
RATE = float(os.environ.get("CALLSHEET_BENCH_CALLS_PER_SECOND", "40"))
HEARD_CALLS = int(os.environ.get("CALLSHEET_BENCH_HEARD_CALLS", "300"))
HEARD_RATE = float(os.environ.get("CALLSHEET_BENCH_HEARD_CALLS_PER_SECOND", "20"))
RING_SECONDS = 0.2
SOUND_SECONDS = 5.0
AIM, HEARD_AIM, PLAYING_AIM = 40, 15, 200
MOST_GROWTH, CALLS_OF_GROWTH = 1.1, 5000
Event = TypeVar("Event", Answered, Played, HungUp)


class Plan(NamedTuple):
    """What a load is made of."""

    calls: int
    rate: float
    ending: str
    """Of the numbers: what their phones do."""
    ring_seconds: float
    judge: Callable[[Call], Awaitable[bool]]
    """Says whether the sound is for who answered."""


async def take(_call: Call) -> bool:
    """Take whoever answers for a person, as without machine detection."""
    return True


async def judge(call: Call) -> bool:
    """Hear who answered, as in a campaign; tell whether it is a person."""
    detector, known = Detector(), asyncio.get_running_loop().create_future()

    def hear(pcm: bytes) -> None:
        verdict = detector.feed(pcm)
        if verdict is not None and not known.done():
            known.set_result(verdict.outcome)

    try:
        await call.listen(hear)
        async with asyncio.timeout(USUAL.decision_seconds):
            await known
    except (CannotHear, TimeoutError):
        return False
    await call.stop_listening()
    return known.result() is Outcome.human


class Load:
    """A number of calls at a rate, and what was seen of them."""

    def __init__(self, engine: AsteriskEngine, network: PhoneNetwork, sound: Sound, plan: Plan) -> None:
        self._engine = engine
        self._network = network
        self._sound = sound
        self._plan = plan
        self.set_up: list[float] = []
        self.judged: list[float] = []
        self.first_sound: list[float] = []
        self.most = 0
        self.failed = 0
        self.rate = 0.0

    async def run(self) -> None:
        began, plan = time.monotonic(), self._plan
        async with asyncio.TaskGroup() as group:
            for number in range(plan.calls):
                await asyncio.sleep(max(0.0, began + number / plan.rate - time.monotonic()))
                group.create_task(self._call(self._network.number(plan.ending)))
            self.rate = plan.calls / (time.monotonic() - began)

    async def _call(self, number: str) -> None:
        events: asyncio.Queue[CallEvent] = asyncio.Queue()

        async def next_of(kind: type[Event]) -> Event:
            while not isinstance(event := await events.get(), kind):
                if isinstance(event, HungUp | Lost):
                    raise CallGone
            return event

        dial = Dial(secrets.token_hex(24), number, "+12025550123", 30, MachineDetection.no, "c-1", 60)
        asked = time.time()
        try:
            call = await self._engine.dial(TRUNK, dial, nobody_forbids, events.put_nowait)
            answered = (await next_of(Answered)).at.timestamp()
            self.set_up.append(answered - asked - self._plan.ring_seconds)
            is_known = await self._plan.judge(call)
            self.judged.append(time.time() - answered)
            await call.play(self._sound)
            self.first_sound.append(time.time() - answered)
            self.most = max(self.most, len(self._engine.living()))
            is_whole = (await next_of(Played)).is_whole
            await call.hang_up()
            await next_of(HungUp)
            self.failed += not (is_whole and is_known)
        except (NotDialed, CallGone):
            self.failed += 1


def rows() -> Iterator[Row]:
    with running_phone_network() as network:
        with running_voice_node("bench", free_port(), network) as node:
            driver, told = asyncio.run(_measure(network, node))
        yield from told
        yield from campaign_of_calls.rows(network, driver)


async def _measure(network: PhoneNetwork, node: VoiceNode) -> tuple[Cost, list[Row]]:
    """Return what calls without machine detection cost, and all rows."""
    engine = AsteriskEngine(SystemClock(), port=node.port)
    engine.let_in(node.place)
    engine.use([node.trunk])
    await engine.open()
    ready = asyncio.Event()
    engine.on_free = ready.set
    while not engine.room(TRUNK):
        ready.clear()
        await ready.wait()
    plain, heard = (
        Plan(CALLS, RATE, "0001", RING_SECONDS, take),
        Plan(HEARD_CALLS, HEARD_RATE, "0014", 0.0, judge),
    )
    with TemporaryDirectory() as folder:
        sound = _sound(Path(folder) / "tone.wav")
        loads = [Load(engine, network, sound, plan) for plan in (plain, plain, heard)]
        spent = [await _spend(node, load) for load in loads]
    await engine.close()
    told = [*_plain_rows(loads[0], spent[0], loads[1], spent[1]), *_heard_rows(loads[2], spent[2])]
    return Cost(spent[0].ours, spent[0].theirs, CALLS), told


class Spent(NamedTuple):
    """What a load took, and left."""

    ours: float
    """Seconds of CPU."""
    theirs: float
    seconds: float
    our_memory: float
    """Resident, in MB."""
    their_memory: float

    def rows(self, at: str, calls: int) -> list[Row]:
        own, other, ratio = 1000 * self.ours / calls, 1000 * self.theirs / calls, self.ours / self.theirs
        shares = _share(self.ours / self.seconds), f"Asterisk's {_share(self.theirs / self.seconds)}"
        return [
            Row(f"{at}: our CPU of a call", f"{own:.2f} ms", f"Asterisk's {other:.2f} ms", ratio),
            Row(f"{at}: our share of a core", *shares, ratio),
        ]


async def _spend(node: VoiceNode, load: Load) -> Spent:
    pid = node.process.pid
    before = time.process_time(), cpu_seconds(pid), time.monotonic()
    await load.run()
    after = time.process_time(), cpu_seconds(pid), time.monotonic()
    return Spent(*(now - then for now, then in zip(after, before, strict=True)), *_memory(pid))


def _plain_rows(load: Load, spent: Spent, again: Load, later: Spent) -> list[Row]:
    at, failed = f"voice at {RATE:g}/s", load.failed + again.failed
    ours, theirs = later.our_memory / spent.our_memory, later.their_memory / spent.their_memory
    memory = f"voice: memory after {CALLS:,} more calls"
    # Of fewer calls a larger share of the growth is what a process needs once.
    is_aim = CALLS >= CALLS_OF_GROWTH
    most = f"aim {MOST_GROWTH:.2f}" if is_aim else f"the aim is for {CALLS_OF_GROWTH:,}"
    return [
        Row(f"{at}: set-ups a second", f"{load.rate:.1f}", f"aim {AIM}", load.rate / AIM),
        Row(f"{at}: calls that played at once", f"{load.most}", f"aim {PLAYING_AIM}", load.most / PLAYING_AIM),
        Row(f"{at}: failed", f"{failed}", f"of {2 * CALLS} calls", failed / (2 * CALLS)),
        _row_of(f"{at}: set-up beyond the ring, p95", load.set_up),
        _row_of(f"{at}: answer to the first sound, p95", load.first_sound),
        *spent.rows(at, CALLS),
        Row(f"{memory}, ours", _mb(later.our_memory), f"{_mb(spent.our_memory)} before; {most}", ours),
        Row(f"{memory}, Asterisk's", _mb(later.their_memory), f"{_mb(spent.their_memory)} before; {most}", theirs),
    ]


def _heard_rows(load: Load, spent: Spent) -> list[Row]:
    at = f"heard at {HEARD_RATE:g}/s"
    return [
        Row(f"{at}: set-ups a second", f"{load.rate:.1f}", f"aim {HEARD_AIM}", load.rate / HEARD_AIM),
        Row(f"{at}: failed", f"{load.failed}", f"of {HEARD_CALLS} calls", load.failed / HEARD_CALLS),
        _row_of(f"{at}: answer to the verdict, p95", load.judged),
        *spent.rows(at, HEARD_CALLS),
    ]


def _row_of(name: str, seconds: list[float]) -> Row:
    middle, late = (sorted(seconds)[min(len(seconds) - 1, int(share * len(seconds)))] for share in (0.5, 0.95))
    return Row(name, f"{1000 * late:.0f} ms", f"p50 {1000 * middle:.0f} ms", late / middle)


def _share(of: float) -> str:
    return f"{100 * of:.0f} %"


def _mb(size: float) -> str:
    return f"{size:.0f} MB"


def _sound(path: Path) -> Sound:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        count = int(8000 * SOUND_SECONDS)
        file.writeframes(b"".join(struct.pack("<h", int(9000 * sin(2 * pi * 440 * n / 8000))) for n in range(count)))
    return Sound("bench", path, SOUND_SECONDS)


def _memory(pid: int) -> tuple[float, float]:
    """Return what is resident of us and of the node, in MB."""
    gc.collect()
    return _resident(os.getpid()), _resident(pid)


def _resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
