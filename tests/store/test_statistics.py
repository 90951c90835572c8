"""Every connection of a server that runs plans by the statistics of its program, whatever stood there before."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from callsheet.store.migrate import migrate
from callsheet.store.sqlite.database import Session, SqliteDatabase, connect
from callsheet.store.sqlite.statistics import tell_planner

LOOK = (
    "explain query plan select pos from contact where app = 1 and list_no = 1 and person = x'00' order by pos limit 1"
)
WITHOUT, WITH = "ix_contact_pos", "ix_contact_person"


def index_of(raw: sqlite3.Connection) -> str:
    plan = str(raw.execute(LOOK).fetchall())
    return next(name for name in (WITH, WITHOUT) if name in plan)


def spoil(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute(statement)


@pytest.mark.parametrize(
    "earlier",
    ["", "delete from sqlite_stat1", "drop table sqlite_stat1", "update sqlite_stat1 set stat = '10 10 10 10 10'"],
    ids=["new", "empty", "none", "other"],
)
async def test_the_writer_and_all_readers_know_them(tmp_path: Path, earlier: str) -> None:
    path = tmp_path / "callsheet.db"
    if earlier:
        await migrate(path)
        spoil(path, earlier)
        with closing(connect(path)) as before:
            assert index_of(before.raw) == WITHOUT
    await migrate(path)
    database = SqliteDatabase(path)
    readers: list[Session] = []
    try:
        found = [await database.write_raw(index_of)]
        while not database._readers.empty():
            readers.append(database._readers.get())
        found += [index_of(reader.raw) for reader in readers]
    finally:
        for reader in readers:
            database._readers.put(reader)
        await database.close()
    assert found == [WITH] * (1 + len(readers))
    assert len(readers) > 1


async def test_whoever_writes_them_knows_them_too(tmp_path: Path) -> None:
    path = tmp_path / "callsheet.db"
    await migrate(path)
    spoil(path, "delete from sqlite_stat1")
    with closing(connect(path)) as session:
        assert index_of(session.raw) == WITHOUT
        tell_planner(session.core)
        assert index_of(session.raw) == WITH


async def test_where_they_stand_already_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "callsheet.db"
    await migrate(path)
    before = path.read_bytes()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        # Whoever wrote now would have to wait for this one.
        other.execute("begin immediate")
        async with asyncio.timeout(60):
            assert await migrate(path) == []
        other.execute("rollback")
    assert path.read_bytes() == before
