"""The schema that the steps make is the schema that the program speaks of."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError, ProgrammingError

from callsheet.core.errors import Conflict, Unavailable
from callsheet.store import migrate as migrating
from callsheet.store.migrate import current, migrate, pending
from callsheet.store.tables import metadata
from databases import DATABASES
from house.tree import ROOT
from postgres import create_database, drop_database


@pytest.fixture(params=DATABASES)
async def empty(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """Name a database with nothing in it."""
    if request.param == "sqlite":
        yield str(tmp_path / "empty.db")
    else:
        url = await create_database("template0")
        yield url
        await drop_database(url)


async def on(url: str, run: Callable[[sa.Connection], Any]) -> Any:
    return await migrating._on(url, run)


def differences(connection: sa.Connection) -> list[Any]:
    # Defaults are left to `catalogue`: Alembic takes an empty text on SQLite for a change.
    return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)


def catalogue(connection: sa.Connection) -> list[tuple[Any, ...]]:
    """Read everything that the database itself knows of our tables: more than Alembic compares."""
    if connection.dialect.name == "sqlite":
        return sorted(
            (name, " ".join(sql.split()) if sql else "")
            for name, sql in connection.exec_driver_sql("select name, sql from sqlite_master")
            if "alembic" not in name and name != "sqlite_stat1"
        )
    columns = connection.exec_driver_sql(
        "select table_name, column_name, data_type, is_nullable, column_default from information_schema.columns"
        " where table_schema = 'public' and table_name != 'alembic_version'"
    )
    indexes = connection.exec_driver_sql(
        "select indexname, indexdef from pg_indexes where schemaname = 'public' and tablename != 'alembic_version'"
    )
    # NOT NULL is a constraint of its own since version 18, named by the order of things; the columns tell it too.
    constraints = connection.exec_driver_sql(
        "select conname, contype::text, pg_get_constraintdef(oid) from pg_constraint"
        " where connamespace = 'public'::regnamespace and conname not like '%%alembic%%' and contype != 'n'"
    )
    return sorted([*map(tuple, columns), *map(tuple, indexes), *map(tuple, constraints)], key=str)


async def test_the_steps_make_what_the_program_speaks_of(empty: str):
    await migrate(empty)

    assert await on(empty, differences) == []


async def test_the_database_knows_no_difference_between_the_steps_and_the_tables(empty: str, tmp_path: Path):
    other = str(tmp_path / "other.db") if empty.endswith(".db") else await create_database("template0")
    await migrate(empty)

    await on(other, metadata.create_all)

    walked, made = await on(empty, catalogue), await on(other, catalogue)
    if not other.endswith(".db"):
        await drop_database(other)
    assert len(made) > len(metadata.tables)
    assert walked == made


async def test_a_second_walk_changes_nothing(empty: str):
    assert await current(empty) is None
    waiting = await pending(empty)

    walked = await migrate(empty)

    assert walked == waiting
    assert [step.number for step in walked] == sorted(step.number for step in walked)
    assert await current(empty) == walked[-1].number
    assert await pending(empty) == []
    assert await migrate(empty) == []


async def test_two_programs_that_start_at_once_walk_once():
    url = await create_database("template0")

    walks = await asyncio.gather(*(migrate(url) for _ in range(4)))

    assert sorted(map(bool, walks)) == [False, False, False, True]
    await drop_database(url)


async def test_a_walk_that_fails_leaves_nothing_behind(empty: str, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        # All tables are made, and then the walk cannot be written down.
        patch.setattr(MigrationContext, "_ensure_version_table", lambda _self: None)
        with pytest.raises((OperationalError, ProgrammingError)):
            await migrate(empty)

    assert await current(empty) is None
    assert await on(empty, catalogue) == []
    assert await migrate(empty)


async def test_the_way_back_leaves_an_empty_database(empty: str):
    await migrate(empty)

    await on(empty, lambda connection: command.downgrade(migrating.alembic_config(connection), "base"))

    assert await on(empty, catalogue) in ([], [("sqlite_sequence", "CREATE TABLE sqlite_sequence(name,seq)")])


async def test_whoever_only_asks_makes_no_file(tmp_path: Path):
    missing = tmp_path / "missing.db"

    assert await current(missing) is None
    assert [step.number for step in await pending(missing)] == ["0001"]

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/nothing", "postgresql:///x?host=/nowhere"])
async def test_a_database_that_does_not_answer_is_said_so(url: str):
    with pytest.raises(Unavailable, match="let us in"):
        await migrate(url)


async def test_a_database_of_a_newer_program_is_refused(empty: str):
    await migrate(empty)
    await on(empty, lambda connection: connection.execute(sa.text("update alembic_version set version_num = '9999'")))

    with pytest.raises(Conflict, match="newer"):
        await migrate(empty)
    with pytest.raises(Conflict, match="9999"):
        await pending(empty)


def test_no_step_makes_everybody_wait_behind_it():
    steps = [Path(step.path).read_text("utf-8") for step in ScriptDirectory(str(migrating.FOLDER)).walk_revisions()]

    assert steps
    assert {text.count("SET LOCAL lock_timeout = '5s'") for text in steps} == {2}


async def test_the_way_to_a_step_waits_for_a_lock_five_seconds_at_most():
    url = await create_database("template0")

    def walk(connection: sa.Connection) -> Any:
        migrating.upgrade(connection)
        return connection.exec_driver_sql("show lock_timeout").scalar_one()

    assert await on(url, walk) == "5s"
    assert await on(url, lambda connection: connection.exec_driver_sql("show lock_timeout").scalar_one()) == "0"
    await drop_database(url)


def test_rows_without_a_number_of_their_own_lie_in_the_order_of_their_key(tmp_path: Path):
    path = tmp_path / "order.db"
    asyncio.run(migrate(path))
    with sqlite3.connect(path) as raw:
        plain = {
            name
            for name, sql in raw.execute("select name, sql from sqlite_master where type = 'table'")
            if "WITHOUT ROWID" not in sql and "INTEGER" not in sql and not name.startswith(("sqlite_", "alembic_"))
        }
    raw.close()
    assert plain == {"account"}


async def test_a_file_that_is_no_database_is_a_sentence(tmp_path):
    (tmp_path / "callsheet.db").write_text("hello")

    for walk in (migrate, pending):
        with pytest.raises(Conflict, match=r"callsheet\.db cannot be opened as a database: file is not a database"):
            await walk(tmp_path / "callsheet.db")


async def test_a_database_from_before_the_first_release_is_refused_and_not_used_half(empty: str):
    await migrate(empty)
    await on(empty, lambda connection: connection.execute(sa.text("alter table run drop column only_unreached")))

    with pytest.raises(Conflict, match=r"before the first release, and lacks run\.only_unreached"):
        await migrate(empty)


def test_a_step_is_written_again_to_the_letter(tmp_path: Path):
    source = tmp_path / "src"
    shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
    versions = source / "callsheet" / "store" / "migrations" / "versions"
    before = {path.name: path.read_text() for path in versions.glob("*.py")}
    newest = max(before)
    sentence = before[newest].splitlines()[0].strip('"').removesuffix(".")

    writer = [sys.executable, "-m", "callsheet.store.migrations", newest[:4], sentence]
    subprocess.run(writer, env={**os.environ, "PYTHONPATH": str(source)}, check=True, capture_output=True)

    assert {path.name: path.read_text() for path in versions.glob("*.py")} == before
