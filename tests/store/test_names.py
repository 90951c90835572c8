"""Named things: one of a name, whatever its case and the blanks at its ends, also of many that are made at once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from callsheet.core.errors import NameTaken
from callsheet.core.gate import Cap
from callsheet.core.run import AppSettings
from callsheet.store.apps import App
from callsheet.store.store import Store
from databases import Place
from factories import StillClock, change_settings

Make = Callable[[Store, int, str], Awaitable[object]]


def makers(clock: StillClock) -> dict[str, Make]:
    now = clock.now()
    return {
        "list": lambda store, app, name: store.lists.create(
            app, name=name, description="", source="", allow_duplicates=False, now=now
        ),
        "dnc": lambda store, app, name: store.dnc_lists.create(app, name, now),
        "template": lambda store, app, name: store.templates.create(app, name, "text", now),
        "flow": lambda store, app, name: store.flows.create(app, name, "{}", now),
    }


@pytest.mark.parametrize("noun", ["list", "dnc", "template", "flow"])
async def test_of_many_that_are_made_at_once_with_one_name_one_comes_to_be(
    place: Place, store: Store, app: App, clock: StillClock, noun: str
):
    make = makers(clock)[noun]
    stores = [store, await place.open() if place.kind == "postgres" else store]

    made = await asyncio.gather(
        *(make(one, app.no, name) for one in stores for name in ("Spring", "SPRING", " spring ")),
        return_exceptions=True,
    )

    failures = [one for one in made if isinstance(one, BaseException)]
    assert [type(one) for one in failures] == [NameTaken] * 5
    nouns = {"list": store.lists, "dnc": store.dnc_lists, "template": store.templates, "flow": store.flows}
    found = await nouns[noun].find(app.no, name="sPRING ")
    assert found is not None
    names = await nouns[noun].names(app.no)
    assert len(names) == 1


async def test_a_document_is_found_with_its_present_body(store: Store, app: App, clock: StillClock):
    made = await store.templates.create(app.no, "Hello", "Hi {{first_name}}", clock.now())

    assert await store.templates.find(app.no, thing_id=made.named.id) == made
    assert await store.templates.find(app.no, name="HELLO") == made
    assert await store.templates.body(app.no, made.named.no, 1) == "Hi {{first_name}}"
    assert await store.flows.find(app.no, name="Hello") is None


async def test_a_sender_is_known_from_its_first_use_once(place: Place, store: Store, app: App, clock: StillClock):
    stores = [store, await place.open() if place.kind == "postgres" else store]
    now = clock.now()

    found = await asyncio.gather(*(one.apps.find_sender(app.no, "+1", now) for one in stores * 4))

    assert len({one.no for one in found if one is not None}) == 1
    assert found.count(None) == 0


async def test_a_caller_id_that_no_trunk_takes_is_unknown(store: Store, clock: StillClock):
    account = await store.apps.create_account("Account", clock.now())
    app = await store.apps.create(account, "App", clock.now())
    trunk = await store.apps.create_trunk(
        app.no, name="Strict", carrier="smpp", takes_any_sender=False, now=clock.now()
    )

    assert await store.apps.find_sender(app.no, "+1", clock.now()) is None
    made = await store.senders.put(app.no, "+1", trunk.no, {"segments_per_second": 2.5}, clock.now())
    assert await store.apps.find_sender(app.no, "+1", clock.now()) == made
    slower = await store.senders.put(app.no, "+1", trunk.no, {"segments_per_second": 0.5}, clock.now())
    assert (slower.no, slower.segments_per_second) == (made.no, 0.5)
    assert await store.apps.senders(app.no) == [slower]


async def test_an_app_is_found_with_the_settings_that_were_chosen(store: Store, app: App):
    settings = AppSettings(start_on_create=True, cap=Cap(3, 24), region="DE", messages_per_minute=60)
    await change_settings(store, app, settings)

    found = await store.apps.find(app.id)

    assert found is not None
    assert found.settings == settings
    assert await store.apps.find("st-nobody") is None


async def test_settings_that_are_changed_at_the_same_moment_are_all_kept(store: Store, app: App):
    changes: list[dict[str, object]] = [
        *({"start_on_create": True}, {"dnc_for_sms": False}, {"one_run_per_list": False}, {"unique_names": False}),
        *({"requests_per_minute": 7}, {"messages_per_minute": 8}, {"region": "DE"}, {"cap": Cap(3, 24)}),
    ]

    await asyncio.gather(*(store.apps.change_settings(app.no, change) for change in changes))

    found = await store.apps.find(app.id)
    assert found is not None
    assert {name: getattr(found.settings, name) for change in changes for name in change} == {
        name: value for change in changes for name, value in change.items()
    }


async def test_the_scopes_of_a_client_can_be_changed(store: Store, app: App, clock: StillClock):
    client = await store.clients.create(app, clock.now())

    await store.clients.change(app.no, client.id, scopes={"b", "a"})

    found = await store.clients.find(client.id)
    assert found is not None
    assert found.scopes == {"a", "b"}
    assert await store.clients.find("cs-nobody") is None


async def test_the_keys_of_an_app_are_those_of_its_own_names(store: Store, app: App, clock: StillClock):
    values = {"name": " Rush HOUR ", "base_url": "https://models.example.com/v1", "model": "small"}
    await store.queues.create(app.no, {"name": "Rush HOUR"}, clock.now())
    await store.ai_endpoints.create(app.no, values, clock.now())

    assert "rush hour" in await store.queues.keys(app.no)
    assert await store.ai_endpoints.keys(app.no) == {"rush hour"}
    assert await store.queues.keys(app.no + 1) == await store.ai_endpoints.keys(app.no + 1) == frozenset()
