"""Calls as people look at them: lists of them, and one with all that happened in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.ids import AttemptKey, encode_attempt
from callsheet.core.recording import Recorded
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.numbers import numbers_of
from callsheet.store.recording_wishes import is_recording_asked
from callsheet.store.recordings import KeptRecording, recordings_of
from callsheet.store.rows import DAMAGE, all_of, one
from callsheet.store.vault import Seal, Vault


class WantedCalls(NamedTuple):
    """Which calls are meant; None: whatever it is."""

    now: datetime
    """Recordings whose time is over then are not shown."""
    run_no: int | None = None
    campaign_no: int | None = None
    outcome: str | None = None
    live: bool | None = None
    """Whether it goes on."""
    person: bytes | None = None
    since: datetime | None = None
    """Dialed then, or later."""
    until: datetime | None = None
    """Dialed before."""


@dataclass(frozen=True, slots=True)
class ToldCall:
    """A call, without what was said in it."""

    key: AttemptKey
    person: bytes
    number: str
    """Empty: nothing has it any more."""
    run_id: str
    campaign_id: str
    trunk_id: str
    """Empty: the trunk was deleted."""
    node: str
    dialed_at: datetime
    rang_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    cause: int
    sip_status: int
    outcome: str
    """Empty: it goes on."""
    ended_by: str
    detection: Mapping[str, Any]
    conversation_id: str
    """Empty: none was led in it."""
    recording: Recorded
    is_recording_asked: bool
    """It goes on, is not recorded, and somebody asked for that."""
    recordings: Sequence[KeptRecording]

    @property
    def attempt_id(self) -> str:
        """Return the id of its attempt, which is the call's too."""
        return encode_attempt(*self.key)


class ToldCalls:
    """The calls of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def page(
        self, app: int, wanted: WantedCalls, *, after: AttemptKey | None = None, limit: int
    ) -> Sequence[ToldCall] | None:
        """Return calls, the latest first, from after one; None when there is no such."""
        call = t.call
        order = call.c.dialed_at, call.c.run_no, call.c.person, call.c.n
        query = _calls(app).where(*_meant(wanted)).order_by(*(column.desc() for column in order)).limit(limit)

        def read(conn: sa.Connection) -> list[ToldCall] | None:
            asked = query
            if after is not None:
                place = conn.execute(sa.select(call.c.dialed_at).where(*_is(app, after))).scalar()
                if place is None:
                    return None
                asked = query.where(sa.tuple_(*order) < sa.tuple_(*map(sa.literal, (place, *after))))
            return self._told(conn, app, all_of(conn, asked), wanted.now)

        return await self._db.read(read)

    async def find(
        self, app: int, key: AttemptKey, now: datetime
    ) -> tuple[ToldCall, Sequence[Mapping[str, Any]]] | None:
        """Return the call of an attempt, and what happened in it; that is known when it is over."""

        def read(conn: sa.Connection) -> tuple[ToldCall, Sequence[Mapping[str, Any]]] | None:
            row = one(conn, _calls(app).where(*_is(app, key)))
            if row is None:
                return None
            (told,) = self._told(conn, app, [row], now)
            return told, read_timeline(row["timeline_sealed"], self._seal(app), key.person)

        return await self._db.read(read)

    def _told(self, conn: sa.Connection, app: int, rows: Sequence[Mapping[str, Any]], now: datetime) -> list[ToldCall]:
        numbers = numbers_of(conn, self._vault, app, {row["person"] for row in rows})
        recordings = recordings_of(conn, app, {_key(row) for row in rows}, now)
        return [_told(row, numbers.get(row["person"], ""), recordings.get(_key(row), ())) for row in rows]

    def _seal(self, app: int) -> Seal:
        key = self._vault.app(app)
        assert key is not None, "the app was opened when its token was read"
        return key.seal


def read_timeline(sealed: bytes, seal: Seal, person: bytes) -> Sequence[Mapping[str, Any]]:
    """Return what happened in a call, in order; nothing where it goes on, was erased, or cannot be read."""
    try:
        return list(msgspec.json.decode(seal.open(sealed, person))) if sealed else []
    except DAMAGE:
        return []


def _calls(app: int) -> sa.Select[Any]:
    call, run, campaign, trunk, session = t.call, t.run, t.campaign, t.trunk, t.flow_session
    return (
        sa.select(
            call, run.c.id.label("run_id"), campaign.c.id.label("campaign_id"), trunk.c.id.label("trunk_id"),
            session.c.id.label("conversation_id"),
        )
        .outerjoin(run, sa.and_(run.c.app == call.c.app, run.c.no == call.c.run_no))
        .outerjoin(campaign, sa.and_(campaign.c.app == run.c.app, campaign.c.no == run.c.campaign_no))
        .outerjoin(trunk, sa.and_(trunk.c.app == call.c.app, trunk.c.no == call.c.trunk_no))
        .outerjoin(session, sa.and_(session.c.app == call.c.app, session.c.no == call.c.session_no))
        .where(call.c.app == app)
    )  # fmt: skip


def _is(app: int, key: AttemptKey) -> tuple[sa.ColumnElement[bool], ...]:
    call = t.call
    return call.c.app == app, call.c.run_no == key.run_no, call.c.person == key.person, call.c.n == key.n


def _meant(wanted: WantedCalls) -> list[sa.ColumnElement[bool]]:
    call, meant = t.call, list[sa.ColumnElement[bool]]()
    if wanted.run_no is not None:
        meant.append(call.c.run_no == wanted.run_no)
    if wanted.campaign_no is not None:
        meant.append(t.run.c.campaign_no == wanted.campaign_no)
    if wanted.outcome is not None:
        meant.append(call.c.outcome == wanted.outcome)
    if wanted.live is not None:
        meant.append(call.c.ended_at == 0 if wanted.live else call.c.ended_at != 0)
    if wanted.person is not None:
        meant.append(call.c.person == wanted.person)
    if wanted.since is not None:
        meant.append(call.c.dialed_at >= to_micros(wanted.since))
    if wanted.until is not None:
        meant.append(call.c.dialed_at < to_micros(wanted.until))
    return meant


def _key(row: Mapping[str, Any]) -> AttemptKey:
    return AttemptKey(row["run_no"], row["person"], row["n"])


def _told(row: Mapping[str, Any], number: str, recordings: Sequence[KeptRecording]) -> ToldCall:
    return ToldCall(
        _key(row),
        row["person"],
        number,
        row["run_id"] or "",
        row["campaign_id"] or "",
        row["trunk_id"] or "",
        row["node"],
        from_micros(row["dialed_at"]),
        _instant(row["rang_at"]),
        _instant(row["answered_at"]),
        _instant(row["ended_at"]),
        row["cause"],
        row["sip_status"],
        row["outcome"],
        row["ended_by"],
        msgspec.json.decode(row["detection"]) if row["detection"] else {},
        row["conversation_id"] or "",
        Recorded(row["recording"]),
        is_recording_asked(row),
        recordings,
    )


def _instant(at: int) -> datetime | None:
    return from_micros(at) if at else None
