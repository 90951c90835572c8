"""A row that cannot be read holds up nobody else's work; what is in it is not acted on, and its owner is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from random import Random

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from callsheet.core.fence import Fence
from callsheet.core.notice import NoticeKind
from callsheet.core.pull import PullPlan
from callsheet.engine.deliverer import Deliverer
from callsheet.engine.notifier import Notifier
from callsheet.engine.outside import Outside
from callsheet.engine.puller import Puller
from callsheet.store.apps import App
from callsheet.store.deliveries import Delivery
from callsheet.store.outbox import announce
from callsheet.store.pulls import Outcome, State
from callsheet.store.store import Store
from callsheet.store.webhooks import Webhook
from databases import change
from engine.receivers import receiver
from factories import StillClock, make_app, make_list
from phone_numbers import numbers


@asynccontextmanager
async def at_work(worker: Puller | Deliverer) -> AsyncIterator[None]:
    task = asyncio.create_task(worker.run())
    try:
        async with asyncio.timeout(60):
            yield
    finally:
        worker.stop()
        await task


async def outcomes(store: Store, app: App, list_no: int) -> list[Outcome]:
    return [entry.outcome for entry in await store.pulls.entries(app.no, list_no, before=None, limit=9)]


async def test_a_pull_that_cannot_be_read_fails_alone(store: Store, app: App, clock: StillClock) -> None:
    asked: list[str] = []

    async def give(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response([{"phone": number} for number in numbers("IN", 2)])

    other = await make_app(store, clock, name="Other")
    async with receiver(give) as url, Outside(Fence(allow_private=True)) as outside:
        torn, sound = await make_list(store, app, clock), await make_list(store, other, clock)
        for mine, listed, path in ((app, torn, "torn"), (other, sound, "sound")):
            await store.pulls.put(mine.no, listed.no, PullPlan(f"{url}/{path}", interval_minutes=60), clock.now())
        moved = "(select p.plan_sealed from pull p where p.list_no = :sound)"
        await change(
            store, f"update pull set plan_sealed = {moved} where list_no = :torn", torn=torn.no, sound=sound.no
        )

        with capture_logs() as logs:
            async with at_work(Puller(store, outside, clock, on_rows=lambda: None)):
                while not (await outcomes(store, app, torn.no) and await outcomes(store, other, sound.no)):
                    await asyncio.sleep(0.01)

    (failed,), (done,) = await outcomes(store, app, torn.no), await outcomes(store, other, sound.no)
    assert (failed.state, "cannot be read" in failed.problem) == (State.failed, True)
    assert (done.state, done.added) == (State.completed, 2)
    assert asked == ["/sound"]
    assert [line["contact_list"] for line in logs if line["event"] == "pull.unreadable"] == [torn.no]
    found = await store.pulls.find(app.no, torn.no, clock.now())
    assert found is not None
    assert (found.plan, found.next_at, found.failures) == (None, None, 1)


async def hook(store: Store, app: App, url: str, now: datetime) -> Webhook:
    made, _ = await store.webhooks.create(app.no, url=url, kinds=None, description="", enabled=True, now=now)
    return made


async def tell(store: Store, apps: list[App], now: datetime, damage: str = "") -> None:
    for app in apps:
        payload = {"run_id": f"cid-{app.no}"}
        await store._database.write(
            lambda conn, app=app, payload=payload: announce(conn, app.no, NoticeKind.run_started, payload, now)
        )
    if damage:
        await change(store, damage, torn=apps[0].no)
    await Notifier(store.outbox, tick_seconds=1).tell()


async def delivery(store: Store, app: App, webhook: Webhook) -> Delivery:
    (found,) = await store.deliveries.of_webhook(app.no, webhook.no, before=None, limit=9)
    return found


@pytest.mark.parametrize(
    "damage",
    [
        "update webhook set url_sealed = old_secret_sealed where no = :torn",
        "update webhook set secret_sealed = old_secret_sealed where no = :torn",
        "update delivery set payload = '{torn' where webhook_no = :torn",
        "update outbox set payload = '{torn' where app = :torn",
    ],
)
async def test_a_delivery_that_cannot_be_read_fails_alone(
    store: Store, app: App, clock: StillClock, damage: str
) -> None:
    heard: list[bytes] = []

    async def hear(request: web.Request) -> web.Response:
        heard.append(await request.read())
        return web.Response()

    other = await make_app(store, clock, name="Other")
    async with receiver(hear) as url, Outside(Fence(allow_private=True)) as outside:
        torn, sound = await hook(store, app, url, clock.now()), await hook(store, other, url, clock.now())
        await tell(store, [app, other], clock.now(), damage if "outbox" in damage else "")
        if "outbox" not in damage:
            await change(store, damage, torn=torn.no)

        with capture_logs() as logs:
            async with at_work(Deliverer(store, outside, clock, Random(1))):
                while not ((await delivery(store, app, torn)).problem and heard):
                    await asyncio.sleep(0.01)

    failed, done = await delivery(store, app, torn), await delivery(store, other, sound)
    assert (failed.state, failed.tries, "cannot be read" in failed.problem) == ("waiting", 1, True)
    assert done.state == "delivered"
    assert [f"cid-{other.no}".encode() in body for body in heard] == [True]
    assert [line["webhook"] for line in logs if line["event"] == "delivery.unreadable"] == [torn.id]
    shown = await store.webhooks.find(app.no, torn.id)
    assert shown is not None
    assert shown.failing_since is not None


async def test_a_webhook_gets_through_again_when_it_has_its_url_and_a_secret_anew(
    store: Store, app: App, clock: StillClock
) -> None:
    async def hear(_: web.Request) -> web.Response:
        return web.Response()

    async with receiver(hear) as url, Outside(Fence(allow_private=True)) as outside:
        torn = await hook(store, app, url, clock.now())
        sealed = "url_sealed = old_secret_sealed, secret_sealed = old_secret_sealed"
        await change(store, f"update webhook set {sealed} where no = :no", no=torn.no)
        shown = await store.webhooks.find(app.no, torn.id)
        assert shown is not None
        assert shown.url == ""
        await store.webhooks.change(shown, {"url": url}, clock.now())
        await store.webhooks.rotate(shown, clock.now())
        await tell(store, [app], clock.now())
        async with at_work(Deliverer(store, outside, clock, Random(1))):
            while (await delivery(store, app, torn)).state != "delivered":
                await asyncio.sleep(0.01)


async def test_a_webhook_whose_kinds_cannot_be_read_is_disabled_alone(
    store: Store, app: App, clock: StillClock
) -> None:
    other = await make_app(store, clock, name="Other")
    torn, sound = [await hook(store, one, "https://example.com", clock.now()) for one in (app, other)]
    await change(store, "update webhook set kinds = '[torn' where no = :no", no=torn.no)

    with capture_logs() as logs:
        await tell(store, [app, other], clock.now())

    shown = await store.webhooks.find(app.no, torn.id)
    assert shown is not None
    assert (shown.enabled, shown.kinds, "cannot be read" in shown.problem) == (False, (), True)
    assert await store.deliveries.of_webhook(app.no, torn.no, before=None, limit=9) == []
    assert (await delivery(store, other, sound)).state == "waiting"
    assert [line["webhook"] for line in logs if line["event"] == "webhook.disabled"] == [torn.id]
