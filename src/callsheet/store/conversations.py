"""Conversations of a period, newest first: every attempt of an app, and every reply to it.

No index leads from an app to its attempts by their instant: it would cost every insertion something, and reports are
asked for now and then. Each run of the period is a range of the key. They are walked from the one that ended last, and
those that ended before everything that is wanted are not read. Single messages are runs of one contact, and may be
many: small runs are read together, large ones each by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.attempt import fold
from callsheet.core.campaign import Channel, Definition
from callsheet.core.ids import AttemptKey, encode_attempt
from callsheet.store import tables as t
from callsheet.store.arming import ARMED
from callsheet.store.call_outcomes import CallFacts, calls_of
from callsheet.store.campaign_rows import is_of_run
from callsheet.store.database import Database
from callsheet.store.numbers import numbers_of
from callsheet.store.rows import all_of, read_definition
from callsheet.store.told_sessions import ToldSession, handed_over, sessions_of
from callsheet.store.vault import Vault

_GOING_ON = 2**62
"""When a run ends that has not ended: after every instant."""
_SKEW = 60_000_000
"""Attempts bear the database's instant, and the end of a run its node's: how far the two may be apart."""
_RUNS_AT_ONCE = 500
"""So many runs, at most, are named in one statement."""
_ATTEMPTS_AT_ONCE = 1000
"""Runs that have so many attempts together are read before it is asked whether more are wanted."""


@dataclass(frozen=True, slots=True)
class Source:
    """The run, and the campaign, that an attempt belongs to."""

    run_no: int
    run_id: str
    campaign_id: str
    """Empty: the campaign was deleted."""
    definition: Definition
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Conversation:
    """An attempt, or a reply."""

    id: str
    channel: Channel
    person: bytes
    at: datetime
    ended_at: datetime
    """When the last thing happened to it."""
    number: str
    """Empty: nobody knows it any more."""
    attributes: Mapping[str, str]
    sender: str
    source: Source | None = None
    """None: it is a reply."""
    attempt: int = 0
    """Attempts used, this one included."""
    list_no: int = 0
    state: str = ""
    code: str = ""
    """Why, in a stable word or the carrier's own code; of a call, what came of it."""
    call: CallFacts | None = None
    """Its record, where it was a call."""
    session: ToldSession | None = None
    """Of the flow that it began, or that took it; None: of none."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which conversations are meant: from `start` on, and before `end`."""

    start: datetime
    end: datetime
    outbound: bool
    inbound: bool
    channels: frozenset[Channel]
    queues: frozenset[str] = frozenset()
    """Only what was handed over to these, by their ids or names; none: whatever it was."""


class _Key(NamedTuple):
    """Where a conversation stands: sorted, the newest is first."""

    earlier: int
    earlier_run: int
    person: bytes
    n: int
    inbound_id: str


