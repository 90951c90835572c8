"""How many calls one node sets up and holds, and what they cost: a node, a phone network, and our engine here.

Each call is answered after 0.2 s, plays a sound of five seconds, and is hung up. All of it shares the machine, so that
the CPU of the phone network is taken from the same cores: figures are a lower bound.
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
from collections.abc import Iterator
from math import pi, sin
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from processes import cpu_seconds
from row import Row

from callsheet.clock import SystemClock
from callsheet.core.asking import nobody_forbids
from callsheet.core.calling import Dial
from callsheet.core.campaign import MachineDetection
from callsheet.voice.asterisk.engine import AsteriskEngine
from callsheet.voice.base import Answered, CallEvent, CallGone, HungUp, Lost, NotDialed, Played, Sound

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from ports import free_port
from strangers.phone_network import PhoneNetwork, running_phone_network
from voice.asterisk.voice_node import TRUNK, VoiceNode, running_voice_node

CALLS = int(os.environ.get("CALLSHEET_BENCH_CALLS", "800"))
RATE = float(os.environ.get("CALLSHEET_BENCH_CALLS_PER_SECOND", "40"))
RING_SECONDS = 0.2
SOUND_SECONDS = 5.0
AIM = 40
Event = TypeVar("Event", Answered, Played, HungUp)


class Load:
    """A number of calls at a rate, and what was seen of them."""

    def __init__(self, engine: AsteriskEngine, network: PhoneNetwork, sound: Sound) -> None:
        self._engine = engine
        self._network = network
        self._sound = sound
        self.set_up: list[float] = []
        self.first_sound: list[float] = []
        self.most = 0
        self.failed = 0
        self.rate = 0.0

    async def run(self, calls: int, rate: float) -> None:
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(calls):
                await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
                group.create_task(self._call(self._network.number("0001")))
            self.rate = calls / (time.monotonic() - began)

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
            self.set_up.append(answered - asked - RING_SECONDS)
            await call.play(self._sound)
            self.first_sound.append(time.time() - answered)
            self.most = max(self.most, len(self._engine.living()))
            is_whole = (await next_of(Played)).is_whole
            await call.hang_up()
            await next_of(HungUp)
            self.failed += not is_whole
        except (NotDialed, CallGone):
            self.failed += 1


def rows() -> Iterator[Row]:
    with running_phone_network() as network, running_voice_node("bench", free_port(), network) as node:
        yield from asyncio.run(_measure(network, node))


async def _measure(network: PhoneNetwork, node: VoiceNode) -> list[Row]:
    engine = AsteriskEngine(SystemClock(), port=node.port)
    engine.let_in(node.place)
    engine.use([node.trunk])
    await engine.open()
    ready = asyncio.Event()
    engine.on_free = ready.set
    while not engine.room(TRUNK):
        ready.clear()
        await ready.wait()
    with TemporaryDirectory() as folder:
        sound = _sound(Path(folder) / "tone.wav")
        before = cpu_seconds(node.process.pid), time.process_time(), time.monotonic()
        load = Load(engine, network, sound)
        await load.run(CALLS, RATE)
        theirs, ours, seconds = (
            now - then
            for now, then in zip(
                (cpu_seconds(node.process.pid), time.process_time(), time.monotonic()), before, strict=True
            )
        )
        first = _memory(node.process.pid)
        again = Load(engine, network, sound)
        await again.run(CALLS, RATE)
        second = _memory(node.process.pid)
    await engine.close()
    failed = load.failed + again.failed
    at = f"voice at {RATE:g}/s"
    own, other = 1000 * ours / CALLS, 1000 * theirs / CALLS
    return [
        Row(f"{at}: set-ups a second", f"{load.rate:.1f}", f"aim {AIM}", load.rate / AIM),
        Row(f"{at}: calls that played at once", f"{load.most}", "aim 200", load.most / 200),
        Row(f"{at}: failed", f"{failed}", f"of {2 * CALLS} calls", failed / (2 * CALLS)),
        _row_of(f"{at}: set-up beyond the ring, p95", load.set_up),
        _row_of(f"{at}: answer to the first sound, p95", load.first_sound),
        Row(f"{at}: our CPU of a call", f"{own:.2f} ms", f"Asterisk's {other:.2f} ms", ours / theirs),
        Row(
            f"{at}: our share of a core",
            _share(ours / seconds),
            f"Asterisk's {_share(theirs / seconds)}",
            ours / theirs,
        ),
        Row("voice: our memory after as many again", _mb(second[0]), _mb(first[0]), second[0] / first[0]),
        Row("voice: Asterisk's memory after as many again", _mb(second[1]), _mb(first[1]), second[1] / first[1]),
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
