"""An errand is asked by one node at a time, under one id until it is dropped, and one app's hold up no other's."""

import sqlalchemy as sa

from callsheet.core.flow.effects import AskModel, CallWebhook, Tool
from callsheet.store import tables as t
from callsheet.store.apps import App
from callsheet.store.errands import LEASE_MARGIN, Errand, drop_errand, write_errand
from callsheet.store.store import Store
from databases import rows
from factories import StillClock, make_app

WEBHOOK = CallWebhook("b", "POST", "https://example.com/", {"x-shop": "7"}, {"order": [1, None, "ü"]}, 10.0)
MODEL = AskModel(
    "b", "house", "", [{"role": "system", "content": "Be kind."}], (Tool("look", "Looks", {"type": "object"}),),
    30.0, 500, 0.5,
)  # fmt: skip


async def ask(
    store: Store, app: App, session_no: int, clock: StillClock, asked: CallWebhook | AskModel = WEBHOOK
) -> str:
    key = store.vault.app(app.no)
    assert key is not None
    return await store._database.write(
        lambda conn: write_errand(conn, app.no, session_no, asked, revision=3, seal=key.seal, now=clock.now())
    )


async def take(store: Store, clock: StillClock, most: int = 100, most_each: int = 100, busy=None) -> list[Errand]:
    taken, _ = await store.errands.take(clock.now(), most=most, most_each=most_each, busy=busy or {})
    return taken


async def test_what_is_asked_is_kept_sealed_and_comes_back_as_it_was(store: Store, app: App, clock: StillClock):
    first = await ask(store, app, 1, clock)
    second = await ask(store, app, 2, clock, MODEL)
    assert b"example.com" not in b"".join(sealed for (sealed,) in await rows(store, sa.select(t.errand.c.asked_sealed)))
    taken = await take(store, clock)
    assert {one.id: one.asked for one in taken} == {first: WEBHOOK, second: MODEL}
    assert {(one.revision, one.tries) for one in taken} == {(3, 1)}


async def test_a_node_that_dies_leaves_it_to_the_next_under_the_same_id(store: Store, app: App, clock: StillClock):
    errand_id = await ask(store, app, 1, clock)
    assert len(await take(store, clock)) == 1
    assert await take(store, clock) == []
    clock.advance(WEBHOOK.seconds + LEASE_MARGIN.total_seconds())
    (again,) = await take(store, clock)
    assert (again.id, again.tries) == (errand_id, 2)


async def test_who_owns_the_database_goes_on_at_once(store: Store, app: App, clock: StillClock):
    await ask(store, app, 1, clock)
    await take(store, clock)
    await store.errands.release_all(clock.now())
    assert len(await take(store, clock)) == 1


async def test_it_is_dropped_with_its_answer_and_a_newer_one_stays(store: Store, app: App, clock: StillClock):
    await ask(store, app, 1, clock)
    (old,) = await take(store, clock)
    assert await store.errands.waits(app.no, 1, old.id)
    newer = await ask(store, app, 1, clock, MODEL)
    assert not await store.errands.waits(app.no, 1, old.id)
    await store.errands.forget(old)
    assert [one.id for one in await take(store, clock)] == [newer]
    await store._database.write(lambda conn: drop_errand(conn, app.no, 1))
    assert await rows(store, sa.select(t.errand)) == []


async def test_those_of_one_app_hold_up_no_other(store: Store, app: App, clock: StillClock):
    other = await make_app(store, clock, name="Other")
    for no in range(5):
        await ask(store, app, no, clock)
    await ask(store, other, 1, clock)
    taken = await take(store, clock, most=10, most_each=4, busy={app.no: 2})
    assert sorted(one.app for one in taken) == [app.no, app.no, other.no]


async def test_what_cannot_be_read_is_taken_all_the_same(store: Store, app: App, clock: StillClock):
    await ask(store, app, 1, clock)
    moved = sa.update(t.errand).values(session_no=2)
    await store._database.write(lambda conn: conn.execute(moved))
    (one,) = await take(store, clock)
    assert one.asked is None, "it is sealed for another session"