class Conversations:
    """Reads what was said in a period."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def page(self, app: int, wanted: Wanted, *, offset: int, limit: int) -> tuple[int, Sequence[Conversation]]:
        """Return how many conversations there are, and some of them, the newest first."""

        def read(conn: sa.Connection) -> tuple[int, Sequence[Conversation]]:
            if wanted.queues:
                return self._handed_over(conn, app, wanted, offset, limit)
            runs = _runs(conn, app, wanted) if wanted.outbound else []
            outbound, total = _attempts(conn, app, wanted, runs, offset + limit)
            replies = wanted.inbound and Channel.sms in wanted.channels
            inbound, heard = _replies(conn, app, wanted, offset + limit) if replies else ({}, 0)
            rows = {**outbound, **inbound}
            keys = sorted(rows)[offset : offset + limit]
            sources = _sources(conn, app, {-key.earlier_run for key in keys if not key.inbound_id})
            page = [
                self._reply(conn, rows[key]) if key.inbound_id else self._attempt(conn, rows[key], sources)
                for key in keys
            ]
            return total + heard, _with_sessions(conn, app, page)

        return await self._db.read(read)

    def _handed_over(
        self, conn: sa.Connection, app: int, wanted: Wanted, offset: int, limit: int
    ) -> tuple[int, Sequence[Conversation]]:
        """Return what began the conversations that were handed over to some queues."""
        directions = [is_ours for is_ours, is_wanted in ((True, wanted.outbound), (False, wanted.inbound)) if is_wanted]
        chosen = handed_over(conn, app, wanted.queues, wanted.start, wanted.end, directions)
        if chosen is None or Channel.sms not in wanted.channels:
            return 0, []
        total = conn.execute(sa.select(sa.func.count()).select_from(chosen.subquery())).scalar_one()
        session, attempt, inbound = t.flow_session, t.attempt, t.inbound
        newest = chosen.order_by(session.c.opened_at.desc(), session.c.no.desc()).offset(offset).limit(limit)
        page: list[Conversation] = []
        rows = all_of(conn, newest)
        sources = _sources(conn, app, {row["run_no"] for row in rows if row["run_no"]})
        for row in rows:
            if row["run_no"]:
                key = (attempt.c[name] == row[name] for name in ("run_no", "person", "n"))
                begun = all_of(conn, sa.select(attempt).where(attempt.c.app == app, *key))
                page += [self._attempt(conn, one, sources) for one in begun]
            else:
                heard = all_of(conn, sa.select(inbound).where(inbound.c.app == app, inbound.c.id == row["cause"]))
                page += [self._reply(conn, one) for one in heard]
        return int(total), _with_sessions(conn, app, page)

    def _attempt(
        self, conn: sa.Connection, row: Mapping[str, Any], sources: Mapping[int, Mapping[str, Any]]
    ) -> Conversation:
        run = sources[row["run_no"]]
        definition = read_definition(run["definition"])
        number, attributes = self._contact(conn, row)
        events = _events(conn, row)
        state = fold(events)
        key = AttemptKey(row["run_no"], row["person"], row["n"])
        calls = calls_of(conn, row["app"], [key]) if run["channel"] == Channel.voice.value else {}
        return Conversation(
            id=encode_attempt(row["run_no"], row["person"], row["n"]),
            channel=Channel(run["channel"]),
            person=row["person"],
            at=from_micros(row["at"]),
            ended_at=from_micros(max([row["at"], *(at for at, _ in events.values())])),
            number=number,
            attributes=attributes,
            sender=definition.sender,
            source=Source(run["no"], run["id"], run["campaign_id"] or "", definition, from_micros(run["started_at"])),
            attempt=row["used"],
            list_no=row["list_no"],
            state=state,
            code=events[state][1] if state in events else "",
            call=calls.get(key),
        )

    def _reply(self, conn: sa.Connection, row: Mapping[str, Any]) -> Conversation:
        """Return a reply: whose it is, is known by the latest attempt before it."""
        before = _latest_before(conn, row)
        number, attributes = self._contact(conn, before) if before is not None else ("", {})
        number = number or numbers_of(conn, self._vault, row["app"], [row["person"]]).get(row["person"], "")
        at = from_micros(row["at"])
        sender = row["sender"]
        if not sender and before is not None:
            sender = read_definition(before["definition"]).sender
        return Conversation(row["inbound_id"], Channel.sms, row["person"], at, at, number, attributes, sender)

    def _contact(self, conn: sa.Connection, row: Mapping[str, Any]) -> tuple[str, Mapping[str, str]]:
        contact, key = t.contact, self._vault.app(row["app"])
        found = conn.execute(
            sa.select(contact.c.sealed, contact.c.attributes).where(
                *(contact.c[name] == row[name] for name in ("app", "list_no", "group_no", "pos"))
            )
        ).first()
        if key is None or found is None:
            return "", {}
        return key.open_number(found.sealed, row["person"]), msgspec.json.decode(found.attributes)


def _with_sessions(conn: sa.Connection, app: int, page: Sequence[Conversation]) -> Sequence[Conversation]:
    """Add the sessions that attempts began, and that took replies."""
    ours = [one.id for one in page if one.source is not None]
    begun, took = sessions_of(conn, app, ours, [one.id for one in page if one.source is None])
    return [replace(one, session=(took if one.source is None else begun).get(one.id)) for one in page]


class _Run(NamedTuple):
    """A run that went on in the period."""

    no: int
    is_whole: bool
    """It was in the period from its beginning to its end."""
    ended: int
    attempts: int
    """How many it ever made."""


def _runs(conn: sa.Connection, app: int, wanted: Wanted) -> list[_Run]:
    """Return the runs that went on in the period, from the one that ended last."""
    run = t.run
    start, end = to_micros(wanted.start), to_micros(wanted.end)
    ended = sa.case((run.c.ended_at == 0, _GOING_ON), else_=run.c.ended_at + _SKEW).label("ended")
    query = (
        sa.select(run.c.no, sa.and_(run.c.started_at >= start, ended < end), ended)
        .where(
            run.c.app == app,
            run.c.channel.in_([channel.value for channel in wanted.channels]),
            run.c.started_at < end,
            ended >= start,
        )
        .order_by(ended.desc(), run.c.no.desc())
    )
    rows = conn.execute(query).all()
    counter, made = t.counter, dict[int, int]()
    for some in _batches([row.no for row in rows]):
        armed = counter.c.app == app, counter.c.run_no.in_(some), counter.c.name == ARMED
        count = sa.select(counter.c.run_no, sa.func.sum(counter.c.value)).where(*armed).group_by(counter.c.run_no)
        made.update((run_no, int(value)) for run_no, value in conn.execute(count))
    return [_Run(no, bool(is_whole), ended, made.get(no, 0)) for no, is_whole, ended in rows]


def _batches(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), _RUNS_AT_ONCE):
        yield numbers[start : start + _RUNS_AT_ONCE]


def _sources(conn: sa.Connection, app: int, runs: Collection[int]) -> dict[int, Mapping[str, Any]]:
    """Return what a page says of these runs, by their numbers."""
    run, version = t.run, t.campaign_version
    query = (
        sa.select(
            run.c.no, run.c.id, run.c.channel, run.c.started_at, version.c.definition,
            t.campaign.c.id.label("campaign_id"),
        )
        .join(version, is_of_run())
        .outerjoin(t.campaign, t.campaign.c.no == run.c.campaign_no)
        .where(run.c.app == app, run.c.no.in_(runs))
    )  # fmt: skip
    return {row["no"]: row for row in all_of(conn, query)}


def _attempts(
    conn: sa.Connection, app: int, wanted: Wanted, runs: Sequence[_Run], most: int
) -> tuple[dict[_Key, Mapping[str, Any]], int]:
    """Return the newest attempts of these runs, at least so many if there are, and how many there are in all."""
    attempt = t.attempt
    newest = sa.select(attempt).order_by(attempt.c.at.desc(), attempt.c.run_no.desc(), attempt.c.person, attempt.c.n)
    found: dict[_Key, Mapping[str, Any]] = {}
    left = deque(runs)
    while some := _next_to_read(left, -max(found).earlier if len(found) == most else 0):
        for row in all_of(conn, newest.where(*_meant(app, wanted, some)).limit(most)):
            found[_Key(-row["at"], -row["run_no"], row["person"], row["n"], "")] = row
        found = {key: found[key] for key in sorted(found)[:most]}
    return found, _count(conn, app, wanted, runs)


def _next_to_read(left: deque[_Run], since: int) -> list[int]:
    """Take the next runs to be read together; none when those that are left ended before `since`."""
    some: list[int] = []
    attempts = 0
    while left and left[0].ended >= since and len(some) < _RUNS_AT_ONCE and attempts < _ATTEMPTS_AT_ONCE:
        attempts += left[0].attempts
        some.append(left.popleft().no)
    return some


def _meant(app: int, wanted: Wanted, runs: Sequence[int]) -> tuple[sa.ColumnElement[bool], ...]:
    attempt = t.attempt
    start, end = to_micros(wanted.start), to_micros(wanted.end)
    return attempt.c.app == app, attempt.c.run_no.in_(runs), attempt.c.at >= start, attempt.c.at < end


def _count(conn: sa.Connection, app: int, wanted: Wanted, runs: Sequence[_Run]) -> int:
    """Count attempts in the period; those of a run that is in it as a whole were counted as it went."""
    total = sum(run.attempts for run in runs if run.is_whole)
    for some in _batches([run.no for run in runs if not run.is_whole]):
        query = sa.select(sa.func.count()).select_from(t.attempt).where(*_meant(app, wanted, some))
        total += int(conn.execute(query).scalar_one())
    return total


def _replies(conn: sa.Connection, app: int, wanted: Wanted, most: int) -> tuple[dict[_Key, Mapping[str, Any]], int]:
    """Return the newest replies, and how many there are in all."""
    inbound = t.inbound
    meant = inbound.c.app == app, inbound.c.at >= to_micros(wanted.start), inbound.c.at < to_micros(wanted.end)
    columns = inbound.c.app, inbound.c.inbound_id, inbound.c.person, inbound.c.at, inbound.c.sender
    newest = sa.select(*columns).where(*meant).order_by(inbound.c.at.desc(), inbound.c.inbound_id).limit(most)
    found = {_Key(-row["at"], 0, row["person"], 0, row["inbound_id"]): row for row in all_of(conn, newest)}
    count = sa.select(sa.func.count()).select_from(inbound).where(*meant)
    return found, int(conn.execute(count).scalar_one())


def _events(conn: sa.Connection, row: Mapping[str, Any]) -> dict[str, tuple[int, str]]:
    """Return when each kind of event happened to an attempt, and its code."""
    event = t.event
    mine = (event.c[name] == row[name] for name in ("app", "run_no", "person", "n"))
    query = sa.select(event.c.kind, event.c.at, event.c.code).where(*mine)
    return {row.kind: (row.at, row.code) for row in conn.execute(query)}


def _latest_before(conn: sa.Connection, reply: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the latest attempt to reach a person before a reply, with the definition of its run."""
    attempt, run, version = t.attempt, t.run, t.campaign_version
    rows = all_of(
        conn,
        sa.select(attempt, version.c.definition)
        .join(run, run.c.no == attempt.c.run_no)
        .join(version, is_of_run())
        .where(attempt.c.app == reply["app"], attempt.c.person == reply["person"], attempt.c.at <= reply["at"])
        .order_by(attempt.c.at.desc())
        .limit(1),
    )
    return rows[0] if rows else None
