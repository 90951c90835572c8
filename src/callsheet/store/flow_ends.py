"""Ending conversations from outside: somebody opted out, a newer one began, a list was erased, a store was restored."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.flow.session import Awaits, Ending
from callsheet.core.ids import NO_RUN
from callsheet.core.notice import NoticeKind
from callsheet.store import tables as t
from callsheet.store.flow_places import hold_places, is_call
from callsheet.store.outbox import announce_all
from callsheet.store.rows import all_of, to_json

NOTHING_KEPT: Mapping[str, Any] = {
    "state_sealed": b"", "columns_sealed": b"", "awaits": Awaits.nothing.value, "wakes_at": 0, "queue_no": 0,
}  # fmt: skip
"""What a conversation has after its end: what it knew of the contact is forgotten, what was said stays."""
FEW = 500
"""So many are named in one statement."""


END = (
    "update flow_session set state_sealed = '', columns_sealed = '', awaits = 'nothing', wakes_at = 0, queue_no = 0,"
    " revision = revision + 1, ending = {0}, ended_at = {1}, changed_at = {1}"
)
"""The same by hand; what it is given are the ending and the instant."""


def ended_notice(talk_id: str, person: bytes, ending: Ending) -> tuple[str, str]:
    """Return kind and payload (JSON) of the notice that a conversation has ended, for the hand that ends it."""
    return NoticeKind.conversation_ended.value, to_json(ended_facts({"id": talk_id, "person": person}, ending.value))


def ended_facts(row: Mapping[str, Any], ending: str) -> Mapping[str, Any]:
    """Return what a notice says of a conversation that ended."""
    return {"conversation_id": row["id"], "person_id": row["person"].hex(), "ending": ending}


def end_of_persons(conn: sa.Connection, app: int, persons: Collection[bytes], ending: Ending, now: datetime) -> int:
    """End the open conversations of people by text, and return how many they were."""
    wanted, ended = sorted(persons), 0
    for i in range(0, len(wanted), FEW):
        held = hold_places(conn, app, wanted[i : i + FEW])
        texts = [one.no for one in held if not is_call(one.sender)]
        ended += end_held_sessions(conn, app, texts, ending, now) if texts else 0
    return ended


def end_sessions(conn: sa.Connection, app: int, which: Any, ending: Ending, now: datetime, why: str = "") -> int:
    """End the open conversations of these numbers, and return how many they were."""
    session = t.flow_session
    mine = session.c.app == app, session.c.no.in_(which), session.c.ended_at == 0
    persons = set(conn.execute(sa.select(session.c.person).where(*mine)).scalars())
    hold_places(conn, app, persons)
    return end_held_sessions(conn, app, which, ending, now, why) if persons else 0


def end_held_sessions(conn: sa.Connection, app: int, which: Any, ending: Ending, now: datetime, why: str = "") -> int:
    """End those of these conversations that are open, whose places are held, and return how many they were."""
    session = t.flow_session
    mine = session.c.app == app, session.c.no.in_(which), session.c.ended_at == 0
    rows = all_of(
        conn,
        sa.select(session.c.no, session.c.id, session.c.person).where(*mine).order_by(session.c.no).with_for_update(),
    )
    if not rows:
        return 0
    nos = [row["no"] for row in rows]
    at = to_micros(now)
    conn.execute(
        sa.update(session)
        .where(session.c.app == app, session.c.no.in_(nos))
        .values(
            **NOTHING_KEPT, ending=ending.value, why=why, ended_at=at, changed_at=at, revision=session.c.revision + 1
        )
    )
    conn.execute(sa.delete(t.errand).where(t.errand.c.app == app, t.errand.c.session_no.in_(nos)))
    talking = t.open_session
    persons = {row["person"] for row in rows}
    closed = talking.c.app == app, talking.c.person.in_(persons), talking.c.session_no.in_(nos)
    conn.execute(sa.delete(talking).where(*closed))
    release_replies(conn, app, persons)
    told = [(NoticeKind.conversation_ended, ended_facts(row, ending.value)) for row in rows]
    announce_all(conn, app, told, now)
    return len(rows)


def release_replies(conn: sa.Connection, app: int, persons: Collection[bytes]) -> None:
    """Let what waited for conversations of people go on by itself; what somebody has in hand just now does."""
    inbound = t.inbound
    waits = inbound.c.app == app, inbound.c.person.in_(persons), inbound.c.waits_since > 0, inbound.c.lease_until > 0
    free = sa.select(inbound.c.id).where(*waits).with_for_update(skip_locked=True)
    conn.execute(sa.update(inbound).where(*waits, inbound.c.id.in_(free)).values(lease_until=0))


def of_list(app: int, persons: sa.Select[Any], list_no: int) -> sa.Select[Any]:
    """Choose the open conversations that attempts of these people in a list began, or replies of theirs.

    What a reply began may know the contact of any list.
    """
    session, attempt = t.flow_session, t.attempt
    own = (
        attempt.c.app == app, attempt.c.run_no == session.c.run_no, attempt.c.person == session.c.person,
        attempt.c.n == session.c.n, attempt.c.list_no == list_no,
    )  # fmt: skip
    mine = session.c.app == app, session.c.person.in_(persons), session.c.ended_at == 0
    return sa.select(session.c.no).where(*mine, (session.c.run_no == NO_RUN) | sa.exists().where(*own))
