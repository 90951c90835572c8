"""Apps share the places for answers: each has as many as any other that wants some, and a new one finds some free."""

from collections import Counter

from callsheet.store.apps import App
from callsheet.store.due_replies import DueReply
from callsheet.store.store import Store
from factories import StillClock, heard, make_app, number, trunk_of

PLACES = 12


async def ask(store: Store, app: App, clock: StillClock, senders: int, text: str = "HELP") -> None:
    trunk = await trunk_of(store, app)
    said = [heard(store, app, clock, number(i), text, sender=f"+1555{i:07}") for i in range(senders)]
    await store.inbox.hear(app.no, trunk.no, said, clock.now())


async def due(store: Store, apps: list[App], clock: StillClock, busy: list[DueReply]) -> list[DueReply]:
    trunks = [(await trunk_of(store, app)).no for app in apps]
    found, _ = await store.replies.due(
        clock.now(),
        trunks=trunks,
        resting=[one.source for one in busy],
        held=Counter(one.source.app for one in busy),
        limit=PLACES - len(busy),
    )
    return found


async def test_whoever_comes_later_finds_places_and_shares_become_equal(store: Store, app: App, clock: StillClock):
    apps = [app, await make_app(store, clock, name="Second"), await make_app(store, clock, name="Third")]
    busy: list[DueReply] = []
    held = []
    for one in apps:
        await ask(store, one, clock, 30)
        busy += await due(store, apps, clock, busy)
        held.append(tuple(Counter(reply.source.app for reply in busy).values()))
    assert held == [(6,), (6, 4), (6, 4, 2)]

    # What ends is given to those that have less.
    for _ in range(4):
        first = next(one for one in busy if one.source.app == app.no)
        busy.remove(first)
        await store.replies.take([first.no], clock.now(), 60)
        busy += await due(store, apps, clock, busy)
    assert sorted(Counter(reply.source.app for reply in busy).values()) == [3, 3, 4]


async def test_a_place_that_becomes_free_is_given_to_who_has_least(store: Store, app: App, clock: StillClock):
    second, third = [await make_app(store, clock, name=name) for name in ("Second", "Third")]
    for one in (second, third):
        await ask(store, one, clock, 5)
        clock.advance(1)
    trunks = [(await trunk_of(store, one)).no for one in (app, second, third)]

    (found,), _ = await store.replies.due(clock.now(), trunks=trunks, held={app.no: PLACES - 2, second.no: 1}, limit=1)

    assert found.source.app == third.no


async def test_what_is_urgent_in_one_app_does_not_take_the_place_of_another(store: Store, app: App, clock: StillClock):
    other = await make_app(store, clock, name="Other")
    await ask(store, app, clock, 30, "STOP")
    await ask(store, other, clock, 30)

    found = await due(store, [app, other], clock, [])

    assert Counter(one.source.app for one in found) == {app.no: 4, other.no: 4}
