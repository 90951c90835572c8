"""Calls that ring: which of them were forbidden since they were placed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from callsheet.clock import from_micros
from callsheet.core.attempt import Kind
from callsheet.core.campaign import Channel, Status
from callsheet.core.ids import AttemptKey
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.forbidden_replies import forbidden_persons
from callsheet.store.rows import one


class Told(NamedTuple):
    """What was recorded of the attempt of a call."""

    sender_no: int
    """Through which sender; 0: the run's own."""
    codes: Mapping[str, str]
    """What happened, by kind."""
    answered_at: datetime | None
    """When it was first recorded that somebody answered; None: nobody has, so far."""


class Ringing:
    """The calls that nobody has answered yet, as those who forbid see them."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def forbidden(
        self, app: int, run_no: int | None, dnc_lists: Collection[int], persons: Collection[bytes]
    ) -> set[bytes]:
        """Return whose phones must not ring any more, of those who are called in a run.

        Everybody's when the run was stopped, or all sending of the app was stopped; else of those who opted out, or are
        on the app's global DNC list or on one of `dnc_lists`. A pause lets phones ring. `run_no` None: no run is looked
        at, of those who are called beside a call.
        """

        def forbidden(conn: sa.Connection) -> set[bytes]:
            run, stop, entry = t.run, t.sending_stop, t.dnc_entry
            ended = sa.select(run.c.no).where(run.c.app == app, run.c.no == run_no, run.c.status == Status.stopped)
            if one(conn, ended) is not None or one(conn, sa.select(stop.c.app).where(stop.c.app == app)) is not None:
                return set(persons)
            mine = entry.c.app == app, entry.c.dnc_no.in_(dnc_lists), entry.c.person.in_(persons)
            listed = set(conn.execute(sa.select(entry.c.person).where(*mine)).scalars())
            return listed | forbidden_persons(conn, app, persons, Channel.voice)

        return await self._db.read(forbidden)

    async def told(self, app: int, key: AttemptKey) -> Told | None:
        """Return what was recorded of an attempt; None: there is no such attempt."""

        def told(conn: sa.Connection) -> Told | None:
            attempt, event = t.attempt, t.event
            known = one(conn, sa.select(attempt.c.sender_no).where(*_mine(attempt, app, key)))
            if known is None:
                return None
            query = sa.select(event.c.kind, event.c.code, event.c.at).where(*_mine(event, app, key))
            found = conn.execute(query).all()
            answered = [row.at for row in found if row.kind in (Kind.accepted, Kind.delivered)]
            codes = {row.kind: row.code for row in found}
            return Told(known["sender_no"], codes, from_micros(min(answered)) if answered else None)

        return await self._db.read(told)


def _mine(table: sa.Table, app: int, key: AttemptKey) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.app == app, table.c.run_no == key.run_no, table.c.person == key.person, table.c.n == key.n
