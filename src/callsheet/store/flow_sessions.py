"""Conversations: the sessions of flows, found by who replies, or by their time. Changes are in `flow_turns.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.answering import ReplyKind, ReplyState
from callsheet.core.campaign import Channel, Status
from callsheet.core.flow.manners import LATELY
from callsheet.core.ids import NO_RUN
from callsheet.core.run import AppSettings
from callsheet.store import tables as t
from callsheet.store.consequences import bare
from callsheet.store.database import Database
from callsheet.store.flow_contacts import find_contacts
from callsheet.store.flow_openings import lonely, open_sessions, openings_of_replies
from callsheet.store.flow_talks import ContactOf, Talk, read_talk
from callsheet.store.flow_turns import Turn, write_turns
from callsheet.store.forbidden_replies import forbidden_persons
from callsheet.store.inbox import Message, settle_messages
from callsheet.store.rows import all_of, one, read_settings
from callsheet.store.shares import take_shares
from callsheet.store.vault import Seal, Vault

LEASE_SECONDS = 60.0
"""So long whoever looks at what is due may take, before another node tries."""


@dataclass(slots=True)
class Known:
    """What is known of conversations before they go on."""

    settings: AppSettings
    talks: list[Talk]
    forbidden: set[int] = field(default_factory=set)
    """The numbers of those in which nothing may be said: their people opted out, or are on the global DNC list."""
    said: dict[tuple[bytes, str], int] = field(default_factory=dict)
    """How many answers of flows went lately to a person, through a sender."""
    put_off: set[tuple[bytes, str]] = field(default_factory=set)
    """Those among them for whom one waits for a later time."""
    is_stopped: bool = False
    """All sending of the app was stopped: nothing goes on by itself."""
    contacts: dict[int, ContactOf] = field(default_factory=dict)
    """Of conversations, by their numbers."""
    groups: dict[bytes, dict[str, str]] = field(default_factory=dict)
    runs: dict[int, Status] = field(default_factory=dict)
    """How the runs stand whose attempts began conversations."""

    by_sender: dict[tuple[bytes, str], Talk] = field(init=False)
    """The conversations by whose they are: the person and the sender, as carriers write it."""

    def __post_init__(self) -> None:
        self.by_sender = {(talk.person, bare(talk.sender)): talk for talk in self.talks}


class FlowSessions:
    """The conversations of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def find(self, app: int, talk_id: str) -> Talk | None:
        """Return a conversation by its public id."""
        query = sa.select(t.flow_session).where(t.flow_session.c.app == app, t.flow_session.c.id == talk_id)
        row = await self._db.read(lambda conn: one(conn, query))
        return read_talk(row, self._seal(app)) if row is not None else None

    async def of_persons(self, app: int, persons: Collection[bytes], now: datetime) -> Known:
        """Return the open conversations of people by text."""
        session, talking = t.flow_session, t.open_session
        query = (
            sa.select(session)
            .join(talking, talking.c.session_no == session.c.no)
            .where(talking.c.app == app, talking.c.person.in_(persons), session.c.ended_at == 0)
            .where(session.c.channel == Channel.sms.value)
            .order_by(session.c.no)
        )
        return await self._db.read(lambda conn: self._known(conn, app, all_of(conn, query), now))

    async def of_nos(self, app: int, nos: Collection[int], now: datetime) -> Known:
        """Return the open conversations of these numbers."""
        session = t.flow_session
        query = sa.select(session).where(session.c.app == app, session.c.no.in_(nos), session.c.ended_at == 0)
        return await self._db.read(lambda conn: self._known(conn, app, all_of(conn, query), now))

    async def of_causes(self, app: int, causes: Collection[str]) -> dict[str, Talk]:
        """Return the open conversations that attempts began, by the ids of those."""
        session = t.flow_session
        query = sa.select(session).where(session.c.app == app, session.c.cause.in_(causes), session.c.ended_at == 0)
        rows = await self._db.read(lambda conn: all_of(conn, query))
        seal = self._seal(app)
        return {row["cause"]: read_talk(row, seal) for row in rows}

    async def due(self, now: datetime, limit: int, *, leased: bool) -> Mapping[int, Sequence[int]]:
        """Return the conversations, by app, whose time has come: to begin, or because nobody replied in time.

        Of each app equally many, where there are more. Whose reply waits to be taken has replied in time.
        `leased`: other nodes leave them alone for a while.
        """
        session = t.flow_session
        stopped = sa.select(t.sending_stop.c.app)
        inbound, is_due = t.inbound, session.c.wakes_at.between(1, to_micros(now))
        replied = inbound.c.app == session.c.app, inbound.c.person == session.c.person, inbound.c.waits_since > 0
        due = is_due, session.c.ended_at == 0, session.c.app.not_in(stopped), ~sa.exists().where(*replied)
        query = sa.select(session.c.app, session.c.no).where(*due).order_by(session.c.wakes_at)

        if not leased:
            found = await self._db.read(lambda conn: take_shares(conn, query, session.c.app, is_due, limit))
            return self._by_app(found)
        until = to_micros(now + timedelta(seconds=LEASE_SECONDS))

        def take(conn: sa.Connection) -> list[Mapping[str, Any]]:
            rows = take_shares(conn, query.with_for_update(skip_locked=True), session.c.app, is_due, limit)
            mine = session.c.no.in_([row["no"] for row in rows])
            if rows:
                conn.execute(sa.update(session).where(mine).values(wakes_at=until))
            return rows

        return self._by_app(await self._db.write(take))

    async def next_at(self, now: datetime) -> datetime | None:
        """Return when the next conversation is due."""
        session = t.flow_session
        later = session.c.wakes_at > to_micros(now)
        query = sa.select(session.c.wakes_at).where(later).order_by(session.c.wakes_at).limit(1)
        at = await self._db.read(lambda conn: conn.execute(query).scalar())
        return from_micros(at) if at is not None else None

    async def open_for(self, app: int, messages: Sequence[Message], now: datetime) -> int:
        """Open the conversations that replies begin, and return how many replies begin none: nobody answers those.

        Where an attempt that was recorded meanwhile has begun one, it is that one's reply.
        """

        def open_for(conn: sa.Connection) -> int:
            in_vain: list[str] = []
            for each in _by_turns(messages):
                some = lonely(conn, app, each)
                openings = openings_of_replies(conn, app, some, now)
                # An attempt that was recorded in between has begun its conversation: the reply belongs there.
                left = lonely(conn, app, some)
                found = [openings[message.id] for message in left if message.id in openings]
                open_sessions(conn, app, found, now)
                in_vain += [message.id for message in left if message.id not in openings]
            settle_messages(conn, app, in_vain)
            return len(in_vain)

        return await self._db.write(open_for)

    async def write(self, app: int, turns: Sequence[Turn], now: datetime, node_no: int) -> set[int]:
        """Write down turns with all that follows from them, each once, in one transaction.

        Return the numbers of the conversations that somebody else changed meanwhile: of those nothing is written.
        """
        seal = self._seal(app)
        return await self._db.write(lambda conn: write_turns(conn, seal, app, turns, now, node_no))

    def _by_app(self, rows: Iterable[Mapping[str, Any]]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for row in rows:
            if self._vault.app(row["app"]) is not None:
                found.setdefault(row["app"], []).append(row["no"])
        return found

    def _seal(self, app: int) -> Seal:
        key = self._vault.app(app)
        assert key is not None, "the engine opened every app"
        return key.seal

    def _known(self, conn: sa.Connection, app: int, rows: Sequence[Mapping[str, Any]], now: datetime) -> Known:
        settings = conn.execute(sa.select(t.app.c.settings).where(t.app.c.no == app)).scalar_one()
        seal = self._seal(app)
        known = Known(read_settings(settings), [read_talk(row, seal) for row in rows])
        persons = {talk.person for talk in known.talks}
        stop = sa.select(t.sending_stop.c.app).where(t.sending_stop.c.app == app)
        known.is_stopped = one(conn, stop) is not None
        if persons:
            known.forbidden = _forbidden(conn, app, known.talks)
            # Who is talked to in a call is written nothing.
            by_text = {talk.person for talk in known.talks if talk.channel is Channel.sms}
            if by_text:
                known.said, known.put_off = _said(conn, app, by_text, now)
            known.contacts = find_contacts(conn, app, known.talks)
            known.runs = _runs(conn, {talk.run_no for talk in known.talks} - {NO_RUN})
            known.groups = _groups(conn, app, {talk.person for talk in known.talks if talk.session is None})
        return known


def _by_turns(messages: Sequence[Message]) -> list[list[Message]]:
    """Part replies so that none of the parts has two of a person."""
    parts: list[list[Message]] = []
    seen: Counter[bytes] = Counter()
    for message in messages:
        if seen[message.person] == len(parts):
            parts.append([])
        parts[seen[message.person]].append(message)
        seen[message.person] += 1
    return parts


def _said(
    conn: sa.Connection, app: int, persons: Collection[bytes], now: datetime
) -> tuple[dict[tuple[bytes, str], int], set[tuple[bytes, str]]]:
    """Return how much was said lately to people, and to whom something is to be said later."""
    reply = t.reply
    lately = reply.c.app == app, reply.c.person.in_(persons), reply.c.at > to_micros(now - LATELY)
    waits = sa.case((reply.c.state == ReplyState.waiting.value, reply.c.next_at), else_=0)
    query = sa.select(reply.c.person, reply.c.sender, sa.func.count(), sa.func.max(waits)).where(
        *lately, reply.c.kind == ReplyKind.flow.value
    )
    rows = conn.execute(query.group_by(reply.c.person, reply.c.sender)).all()
    later = {(person, sender) for person, sender, _, due_at in rows if due_at > to_micros(now)}
    return {(person, sender): int(count) for person, sender, count, _ in rows}, later


def _forbidden(conn: sa.Connection, app: int, talks: Sequence[Talk]) -> set[int]:
    """Return the numbers of the conversations in which nothing may be said any more."""
    persons: dict[Channel, set[bytes]] = {}
    for talk in talks:
        persons.setdefault(talk.channel, set()).add(talk.person)
    spared = {channel: forbidden_persons(conn, app, mine, channel) for channel, mine in persons.items()}
    return {talk.no for talk in talks if talk.person in spared[talk.channel]}


def _runs(conn: sa.Connection, nos: Collection[int]) -> dict[int, Status]:
    if not nos:
        return {}
    query = sa.select(t.run.c.no, t.run.c.status).where(t.run.c.no.in_(nos))
    return {no: Status(status) for no, status in conn.execute(query)}


def _groups(conn: sa.Connection, app: int, persons: Collection[bytes]) -> dict[bytes, dict[str, str]]:
    member = t.contact_group
    found: dict[bytes, dict[str, str]] = {}
    if persons:
        query = sa.select(member.c.person, member.c.group_key, member.c.name).where(
            member.c.app == app, member.c.person.in_(persons)
        )
        for person, key, name in conn.execute(query):
            found.setdefault(person, {})[key] = name
    return found
