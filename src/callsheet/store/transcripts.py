"""Conversations as people look at them: lists of them, and what was said in one. What leads them is elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros
from callsheet.core.attempt import fold
from callsheet.core.campaign import Channel
from callsheet.core.flow.blocks.hand_over import HAND_OVER
from callsheet.core.flow.effects import Visit
from callsheet.core.flow.session import Awaits, Ending
from callsheet.core.ids import NO_RUN, AttemptKey, encode_attempt
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.latest_lines import Latest, latest_lines
from callsheet.store.numbers import numbers_of
from callsheet.store.rows import all_of, one
from callsheet.store.spoken_lines import spoken_lines
from callsheet.store.vault import Seal, Vault

MOST_LINES = 2000
"""So many messages of ours, of theirs, and visits, the first ones, are shown of one conversation."""


class Wanted(NamedTuple):
    """Which conversations are meant; None: whatever it is."""

    flow_no: int | None = None
    run_no: int | None = None
    queue_no: int | None = None
    """Those that wait in this queue, or are worked on there."""
    person: bytes | None = None
    is_open: bool | None = None
    awaits: Awaits | None = None
    agent: str | None = None
    """Who took it; empty: nobody did."""
    was_handed_over: bool = False
    """Only those that were handed over to a queue."""


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of a conversation without what was said in it."""

    no: int
    id: str
    person: bytes
    number: str
    """Empty: nothing has it any more."""
    sender: str
    channel: str
    flow_id: str
    """Empty: the flow was deleted."""
    flow_name: str
    version: int
    run_id: str
    """Whose attempt began it; empty: a reply did."""
    attempt_id: str
    opened_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    awaits: Awaits
    wakes_at: datetime | None
    """When it is looked at again by itself."""
    ending: Ending | None
    why: str
    queue_id: str
    queue_name: str
    queued_at: datetime | None
    agent: str
    disposition: str
    last_at: datetime | None
    """When the latest message was said; None: nothing was said yet."""
    last_by: str
    """Who said it, as lines name it; empty: nothing was said yet."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something that was said."""

    id: str
    """Of a message of theirs; empty: it is ours."""
    at: datetime
    by: str
    """`contact`, `campaign`, `flow`, `agent`, or `stop`, `help` and `start` for what is answered to such words."""
    text: str
    state: str
    """Of ours: how it stands; of theirs `received`. In a call `spoken`, `pressed`, or `recorded`: then the text is the
    id of a recording.
    """


@dataclass(frozen=True, slots=True)
class Transcript:
    """A conversation with what was said in it, and the way that it took."""

    account: Account
    lines: tuple[Line, ...]
    visits: tuple[Visit, ...]

    @property
    def note(self) -> str:
        """Return what the flow noted for the queue when it handed over last; empty: nothing, or it never did."""
        notes = (visit.value for visit in reversed(self.visits) if visit.kind == HAND_OVER and not visit.has_left)
        return str(next(notes, None) or "")


