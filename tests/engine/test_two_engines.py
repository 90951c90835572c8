"""Two engines on one PostgreSQL, in real time: one program on a cluster."""

import asyncio
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from callsheet.carriers.base import Inbound
from callsheet.carriers.sandbox.ledger import Ledger
from callsheet.clock import SystemClock
from callsheet.core.campaign import Campaign, Named, Status
from callsheet.core.errors import Unavailable
from callsheet.engine import contacts
from callsheet.engine.pace import SLICE_SECONDS
from callsheet.engine.tuning import Tuning
from callsheet.store.apps import App
from callsheet.store.store import Store
from conversing import QUESTION, make_flow
from databases import Place, rows
from engine.world import World
from factories import make_app, make_definition, make_list, number

TUNING = Tuning(tick_seconds=0.5, chunk_size=100)
"""Chunks so small that no engine takes all people at once, and leases that outlive a pause of the machine."""
LEASE_SECONDS = 3.0
"""Of an engine that is to lose the database: so long the others wait for it."""
CLOCK = SystemClock()


@asynccontextmanager
async def engine(
    place: Place, app: App, folder: Path, seed: int, lease_seconds: float = TUNING.lease_seconds
) -> AsyncIterator[World]:
    """Run an engine of its own, with a carrier of its own."""
    store = await place.open()
    folder.mkdir()
    world = World(
        CLOCK,  # type: ignore[arg-type] # the loops take any clock
        store,
        app,
        Ledger(folder / "ledger.db"),
        random.Random(seed),
        folder,
        replace(TUNING, lease_seconds=lease_seconds),
        sole_owner=False,
        submit_seconds=lease_seconds * 2 / 3,
    )
    await world.start()
    try:
        yield world
    finally:
        await world.conductor.stop()
        world.ledger.close()


async def campaign_of(store: Store, app: App, people: int, rate: float) -> Campaign:
    contact_list = await make_list(store, app, CLOCK, people)
    dnc = await store.dnc_lists.create(app.no, "Never", CLOCK.now())
    definition = make_definition([contact_list], dnc_lists=(Named(dnc.no, dnc.id, dnc.name),))
    campaign = await store.campaigns.create(app.no, definition, CLOCK.now(), unique_names=True)
    trunk = (await store.apps.trunks(app.no))[0]
    await store.senders.put(app.no, definition.sender, trunk.no, {"segments_per_second": rate}, CLOCK.now())
    return campaign


async def until_completed(world: World, campaign: Campaign, seconds: float = 90.0) -> None:
    async with asyncio.timeout(seconds):
        while True:
            found = await world.store.campaigns.find(campaign.app, campaign_id=campaign.id)
            assert found is not None
            if found.status is Status.completed:
                return
            await asyncio.sleep(0.05)


@contextmanager
def cut_off(world: World) -> Iterator[None]:
    """Take the database away from one engine, which does not know that the others still have it."""
    database: Any = world.store._database

    async def away(_: object) -> None:
        await asyncio.sleep(0.05)
        raise Unavailable

    database._repeat = away
    yield
    del database._repeat


async def test_two_engines_share_a_campaign_and_contact_nobody_twice(
    postgres_place: Place, tmp_path: Path, instants: list[float]
) -> None:
    people, rate = 900, 300
    store = await postgres_place.open()
    app = await make_app(store, CLOCK)
    async with engine(postgres_place, app, tmp_path / "a", 1) as a, engine(postgres_place, app, tmp_path / "b", 2) as b:
        campaign = await campaign_of(store, app, people, rate)
        await a.run_campaign(campaign)
        await until_completed(a, campaign)
        taken = Counter(message.to for world in (a, b) for message in world.sent())
        assert len(taken) == sum(taken.values()) == people
        assert min(len(a.sent()), len(b.sent())) > people // 10
    # As they were handed over: how long a carrier takes to take one says nothing about the rate.
    assert (people - 1) / (instants[-1] - instants[0]) <= rate * 1.1, "the rate is the sender's, not each engine's"
    ahead = (bisect_left(instants, at + 1.0) - i for i, at in enumerate(instants))
    assert max(ahead) <= rate + 2 + rate * SLICE_SECONDS


async def test_a_number_forbidden_on_one_engine_is_not_contacted_by_the_other(
    postgres_place: Place, tmp_path: Path
) -> None:
    people = 800
    store = await postgres_place.open()
    app = await make_app(store, CLOCK)
    async with engine(postgres_place, app, tmp_path / "a", 1) as a, engine(postgres_place, app, tmp_path / "b", 2) as b:
        campaign = await campaign_of(store, app, people, 200)
        dnc = await store.dnc_lists.find(app.no, name="Never")
        assert dnc is not None
        await a.run_campaign(campaign)
        late = []
        for person in random.Random(3).sample([number(i) for i in range(people)], 80):
            await contacts.forbid(a.runtime, app, dnc, [person])
            late.append((person, CLOCK.now()))
        await until_completed(a, campaign)
        # A message that leaves is given its instant, and is in the ledger a commit later.
        taken = {message.to: message.accepted_at for world in (a, b) for message in world.sent()}
        assert not [person for person, answered in late if person in taken and taken[person] > answered]
        assert any(person not in taken for person, _ in late)


