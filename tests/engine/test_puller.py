"""A pull that is cut off begins anew, one that nobody holds up goes by the clock, and two nodes share the work."""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from aiohttp import web

from callsheet.core.fence import Fence
from callsheet.core.notice import NoticeKind
from callsheet.core.pull import PullPlan
from callsheet.engine.deliverer import Deliverer
from callsheet.engine.outside import Outside
from callsheet.engine.puller import Puller
from callsheet.engine.tuning import Tuning
from callsheet.engine.virtual_time import VirtualClock, run
from callsheet.store.apps import App
from callsheet.store.outbox import announce
from callsheet.store.pulls import State
from callsheet.store.store import Store
from databases import Place
from engine.receivers import receiver
from engine.world import world
from factories import MONDAY_NOON, StillClock, make_list
from phone_numbers import numbers

PEOPLE = numbers("IN", 3)


def test_a_list_is_pulled_by_the_clock(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        asked: list[float] = []

        async def handle(_: web.Request) -> web.Response:
            asked.append(clock.monotonic())
            return web.json_response([{"phone": number} for number in PEOPLE[: len(asked)]])

        async with (
            world(clock, tmp_path, tuning=Tuning(tick_seconds=3600.0)) as w,
            Outside(Fence(allow_private=True)) as outside,
            receiver(handle) as url,
        ):
            listed = await make_list(w.store, w.app, clock)
            await w.store.pulls.put(w.app.no, listed.no, PullPlan(url, interval_minutes=30), clock.now())
            puller = Puller(w.store, outside, clock, on_rows=w.conductor.wake, tick_seconds=3600.0)
            task = asyncio.create_task(puller.run())
            await clock.sleep(3 * 3600 + 60)
            puller.stop()
            await task

            found = await w.store.lists.find(w.app.no, list_id=listed.id)
            assert found is not None
            assert found.size == 3
            assert [round(at / 60) for at in asked] == [0, 30, 60, 90, 120, 150, 180]

    run(main, start=MONDAY_NOON)


async def test_a_pull_that_was_cut_off_begins_anew_and_adds_nobody_twice(
    store: Store, app: App, clock: StillClock
) -> None:
    reached = asyncio.Event()
    calls = 0

    async def handle(_: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        if calls == 1:
            reached.set()
            await asyncio.Event().wait()
        return web.json_response([{"phone": number} for number in PEOPLE])

    async with receiver(handle) as url, Outside(Fence(allow_private=True)) as outside:
        listed = await make_list(store, app, clock)
        await store.pulls.put(app.no, listed.no, PullPlan(url, interval_minutes=60), clock.now())
        dying = Puller(store, outside, clock, on_rows=lambda: None)
        task = asyncio.create_task(dying.run())
        await reached.wait()
        for one in [task, *dying._crew._tasks]:
            one.cancel()
        await asyncio.wait([task])

        living = Puller(store, outside, clock, on_rows=lambda: None, sole_owner=True)
        task = asyncio.create_task(living.run())
        async with asyncio.timeout(60):
            while not (entries := await store.pulls.entries(app.no, listed.no, before=None, limit=9)):
                await asyncio.sleep(0.01)
        living.stop()
        await task

    assert [(entry.outcome.state, entry.outcome.added) for entry in entries] == [(State.completed, 3)]


@pytest.mark.parametrize("database", ["postgres"])
async def test_two_nodes_deliver_each_notice_once_and_pull_each_list_once(
    place: Place, store: Store, app: App, clock: StillClock
) -> None:
    heard: Counter[str] = Counter()
    pulled: Counter[str] = Counter()

    async def hear(request: web.Request) -> web.Response:
        heard[request.headers["webhook-id"]] += 1
        await asyncio.sleep(0.005)
        return web.Response()

    async def give(request: web.Request) -> web.Response:
        pulled[request.path] += 1
        return web.json_response([{"phone": number} for number in PEOPLE])

    stores = [store, await place.open()]
    fence = Fence(allow_private=True)
    async with receiver(hear) as url, receiver(give) as source, Outside(fence) as one, Outside(fence) as other:
        webhook, _ = await store.webhooks.create(
            app.no, url=url, kinds=None, description="", enabled=True, now=clock.now()
        )
        workers: list[Deliverer | Puller] = [
            Deliverer(at, out, clock, Random(1), tick_seconds=0.01)
            for at, out in zip(stores, (one, other), strict=True)
        ]
        workers += [
            Puller(at, out, clock, on_rows=lambda: None, tick_seconds=0.01)
            for at, out in zip(stores, (one, other), strict=True)
        ]
        tasks = [asyncio.create_task(worker.run()) for worker in workers]
        for i in range(10):
            listed = await make_list(store, app, clock)
            await store.pulls.put(app.no, listed.no, PullPlan(f"{source}/{i}", interval_minutes=60), clock.now())
        for _ in range(100):
            await store._database.write(
                lambda conn: announce(conn, app.no, NoticeKind.run_started, {"run_id": "cid-1"}, clock.now())
            )
        notices = [await at.outbox.peek(1000) for at in stores]
        await asyncio.gather(*(at.outbox.drop(told) for at, told in zip(stores, notices, strict=True)))
        async with asyncio.timeout(60):
            while heard.total() < 100 or pulled.total() < 10:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        for worker in workers:
            worker.stop()
        await asyncio.wait(tasks)

    assert (len(heard), set(heard.values())) == (100, {1})
    assert (len(pulled), set(pulled.values())) == (10, {1})
    found = await store.deliveries.of_webhook(app.no, webhook.no, before=None, limit=1000)
    assert {one_of.state.value for one_of in found} == {"delivered"}
    assert clock.now() - MONDAY_NOON == timedelta()
