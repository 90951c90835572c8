"""A campaign through a real Asterisk whose provider is down: nobody's attempt is used, and it goes on by itself."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from callsheet.clock import SystemClock
from callsheet.core.breaker import IN_ROW, Position
from callsheet.core.campaign import Channel, Status
from callsheet.core.sip import USUAL_NODE_CALLS, SipTrunk
from callsheet.engine.tuning import Tuning
from callsheet.store.apps import Trunk
from databases import rows
from engine.calls import call
from engine.world import World, world
from phone_numbers import numbers
from ports import free_port
from voice.asterisk.sip_peer import sip_peer
from voice_nodes import running_home, until

CLOCK = SystemClock()
SENDER = "+912233445566"
PEOPLE = [to for to in numbers("IN", 30) if not to[-4:].startswith("99")][: IN_ROW + 2]


@asynccontextmanager
async def through(folder: Path, port: int) -> AsyncIterator[tuple[World, Trunk]]:
    """Run an engine whose calls go by SIP to a port."""
    async with (
        running_home(folder / "asterisk") as home,
        world(CLOCK, folder, tuning=Tuning(tick_seconds=0.2), engines={"sip": home}) as w,  # type: ignore[arg-type]
    ):
        now = CLOCK.now()
        trunk = await w.store.apps.create_trunk(
            w.app.no, name="Phones", carrier="sip", takes_any_sender=False, now=now, settings={"most_calls": 30}
        )
        await w.store.senders.put(w.app.no, SENDER, trunk.no, {}, now)
        home.use([SipTrunk(trunk.id, "127.0.0.1", port)])
        w.conductor.look_at_trunks()
        await until(lambda: home.room(trunk.id), "the node")
        yield w, trunk


async def kinds(w: World) -> Counter[str]:
    return Counter(row.kind for row in await rows(w.store, "select kind from event"))


@pytest.mark.parametrize("down", ["503 Service Unavailable", pytest.param("", marks=pytest.mark.full)])
async def test_a_campaign_waits_for_a_provider_that_is_down(tmp_path: Path, down: str) -> None:
    """It says so, or nobody listens."""
    port = free_port()
    async with AsyncExitStack() as stack:
        w, trunk = await stack.enter_async_context(through(tmp_path, port))
        assert w.conductor.switchboard.bears([trunk]) == USUAL_NODE_CALLS
        peer = await stack.enter_async_context(sip_peer(port)) if down else None
        if peer is not None:
            peer.says = [down]
        begun = await call(w, PEOPLE, sender=SENDER, max_attempts=1)

        def is_open() -> bool:
            return w.conductor.standing(trunk.no, Channel.voice).breaker.position is Position.open

        await until(is_open, "the breaker")
        assert w.conductor.standing(trunk.no, Channel.voice).trouble
        assert set(await kinds(w)) <= {"refused", "withdrawn"}

        peer = peer or await stack.enter_async_context(sip_peer(port))
        peer.says = ["180 Ringing", "200 OK"]
        async with asyncio.timeout(90):
            while (await w.until(begun, *Status, longest_seconds=5)).status is not Status.completed:
                if is_open():
                    w.conductor.try_trunk(trunk.no)
                await asyncio.sleep(0.2)
        found = await kinds(w)
        assert found["delivered"] == len(PEOPLE)
        assert set(found) <= {"delivered", "refused", "withdrawn"}
        assert peer.got.count("BYE") == len(PEOPLE)
