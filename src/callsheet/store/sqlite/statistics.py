"""What SQLite's planner is told of the contacts of a list, and of what people reply.

Without statistics it takes every table for a small one, and rather walks a list of a million contacts than use an index
that does not have all columns. Statistics that it gathers by itself would say the same while a list is short, and cost
time when it is long; so they are written down, for long lists, and plans stay what the tests have seen.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

_ROWS: Final = {
    "contact": {
        "contact": "10000000 10000000 1000000 100000 1",
        "ix_contact_pos": "10000000 10000000 1000000 1",
        "ix_contact_person": "10000000 10000000 1000000 1",
        "ix_contact_unique_id": "10000000 10000000 1000000 1",
    },
    "inbound": {
        "inbound": "1000000 1000000 1000000 1",
        "sqlite_autoindex_inbound_2": "1000000 1000000 1",
        "ix_inbound_app_at": "1000000 1000000 1",
        "ix_inbound_person": "1000000 1000000 5 1",
        "ix_inbound_waits_since": "1000000 1000000 1000000 noskipscan",
    },
    "inbound_part": {
        "inbound_part": "1000000 1000000 1000000 1",
        "ix_inbound_part_person": "1000000 1000000 5 1",
        "ix_inbound_part_waits_since": "1000000 1000000",
        "ix_inbound_part_heard_at": "1000000 100",
    },
}
"""By table and index, the first being the table's own key: its rows, and how many of them share the first column, the
first two, and so on (the format of `sqlite_stat1`)."""


def tell_planner(connection: sa.Connection) -> None:
    """Write the statistics, where they do not stand already; this connection and all that are opened later know them.

    SQLite reads them with the schema, when a connection looks into the file for the first time: one that was open
    before goes by what it read then.
    """
    if _is_told(connection):
        return
    # Makes the table of statistics, and looks at nothing of ours.
    connection.exec_driver_sql("analyze sqlite_schema")
    for table, indexes in _ROWS.items():
        connection.exec_driver_sql("delete from sqlite_stat1 where tbl = ?", (table,))
        for index, rows in indexes.items():
            told = "insert into sqlite_stat1 (tbl, idx, stat) values (?, ?, ?)"
            connection.exec_driver_sql(told, (table, index, rows))
    # Now it reads them.
    connection.exec_driver_sql("analyze sqlite_schema")


def _is_told(connection: sa.Connection) -> bool:
    if not sa.inspect(connection).has_table("sqlite_stat1"):
        return False
    wanted = {(table, index, rows) for table, indexes in _ROWS.items() for index, rows in indexes.items()}
    found = {tuple(row) for row in connection.exec_driver_sql("select tbl, idx, stat from sqlite_stat1")}
    return {row for row in found if row[0] in _ROWS} == wanted
