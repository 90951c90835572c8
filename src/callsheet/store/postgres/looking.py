"""Look at a PostgreSQL server from outside: what an operator has to know of it before anything is done."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import asyncpg

from callsheet.core.errors import Unavailable


class Facts(NamedTuple):
    """What a server says of itself, and of our database."""

    version_num: int
    """170002: major version times 10,000, and the minor one."""
    version: str
    encoding: str
    settings: dict[str, str]
    """`synchronous_commit`, `fsync` and `full_page_writes`: whether what it answered survives a power cut."""
    now: datetime
    nodes: int
    """Connections of running programs of ours."""


async def look(url: str) -> Facts:
    """Ask a server. Raises Unavailable when it does not let us in."""
    try:
        raw = await asyncpg.connect(url)
        try:
            row = await raw.fetchrow(
                "select current_setting('server_version_num')::int, current_setting('server_version'),"
                " pg_encoding_to_char(encoding), clock_timestamp(), (select count(*) from pg_stat_activity"
                "  where application_name = 'callsheet' and datname = current_database())"
                " from pg_database where datname = current_database()"
            )
            names = ("synchronous_commit", "fsync", "full_page_writes")
            settings = {name: await raw.fetchval("select current_setting($1)", name) for name in names}
        finally:
            await raw.close()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise Unavailable(f"The database does not let us in: {error}.") from error
    version_num, version, encoding, now, nodes = row
    return Facts(version_num, version, encoding, settings, now, nodes)
