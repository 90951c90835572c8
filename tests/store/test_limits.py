"""Limits of volume hold to the last contact, and for two who add at once; without one nothing is counted."""

import asyncio

import pytest

from callsheet.core.errors import LimitReached
from callsheet.core.limits import Limit, most_of
from callsheet.store.apps import App
from callsheet.store.protocol import NewEntry
from callsheet.store.store import Store
from factories import StillClock, contact, grow_list, make_list, number


async def limit(store: Store, app: App, **limits: int | None) -> None:
    await store.apps.change_settings(app.no, limits)


async def forbid(store: Store, app: App, dnc_no: int, *serials: int) -> None:
    key = store.vault.app(app.no)
    assert key is not None
    persons = [key.person(number(serial)) for serial in serials]
    await store.hot.forbid(app.no, dnc_no, [NewEntry(one, b"sealed") for one in persons], source="test")


async def test_contact_lists_are_made_up_to_the_limit(store: Store, app: App, clock: StillClock):
    await limit(store, app, most_contact_lists=2)
    await make_list(store, app, clock)
    second = await make_list(store, app, clock)

    with pytest.raises(LimitReached, match="most_contact_lists"):
        await make_list(store, app, clock)
    await store.lists.delete(second)
    await make_list(store, app, clock)
    await limit(store, app, most_contact_lists=None)
    await make_list(store, app, clock)


async def test_a_list_takes_contacts_up_to_its_limit_and_all_of_a_call_or_none(
    store: Store, app: App, clock: StillClock
):
    await limit(store, app, most_contacts_per_list=3)
    people = await make_list(store, app, clock, 2)

    with pytest.raises(LimitReached, match="may have 3 contacts; with these it would have 4"):
        await grow_list(store, app, people, [2, 3])
    await grow_list(store, app, people, [2])
    with pytest.raises(LimitReached):
        await grow_list(store, app, people, [3])
    # Who is in it already adds nothing.
    await grow_list(store, app, people, [0, 1, 2])

    assert len(await store.contacts.page(people, after=0, limit=10)) == 3


async def test_the_lists_of_an_app_take_contacts_up_to_their_limit_together(store: Store, app: App, clock: StillClock):
    await limit(store, app, most_contacts=5)
    first, second = await make_list(store, app, clock, 2), await make_list(store, app, clock, 2)

    with pytest.raises(LimitReached, match="most_contacts"):
        await grow_list(store, app, first, [2, 3])
    await grow_list(store, app, first, [2])
    with pytest.raises(LimitReached):
        await grow_list(store, app, second, [2])
    await store.lists.delete(first)
    await grow_list(store, app, second, [2, 3, 4])


async def test_two_who_add_to_two_lists_at_once_do_not_pass_the_limit_together(
    store: Store, app: App, clock: StillClock
):
    await limit(store, app, most_contacts=10)
    lists = [await make_list(store, app, clock) for _ in range(4)]

    ends = await asyncio.gather(*(grow_list(store, app, one, range(4)) for one in lists), return_exceptions=True)

    assert sorted(type(end).__name__ for end in ends) == ["LimitReached", "LimitReached", "NoneType", "NoneType"]


async def test_dnc_lists_and_their_numbers_have_limits_of_their_own(store: Store, app: App, clock: StillClock):
    first = await store.dnc_lists.create(app.no, "First", clock.now())
    await limit(store, app, most_dnc_lists=2, most_dnc_numbers_per_list=2, most_dnc_numbers=3)
    second = await store.dnc_lists.create(app.no, "Second", clock.now())

    with pytest.raises(LimitReached, match="most_dnc_lists"):
        await store.dnc_lists.create(app.no, "Third", clock.now())
    await forbid(store, app, first.no, 0, 1)
    with pytest.raises(LimitReached, match="most_dnc_numbers_per_list"):
        await forbid(store, app, first.no, 2)
    await forbid(store, app, first.no, 0, 1)
    with pytest.raises(LimitReached, match="most_dnc_numbers"):
        await forbid(store, app, second.no, 0, 1)
    await forbid(store, app, second.no, 0)
    with pytest.raises(LimitReached):
        await forbid(store, app, second.no, 2)

    found = [await store.dnc_lists.find(app.no, list_id=one.id) for one in (first, second)]
    assert [one.size for one in found if one is not None] == [2, 1]


async def test_nothing_is_limited_until_somebody_says_so(store: Store, app: App, clock: StillClock):
    found = await store.apps.find(app.id)

    assert found is not None
    assert {most_of(found.settings, each) for each in Limit} == {None}


async def test_a_person_who_comes_twice_counts_twice_where_the_list_takes_both(
    store: Store, app: App, clock: StillClock
):
    await limit(store, app, most_contacts_per_list=2)
    often = await make_list(store, app, clock, [contact(store, app, number(0))] * 2, allow_duplicates=True)

    with pytest.raises(LimitReached):
        await grow_list(store, app, often, [0])
