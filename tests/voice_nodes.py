"""An engine with an Asterisk of its own beside it, for tests of every room: as the program runs it, on the loopback."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from callsheet.clock import SystemClock
from callsheet.core.calling import Dial
from callsheet.core.campaign import MachineDetection
from callsheet.core.ids import encode_attempt
from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.embedded import EmbeddedAsterisk
from callsheet.voice.asterisk.local import Local, Watch
from callsheet.voice.asterisk.standing import NodeState
from callsheet.voice.base import Call, CallEvent, HungUp, Lost
from strangers.asterisk import asterisk
from strangers.packages import CACHE
from strangers.phone_network import PhoneNetwork

PATIENCE_SECONDS = 90
AS_USUAL = Watch()
CALLER = "+12125550100"


def trunk_to(network: PhoneNetwork, trunk_id: str = "trk-1") -> SipTrunk:
    """Return a trunk that leads to a phone network by UDP."""
    return SipTrunk(trunk_id, network.host, network.port, username=network.username, password=network.password)


def local(folder: Path, **more: object) -> Local:
    """Return what a node in a folder is to be."""
    asterisk()
    return Local(folder, **{"address": "127.0.0.1", "tree": CACHE / "asterisk" / "tree", **more})


async def until(ready: Callable[[], object], what: str) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not ready():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        await asyncio.sleep(0.02)


async def until_ready(home: EmbeddedAsterisk, trunk_id: str = "trk-1") -> None:
    """Wait until calls can be placed."""
    await until(
        lambda: home.standing.state is NodeState.running and home.room(trunk_id),
        f"the node; it stands {home.standing}",
    )


@asynccontextmanager
async def running_home(
    folder: Path, *trunks: SipTrunk, watch: Watch = AS_USUAL, **more: object
) -> AsyncIterator[EmbeddedAsterisk]:
    """Run an engine with its node until the block ends; it is ready for calls when there is a trunk."""
    home = EmbeddedAsterisk(local(folder, **more), SystemClock(), watch)
    home.use(trunks)
    await home.open()
    try:
        if trunks:
            await until_ready(home, trunks[0].id)
        yield home
    finally:
        await home.close()


class Ear:
    """Hears one call."""

    def __init__(self) -> None:
        self.events: list[CallEvent] = []

    def __call__(self, event: CallEvent) -> None:
        self.events.append(event)

    def heard(self, kind: type[CallEvent]) -> bool:
        """Tell whether such an event came."""
        return any(isinstance(event, kind) for event in self.events)

    async def end(self) -> HungUp | Lost:
        """Wait for the end of the call."""
        await until(lambda: self.heard(HungUp) or self.heard(Lost), f"the end of a call; it heard {self.events}")
        return self.events[-1]

    async def hears(self, kind: type[CallEvent]) -> None:
        """Wait for an event."""
        await until(lambda: self.heard(kind), f"{kind.__name__}; it heard {self.events}")


async def dial(
    home: EmbeddedAsterisk, number: str, *, ring_seconds: int = 30, trunk_id: str = "trk-1"
) -> tuple[Call, Ear]:
    """Place a call and hear it."""
    ear = Ear()
    wanted = Dial(encode_attempt(1, os.urandom(16), 1), number, CALLER, ring_seconds, MachineDetection.no, "cmp-1", 600)
    return await home.dial(trunk_id, wanted, lambda: True, ear), ear
