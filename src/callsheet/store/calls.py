"""Calls: what became of each, written down once however often, and what nobody leads any more closed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.attempt import Kind, fold
from callsheet.core.calling import outcome_of_left
from callsheet.core.campaign import Channel
from callsheet.core.flow.session import Awaits, Ending
from callsheet.core.flow.step import HUNG_UP
from callsheet.core.ids import AttemptKey, encode_attempt
from callsheet.core.outcome import Outcome
from callsheet.core.recording import Recorded
from callsheet.store import tables as t
from callsheet.store.call_notices import News, find_news, tell_of_calls
from callsheet.store.database import Database
from callsheet.store.flow_ends import end_sessions
from callsheet.store.flow_places import hold_places
from callsheet.store.rows import all_of, to_json
from callsheet.store.vault import Vault

Noted = tuple[datetime, str, Mapping[str, str | int | float]]
"""When, what (a stable word), and facts."""

_Events = Mapping[str, tuple[str, int]]
"""Of an attempt: code and instant, by their kinds."""

LEFT: Final = "The call was cut off: what carried it, or led it, broke."
UNTOLD: Final = "The call ended, and the database was away while its conversation went on."


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call, as it is to be written down."""

    app: int
    key: AttemptKey
    trunk_no: int
    node: str
    """The node of the voice engine."""
    dialed_at: datetime
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    """None: it goes on."""
    cause: int = 0
    """Q.850; 0: none came."""
    sip_status: int = 0
    """0: none came."""
    outcome: str = ""
    """See `Outcome`; empty: it goes on."""
    ended_by: str = ""
    """`us`, `them` or `network`; empty: nobody knows, or it goes on."""
    detection: Mapping[str, str | int | float] = field(default_factory=dict)
    """What machine detection heard."""
    timeline: Sequence[Noted] = ()
    session_no: int = 0
    """Of the conversation that was led in it; 0: none was."""
    recording: Recorded = Recorded.off
    """How the recording of the whole call stands."""


class LeftCall(NamedTuple):
    """A call that goes on as far as anybody wrote down, and that nobody leads."""

    app: int
    key: AttemptKey
    state: str
    """Of its attempt."""


_COLUMNS: Final = (
    "trunk_no", "node", "node_no", "dialed_at", "rang_at", "answered_at", "ended_at", "cause", "sip_status", "outcome",
    "ended_by", "detection", "timeline_sealed", "session_no", "recording", "lease_until",
)  # fmt: skip
_KEY: Final = "app", "run_no", "person", "n"
_TAKEN: Final = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "rang_at")
_WRITE = sa.text(
    f"insert into call ({', '.join((*_KEY, *_COLUMNS))})"
    f" values ({', '.join(f':{name}' for name in (*_KEY, *_COLUMNS))})"
    f" on conflict (app, run_no, person, n) do update set {_TAKEN},"
    # Of one that was found again nobody here heard when it rang.
    " rang_at = case when excluded.rang_at > 0 then excluded.rang_at else call.rang_at end"
    # One that was closed is over for whoever was told so; how it really ended is written all the same.
    " where call.ended_at = 0 or excluded.ended_at > 0"
)


