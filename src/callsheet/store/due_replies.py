"""Whose answers are to leave next: some of each sender and of each app, the most urgent first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import sqlalchemy as sa

from callsheet.core.allowance import Bucket, buckets_of
from callsheet.core.answering import PATIENT, URGENCY, ReplyKind, ReplyState
from callsheet.core.run import AppSettings
from callsheet.store import tables as t
from callsheet.store.rows import one, read_allowance, read_settings

MOST_OF_SENDER = 256
"""So many messages of one sender are worked on at once: it has a pace, and others wait."""
_TRUNK_LOOKS_AGAIN = 250_000
"""After so many microseconds it is looked whether a trunk that was busy, or closed, takes something."""


class From(NamedTuple):
    """Whose turn it is: messages of one sender leave one after another, and hold up no other's."""

    app: int
    trunk_no: int
    sender: str


@dataclass(frozen=True, slots=True)
class DueReply:
    """A message that is due, and the pace that it has to keep."""

    no: int
    person: bytes
    kind: ReplyKind
    source: From
    sender_id: str
    """Empty: nobody configured the sender."""
    buckets: tuple[Bucket, ...]
    """What limits its sender and its trunk."""
    settings: AppSettings
    tries: int
    segments: int
    run_no: int = 0
    """The run for which it is said though nobody asked just now; 0: it was asked for."""


class Wanted(NamedTuple):
    """What is asked for: messages that are due on these trunks."""

    at: int
    """Microseconds UTC."""
    trunks: Collection[int]
    resting: Collection[From]
    """Senders of which none is wanted."""
    held: Mapping[int, int]
    """How many places each app has now, beside the `limit` that are free."""
    limit: int


