"""Nodes of other hosts, for tests: a door of an engine, and outposts that join it, all in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from callsheet.clock import SystemClock
from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.embedded import EmbeddedAsterisk
from callsheet.voice.asterisk.local import Watch
from callsheet.voice.asterisk.remote.door import DoorPlace
from callsheet.voice.asterisk.remote.key import secret_of
from callsheet.voice.asterisk.remote.outpost import JoinPlace, Outpost
from callsheet.voice.nodes import VoiceNode
from ports import free_port
from voice_nodes import AS_USUAL, local, until

KEY = "a key of voice nodes, for tests only"


@asynccontextmanager
async def running_center(folder: Path, *trunks: SipTrunk, port: int = 0, **more) -> AsyncIterator[EmbeddedAsterisk]:
    """Run an engine that has no Asterisk of its own, and lets others in."""
    door = DoorPlace("127.0.0.1", port or free_port(), KEY, folder / "brought", **more)
    center = EmbeddedAsterisk(local(folder / "center"), SystemClock(), door=door, has_own=False)
    center.use(trunks)
    await center.open()
    try:
        yield center
    finally:
        await center.close()


def outpost_of(folder: Path, name: str, port: int, *, scheme: str = "http", watch: Watch = AS_USUAL, **more) -> Outpost:
    """Return a node that can join an engine."""
    place = JoinPlace(f"{scheme}://127.0.0.1:{port}", name, secret_of(KEY, name), **more)
    return Outpost(place, local(folder / name), SystemClock(), watch)


@asynccontextmanager
async def running_outpost(folder: Path, name: str, port: int, **more) -> AsyncIterator[Outpost]:
    """Run a node that joins an engine."""
    outpost = outpost_of(folder, name, port, **more)
    await outpost.open()
    try:
        yield outpost
    finally:
        await outpost.close()


def node(center: EmbeddedAsterisk, name: str) -> VoiceNode | None:
    return next((node for node in center.nodes() if node.name == name), None)


async def until_connected(center: EmbeddedAsterisk, *names: str) -> None:
    """Wait until each of these nodes takes calls."""

    def take_calls() -> bool:
        nodes = [center.engine.node(name) for name in names]
        return all(one is not None and one.room() and one.place.may_use("trk-1") for one in nodes)

    await until(take_calls, f"{names}")