class Calls:
    """The calls of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def write(self, rows: Sequence[CallRow], node_no: int, lease_until: datetime) -> None:
        """Write down how calls stand, which this node leads; again changes nothing.

        A conversation that is still open ends with its call: whoever led it could not write that down. One that waits
        for a person goes on. `lease_until`: after that, another node may close calls that go on.
        """
        values = [self._row(row, node_no, lease_until) for row in rows]
        over = [row for row in rows if row.ended_at is not None and row.answered_at is not None]

        def write(conn: sa.Connection) -> None:
            found = find_news(conn, rows)
            conn.execute(_WRITE, values)
            for app in sorted({row.app for row in over}):
                _end_with_calls(conn, app, [row for row in over if row.app == app])
            for app, news in found.items():
                tell_of_calls(conn, app, news)

        if values:
            await self._db.write(write)

    async def renew(self, node_no: int, until: datetime) -> None:
        """Say that this node leads its calls still."""
        call = t.call
        mine = call.c.ended_at == 0, call.c.node_no == node_no
        renewed = sa.update(call).where(*mine).values(lease_until=to_micros(until))
        await self._db.write(lambda conn: conn.execute(renewed))

    async def left(self, until: datetime, node_no: int, most: int) -> Sequence[LeftCall]:
        """Return calls that no other node says to lead any more since then, at most so many."""
        query = sa.select(*_whose()).where(*_is_left(until, node_no)).limit(most)

        def left(conn: sa.Connection) -> list[LeftCall]:
            rows = conn.execute(query).all()
            return [
                LeftCall(app, key, fold(told.get(key, ())))
                for app in sorted({row.app for row in rows})
                for keys in [[AttemptKey(*row[1:]) for row in rows if row.app == app]]
                for told in [_events(conn, app, keys)]
                for key in keys
            ]

        return await self._db.read(left)

    async def close_left(self, left: Collection[LeftCall], until: datetime, node_no: int, now: datetime) -> int:
        """Close those of these calls that nobody leads still, and return how many those were.

        Their attempts say what came of them: it is to be recorded before. The conversations in them end, but for those
        that wait for a person.
        """
        these = sa.tuple_(*_whose()).in_([(one.app, *one.key) for one in left])
        query = sa.select(*_whose()).where(*_is_left(until, node_no), these).with_for_update(skip_locked=True)

        def close(conn: sa.Connection) -> int:
            rows = conn.execute(query).all()
            for app in sorted({row.app for row in rows}):
                keys = sorted(AttemptKey(*row[1:]) for row in rows if row.app == app)
                _close(conn, app, keys, now)
                tell_of_calls(conn, app, News(set(), set(keys)))
                _end_talks(conn, app, [encode_attempt(*key) for key in keys], now)
            return len(rows)

        return await self._db.write(close)

    async def end_orphans(self, before: datetime, now: datetime) -> int:
        """End conversations in calls that were opened before then and of which no call was written down.

        The process died between the two. Return how many those were. It looks at all open conversations.
        """
        session, talking, call = t.flow_session, t.open_session, t.call
        its = (call.c[name] == session.c[name] for name in ("app", "run_no", "person", "n"))
        query = (
            sa.select(session.c.app, session.c.cause)
            .join(talking, talking.c.session_no == session.c.no)
            .where(session.c.channel == Channel.voice.value, session.c.awaits != Awaits.person.value)
            .where(session.c.opened_at < to_micros(before), ~sa.exists().where(*its))
        )

        def end(conn: sa.Connection) -> int:
            found = conn.execute(query).all()
            return sum(
                _end_talks(conn, app, [row.cause for row in found if row.app == app], now)
                for app in sorted({row.app for row in found})
            )

        return await self._db.write(end)

    def _row(self, row: CallRow, node_no: int, lease_until: datetime) -> dict[str, Any]:
        key = self._vault.app(row.app)
        assert key is not None, "the engine opened every app"
        said = [{"at": at.isoformat(), "what": what, **facts} for at, what, facts in row.timeline]
        return {
            "app": row.app,
            **row.key._asdict(),
            "trunk_no": row.trunk_no,
            "node": row.node,
            "node_no": node_no,
            "dialed_at": to_micros(row.dialed_at),
            "rang_at": _micros(row.rang_at),
            "answered_at": _micros(row.answered_at),
            "ended_at": _micros(row.ended_at),
            "cause": row.cause,
            "sip_status": row.sip_status,
            "outcome": row.outcome,
            "ended_by": row.ended_by,
            "detection": to_json(dict(row.detection)) if row.detection else "",
            "timeline_sealed": key.seal.close(msgspec.json.encode(said), row.key.person) if said else b"",
            "session_no": row.session_no,
            "recording": row.recording.value,
            "lease_until": to_micros(lease_until),
        }


def _whose() -> tuple[sa.ColumnElement[Any], ...]:
    return tuple(t.call.c[name] for name in _KEY)


def _is_left(until: datetime, node_no: int) -> tuple[sa.ColumnElement[bool], ...]:
    call = t.call
    return call.c.ended_at == 0, call.c.node_no != node_no, call.c.lease_until <= to_micros(until)


def _micros(at: datetime | None) -> int:
    return to_micros(at) if at is not None else 0


def _close(conn: sa.Connection, app: int, keys: Sequence[AttemptKey], now: datetime) -> None:
    """Close calls with what their attempts say of them."""
    call, session = t.call, t.flow_session
    told = _events(conn, app, keys)
    causes = {encode_attempt(*key): key for key in keys}
    mine = session.c.app == app, session.c.cause.in_(list(causes))
    talks = {causes[row.cause]: row.no for row in conn.execute(sa.select(session.c.cause, session.c.no).where(*mine))}
    for key in keys:
        events = told.get(key, {})
        its = call.c.app == app, call.c.run_no == key.run_no, call.c.person == key.person, call.c.n == key.n
        closed = {
            "ended_at": to_micros(now),
            "answered_at": min((at for kind, (_, at) in events.items() if kind in _ANSWERED), default=0),
            "outcome": _outcome(events).value,
            "ended_by": "network",
            "session_no": talks.get(key, 0),
            # Whoever had it is gone.
            "recording": sa.case((call.c.recording == Recorded.on, Recorded.failed.value), else_=call.c.recording),
        }
        conn.execute(sa.update(call).where(*its).values(**closed))


_ANSWERED: Final = frozenset({Kind.accepted, Kind.delivered})


def _outcome(events: _Events) -> Outcome:
    """Return what came of a call that nobody saw end."""
    state = fold(events)
    left = outcome_of_left(state)
    if left is not None:
        return left
    code, _ = events[state]
    return Outcome(code) if code in Outcome.__members__ else Outcome.uncertain


def _events(
    conn: sa.Connection, app: int, keys: Collection[AttemptKey]
) -> dict[AttemptKey, dict[str, tuple[str, int]]]:
    event = t.event
    runs, persons = {key.run_no for key in keys}, {key.person for key in keys}
    mine = event.c.app == app, event.c.run_no.in_(runs), event.c.person.in_(persons)
    query = sa.select(event.c.run_no, event.c.person, event.c.n, event.c.kind, event.c.code, event.c.at).where(*mine)
    found: dict[AttemptKey, dict[str, tuple[str, int]]] = {}
    for run_no, person, n, kind, code, at in conn.execute(query):
        found.setdefault(AttemptKey(run_no, person, n), {})[kind] = code, at
    return found


def _end_with_calls(conn: sa.Connection, app: int, over: Sequence[CallRow]) -> None:
    """End the conversations that are still open in calls that are over, and write down whose they were."""
    call, session = t.call, t.flow_session
    causes = {encode_attempt(*row.key): row for row in over}
    mine = session.c.app == app, session.c.cause.in_(list(causes)), session.c.ended_at == 0
    # All at once, as everybody takes them: one after the other, two of us could wait for each other.
    hold_places(conn, app, {row.key.person for row in over})
    for cause, no in conn.execute(sa.select(session.c.cause, session.c.no).where(*mine).order_by(session.c.no)).all():
        row = causes[cause]
        assert row.ended_at is not None, "it is over"
        its = (call.c[name] == value for name, value in zip(_KEY, (app, *row.key), strict=True))
        conn.execute(sa.update(call).where(*its).values(session_no=no))
        _end_talks(conn, app, [cause], row.ended_at, HUNG_UP if row.ended_by == "them" else UNTOLD)


def _end_talks(conn: sa.Connection, app: int, causes: Iterable[str], now: datetime, why: str = LEFT) -> int:
    """End the conversations in calls; what waits for a person is theirs."""
    session = t.flow_session
    mine = session.c.app == app, session.c.cause.in_(list(causes)), session.c.awaits != Awaits.person.value
    nos = [row["no"] for row in all_of(conn, sa.select(session.c.no).where(*mine, session.c.ended_at == 0))]
    return end_sessions(conn, app, nos, Ending.hung_up, now, why) if nos else 0
