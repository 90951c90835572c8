"""A notice that two nodes tell becomes one delivery, and a delivery is sent by one node at a time."""

import asyncio
from datetime import timedelta

import pytest

from callsheet.core.notice import NoticeKind
from callsheet.core.webhook import Disable, Done, GiveUp, Retry
from callsheet.store.apps import App
from callsheet.store.deliveries import Parcel, State
from callsheet.store.outbox import announce
from callsheet.store.store import Store
from callsheet.store.webhooks import Webhook
from databases import Place, rows
from factories import StillClock, make_app

LEASE = 60.0


async def hook(store: Store, app: App, clock: StillClock, *kinds: NoticeKind, enabled: bool = True) -> Webhook:
    made, _ = await store.webhooks.create(
        app.no,
        url="https://example.com/hook",
        kinds=kinds or None,
        description="",
        enabled=enabled,
        now=clock.now(),
    )
    return made


async def tell(store: Store, app: App, clock: StillClock, times: int = 1, kind: NoticeKind = NoticeKind.run_started):
    for i in range(times):
        await store._database.write(lambda conn, i=i: announce(conn, app.no, kind, {"run_id": f"cid-{i}"}, clock.now()))


async def drop(store: Store) -> None:
    await store.outbox.drop(await store.outbox.peek(1000))


async def take(store: Store, clock: StillClock, most: int = 100, most_each: int = 100, busy=None) -> list[Parcel]:
    parcels, _ = await store.deliveries.take(
        clock.now(), most=most, most_each=most_each, busy=busy or {}, lease_seconds=LEASE
    )
    return parcels


async def states(store: Store, app: App, webhook: Webhook) -> list[State]:
    return [one.state for one in await store.deliveries.of_webhook(app.no, webhook.no, before=None, limit=100)]


async def test_a_notice_goes_to_the_webhooks_of_its_app_that_want_it(store: Store, app: App, clock: StillClock):
    other = await make_app(store, clock, name="Other")
    everything = await hook(store, app, clock)
    stops = await hook(store, app, clock, NoticeKind.run_stopped)
    silent = await hook(store, app, clock, enabled=False)
    foreign = await hook(store, other, clock)
    await tell(store, app, clock)
    await tell(store, app, clock, kind=NoticeKind.run_stopped)

    await drop(store)

    counts = {one.no: len(await states(store, app, one)) for one in (everything, stops, silent)}
    assert counts == {everything.no: 2, stops.no: 1, silent.no: 0}
    assert await states(store, other, foreign) == []
    assert {parcel.payload["run_id"] for parcel in await take(store, clock)} == {"cid-0"}


async def test_no_url_and_no_secret_lies_open(store: Store, app: App, clock: StillClock):
    webhook, secret = await store.webhooks.create(
        app.no, url="https://example.com/?key=open-sesame", kinds=None, description="", enabled=True, now=clock.now()
    )
    rotated = await store.webhooks.rotate(webhook, clock.now())

    kept = str([tuple(map(bytes_or_text, row)) for row in await rows(store, "select * from webhook")])

    assert not [word for word in ("open-sesame", secret, rotated) if word in kept]
    assert (await store.webhooks.find(app.no, webhook.id)) is not None


