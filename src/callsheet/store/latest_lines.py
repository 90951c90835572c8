"""The latest message of conversations: who looks after several sees which has a new one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from callsheet.core.campaign import Channel
from callsheet.core.ids import NO_RUN
from callsheet.store import tables as t


class Latest(NamedTuple):
    """The latest message of a conversation."""

    at: int
    turn: int
    """At one instant they ask before we answer."""
    by: str
    """`contact`, `campaign`, or the kind of our answer."""


def latest_lines(conn: sa.Connection, app: int, rows: Sequence[Mapping[str, Any]]) -> dict[int, Latest]:
    """Return the latest messages of conversations, by their numbers; what is in none has not been said."""
    found: dict[int, Latest] = {}
    for no, line in (*_heard(conn, app, rows), *_said(conn, app, rows)):
        found[no] = max(found.get(no, line), line)
    for row in rows:
        # Whatever else was said came after what the campaign said.
        if row["run_no"] != NO_RUN:
            # In a call the flow speaks, from its first word to its last.
            is_call = row["channel"] == Channel.voice
            its = Latest(row["changed_at"], 1, "flow") if is_call else Latest(row["opened_at"], 0, "campaign")
            found.setdefault(row["no"], its)
    return found


def _heard(conn: sa.Connection, app: int, rows: Sequence[Mapping[str, Any]]) -> Iterable[tuple[int, Latest]]:
    inbound = t.inbound
    query = (
        sa.select(inbound.c.session_no, sa.func.max(inbound.c.at))
        .where(inbound.c.app == app, *_are(inbound, rows))
        .group_by(inbound.c.session_no)
    )
    return [(no, Latest(int(at), 0, "contact")) for no, at in conn.execute(query)] if rows else []


def _said(conn: sa.Connection, app: int, rows: Sequence[Mapping[str, Any]]) -> Iterable[tuple[int, Latest]]:
    reply = t.reply
    query = (
        sa.select(reply.c.session_no, reply.c.kind, sa.func.max(reply.c.at))
        .where(reply.c.app == app, *_are(reply, rows))
        .group_by(reply.c.session_no, reply.c.kind)
    )
    return [(no, Latest(int(at), 1, kind)) for no, kind, at in conn.execute(query)] if rows else []


def _are(table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> tuple[sa.ColumnElement[bool], ...]:
    """Choose what was said in conversations; by the person it is found."""
    return table.c.person.in_({row["person"] for row in rows}), table.c.session_no.in_([row["no"] for row in rows])