class Transcripts:
    """What was said in the conversations of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def page(self, app: int, wanted: Wanted, *, after: str | None = None, limit: int) -> Sequence[Account] | None:
        """Return conversations from after the one of an id; None when there is no such.

        The newest stand first, but those of a queue in the order in which they wait there.
        """
        session, waits = t.flow_session, wanted.queue_no is not None
        column = session.c.queued_at if waits else session.c.opened_at
        query = _accounts(app).where(*_meant(app, wanted))

        def read(conn: sa.Connection) -> list[Account] | None:
            asked = query
            if after is not None:
                its = sa.select(column.label("at"), session.c.no).where(session.c.app == app, session.c.id == after)
                place = one(conn, its)
                if place is None:
                    return None
                last, mine = (
                    sa.tuple_(sa.literal(place["at"]), sa.literal(place["no"])),
                    sa.tuple_(column, session.c.no),
                )
                asked = asked.where(mine > last if waits else mine < last)
            order = (column, session.c.no) if waits else (column.desc(), session.c.no.desc())
            return self._read(conn, app, all_of(conn, asked.order_by(*order).limit(limit)))

        return await self._db.read(read)

    async def find(self, app: int, conversation_id: str) -> Transcript | None:
        """Return a conversation with everything that was said, in order; None: there is none."""
        query = _accounts(app).where(t.flow_session.c.id == conversation_id)
        seal = self._seal(app)

        def read(conn: sa.Connection) -> Transcript | None:
            rows = all_of(conn, query)
            if not rows:
                return None
            (account,) = self._read(conn, app, rows)
            visits = _visits(conn, rows[0], seal)
            lines = [*_opening(conn, rows[0], seal), *_heard(conn, rows[0], seal), *_said(conn, rows[0], seal)]
            lines += _spoken(conn, rows[0], seal, visits)
            # What was said at one instant stands as it was gathered: they ask before we answer.
            lines.sort(key=lambda line: line.at)
            return Transcript(account, tuple(lines), tuple(visits))

        return await self._db.read(read)

    async def was_handed_over(self, app: int, conversation_id: str) -> bool:
        """Tell whether there is a conversation that was handed over to a queue."""
        session = t.flow_session
        its = session.c.app == app, session.c.id == conversation_id, session.c.handed_no > 0
        return await self._db.read(lambda conn: one(conn, sa.select(session.c.no).where(*its))) is not None

    def _read(self, conn: sa.Connection, app: int, rows: Sequence[Mapping[str, Any]]) -> list[Account]:
        numbers = numbers_of(conn, self._vault, app, {row["person"] for row in rows})
        latest = latest_lines(conn, app, rows)
        return [_account(row, numbers.get(row["person"], ""), latest.get(row["no"])) for row in rows]

    def _seal(self, app: int) -> Seal:
        key = self._vault.app(app)
        assert key is not None, "the app was opened when its token was read"
        return key.seal


def _accounts(app: int) -> sa.Select[Any]:
    session, flow, run, queue = t.flow_session, t.flow, t.run, t.queue
    return (
        sa.select(
            session, flow.c.id.label("flow_id"), flow.c.name.label("flow_name"), run.c.id.label("run_id"),
            queue.c.id.label("queue_id"), queue.c.name.label("queue_name"),
        )
        .outerjoin(flow, sa.and_(flow.c.app == session.c.app, flow.c.no == session.c.flow_no))
        .outerjoin(run, sa.and_(run.c.app == session.c.app, run.c.no == session.c.run_no))
        .outerjoin(queue, sa.and_(queue.c.app == session.c.app, queue.c.no == session.c.handed_no))
        .where(session.c.app == app)
    )  # fmt: skip


def _meant(app: int, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    session, talking = t.flow_session, t.open_session
    meant: list[sa.ColumnElement[bool]] = []
    for column, value in (
        (session.c.flow_no, wanted.flow_no),
        (session.c.run_no, wanted.run_no),
        (session.c.queue_no, wanted.queue_no),
        (session.c.person, wanted.person),
        (session.c.agent, wanted.agent),
        (session.c.awaits, wanted.awaits.value if wanted.awaits is not None else None),
    ):
        if value is not None:
            meant.append(column == value)
    if wanted.was_handed_over:
        meant.append(session.c.handed_no > 0)
    if wanted.is_open is True or wanted.queue_no is not None:
        # Those are few beside all that ended, and lie together.
        meant.append(session.c.no.in_(sa.select(talking.c.session_no).where(talking.c.app == app)))
        meant.append(session.c.ended_at == 0)
    elif wanted.is_open is False:
        meant.append(session.c.ended_at > 0)
    return meant


def _account(row: Mapping[str, Any], number: str, latest: Latest | None) -> Account:
    has_ended = row["ended_at"] > 0
    return Account(
        row["no"],
        row["id"],
        row["person"],
        number,
        row["sender"],
        row["channel"],
        row["flow_id"] or "",
        row["flow_name"] or "",
        row["version"],
        row["run_id"] or "",
        encode_attempt(row["run_no"], row["person"], row["n"]) if row["run_no"] != NO_RUN else "",
        from_micros(row["opened_at"]),
        from_micros(row["changed_at"]),
        from_micros(row["ended_at"]) if has_ended else None,
        Awaits.nothing if has_ended else Awaits(row["awaits"]),
        from_micros(row["wakes_at"]) if row["wakes_at"] else None,
        Ending(row["ending"]) if row["ending"] else None,
        row["why"],
        row["queue_id"] or "",
        row["queue_name"] or "",
        from_micros(row["queued_at"]) if row["queued_at"] else None,
        row["agent"],
        row["disposition"],
        from_micros(latest.at) if latest is not None else None,
        latest.by if latest is not None else "",
    )


def _opening(conn: sa.Connection, row: Mapping[str, Any], seal: Seal) -> list[Line]:
    """Return what the campaign said: its message is an attempt's, and goes before whatever answers it."""
    if not row["opening_sealed"]:
        return []
    event, attempt = t.event, t.attempt
    key = {"app": row["app"], "run_no": row["run_no"], "person": row["person"], "n": row["n"]}
    kinds = sa.select(event.c.kind).where(*(event.c[name] == value for name, value in key.items()))
    armed = sa.select(attempt.c.at).where(*(attempt.c[name] == value for name, value in key.items()))
    at = conn.execute(armed).scalar()
    text = seal.open(row["opening_sealed"], row["person"]).decode()
    if not text:
        return []
    said_at = from_micros(row["opened_at"] if at is None else at)
    return [Line("", said_at, "campaign", text, fold(conn.execute(kinds).scalars()))]


