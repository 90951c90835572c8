"""What others are told of calls: that somebody answered, and how a call ended.

Each is told once, however often it is written down.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from callsheet.clock import from_micros
from callsheet.core.ids import AttemptKey, encode_attempt
from callsheet.core.notice import NoticeKind
from callsheet.core.recording import Recorded
from callsheet.store import tables as t
from callsheet.store.outbox import announce_past
from callsheet.store.recordings import WHOLE_CALL, recordings_of
from callsheet.store.rows import all_of

if TYPE_CHECKING:
    from callsheet.store.calls import CallRow

_MICROS: Final = 1_000_000


class News(NamedTuple):
    """What is new of the calls of an app."""

    answered: set[AttemptKey]
    ended: set[AttemptKey]


def find_news(conn: sa.Connection, rows: Sequence[CallRow]) -> dict[int, News]:
    """Return what nobody was told yet of calls, by app, before they are written down."""
    found = {}
    by_app: dict[int, dict[AttemptKey, CallRow]] = defaultdict(dict)
    for row in rows:
        if row.answered_at is not None or row.ended_at is not None:
            by_app[row.app][row.key] = row
    # In the same order as everybody else, who might wait for us.
    for app, mine in sorted(by_app.items()):
        told = _told(conn, app, mine.keys())
        answered = {key for key, row in mine.items() if row.answered_at is not None and not told.get(key, (0, 0))[0]}
        ended = {key for key, row in mine.items() if row.ended_at is not None and not told.get(key, (0, 0))[1]}
        found[app] = News(answered, ended)
    return found


def _told(conn: sa.Connection, app: int, keys: Collection[AttemptKey]) -> dict[AttemptKey, tuple[int, int]]:
    """Return when calls were answered, and ended, as far as it stands written; 0: it does not."""
    call = t.call
    query = sa.select(call.c.run_no, call.c.person, call.c.n, call.c.answered_at, call.c.ended_at)
    # Another node may be closing what we write.
    rows = conn.execute(query.where(*_among(app, keys)).order_by(*call.primary_key).with_for_update())
    return {AttemptKey(*row[:3]): (row.answered_at, row.ended_at) for row in rows}


def _among(app: int, keys: Collection[AttemptKey]) -> tuple[sa.ColumnElement[bool], ...]:
    call = t.call
    runs, persons = {key.run_no for key in keys}, {key.person for key in keys}
    return call.c.app == app, call.c.run_no.in_(runs), call.c.person.in_(persons)


def tell_of_calls(conn: sa.Connection, app: int, news: News) -> None:
    """Announce what is new of calls, after it was written down."""
    keys = news.answered | news.ended
    if not keys:
        return
    rows = {key: row for row in all_of(conn, _facts(app, keys)) if (key := _key(row)) in keys}
    taped = {key for key in news.ended if key in rows and rows[key]["recording"] != Recorded.off}
    recordings = recordings_of(conn, app, taped, None)
    notices = []
    for key, row in rows.items():
        if key in news.answered and row["answered_at"]:
            notices.append((from_micros(row["answered_at"]), NoticeKind.call_answered, _whose(row)))
        if key in news.ended:
            whole = [one.id for one in recordings.get(key, ()) if one.purpose in WHOLE_CALL]
            notices.append((from_micros(row["ended_at"]), NoticeKind.call_ended, _ended(row, whole)))
    announce_past(conn, app, notices)


def _facts(app: int, keys: Collection[AttemptKey]) -> sa.Select[Any]:
    call, run, campaign, session = t.call, t.run, t.campaign, t.flow_session
    return (
        sa.select(call, run.c.id.label("run_id"), campaign.c.id.label("campaign_id"), session.c.id.label("talk_id"))
        .outerjoin(run, sa.and_(run.c.app == call.c.app, run.c.no == call.c.run_no))
        .outerjoin(campaign, sa.and_(campaign.c.app == run.c.app, campaign.c.no == run.c.campaign_no))
        .outerjoin(session, sa.and_(session.c.app == call.c.app, session.c.no == call.c.session_no))
        .where(*_among(app, keys))
        .order_by(call.c.dialed_at)
    )


def _key(row: Mapping[str, Any]) -> AttemptKey:
    return AttemptKey(row["run_no"], row["person"], row["n"])


def _whose(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "attempt_id": encode_attempt(*_key(row)),
        "person_id": row["person"].hex(),
        "campaign_id": row["campaign_id"],
        "run_id": row["run_id"],
    }


def _ended(row: Mapping[str, Any], recording_ids: Sequence[str]) -> dict[str, Any]:
    until = row["answered_at"] or row["ended_at"]
    talked = (row["ended_at"] - row["answered_at"]) / _MICROS if row["answered_at"] else None
    return {
        **_whose(row),
        "outcome": row["outcome"],
        "ended_by": row["ended_by"],
        "cause": row["cause"],
        "sip_status": row["sip_status"],
        "ring_seconds": max(0.0, (until - row["dialed_at"]) / _MICROS),
        "talk_seconds": max(0.0, talked) if talked is not None else None,
        "conversation_id": row["talk_id"],
        "recording": row["recording"],
        "recording_ids": list(recording_ids),
    }
