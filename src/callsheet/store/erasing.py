"""Erasing: the contacts of lists that were deleted go block by block, so that no writer waits for a large list.

With a contact go the numbers that stand with its replies, what was said, pressed and recorded in calls to it, and the
conversations with it end; what was written stays in the history of the person.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from callsheet.core.flow.session import Ending
from callsheet.core.ids import AttemptKey
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.flow_ends import end_sessions, of_list
from callsheet.store.rows import insert, one

LIST_GONE: Final = "The list of the contact was deleted."

_OLDEST = (
    sa.select(t.list_erasure)
    .order_by(t.list_erasure.c.app, t.list_erasure.c.list_no)
    .limit(1)
    .with_for_update(skip_locked=True)
)


class Erasing:
    """What is still to be erased, of all apps."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def erase(self, most: int, now: datetime) -> bool:
        """Erase at most so many contacts of one deleted list; False when nothing is left, or others are at it."""
        return await self._db.write(lambda conn: _erase(conn, most, now))


def condemn(conn: sa.Connection, app: int, list_no: int, size: int) -> None:
    """Note that the contacts of a list are to be erased, in the transaction that deletes the list."""
    insert(conn, t.list_erasure, app=app, list_no=list_no, size=size)


def _erase(conn: sa.Connection, most: int, now: datetime) -> bool:
    erasure = t.list_erasure
    row = one(conn, _OLDEST)
    if row is None:
        return False
    app, list_no, end = row["app"], row["list_no"], row["pos"] + most
    block = t.contact.c.pos >= row["pos"], t.contact.c.pos < end
    # What conversations know of the contacts goes with them.
    talks = of_list(app, _persons(app, list_no, *block), list_no)
    end_sessions(conn, app, talks, Ending.closed, now, LIST_GONE)
    _forget_numbers(conn, app, list_no, *block)
    _forget_calls(conn, app, list_no, *block)
    _drop(conn, t.contact, app, list_no, *block)
    if end < row["size"]:
        mine = erasure.c.app == app, erasure.c.list_no == list_no
        conn.execute(sa.update(erasure).where(*mine).values(pos=end))
    else:
        _drop(conn, t.list_group, app, list_no)
        _drop(conn, erasure, app, list_no)
    return True


def _drop(conn: sa.Connection, table: sa.Table, app: int, list_no: int, *where: sa.ColumnElement[bool]) -> None:
    conn.execute(sa.delete(table).where(table.c.app == app, table.c.list_no == list_no, *where))


def _persons(app: int, list_no: int, *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    contact = t.contact
    return sa.select(contact.c.person).where(contact.c.app == app, contact.c.list_no == list_no, *where)


def _forget_numbers(conn: sa.Connection, app: int, list_no: int, *where: sa.ColumnElement[bool]) -> None:
    """Erase what replies keep of the numbers of contacts; another list that has one shows it still."""
    inbound, persons = t.inbound, _persons(app, list_no, *where)
    mine = inbound.c.app == app, inbound.c.person.in_(persons), inbound.c.number_sealed != b""
    conn.execute(sa.update(inbound).where(*mine).values(number_sealed=b""))


def _forget_calls(conn: sa.Connection, app: int, list_no: int, *where: sa.ColumnElement[bool]) -> None:
    """Erase what was said, pressed and recorded in calls to contacts of a list; what came of them stays."""
    call, recording, attempt = t.call, t.recording, t.attempt
    its = (attempt.c[name] == call.c[name] for name in ("app", "run_no", "person", "n"))
    called = sa.select(call.c.run_no, call.c.person, call.c.n).where(
        call.c.app == app, call.c.person.in_(_persons(app, list_no, *where))
    )
    called = called.join(attempt, sa.and_(*its)).where(attempt.c.list_no == list_no)
    for run_no, person, n in conn.execute(called).all():
        key = AttemptKey(run_no, person, n)
        conn.execute(sa.update(call).where(*_is(call, app, key)).values(timeline_sealed=b"", detection=""))
        conn.execute(sa.delete(recording).where(*_is(recording, app, key)))


def _is(table: sa.Table, app: int, key: AttemptKey) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.app == app, *(table.c[name] == value for name, value in key._asdict().items())