def _heard(conn: sa.Connection, row: Mapping[str, Any], seal: Seal) -> list[Line]:
    inbound = t.inbound
    its = inbound.c.app == row["app"], inbound.c.person == row["person"], inbound.c.session_no == row["no"]
    query = sa.select(inbound.c.id, inbound.c.text_sealed, inbound.c.at).where(*its)
    found = all_of(conn, query.order_by(inbound.c.at, inbound.c.id).limit(MOST_LINES))
    return [Line(each["id"], from_micros(each["at"]), "contact", _text(each, row, seal), "received") for each in found]


def _said(conn: sa.Connection, row: Mapping[str, Any], seal: Seal) -> list[Line]:
    reply = t.reply
    its = reply.c.app == row["app"], reply.c.person == row["person"], reply.c.session_no == row["no"]
    query = sa.select(reply.c.kind, reply.c.text_sealed, reply.c.at, reply.c.state).where(*its)
    found = all_of(conn, query.order_by(reply.c.no).limit(MOST_LINES))
    return [Line("", from_micros(each["at"]), each["kind"], _text(each, row, seal), each["state"]) for each in found]


def _spoken(conn: sa.Connection, row: Mapping[str, Any], seal: Seal, visits: Sequence[Visit]) -> list[Line]:
    if row["channel"] != Channel.voice:
        return []
    key = AttemptKey(row["run_no"], row["person"], row["n"])
    return [Line("", *line) for line in spoken_lines(conn, row["app"], key, seal, visits)]


def _text(each: Mapping[str, Any], row: Mapping[str, Any], seal: Seal) -> str:
    return seal.open(each["text_sealed"], row["person"]).decode()


def _visits(conn: sa.Connection, row: Mapping[str, Any], seal: Seal) -> list[Visit]:
    visit = t.flow_visit
    its = visit.c.app == row["app"], visit.c.session_no == row["no"]
    found = []
    for each in all_of(conn, sa.select(visit).where(*its).order_by(visit.c.no).limit(MOST_LINES)):
        said = msgspec.json.decode(seal.open(each["said_sealed"], row["person"]))
        way = each["flow"], each["block"], each["name"], each["kind"], from_micros(each["at"]), each["exit"]
        collected = said["value"], said["response"], bool(each["is_question"]), said["why"]
        found.append(Visit(each["no"], *way, bool(each["has_left"]), *collected))
    return found