def find_due(conn: sa.Connection, wanted: Wanted) -> tuple[list[DueReply], int | None]:
    """Return what is to leave next, the most urgent first; where there is nothing, when to look again (microseconds).

    Asked many times a second: the statements are made once, and what limits a sender is read once for all of its
    messages.
    """
    values = {"at": wanted.at, "trunks": list(wanted.trunks), "resting": [tuple(one) for one in wanted.resting]}
    apps = set(conn.execute(_APPS, values).scalars())
    if not apps:
        return [], conn.execute(_NEXT_AT, {"at": wanted.at, "trunks": values["trunks"]}).scalar()
    share = max(1, (wanted.limit + sum(wanted.held.values())) // (len(apps | wanted.held.keys()) + 1))
    rows = conn.execute(_TURNS, {**values, "share": share}).all()
    chosen = sorted((row for row in rows if _place(row, wanted) <= share), key=lambda row: _order(row, wanted))
    known: dict[From, DueReply | None] = {}
    found = []
    for row in chosen[: wanted.limit]:
        source = From(row.app, row.trunk_no, row.sender)
        like = known[source] if source in known else known.setdefault(source, _read_source(conn, source))
        if like is not None:
            found.append(
                DueReply(
                    row.no, row.person, ReplyKind(row.kind), source, like.sender_id, like.buckets, like.settings,
                    row.tries, row.segments, row.run_no,
                )
            )  # fmt: skip
    return found, None


def _place(row: Any, wanted: Wanted) -> int:
    """Return the how manieth of its app it would be, with those that have places."""
    place: int = row.place + wanted.held.get(row.app, 0)
    return place


def _order(row: Any, wanted: Wanted) -> tuple[int, ...]:
    """Order what is due: the most urgent first, then who has least."""
    return row.urgency, _place(row, wanted), row.next_at, row.no


def is_kept() -> sa.ColumnElement[bool]:
    """Tell what waits until the sending of its app is allowed again, however long that takes."""
    reply, stopped = t.reply, sa.select(t.sending_stop.c.app)
    waits = reply.c.state == ReplyState.waiting.value
    return sa.and_(waits, reply.c.kind.in_([kind.value for kind in PATIENT]), reply.c.app.in_(stopped))


def _due() -> tuple[sa.ColumnElement[bool], ...]:
    reply = t.reply
    source = sa.tuple_(reply.c.app, reply.c.trunk_no, reply.c.sender)
    return (
        reply.c.next_at.between(1, sa.bindparam("at")),
        reply.c.trunk_no.in_(sa.bindparam("trunks", expanding=True)),
        reply.c.state == ReplyState.waiting.value,
        reply.c.app.not_in(sa.select(t.sending_stop.c.app)),
        source.not_in(sa.bindparam("resting", expanding=True)),
    )


def _turns() -> sa.Select[Any]:
    """Number what is due by senders, and those by apps: who has many messages waiting holds up no other."""
    reply = t.reply
    urgency = sa.case({kind.value: rank for rank, kind in enumerate(URGENCY)}, value=reply.c.kind, else_=len(URGENCY))
    source = reply.c.app, reply.c.trunk_no, reply.c.sender
    turn = sa.func.row_number().over(partition_by=source, order_by=(urgency, reply.c.next_at, reply.c.no))
    columns = (
        reply.c.no,
        *source,
        reply.c.person,
        reply.c.kind,
        reply.c.next_at,
        reply.c.tries,
        reply.c.segments,
        reply.c.run_no,
    )
    turns = sa.select(*columns, urgency.label("urgency"), turn.label("turn")).where(*_due()).subquery("turns")
    order = turns.c.urgency, turns.c.turn, turns.c.next_at, turns.c.no
    of_app = sa.func.row_number().over(partition_by=turns.c.app, order_by=order)
    places = sa.select(turns, of_app.label("place")).where(turns.c.turn <= MOST_OF_SENDER).subquery("places")
    return sa.select(places).where(places.c.place <= sa.bindparam("share"))


def _next_at() -> sa.Select[Any]:
    """Return when something is to be looked at again: one is due, a trunk may be free again, time has run out."""
    reply, at = t.reply, sa.bindparam("at", type_=sa.BigInteger())
    waits = reply.c.state == ReplyState.waiting.value
    # Of an app whose sending was stopped nothing is due, but what is too late ends.
    stopped = sa.select(t.sending_stop.c.app)
    instant = sa.case(
        (sa.and_(waits, reply.c.app.in_(stopped)), reply.c.deadline_at),
        (sa.and_(waits, reply.c.next_at > at), reply.c.next_at),
        (sa.and_(waits, reply.c.trunk_no.not_in(sa.bindparam("trunks", expanding=True))), at + _TRUNK_LOOKS_AGAIN),
        (waits, reply.c.deadline_at),
        else_=reply.c.next_at,
    )
    return sa.select(sa.func.min(instant)).where(reply.c.next_at > 0, ~is_kept())


def _source() -> sa.Select[Any]:
    sender = t.sender
    its = sa.and_(sender.c.app == t.app.c.no, sender.c.label == sa.bindparam("sender"), sender.c.deleted_at == 0)
    return (
        sa.select(t.app.c.settings, sender.c.id.label("sender_id"), sender.c.segments_per_second, sender.c.limits)
        .add_columns(t.trunk.c.id.label("trunk_id"), t.trunk.c.limits.label("trunk_limits"))
        .select_from(t.app)
        .join(t.trunk, t.trunk.c.no == sa.bindparam("trunk_no"))
        .outerjoin(sender, its)
        .where(t.app.c.no == sa.bindparam("app"))
    )


_APPS = sa.select(t.reply.c.app).where(*_due()).distinct()
_TURNS = _turns()
_NEXT_AT = _next_at()
_SOURCE = _source()


def _read_source(conn: sa.Connection, source: From) -> DueReply | None:
    """Return what the messages of a sender have in common; None: its trunk is gone."""
    row = one(conn, _SOURCE, source._asdict())
    if row is None:
        return None
    own = replace(read_allowance(row["limits"] or "{}"), segments_per_second=row["segments_per_second"])
    buckets = buckets_of(row["sender_id"] or "", own)
    return DueReply(
        0,
        b"",
        ReplyKind.stop,
        source,
        row["sender_id"] or "",
        (*buckets, *buckets_of(row["trunk_id"], read_allowance(row["trunk_limits"]))),
        read_settings(row["settings"]),
        0,
        0,
    )
