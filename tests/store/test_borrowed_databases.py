"""A test's own database was another test's before: it must not show."""

import pytest

from callsheet.store.store import Store
from callsheet.store.tables import metadata
from databases import Place, change, rows
from factories import StillClock, make_app, start_run
from postgres_pool import borrow_database, give_back_database

SEQUENCES = "select sequencename, last_value from pg_sequences order by 1"


async def contents(store: Store) -> list[object]:
    """Return every row of every table, and what each sequence counted to."""
    tables = [*metadata.tables, "alembic_version"]
    return [*[await rows(store, f'select * from "{table}"') for table in tables], await rows(store, SEQUENCES)]


async def use(url: str, clock: StillClock, *spoil: str) -> list[object]:
    """Return what is in a database, and leave things in it."""
    place = Place("postgres", url, clock)
    store = await place.open()
    found = await contents(store)
    app = await make_app(store, clock)
    await start_run(store, app, clock)
    for statement in spoil:
        await change(store, statement)
    await place.close_all()
    return found


async def test_what_one_test_wrote_is_gone_for_the_next(clock: StillClock):
    url = await borrow_database()
    before = await use(url, clock)
    await give_back_database(url)
    again = await borrow_database()
    after = await use(again, clock)
    await give_back_database(again)

    assert again == url
    assert after == before


@pytest.mark.parametrize(
    "spoil",
    [
        "alter table template rename to template_gone",
        "alter table template add column more text",
        "drop index ix_answer_app_at",
        "create function f() returns integer language sql as 'select 1'",
        "do $$ begin execute format('alter database %I set work_mem = 64', current_database()); end $$",
    ],
)
async def test_one_with_other_tables_is_not_used_again(clock: StillClock, spoil: str):
    url = await borrow_database()
    await use(url, clock, spoil)
    await give_back_database(url)
    other = await borrow_database()
    await give_back_database(other)

    assert other != url
