"""Callbacks: contacts of a running campaign that are to be contacted at a time that somebody asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.attempt import fold
from callsheet.core.campaign import Status
from callsheet.core.retrying import CALLBACK, Latest, after_callback
from callsheet.core.run import Run
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.rows import all_of, insert, one

LOOK_AGAIN = timedelta(seconds=1)
"""How long a callback waits for the result of an attempt that is under way."""

_BATCH = 200


class Wanted(NamedTuple):
    """A person of a run, and when he wants to be contacted."""

    person: bytes
    at: datetime


class Callbacks:
    """The callbacks of all runs."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def ask(self, run: Run, wanted: Sequence[Wanted], now: datetime) -> Sequence[str]:
        """Write down callbacks; each takes the place of one that waits for the same person.

        Return for each why it cannot be: empty, `not_found`, `not_contactable` or `campaign_not_active`.
        """

        def ask(conn: sa.Connection) -> list[str]:
            held = sa.select(t.run.c.status).where(t.run.c.no == run.no).with_for_update()
            if conn.execute(held).scalar_one() not in (Status.active, Status.paused):
                return ["campaign_not_active"] * len(wanted)
            return [_ask(conn, run, one, now) for one in wanted]

        return await self._db.write(ask)

    async def awaited(self) -> Collection[int]:
        """Return the numbers of the active runs in which callbacks wait: nearly all runs have none."""
        run, callback = t.run, t.callback
        waits = sa.exists().where(callback.c.app == run.c.app, callback.c.run_no == run.c.no, callback.c.n == 0)
        query = sa.select(run.c.no).where(run.c.ended_at == 0, run.c.status == Status.active.value, waits)
        return await self._db.read(lambda conn: set(conn.execute(query).scalars()))

    async def queue(self, run: Run, now: datetime) -> datetime | None:
        """Let those whose time has come be contacted next, and return when the next one's time comes."""
        due = await self._next(run)
        if due is None or due > now:
            return due

        def queue(conn: sa.Connection) -> None:
            for row in _due(conn, run, now):
                _queue(conn, run, row, now)

        await self._db.write(queue)
        return await self._next(run)

    async def _next(self, run: Run) -> datetime | None:
        query = sa.select(sa.func.min(t.callback.c.due)).where(*_waiting(run))
        due = await self._db.read(lambda conn: conn.execute(query).scalar_one())
        return from_micros(due) if due is not None else None


def _waiting(run: Run) -> tuple[sa.ColumnElement[bool], ...]:
    callback = t.callback
    return callback.c.app == run.app, callback.c.run_no == run.no, callback.c.n == 0


def _ask(conn: sa.Connection, run: Run, wanted: Wanted, now: datetime) -> str:
    place = _latest(conn, run, wanted.person) or _contact(conn, run, wanted.person)
    if place is None:
        return "not_found"
    if "n" not in place and _is_suppressed(conn, run, wanted.person):
        return "not_contactable"
    conn.execute(sa.delete(t.callback).where(*_waiting(run), t.callback.c.person == wanted.person))
    # One that came to pass at the very same instant is done: this is another.
    taken = sa.select(sa.func.max(t.callback.c.due)).where(
        t.callback.c.app == run.app, t.callback.c.run_no == run.no, t.callback.c.person == wanted.person
    )
    due = max(to_micros(wanted.at), (conn.execute(taken).scalar_one() or 0) + 1)
    insert(
        conn,
        t.callback,
        app=run.app,
        run_no=run.no,
        person=wanted.person,
        due=due,
        list_no=place["list_no"],
        pos=place["pos"],
        group_no=place["group_no"],
        asked_at=to_micros(now),
    )
    return ""


def _latest(conn: sa.Connection, run: Run, person: bytes) -> Mapping[str, Any] | None:
    attempt = t.attempt
    query = (
        sa.select(attempt)
        .where(attempt.c.app == run.app, attempt.c.run_no == run.no, attempt.c.person == person)
        .order_by(attempt.c.n.desc())
        .limit(1)
    )
    return one(conn, query)


def _contact(conn: sa.Connection, run: Run, person: bytes) -> Mapping[str, Any] | None:
    """Return where a person stands in the first of the run's lists that has him."""
    contact = t.contact
    for list_no in run.lists:
        query = (
            sa.select(contact.c.list_no, contact.c.pos, contact.c.group_no)
            .where(contact.c.app == run.app, contact.c.list_no == list_no, contact.c.person == person)
            .order_by(contact.c.pos)
            .limit(1)
        )
        if found := one(conn, query):
            return found
    return None


def _is_suppressed(conn: sa.Connection, run: Run, person: bytes) -> bool:
    suppression = t.suppression
    where = suppression.c.app == run.app, suppression.c.run_no == run.no, suppression.c.person == person
    return one(conn, sa.select(suppression.c.pos).where(*where).limit(1)) is not None


def _due(conn: sa.Connection, run: Run, now: datetime) -> list[Mapping[str, Any]]:
    callback = t.callback
    query = sa.select(callback).where(*_waiting(run), callback.c.due <= to_micros(now)).order_by(callback.c.due)
    # What another node is queueing at this moment is its own.
    return all_of(conn, query.limit(_BATCH).with_for_update(skip_locked=True))


def _queue(conn: sa.Connection, run: Run, row: Mapping[str, Any], now: datetime) -> None:
    """Put one contact among those that come first; whatever else it was waiting for is taken off."""
    callback, retry, event = t.callback, t.retry, t.event
    place = retry.c.app == run.app, retry.c.run_no == run.no, retry.c.list_no == row["list_no"]
    conn.execute(sa.delete(retry).where(*place, retry.c.pos == row["pos"]))
    found = _latest(conn, run, row["person"])
    latest = None
    if found is not None:
        kinds = sa.select(event.c.kind).where(*(event.c[key] == found[key] for key in ("app", "run_no", "person", "n")))
        latest = Latest(found["n"], found["used"], fold(conn.execute(kinds).scalars()))
    again = after_callback(latest, now)
    mine = sa.update(callback).where(*(callback.c[key] == row[key] for key in ("app", "run_no", "person", "due")))
    if again is None:
        conn.execute(mine.values(due=to_micros(now + LOOK_AGAIN)))
        return
    conn.execute(mine.values(n=again.n))
    insert(
        conn,
        retry,
        **{key: row[key] for key in ("app", "run_no", "list_no", "pos", "person", "group_no")},
        turn=int(again.turn),
        due=to_micros(again.due_at),
        n=again.n,
        used=again.used,
        reason=CALLBACK,
    )
