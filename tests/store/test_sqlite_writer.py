"""One writer commits for many: what fails takes nothing of its neighbours along, and what was answered stays."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from callsheet.core.errors import Unavailable
from callsheet.store.sqlite.database import GROUP_SIZE, SqliteDatabase


@pytest.fixture(params=[False, True], ids=["thread", "inline"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> SqliteDatabase:
    database = SqliteDatabase(tmp_path / "test.db", inline=request.param)
    await database.write_raw(lambda raw: raw.execute("create table t (x integer primary key, y text)"))
    return database


def put(x: int, y: str = "") -> str:
    return f"insert into t values ({x}, '{y}')"


async def numbers(database: SqliteDatabase) -> list[int]:
    return await database.read(lambda conn: [x for (x,) in conn.exec_driver_sql("select x from t order by x")])


async def test_a_write_that_fails_takes_nothing_of_its_neighbours_along(database: SqliteDatabase):
    def half(raw: sqlite3.Connection) -> None:
        raw.execute(put(100))
        raise KeyError("half way")

    def twice(raw: sqlite3.Connection) -> None:
        raw.execute(put(101))
        raw.execute(put(101))

    writes = [database.write_raw(lambda raw, x=x: raw.execute(put(x)).rowcount) for x in range(GROUP_SIZE * 2)]
    writes[10:10] = [database.write_raw(half), database.write_raw(twice)]
    results = await asyncio.gather(*writes, return_exceptions=True)

    assert [type(one) for one in results[10:12]] == [KeyError, sqlite3.IntegrityError]
    assert results[:10] + results[12:] == [1] * (GROUP_SIZE * 2)
    assert await numbers(database) == list(range(GROUP_SIZE * 2))
    await database.close()


async def test_core_and_statements_by_hand_speak_in_one_transaction(database: SqliteDatabase):
    table = sa.table("t", sa.column("x"), sa.column("y"))

    def fail(conn: sa.Connection) -> None:
        conn.execute(sa.insert(table).values(x=1, y="lost"))
        raise KeyError

    with pytest.raises(KeyError):
        await database.write(fail)
    await database.write(lambda conn: conn.execute(sa.insert(table).values(x=2, y="kept")))
    await database.write_raw(lambda raw: raw.execute(put(3, "kept")))

    assert await database.read(lambda conn: conn.execute(sa.select(table.c.x)).scalars().all()) == [2, 3]
    await database.close()


async def test_a_write_sees_what_its_neighbour_in_the_same_commit_wrote(database: SqliteDatabase):
    def count(raw: sqlite3.Connection) -> int:
        (before,) = raw.execute("select count(*) from t").fetchone()
        raw.execute(put(before))
        return int(before)

    assert sorted(await asyncio.gather(*(database.write_raw(count) for _ in range(20)))) == list(range(20))
    await database.close()


async def test_closing_finishes_what_is_queued(database: SqliteDatabase, tmp_path: Path):
    writes = [asyncio.ensure_future(database.write_raw(lambda raw, x=x: raw.execute(put(x)))) for x in range(200)]
    await asyncio.sleep(0)

    await database.close()

    await asyncio.gather(*writes)
    with sqlite3.connect(tmp_path / "test.db") as raw:
        assert raw.execute("select count(*) from t").fetchone() == (200,)
    raw.close()


async def test_what_was_answered_is_on_the_disk(database: SqliteDatabase, tmp_path: Path):
    await database.write_raw(lambda raw: raw.execute(put(1)))

    # Another process, as after a kill: it has the file and its log, nothing else.
    with sqlite3.connect(tmp_path / "test.db") as raw:
        assert raw.execute("select x from t").fetchall() == [(1,)]
    raw.close()
    mode = await database.write_raw(lambda raw: raw.execute("pragma journal_mode").fetchone()[0])
    level = await database.write_raw(lambda raw: raw.execute("pragma synchronous").fetchone()[0])
    assert mode == "wal"
    # 2 is FULL, a commit survives a power cut; in simulated time nobody cuts it.
    assert level == (2 if database._thread else 0)
    await database.close()


async def test_a_reader_does_not_see_half_a_write(database: SqliteDatabase):
    def write(raw: sqlite3.Connection, x: int) -> None:
        raw.execute(put(2 * x))
        raw.execute(put(2 * x + 1))

    async def look() -> int:
        return len(await numbers(database))

    writes = [database.write_raw(lambda raw, x=x: write(raw, x)) for x in range(50)]
    looks = [look() for _ in range(50)]
    seen = await asyncio.gather(*(one for pair in zip(writes, looks, strict=True) for one in pair))

    assert all(count % 2 == 0 for count in seen if count is not None)
    await database.close()


async def test_a_reader_cannot_write(database: SqliteDatabase):
    def sneak(conn: sa.Connection) -> None:
        conn.exec_driver_sql(put(1))

    if database._thread is None:
        await database.close()
        return
    await database.read(sneak)

    assert await numbers(database) == []
    await database.close()


async def test_whoever_asks_after_the_end_is_told_at_once(database: SqliteDatabase):
    await database.close()

    with pytest.raises(Unavailable):
        await database.write_raw(lambda raw: raw.execute(put(1)))
    with pytest.raises(Unavailable):
        await numbers(database)
    await database.close()


async def test_a_caller_that_gave_up_harms_nobody(database: SqliteDatabase):
    given_up = asyncio.ensure_future(database.write_raw(lambda raw: raw.execute(put(1)).rowcount))
    await asyncio.sleep(0)
    given_up.cancel()

    assert await database.write_raw(lambda raw: raw.execute(put(2)).rowcount) == 1

    # What was queued is done all the same: a commit that nobody waits for is a commit.
    assert 2 in await numbers(database)
    await database.close()


async def test_a_disk_that_is_full_is_said_and_harms_nobody_who_fits(database: SqliteDatabase):
    (pages,) = await database.write_raw(lambda raw: raw.execute("pragma page_count").fetchone())
    await database.write_raw(lambda raw: raw.execute(f"pragma max_page_count={pages + 4}").fetchone())

    writes = [database.write_raw(lambda raw, x=x: raw.execute(put(x)).rowcount) for x in range(3)]
    writes.insert(1, database.write_raw(lambda raw: raw.execute(put(50, "x" * 100_000)).rowcount))
    results = await asyncio.gather(*writes, return_exceptions=True)
    with pytest.raises(Unavailable, match="full"):
        await database.write(lambda conn: conn.execute(sa.text(put(51, "x" * 100_000))))

    assert isinstance(results[1], Unavailable)
    # SQLite may undo the whole commit: then each of its writes says so, and none of them is half stored.
    assert await numbers(database) == [x for x, result in zip((0, 50, 1, 2), results, strict=True) if result == 1]
    await database.write_raw(lambda raw: raw.execute("pragma max_page_count=1000000").fetchone())
    assert await database.write_raw(lambda raw: raw.execute(put(60, "x" * 100_000)).rowcount) == 1
    await database.close()


async def test_a_file_that_somebody_else_has_locked_is_said(database: SqliteDatabase, tmp_path: Path):
    database._writer.raw.execute("pragma busy_timeout=0")
    with sqlite3.connect(tmp_path / "test.db", isolation_level=None) as raw:
        raw.execute("begin immediate")
        with pytest.raises(Unavailable, match="locked"):
            await database.write_raw(lambda raw: raw.execute(put(1)))
        raw.execute("rollback")
    raw.close()

    assert await database.write_raw(lambda raw: raw.execute(put(1)).rowcount) == 1
    await database.close()


async def test_a_fault_of_ours_is_not_taken_for_the_disks(database: SqliteDatabase):
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await database.write_raw(lambda raw: raw.execute("select * from nowhere"))
    await database.close()
