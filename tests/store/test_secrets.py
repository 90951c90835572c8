"""No number stands in the database in plain, and a sealed one opens only where it belongs."""

import hmac
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from callsheet.core.attempt import Kind
from callsheet.store.apps import App
from callsheet.store.store import Store
from callsheet.store.tables import metadata
from callsheet.store.vault import AppKey, Vault
from databases import MASTER_KEY, Place, change, rows
from factories import Node, StillClock, forbid, make_list, number, opt_out, person_of, start_run


async def live_a_little(store: Store, app: App, clock: StillClock, node: Node) -> list[str]:
    """Import, forbid, contact and hear from people, and return their digits."""
    everywhere = await store.dnc_lists.create(app.no, "Global", clock.now(), is_global=True)
    await forbid(store, app, everywhere.no, [number(0), number(50)])
    await opt_out(store, app, clock, number(1))
    run = await start_run(store, app, clock, 10)
    intents = await node.walk_all(run)
    for kind in (Kind.refused, Kind.uncertain, Kind.delivered):
        await node.tell(intents[:4], kind)
    return [number(i).removeprefix("+") for i in (*range(10), 50)]


async def test_no_table_holds_a_number_in_plain(store: Store, app: App, clock: StillClock, node: Node):
    digits = await live_a_little(store, app, clock, node)

    for table in metadata.sorted_tables:
        for row in await rows(store, table.select()):
            text = "".join(value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row)
            assert not any(plain[-7:] in text for plain in digits), table.name


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_no_byte_of_the_file_or_its_log_holds_a_number_in_plain(
    place: Place, store: Store, app: App, clock: StillClock, node: Node
):
    digits = await live_a_little(store, app, clock, node)

    def read() -> bytes:
        files = [path for path in Path(place.address).parent.iterdir() if path.is_file()]
        return b"".join(path.read_bytes() for path in files)

    open_bytes = read()
    await place.close(store)
    for held in (open_bytes, read()):
        assert b"Ada" in held
        assert not any(plain[-7:].encode() in held for plain in digits)


async def test_a_sealed_number_that_was_moved_to_another_person_does_not_open(
    store: Store, app: App, clock: StillClock
):
    contact_list = await make_list(store, app, clock, 2)
    moved = await change(store, "update contact set sealed = (select sealed from contact where pos = 1) where pos = 0")
    assert moved == 1

    assert [one.number for one in await store.contacts.page(contact_list, after=1, limit=1)] == [number(1)]
    with pytest.raises(InvalidTag):
        await store.contacts.page(contact_list, after=0, limit=1)


async def test_a_number_that_was_moved_to_another_app_does_not_open(store: Store, app: App):
    mine, theirs = store.vault.app(app.no), AppKey(bytes(32))
    assert mine is not None
    person = mine.person(number(0))

    sealed = mine.close_number(number(0), person)

    assert mine.open_number(sealed, person) == number(0)
    with pytest.raises(InvalidTag):
        theirs.open_number(sealed, person)
    with pytest.raises(InvalidTag):
        mine.open_number(sealed, mine.person(number(1)))
    assert sealed != mine.close_number(number(0), person), "the same number is sealed differently each time"


def test_a_person_key_is_the_hmac_that_lists_of_earlier_versions_hold():
    key = bytes(range(32))
    expected = hmac.digest(hmac.digest(key, b"callsheet person", "sha256"), number(0).encode(), "sha256")

    assert AppKey(key).person(number(0)) == expected[:16]


async def test_without_the_master_key_nothing_opens(place: Place, store: Store, app: App):
    ((key_sealed,),) = await rows(store, "select key_sealed from app")

    assert Vault(MASTER_KEY).learn(app.no, app.id, key_sealed).person(number(0)) == person_of(store, app, number(0))
    with pytest.raises(InvalidTag):
        Vault(bytes(32)).learn(app.no, app.id, key_sealed)
    with pytest.raises(InvalidTag):
        Vault(MASTER_KEY).learn(app.no, "st-another", key_sealed)


async def test_persons_stay_the_same_after_a_restart(place: Place, store: Store, app: App):
    before = person_of(store, app, number(0))

    store = await place.reopen(store)

    assert person_of(store, app, number(0)) == before


async def test_a_clients_secret_is_sealed_for_that_client(store: Store, app: App, clock: StillClock):
    client = await store.clients.create(app, clock.now())
    found = await store.clients.find(client.id)

    assert found == client
    ((sealed,),) = await rows(store, "select secret_sealed from client")
    assert client.secret.encode() not in sealed
    with pytest.raises(InvalidTag):
        store.vault.open_secret(sealed, "cs-another")
