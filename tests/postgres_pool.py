"""Databases of PostgreSQL that tests take one after another: to empty one costs a tenth of making one.

Whoever gives a database back leaves it as it was made: nobody is connected, no row and no number of a sequence is left
but those of the migrations. One whose tables, triggers or settings are not those any more is dropped instead.
"""

from dataclasses import dataclass

import asyncpg

from postgres import create_database, drop_database

_LEAVE = """
select pg_terminate_backend(pid, 60000) from pg_stat_activity
where datname = current_database() and pid != pg_backend_pid()
"""

_WRITTEN = """
select oid::regclass::text from pg_class
where relkind = 'r' and relnamespace = 'public'::regnamespace and pg_relation_size(oid) > 0
"""

_COUNT_AGAIN = """
select setval(seqrelid, seqstart, false) from pg_sequence where pg_sequence_last_value(seqrelid) is not null
"""

_FORGET_STATISTICS = "delete from pg_statistic where starelid >= 16384"

# What a database inherits has the numbers of its template.
_SHAPE = """
select
(select sum(hashtext(format('%s %s %s %s', attrelid, attname, atttypid, attnotnull))::bigint)
    from pg_attribute where attrelid >= 16384 and attnum > 0),
(select sum(hashtext(format('%s %s', oid, relname))::bigint) from pg_class where oid >= 16384),
(select sum(hashtext(format('%s %s', oid, tgenabled))::bigint) from pg_trigger),
(select sum(oid::bigint) from pg_constraint where oid >= 16384),
(select sum(oid::bigint) from pg_proc where oid >= 16384),
(select string_agg(setconfig::text, '') from pg_db_role_setting, pg_database d
    where setdatabase = d.oid and d.datname = current_database())
"""


@dataclass(frozen=True)
class _Fresh:
    """A database as it is made."""

    shape: asyncpg.Record
    rows: dict[str, list[asyncpg.Record]]
    """What the migrations wrote, by table."""


_idle: list[str] = []
_fresh: list[_Fresh] = []


async def borrow_database() -> str:
    """Return the URL of a database with the newest schema and nothing in it."""
    if not _fresh:
        url = await create_database()
        connection = await asyncpg.connect(url)
        try:
            _fresh.append(await _look_at(connection))
        finally:
            await connection.close()
        return url
    return _idle.pop() if _idle else await create_database()


async def give_back_database(url: str) -> None:
    """Empty a database for whoever borrows it next."""
    connection = await asyncpg.connect(url)
    try:
        is_fresh = await _empty(connection)
    finally:
        await connection.close()
    if is_fresh:
        _idle.append(url)
    else:
        await drop_database(url)


async def _look_at(connection: asyncpg.Connection) -> _Fresh:
    assert not await connection.fetch(_COUNT_AGAIN), "what the migrations wrote took numbers of a sequence"
    tables = [table for (table,) in await connection.fetch(_WRITTEN)]
    rows = {table: await connection.fetch(f"select * from {table}") for table in tables}
    return _Fresh(await connection.fetchrow(_SHAPE), rows)


async def _empty(connection: asyncpg.Connection) -> bool:
    """Empty a database; false: its shape is another one."""
    (fresh,) = _fresh
    await connection.execute(_LEAVE)
    if await connection.fetchrow(_SHAPE) != fresh.shape:
        return False
    async with connection.transaction():
        written = {table for (table,) in await connection.fetch(_WRITTEN)}
        await connection.execute(f"truncate {', '.join(sorted(written | fresh.rows.keys()))} cascade")
        await connection.execute(_COUNT_AGAIN)
        await connection.execute(_FORGET_STATISTICS)
        for table, rows in fresh.rows.items():
            await connection.copy_records_to_table(table, records=rows)
    return True
