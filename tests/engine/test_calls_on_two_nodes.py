"""Two engines on one PostgreSQL that call, in real time; one of them is stopped, or killed, on the way."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from calling import PlainPrompts
from callsheet.carriers.sandbox.ledger import Ledger
from callsheet.core.run import AppSettings
from callsheet.engine.calling import call_records
from callsheet.engine.calling.playing import Prompts
from callsheet.engine.holds import Scope
from callsheet.store.apps import App
from conversing import make_flow
from databases import Place, rows
from engine.calls import call
from engine.test_ringing_back import SILENT
from engine.test_transfers import CALLER, facts, handing, told
from engine.test_two_engines import CLOCK, TUNING, until_completed
from engine.world import World
from factories import forbid, make_app, number, person_of

PEOPLE, MOST_CALLS = 24, 6
LEASE_SECONDS = 4.0
DEAD = set[str]()
Owners = dict[asyncio.Task[Any], str]
_whose: ContextVar[str] = ContextVar("whose", default="")


@pytest.fixture(autouse=True)
def quick_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a dead node's calls be closed in seconds."""
    for name, seconds in (("LEASE_SECONDS", LEASE_SECONDS), ("TICK_SECONDS", 1.0), ("FIND_SECONDS", 1.0)):
        monkeypatch.setattr(call_records, name, seconds)


def note_owners() -> Owners:
    """Keep from now on of each task in which engine it was begun."""
    found: Owners = {}

    def begin(loop: asyncio.AbstractEventLoop, coro: Any, **named: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=loop, **named)
        found[task] = _whose.get()
        return task

    asyncio.get_running_loop().set_task_factory(begin)
    return found


@asynccontextmanager
async def engine(place: Place, app: App, folder: Path, prompts: Prompts | None = None) -> AsyncIterator[World]:
    """Run an engine of its own, with a phone network of its own."""
    store = await place.open()
    folder.mkdir()
    world = World(
        CLOCK,  # type: ignore[arg-type] # the loops take any clock
        store, app, Ledger(folder / "ledger.db"), random.Random(1), folder,
        replace(TUNING, lease_seconds=LEASE_SECONDS), sole_owner=False, calls=True,
        prompts=prompts,
    )  # fmt: skip
    _whose.set(folder.name)
    await world.start()
    _whose.set("")
    try:
        yield world
    finally:
        if folder.name not in DEAD:
            await world.conductor.stop()
        DEAD.discard(folder.name)
        world.ledger.close()


async def kill(world: World, owners: Owners) -> None:
    """End all that an engine does, and its phones, where they are."""
    DEAD.add(world.folder.name)
    mine = [task for task, whose in list(owners.items()) if whose == world.folder.name and not task.done()]
    for task in mine:
        task.cancel()
    await asyncio.wait(mine)


async def busier(one: World, other: World) -> tuple[World, World]:
    """Wait until one of them has some calls, and return that one first."""
    async with asyncio.timeout(60):
        while True:
            for here, there in ((one, other), (other, one)):
                if len(here.phones.living()) >= MOST_CALLS // 2:
                    return here, there
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("is_killed", [False, True])
async def test_everybody_is_called_once_and_slots_are_free_again_when_a_node_goes(
    postgres_place: Place, tmp_path: Path, is_killed: bool
) -> None:
    store = await postgres_place.open()
    app = await make_app(store, CLOCK, AppSettings(agentless_concurrent_calls=MOST_CALLS))
    people, owners = [number(i) for i in range(PEOPLE)], note_owners()
    async with engine(postgres_place, app, tmp_path / "a") as a, engine(postgres_place, app, tmp_path / "b") as b:
        campaign = await call(a, people)
        b.conductor.wake()
        going, staying = await busier(a, b)
        if is_killed:
            await kill(going, owners)
        else:
            await going.conductor.stop()
        await until_completed(staying, campaign)

        trunk = (await store.apps.trunks(app.no))[0]
        called = Counter(one.to for world in (a, b) for one in world.phones.calls(trunk.id, 0, 1000))
        assert called == dict.fromkeys(people, 1)
        states = Counter(one.state for one in await store.reports.attempts(app.no, campaign.run_no or 0, limit=100))
        assert states.keys() <= {"delivered", "undelivered", "uncertain"}
        assert states["uncertain" if is_killed else "undelivered"] <= MOST_CALLS
        assert await rows(store, "select 1 from call where ended_at = 0") == []
        async with asyncio.timeout(60):
            while await rows(store, "select 1 from slot where held > 0"):
                await asyncio.sleep(0.1)


async def test_a_phone_that_rings_beside_a_call_is_forbidden_on_the_other_node(
    postgres_place: Place, tmp_path: Path
) -> None:
    store = await postgres_place.open()
    app, prompts = await make_app(store, CLOCK), PlainPrompts(0.05)
    async with (
        engine(postgres_place, app, tmp_path / "a", prompts) as a,
        engine(postgres_place, app, tmp_path / "b", prompts) as b,
    ):
        dnc = await store.dnc_lists.create(app.no, "Never", CLOCK.now())
        await store.dnc_lists.make_global(dnc, CLOCK.now())
        campaign = await call(a, [CALLER], flow=await make_flow(store, app, handing(number=SILENT, answer_seconds=120)))
        trunk = (await store.apps.trunks(app.no))[0]

        def rings(world: World) -> bool:
            return SILENT in {each.to for each in world.phones.calls(trunk.id, 0, 1000)}

        async with asyncio.timeout(60):
            while not (rings(a) or rings(b)):
                await asyncio.sleep(0.02)
        other = b if rings(a) else a
        await forbid(store, app, dnc.no, [SILENT])
        await other.conductor.forbid(Scope(app.no, persons=frozenset({person_of(store, app, SILENT)})))
        await until_completed(a, campaign)
        async with asyncio.timeout(60):
            while a.conductor.switchboard.calls() or b.conductor.switchboard.calls():
                await asyncio.sleep(0.05)
            while await rows(store, "select 1 from call where ended_at = 0"):
                await asyncio.sleep(0.05)
        (caller,) = (await told(a)).values()
        assert await facts(a, caller.key, "transferred") == [{"outcome": "forbidden"}]