def bytes_or_text(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


async def test_a_delivery_that_was_taken_comes_up_again_only_when_its_lease_ran_out(
    store: Store, app: App, clock: StillClock
):
    await hook(store, app, clock)
    await tell(store, app, clock)
    await drop(store)

    (first,) = await take(store, clock)
    assert await take(store, clock) == []
    clock.advance(LEASE)
    (second,) = await take(store, clock)

    assert (second.id, second.tries) == (first.id, 2)
    await store.deliveries.settle(first, Done(), status=200, problem="", now=clock.now())
    assert await take(store, clock) == []
    found = await store.deliveries.find(app.no, first.webhook_no, first.id)
    assert found is not None
    assert found.state is State.waiting, "the word of a node that was overtaken counts for nothing"


async def test_a_failing_webhook_gets_one_at_a_time_and_a_busy_one_no_more_than_its_share(
    store: Store, app: App, clock: StillClock
):
    webhook = await hook(store, app, clock)
    await tell(store, app, clock, 10)
    await drop(store)

    taken = await take(store, clock, most_each=4)
    assert len(taken) == 4
    assert await take(store, clock, most_each=4, busy={webhook.no: 4}) == []
    at = clock.now() + timedelta(hours=1)
    await store.deliveries.settle(taken[0], Retry(at), status=500, problem="No.", now=clock.now())

    assert await take(store, clock, most_each=4, busy={webhook.no: 1}) == []
    assert len(await take(store, clock, most_each=4)) == 1


async def test_the_backlog_of_one_webhook_stands_in_nobodys_way(store: Store, app: App, clock: StillClock):
    slow, quick = (
        await hook(store, app, clock, NoticeKind.run_started),
        await hook(store, app, clock, NoticeKind.run_stopped),
    )
    await tell(store, app, clock, 50)
    clock.advance(1)
    await tell(store, app, clock, kind=NoticeKind.run_stopped)
    await drop(store)

    taken = await take(store, clock, most=10, most_each=4)

    assert sorted(parcel.webhook_no for parcel in taken) == [slow.no] * 4 + [quick.no]


async def test_when_a_webhook_is_disabled_what_waits_for_it_is_given_up_and_can_be_replayed(
    store: Store, app: App, clock: StillClock
):
    webhook = await hook(store, app, clock)
    await tell(store, app, clock, 3)
    await drop(store)
    (first,) = await take(store, clock, most=1)

    await store.deliveries.settle(first, Disable("Gone."), status=410, problem="Gone.", now=clock.now())

    found = await store.webhooks.find(app.no, webhook.id)
    assert found is not None
    assert (found.enabled, found.problem) == (False, "Gone.")
    assert await states(store, app, webhook) == [State.failed] * 3
    await store.webhooks.change(found, {"enabled": True}, clock.now())
    delivery = await store.deliveries.find(app.no, webhook.no, first.id)
    assert delivery is not None
    await store.deliveries.replay(app.no, delivery, clock.now())
    (again,) = await take(store, clock)
    assert (again.id, again.tries) == (first.id, 1)


async def test_the_failure_of_an_old_url_does_not_disable_the_new_one(store: Store, app: App, clock: StillClock):
    webhook = await hook(store, app, clock)
    await tell(store, app, clock)
    await drop(store)
    (first,) = await take(store, clock)
    clock.advance(1)
    await store.webhooks.change(webhook, {"url": "https://example.com/new"}, clock.now())

    await store.deliveries.settle(first, Disable("Gone."), status=410, problem="", now=clock.now())

    found = await store.webhooks.find(app.no, webhook.id)
    assert found is not None
    assert found.enabled


async def test_a_success_ends_a_bad_time(store: Store, app: App, clock: StillClock):
    webhook = await hook(store, app, clock)
    await tell(store, app, clock, 2)
    await drop(store)
    one, two = await take(store, clock)

    await store.deliveries.settle(one, GiveUp(), status=None, problem="No.", now=clock.now())
    failing = await store.webhooks.find(app.no, webhook.id)
    await store.deliveries.settle(two, Done(), status=200, problem="", now=clock.now())
    fine = await store.webhooks.find(app.no, webhook.id)

    assert failing is not None
    assert fine is not None
    assert (failing.failing_since, fine.failing_since) == (clock.now(), None)


async def test_old_secrets_sign_for_a_day(store: Store, app: App, clock: StillClock):
    webhook, old = await store.webhooks.create(
        app.no, url="https://a.com", kinds=None, description="", enabled=True, now=clock.now()
    )
    new = await store.webhooks.rotate(webhook, clock.now())
    await tell(store, app, clock, 2)
    await drop(store)

    (before,) = await take(store, clock, most=1)
    clock.advance(hours=24)
    (after, _) = await take(store, clock)

    assert before.address is not None
    assert after.address is not None
    assert (before.address.secrets, after.address.secrets) == ((new, old), (new,))


async def test_what_is_done_is_forgotten_after_a_month_and_what_waits_is_not(store: Store, app: App, clock: StillClock):
    webhook = await hook(store, app, clock)
    await tell(store, app, clock, 2)
    await drop(store)
    done, _ = await take(store, clock)
    await store.deliveries.settle(done, Done(), status=200, problem="", now=clock.now())
    clock.advance(days=31)

    await store.deliveries.prune(clock.now() - timedelta(days=30))

    assert await states(store, app, webhook) == [State.waiting]


async def test_a_deleted_webhook_leaves_nothing(store: Store, app: App, clock: StillClock):
    webhook = await hook(store, app, clock)
    await tell(store, app, clock)
    await drop(store)

    await store.webhooks.delete(webhook)

    assert await rows(store, "select 1 from webhook union all select 1 from delivery") == []


@pytest.mark.parametrize("database", ["postgres"])
async def test_two_nodes_write_each_delivery_once_and_send_it_once(
    place: Place, store: Store, app: App, clock: StillClock
):
    other = await place.open()
    webhook = await hook(store, app, clock)
    taken: list[Parcel] = []

    for _ in range(10):
        await tell(store, app, clock, 20)
        notices = [await store.outbox.peek(100), await other.outbox.peek(100)]
        await asyncio.gather(store.outbox.drop(notices[0]), other.outbox.drop(notices[1]))
        for some in await asyncio.gather(*(take(one, clock, most_each=7) for one in (store, other) * 4)):
            taken += some

    assert len(taken) == len({parcel.id for parcel in taken}) == 200
    assert len(await rows(store, "select 1 from delivery where webhook_no = :no", no=webhook.no)) == 200