async def test_an_engine_that_lost_the_database_is_replaced_and_tells_what_it_knows_when_it_is_back(
    postgres_place: Place, tmp_path: Path
) -> None:
    people = 700
    store = await postgres_place.open()
    app = await make_app(store, CLOCK)
    async with (
        engine(postgres_place, app, tmp_path / "a", 1, LEASE_SECONDS) as a,
        engine(postgres_place, app, tmp_path / "b", 2, LEASE_SECONDS) as b,
    ):
        campaign = await campaign_of(store, app, people, 200)
        started = await a.run_campaign(campaign)
        b.conductor.wake()
        await asyncio.sleep(1.5)
        async with asyncio.timeout(60):
            while not len(b.conductor.holds):
                await asyncio.sleep(0.001)
        with cut_off(b):
            await until_completed(a, campaign)
            doubtful = (await a.counters(campaign)).get("uncertain", 0)
        async with asyncio.timeout(60):
            while len(b.conductor.holds) or a.ledger.pending() or b.ledger.pending():
                await asyncio.sleep(0.1)

        taken = Counter(message.to for world in (a, b) for message in world.sent())
        assert max(taken.values()) == 1
        listed = await store.reports.attempts(app.no, started.run_no or 0, limit=1000, state="uncertain")
        # What the lost engine's carrier took is known again; what never left it is in doubt, and listed.
        assert {attempt.number for attempt in listed} == {number(i) for i in range(people)} - set(taken)
        assert len(listed) < doubtful
        assert (await a.counters(campaign))["delivered"] == len(taken)


async def test_a_stop_that_one_engine_hears_is_final_on_the_other_and_confirmed_once(
    postgres_place: Place, tmp_path: Path
) -> None:
    people = 400
    store = await postgres_place.open()
    app = await make_app(store, CLOCK)
    async with engine(postgres_place, app, tmp_path / "a", 1) as a, engine(postgres_place, app, tmp_path / "b", 2) as b:
        campaign = await campaign_of(store, app, people, 150)
        trunk = (await store.apps.trunks(app.no))[0]
        await a.run_campaign(campaign)
        late = []
        for i, person in enumerate(random.Random(3).sample([number(i) for i in range(people)], 25)):
            stop = Inbound(f"in-{i}", person, campaign.definition.sender, "Stop!", CLOCK.now())
            # Both hear it: a carrier may tell it twice, on two connections.
            await asyncio.gather(*(world.conductor.hearing(trunk).hear([stop]) for world in (a, b)))
            before = {message.to for world in (a, b) for message in world.sent() if message.campaign_id}
            late.append((person, person in before))
        await until_completed(a, campaign)
        confirmed = Counter[str]()
        async with asyncio.timeout(60):
            while len(confirmed) < len(late):
                await asyncio.sleep(0.1)
                answers = [m for world in (a, b) for m in world.sent() if not m.campaign_id]
                confirmed = Counter(message.to for message in answers)
        taken = {message.to for world in (a, b) for message in world.sent() if message.campaign_id}
        assert not [person for person, already in late if person in taken and not already]
        assert any(person not in taken for person, _ in late)
        assert confirmed == {person: 1 for person, _ in late}


@pytest.mark.parametrize("count", [20, pytest.param(60, marks=[pytest.mark.full, pytest.mark.timeout(600)])])
async def test_conversations_go_on_over_two_engines_and_when_one_of_them_is_gone(
    postgres_place: Place, tmp_path: Path, count: int
) -> None:
    people = [number(i) for i in range(count)]
    store = await postgres_place.open()
    app = await make_app(store, CLOCK)
    trunk = (await store.apps.trunks(app.no))[0]
    async with engine(postgres_place, app, tmp_path / "a", 1) as a, engine(postgres_place, app, tmp_path / "b", 2) as b:
        campaign = await campaign_of(store, app, len(people), 1000)
        sender = await store.apps.find_sender(app.no, campaign.definition.sender, CLOCK.now())
        assert sender is not None
        await store.campaigns.start(
            campaign, text=QUESTION, sender_no=sender.no, one_run_per_list=True, now=CLOCK.now(),
            flow=await make_flow(store, app),
        )  # fmt: skip
        for world in (a, b):
            world.conductor.wake()
        await until_completed(a, campaign)

        async def say(world: World, to: str, text: str) -> None:
            heard = Inbound(f"in-{to}-{text}", to, campaign.definition.sender, text, CLOCK.now())
            await world.conductor.hearing(trunk).hear([heard])

        def said(to: str) -> list[str]:
            sent = [m for world in (a, b) for m in world.sent() if m.to == to and not m.campaign_id]
            return [m.text for m in sorted(sent, key=lambda m: m.accepted_at)]

        async def until_said(*texts: str) -> None:
            async with asyncio.timeout(90):
                while any(len(said(to)) < len(texts) for to in people):
                    await asyncio.sleep(0.1)

        # Each reply is heard by both, and both look for what waits.
        for to in people:
            await asyncio.gather(say(a, to, "2"), say(b, to, "2"))
        await until_said("When?")
        await b.conductor.stop()
        for to in people:
            await say(a, to, "on Friday")
        await until_said("When?", "Thank you")

        assert {to: said(to) for to in people} == {to: ["When?", "Thank you"] for to in people}
        found = await rows(store, "select ending from flow_session")
        assert [row.ending for row in found] == ["done"] * len(people)
        assert await rows(store, "select 1 from inbound where waits_since > 0") == []
        counted = await rows(store, "select sum(value) as came from flow_count where what = 'came'")
        # To the question, to the second one, and to the thanks.
        assert [row.came for row in counted] == [3 * len(people)]
