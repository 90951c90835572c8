"""Whatever a receiver does, each notice reaches it or is shown as failed, and others do not wait for it."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, cast

from aiohttp import web
from standardwebhooks import Webhook as Verifier

from callsheet.clock import Clock, SystemClock
from callsheet.core.campaign import Status
from callsheet.core.fence import Fence
from callsheet.core.notice import NoticeKind
from callsheet.core.webhook import JITTER, PAUSES
from callsheet.engine.deliverer import Deliverer
from callsheet.engine.outside import Outside
from callsheet.engine.tuning import Tuning
from callsheet.engine.virtual_time import VirtualClock, run
from callsheet.store.apps import App
from callsheet.store.deliveries import Delivery, State
from callsheet.store.outbox import announce
from callsheet.store.store import Store
from callsheet.store.webhooks import Webhook
from databases import change
from engine.receivers import receiver
from engine.world import MINUTES, World, world
from factories import MONDAY_NOON, make_definition, make_list

REAL = cast("VirtualClock", SystemClock())
"""A receiver that never answers would hold virtual time up for ever."""

RARELY = Tuning(tick_seconds=12 * 3600.0, lease_seconds=36 * 3600.0)


@asynccontextmanager
async def delivering(w: World) -> AsyncIterator[Deliverer]:
    async with Outside(Fence(allow_private=True)) as outside:
        deliverer = Deliverer(w.store, outside, w.clock, Random(1), tick_seconds=3600.0)
        w.conductor.notifier.on_told = deliverer.wake
        task = asyncio.create_task(deliverer.run())
        try:
            yield deliverer
        finally:
            deliverer.stop()
            await task


async def hook(w: World, url: str) -> tuple[Webhook, str]:
    return await w.store.webhooks.create(w.app.no, url=url, kinds=None, description="", enabled=True, now=w.clock.now())


async def tell(store: Store, app: App, w: World, times: int = 1) -> None:
    for i in range(times):
        payload = {"run_id": f"cid-{i}"}
        await store._database.write(
            lambda conn, payload=payload: announce(conn, app.no, NoticeKind.run_started, payload, w.clock.now())
        )
    w.conductor.notifier.wake()


async def deliveries(w: World, webhook: Webhook) -> list[Delivery]:
    return await w.store.deliveries.of_webhook(w.app.no, webhook.no, before=None, limit=1000)


async def until(w: World, holds: Callable[[list[Delivery]], bool], webhook: Webhook, days: float = 1) -> list[Delivery]:
    deadline = w.clock.monotonic() + days * 86_400
    while not holds(found := await deliveries(w, webhook)):
        assert w.clock.monotonic() < deadline, found
        await w.clock.sleep(0.05 if w.clock is REAL else 2 if days <= 1 else 3600)
    return found


def all_are(state: State, count: int = 1) -> Callable[[list[Delivery]], bool]:
    return lambda found: len(found) >= count and all(one.state is state for one in found)


class Receiver:
    """Answers by a list of statuses, the last one for ever, and remembers what it was told and when."""

    def __init__(self, clock: Clock, *statuses: int, **headers: str) -> None:
        self._clock = clock
        self._statuses = list(statuses)
        self._headers = headers
        self.heard: list[tuple[float, dict[str, str], bytes]] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.heard.append((self._clock.monotonic(), dict(request.headers), await request.read()))
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        return web.Response(status=status, headers=self._headers)

    @property
    def ids(self) -> Counter[str]:
        return Counter(headers["webhook-id"] for _, headers, _ in self.heard)


def test_a_run_is_told_from_start_to_end_signed_and_without_a_person(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        told = Receiver(clock, 200)
        async with world(clock, tmp_path, tuning=MINUTES) as w, delivering(w), receiver(told.handle) as url:
            webhook, secret = await hook(w, url)
            lists = [await make_list(w.store, w.app, clock, 3)]
            campaign = await w.store.campaigns.create(w.app.no, make_definition(lists), clock.now(), unique_names=True)
            started = await w.run_campaign(campaign)
            await w.until(campaign, Status.completed, longest_seconds=120)
            await until(w, all_are(State.delivered, 2), webhook)

            bodies: list[dict[str, Any]] = [json.loads(body) for _, _, body in told.heard]
            assert {body["type"] for body in bodies} == {"run.started", "run.completed"}
            assert all(body["data"] == {"campaign_id": campaign.id, "run_id": started.run_id} for body in bodies)
            assert all(set(body) == {"type", "timestamp", "data"} for body in bodies)
            for _, headers, body in told.heard:
                real = Verifier(secret)
                at = headers["webhook-timestamp"]
                assert abs(int(at) - clock.now().timestamp()) < 200
                named = {name.lower(): value for name, value in headers.items()}
                when = clock.now().fromtimestamp(int(at), tz=clock.now().tzinfo)
                assert real.sign(named["webhook-id"], when, body.decode()) == named["webhook-signature"]

    run(main, start=MONDAY_NOON)


def test_a_receiver_that_never_answers_well_is_tried_by_the_plan_and_then_given_up(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        told = Receiver(clock, 500)
        async with world(clock, tmp_path, tuning=RARELY) as w, delivering(w), receiver(told.handle) as url:
            webhook, _ = await hook(w, url)
            await tell(w.store, w.app, w)
            (found,) = await until(w, all_are(State.failed), webhook, days=5)

            assert (found.tries, found.last_status, found.next_at) == (len(PAUSES) + 1, 500, None)
            assert set(told.ids.values()) == {len(PAUSES) + 1}
            waits = [after[0] - before[0] for before, after in zip(told.heard, told.heard[1:], strict=False)]
            for wait, pause in zip(waits, PAUSES, strict=True):
                assert pause.total_seconds() - 1 <= wait <= pause.total_seconds() * (1 + JITTER) + 6
            assert (await w.store.webhooks.find(w.app.no, webhook.id)).enabled  # type: ignore[union-attr]

    run(main, start=MONDAY_NOON)


def test_a_receiver_that_fails_for_five_days_is_disabled(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        told = Receiver(clock, 500)
        async with world(clock, tmp_path, tuning=RARELY) as w, delivering(w), receiver(told.handle) as url:
            webhook, _ = await hook(w, url)
            for _ in range(6):
                await tell(w.store, w.app, w)
                await clock.sleep(86_400)

            found = await w.store.webhooks.find(w.app.no, webhook.id)
            assert found is not None
            assert (found.enabled, found.problem) == (False, "Nothing got through for 5 days.")
            assert all(one.state is State.failed for one in await deliveries(w, webhook))

    run(main, start=MONDAY_NOON)


def test_a_receiver_that_is_gone_is_told_nothing_more(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        told = Receiver(clock, 410)
        async with world(clock, tmp_path, tuning=RARELY) as w, delivering(w), receiver(told.handle) as url:
            webhook, _ = await hook(w, url)
            await tell(w.store, w.app, w)
            await until(w, all_are(State.failed), webhook)
            await tell(w.store, w.app, w, 5)
            await clock.sleep(3600)

            found = await w.store.webhooks.find(w.app.no, webhook.id)
            assert found is not None
            assert not found.enabled
            assert "410" in found.problem
            assert len(told.heard) == 1

    run(main, start=MONDAY_NOON)


def test_a_receiver_that_asks_for_time_gets_it(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        told = Receiver(clock, 429, 200, **{"Retry-After": "1000"})
        async with world(clock, tmp_path, tuning=RARELY) as w, delivering(w), receiver(told.handle) as url:
            webhook, _ = await hook(w, url)
            await tell(w.store, w.app, w)
            await until(w, all_are(State.delivered), webhook)

            assert told.heard[1][0] - told.heard[0][0] > 999

    run(main, start=MONDAY_NOON)


async def test_receivers_that_hang_delay_no_other(tmp_path: Path) -> None:
    told = Receiver(REAL, 200)
    hung = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        await hung.wait()
        return web.Response()

    async with world(REAL, tmp_path) as w, receiver(told.handle) as url, receiver(hang) as dead:
        slow, _ = await hook(w, dead)
        webhook, _ = await hook(w, url)
        async with delivering(w):
            await tell(w.store, w.app, w, 50)
            await until(w, all_are(State.delivered, 50), webhook)
            assert {one.state for one in await deliveries(w, slow)} == {State.waiting}
            hung.set()

        assert len(told.ids) == 50


async def test_what_was_on_its_way_when_the_process_died_is_sent_again_under_the_same_id(tmp_path: Path) -> None:
    reached = asyncio.Event()
    ids: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        ids.append(request.headers["webhook-id"])
        reached.set()
        if len(ids) == 1:
            await asyncio.Event().wait()
        return web.Response()

    async with world(REAL, tmp_path) as w, receiver(handle) as url:
        webhook, _ = await hook(w, url)
        async with Outside(Fence(allow_private=True)) as outside:
            dying = Deliverer(w.store, outside, w.clock, Random(1))
            w.conductor.notifier.on_told = dying.wake
            task = asyncio.create_task(dying.run())
            await tell(w.store, w.app, w)
            await reached.wait()
            for one in [task, *dying._crew._tasks]:
                one.cancel()
            await asyncio.wait([task])

        assert await change(w.store, "update delivery set next_at = 1 where next_at > 1") == 1, "its lease ran out"
        async with delivering(w):
            (found,) = await until(w, all_are(State.delivered), webhook)
        assert found.tries == 2
        assert ids == [found.id] * 2


def test_a_delivery_that_is_replayed_has_the_same_id_and_body(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        told = Receiver(clock, 200)
        async with world(clock, tmp_path, tuning=RARELY) as w, delivering(w) as deliverer, receiver(told.handle) as url:
            webhook, _ = await hook(w, url)
            await tell(w.store, w.app, w)
            (found,) = await until(w, all_are(State.delivered), webhook)
            await w.store.deliveries.replay(w.app.no, found, clock.now())
            deliverer.wake()
            await until(w, lambda _: len(told.heard) == 2, webhook)

            assert told.ids == {found.id: 2}
            assert len({body for _, _, body in told.heard}) == 1

    run(main, start=MONDAY_NOON)
