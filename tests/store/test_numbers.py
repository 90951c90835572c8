"""Who wrote is shown, also when no list has them; a number that is to be erased is kept nowhere."""

from callsheet.store.apps import App
from callsheet.store.store import Store
from databases import rows
from factories import StillClock, heard, make_app, make_list, number, trunk_of

STRANGER = number(77)


async def say(store: Store, app: App, clock: StillClock, to: str, text: str = "STOP") -> None:
    trunk = await trunk_of(store, app)
    clock.advance(1)
    await store.inbox.hear(app.no, trunk.no, [heard(store, app, clock, to, text)], clock.now())


async def shown(store: Store, app: App) -> list[str]:
    page = await store.inbox.page(app.no, person=None, word=None, after=None, limit=10)
    return [message.number for message in page or ()]


async def opted_out(store: Store, app: App) -> list[str]:
    page = await store.opt_outs.page(app.no, channel=None, source=None, after=None, limit=10)
    return [shown for _, shown in page]


async def erase_all(store: Store, clock: StillClock) -> None:
    while await store.erasing.erase(100, clock.now()):
        pass


async def test_a_stranger_who_says_stop_is_shown(store: Store, app: App, clock: StillClock):
    other = await make_app(store, clock, name="Other")
    await say(store, app, clock, STRANGER)
    await say(store, app, clock, STRANGER, "I said so")

    assert await shown(store, app) == [STRANGER] * 2
    assert await opted_out(store, app) == [STRANGER]
    assert await shown(store, other) == []
    (row, *_) = await rows(store, "select number_sealed from inbound")
    assert STRANGER.encode() not in row.number_sealed


async def test_the_number_of_a_contact_goes_with_its_list_also_beside_what_it_said(
    store: Store, app: App, clock: StillClock
):
    kept, gone = await make_list(store, app, clock, 1), await make_list(store, app, clock, 3)
    for to in (number(0), number(2), STRANGER):
        await say(store, app, clock, to)

    await store.lists.delete(gone)
    await erase_all(store, clock)

    assert await shown(store, app) == [STRANGER, "", number(0)], "the latest first"
    assert sorted(await opted_out(store, app)) == ["", number(0), STRANGER]
    await store.lists.delete(kept)
    await erase_all(store, clock)
    assert await shown(store, app) == [STRANGER, "", ""]
    assert [bool(row.number_sealed) for row in await rows(store, "select number_sealed from inbound order by at")] == [
        False, False, True
    ]  # fmt: skip


async def test_the_lists_of_one_app_take_no_number_from_another(store: Store, app: App, clock: StillClock):
    other = await make_app(store, clock, name="Other")
    await say(store, other, clock, number(0))
    await store.lists.delete(await make_list(store, app, clock, 1))

    await erase_all(store, clock)

    assert await shown(store, other) == [number(0)]
