"""Whose answers are to leave next: some of each sender and of each app, the most urgent first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import sqlalchemy as sa

from callsheet.core.allowance import Bucket, buckets_of
from callsheet.core.answering import URGENCY, ReplyKind, ReplyState
from callsheet.core.run import AppSettings
from callsheet.store import tables as t
from callsheet.store.rows import all_of, read_allowance, read_settings

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
    """Return what is to leave next, the most urgent first, and when to look again, in microseconds."""
    held, limit = wanted.held, wanted.limit
    turns = _turns(wanted.at, wanted.trunks, wanted.resting)
    apps = held.keys() | set(conn.execute(sa.select(turns.c.app).distinct()).scalars())
    share = max(1, (limit + sum(held.values())) // (len(apps) + 1))
    found = _read_all(all_of(conn, _due(turns, held, share, limit)))
    return found, _next_at(conn, wanted.at, wanted.trunks)


def _due(turns: sa.Subquery, held: Mapping[int, int], share: int, limit: int) -> sa.Select[Any]:
    """Choose from what is due: of no app more than its share, those first that have least."""
    reply, sender = t.reply, t.sender
    of_app = sa.func.row_number().over(
        partition_by=turns.c.app, order_by=(turns.c.urgency, turns.c.turn, turns.c.next_at, turns.c.no)
    )
    has = sa.case(held, value=turns.c.app, else_=0) if held else sa.literal(0)
    places = sa.select(turns.c.no, turns.c.urgency, (of_app + has).label("place"))
    turn = places.where(turns.c.turn <= MOST_OF_SENDER).subquery("places")
    return (
        sa.select(
            reply.c.no,
            reply.c.app,
            reply.c.person,
            reply.c.kind,
            reply.c.trunk_no,
            reply.c.sender,
            reply.c.next_at,
            reply.c.tries,
            reply.c.segments,
            t.app.c.settings,
        )
        .add_columns(sender.c.id.label("sender_id"), sender.c.segments_per_second, sender.c.limits)
        .add_columns(t.trunk.c.id.label("trunk_id"), t.trunk.c.limits.label("trunk_limits"))
        .join(turn, turn.c.no == reply.c.no)
        .join(t.app, t.app.c.no == reply.c.app)
        .join(t.trunk, t.trunk.c.no == reply.c.trunk_no)
        .outerjoin(
            sender,
            sa.and_(sender.c.app == reply.c.app, sender.c.label == reply.c.sender, sender.c.deleted_at == 0),
        )
        .where(turn.c.place <= share)
        .order_by(turn.c.urgency, turn.c.place, reply.c.next_at, reply.c.no)
        .limit(limit)
    )


def _turns(at: int, trunks: Collection[int], resting: Collection[From]) -> sa.Subquery:
    """Number what is due by senders, the most urgent first: who has many messages waiting holds up no other."""
    reply = t.reply
    urgency = sa.case({kind.value: rank for rank, kind in enumerate(URGENCY)}, value=reply.c.kind, else_=len(URGENCY))
    source = reply.c.app, reply.c.trunk_no, reply.c.sender
    turn = sa.func.row_number().over(partition_by=source, order_by=(urgency, reply.c.next_at, reply.c.no))
    due = (
        reply.c.next_at.between(1, at), reply.c.trunk_no.in_(trunks),
        reply.c.state == ReplyState.waiting.value, sa.tuple_(*source).not_in(resting),
    )  # fmt: skip
    columns = reply.c.no, reply.c.app, reply.c.next_at
    return sa.select(*columns, urgency.label("urgency"), turn.label("turn")).where(*due).subquery("turns")


def _next_at(conn: sa.Connection, at: int, trunks: Collection[int]) -> int | None:
    """Return when something is to be looked at again: one is due, a trunk may be free again, time has run out."""
    reply = t.reply
    waits = reply.c.state == ReplyState.waiting.value
    instant = sa.case(
        (sa.and_(waits, reply.c.next_at > at), reply.c.next_at),
        (sa.and_(waits, reply.c.trunk_no.not_in(trunks)), at + _TRUNK_LOOKS_AGAIN),
        (waits, reply.c.deadline_at),
        else_=reply.c.next_at,
    )
    soonest: int | None = conn.execute(sa.select(sa.func.min(instant)).where(reply.c.next_at > 0)).scalar()
    return soonest


def _read_all(rows: Collection[Mapping[str, Any]]) -> list[DueReply]:
    known: dict[From, DueReply] = {}
    found = []
    for row in rows:
        source = From(row["app"], row["trunk_no"], row["sender"])
        # What limits a sender is read once for all of its messages.
        like = known.get(source) or known.setdefault(source, _read(row, source))
        found.append(
            replace(
                like, no=row["no"], person=row["person"], kind=ReplyKind(row["kind"]),
                tries=row["tries"], segments=row["segments"],
            )
        )  # fmt: skip
    return found


def _read(row: Mapping[str, Any], source: From) -> DueReply:
    own = replace(read_allowance(row["limits"] or "{}"), segments_per_second=row["segments_per_second"])
    buckets = buckets_of(row["sender_id"] or "", own)
    return DueReply(
        row["no"],
        row["person"],
        ReplyKind(row["kind"]),
        source,
        row["sender_id"] or "",
        (*buckets, *buckets_of(row["trunk_id"], read_allowance(row["trunk_limits"]))),
        read_settings(row["settings"]),
        row["tries"],
        row["segments"],
    )
