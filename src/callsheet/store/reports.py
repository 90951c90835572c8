"""What became of a run: counters, doubts, suppressions, what waits and until when, and every attempt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.attempt import PENDING, RANK, Kind, beyond, fold
from callsheet.core.ids import encode_attempt
from callsheet.core.walk import Group
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.lists import contact_id
from callsheet.store.rows import all_of, read_group
from callsheet.store.senders import label_spoken_through
from callsheet.store.vault import Vault


@dataclass(frozen=True, slots=True)
class AttemptEvent:
    """Something that happened to an attempt."""

    kind: str
    at: datetime
    code: str
    ref: str
    segments: int


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One attempt with all that happened to it."""

    id: str
    person: bytes
    n: int
    number: str
    contact_id: str
    at: datetime
    state: str
    events: tuple[AttemptEvent, ...]
    sender: str
    """The caller ID through which it went."""


@dataclass(frozen=True, slots=True)
class WantedAttempts:
    """Which attempts are meant; what is None leaves none out."""

    code: str | None = None
    """Of something that happened to them."""
    since: datetime | None = None
    """Of their making."""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """Contacts of one group that nobody took yet."""

    group: Group
    contacts: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Contacts that come again, by reason and by the earliest instant."""

    reason: str
    contacts: int
    earliest_at: datetime


@dataclass(frozen=True, slots=True)
class SuppressionRecord:
    """A contact that was not contacted, and why."""

    contact_id: str
    number: str
    reason: str
    at: datetime


class Reports:
    """Reading what runs did."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def counters(self, app: int, run_no: int) -> Mapping[str, int]:
        """Return a run's counters: attempts by their present state, suppressions by reason, segments."""
        counter = t.counter
        query = (
            sa.select(counter.c.name, sa.func.sum(counter.c.value).label("value"))
            .where(counter.c.app == app, counter.c.run_no == run_no)
            .group_by(counter.c.name)
        )
        return await self._db.read(lambda conn: {row.name: int(row.value) for row in conn.execute(query)})

    async def left(self, app: int, run_no: int) -> Sequence[Left]:
        """Return what nobody took yet, by group. What a node holds at this moment counts as left as a whole chunk."""

        def read(conn: sa.Connection) -> list[Left]:
            contacts: Counter[tuple[int, int]] = Counter()
            cursor, chunk, contact = t.cursor, t.chunk, t.contact
            for row in conn.execute(
                sa.select(cursor.c.list_no, cursor.c.group_no, cursor.c.contacts).where(
                    cursor.c.app == app, cursor.c.run_no == run_no, cursor.c.lo <= cursor.c.hi
                )
            ):
                contacts[row[0], row[1]] += row[2]
            held = (
                sa.select(chunk.c.list_no, chunk.c.group_no, sa.func.count())
                .join(
                    contact,
                    sa.and_(
                        contact.c.app == chunk.c.app,
                        contact.c.list_no == chunk.c.list_no,
                        contact.c.group_no == chunk.c.group_no,
                        contact.c.pos.between(chunk.c.lo, chunk.c.hi),
                    ),
                )
                .where(chunk.c.app == app, chunk.c.run_no == run_no)
                .group_by(chunk.c.list_no, chunk.c.group_no)
            )
            for row in conn.execute(held):
                contacts[row[0], row[1]] += row[2]
            groups = _groups(conn, app, {list_no for list_no, _ in contacts})
            # What is left of a stopped run may have been in a list that was deleted since.
            return [Left(groups[key], count) for key, count in sorted(contacts.items()) if count > 0 and key in groups]

        return await self._db.read(read)

    async def waiting(self, app: int, run_no: int) -> Sequence[Waiting]:
        """Return who comes again, by reason; who is queued twice counts once, for what comes first.

        A late result of a try that was in doubt queues its contact again, while the repeat for the doubt waits, or was
        made already.
        """
        retry, attempt = t.retry, t.attempt
        made = sa.exists().where(
            *(attempt.c[key] == retry.c[key] for key in ("app", "run_no", "person", "n", "list_no", "pos"))
        )
        place = sa.func.row_number().over(
            partition_by=[retry.c.list_no, retry.c.pos], order_by=[retry.c.due, retry.c.turn]
        )
        queued = (
            sa.select(retry.c.reason, retry.c.due, place.label("place"))
            .where(retry.c.app == app, retry.c.run_no == run_no, ~made)
            .subquery()
        )
        query = (
            sa.select(queued.c.reason, sa.func.count().label("contacts"), sa.func.min(queued.c.due).label("due"))
            .where(queued.c.place == 1)
            .group_by(queued.c.reason)
            .order_by(queued.c.reason)
        )
        rows = await self._db.read(lambda conn: all_of(conn, query))
        return [Waiting(row["reason"], row["contacts"], from_micros(row["due"])) for row in rows]

    async def earlier(self, app: int, run_no: int) -> Mapping[str, int]:
        """Return how many attempts, by their present state, do not say how their contact stands now.

        They were followed by another one, or are about to be, or the gate spared the contact when it came again. This
        looks at every attempt of the run.
        """
        followed, event = _followed(app, run_no).subquery(), t.event
        far = sa.func.max(sa.case(dict(RANK), value=event.c.kind)).label("far")
        same = event.c.person == followed.c.person, event.c.n == followed.c.n
        standing = (
            sa.select(far)
            .join_from(followed, event, sa.and_(event.c.app == app, event.c.run_no == run_no, *same))
            .group_by(followed.c.person, followed.c.n)
            .subquery()
        )
        query = sa.select(standing.c.far, sa.func.count()).group_by(standing.c.far)
        states = {rank: str(state) for state, rank in RANK.items()}
        return await self._db.read(lambda conn: {states[row[0]]: int(row[1]) for row in conn.execute(query)})

    async def called_back(self, app: int, run_no: int) -> bool:
        """Say whether anybody came again, or is about to, because of a callback."""
        callback = t.callback
        query = sa.select(callback.c.n).where(callback.c.app == app, callback.c.run_no == run_no, callback.c.n > 0)
        return await self._db.read(lambda conn: conn.execute(query.limit(1)).first() is not None)

    async def in_flight(self, app: int, run_no: int) -> int:
        """Return how many arms nodes hold now."""
        query = sa.select(sa.func.count()).where(t.arm.c.app == app, t.arm.c.run_no == run_no)
        return await self._db.read(lambda conn: int(conn.execute(query).scalar_one()))

    async def attempts(
        self,
        app: int,
        run_no: int,
        *,
        after: tuple[bytes, int] | None = None,
        limit: int = 100,
        state: str | None = None,
        wanted: WantedAttempts | None = None,
    ) -> Sequence[AttemptRecord]:
        """Return attempts in the order of their keys, from a key on; or only those that have a state now."""
        attempt, contact = t.attempt, t.contact
        query = (
            sa.select(attempt, contact.c.sealed, label_spoken_through())
            .outerjoin(
                contact,
                sa.and_(
                    contact.c.app == attempt.c.app,
                    contact.c.list_no == attempt.c.list_no,
                    contact.c.group_no == attempt.c.group_no,
                    contact.c.pos == attempt.c.pos,
                ),
            )
            .where(attempt.c.app == app, attempt.c.run_no == run_no)
            .order_by(attempt.c.person, attempt.c.n)
            .limit(limit)
        )
        if state is not None:
            query = query.where(*_stands(state))
        if wanted is not None:
            query = query.where(*_fits(wanted))
        if after is not None:
            query = query.where(sa.tuple_(attempt.c.person, attempt.c.n) > sa.tuple_(*map(sa.literal, after)))

        def read(conn: sa.Connection) -> list[AttemptRecord]:
            rows = all_of(conn, query)
            events = _events(conn, app, run_no, [row["person"] for row in rows])
            return [self._attempt(row, events.get((row["person"], row["n"]), ())) for row in rows]

        return await self._db.read(read)

    async def suppressions(
        self, app: int, run_no: int, *, after: tuple[int, int] | None = None, limit: int = 100
    ) -> Sequence[tuple[tuple[int, int], SuppressionRecord]]:
        """Return who was not contacted and why, each with the key to go on from."""
        suppression, contact = t.suppression, t.contact
        query = (
            sa.select(suppression, contact.c.sealed)
            .outerjoin(
                contact,
                sa.and_(
                    contact.c.app == suppression.c.app,
                    contact.c.list_no == suppression.c.list_no,
                    contact.c.pos == suppression.c.pos,
                ),
            )
            .where(suppression.c.app == app, suppression.c.run_no == run_no)
            .order_by(suppression.c.list_no, suppression.c.pos)
            .limit(limit)
        )
        if after is not None:
            query = query.where(
                sa.tuple_(suppression.c.list_no, suppression.c.pos) > sa.tuple_(*map(sa.literal, after))
            )
        rows = await self._db.read(lambda conn: all_of(conn, query))
        return [
            (
                (row["list_no"], row["pos"]),
                SuppressionRecord(
                    contact_id(row["list_no"], row["pos"]),
                    self._number(row),
                    row["reason"],
                    from_micros(row["at"]),
                ),
            )
            for row in rows
        ]

    def _number(self, row: Mapping[str, Any]) -> str:
        key = self._vault.app(row["app"])
        if key is None or row["sealed"] is None:
            return ""
        return key.open_number(row["sealed"], row["person"])

    def _attempt(self, row: Mapping[str, Any], events: Sequence[AttemptEvent]) -> AttemptRecord:
        return AttemptRecord(
            encode_attempt(row["run_no"], row["person"], row["n"]),
            row["person"],
            row["n"],
            self._number(row),
            contact_id(row["list_no"], row["pos"]),
            from_micros(row["at"]),
            fold(event.kind for event in events),
            tuple(events),
            row["sender_label"],
        )


def _followed(app: int, run_no: int) -> sa.CompoundSelect[tuple[bytes, int]]:
    """Name the attempts (person, n) after which more was done about their contact."""
    attempt, retry, suppression = t.attempt, t.retry, t.suppression
    same_place = (suppression.c[key] == attempt.c[key] for key in ("app", "run_no", "person", "list_no", "pos"))
    return sa.union(
        sa.select(attempt.c.person, (attempt.c.n - 1).label("n")).where(
            attempt.c.app == app, attempt.c.run_no == run_no, attempt.c.n > 1
        ),
        sa.select(retry.c.person, retry.c.n - 1).where(retry.c.app == app, retry.c.run_no == run_no, retry.c.n > 1),
        sa.select(attempt.c.person, sa.func.max(attempt.c.n))
        .join_from(attempt, suppression, sa.and_(*same_place))
        .where(attempt.c.app == app, attempt.c.run_no == run_no)
        .group_by(attempt.c.person),
    )


def _fits(wanted: WantedAttempts) -> Iterator[sa.ColumnElement[bool]]:
    if wanted.code is not None:
        yield _has(t.event, t.event.c.code == wanted.code)
    if wanted.since is not None:
        yield t.attempt.c.at >= to_micros(wanted.since)
    if wanted.until is not None:
        yield t.attempt.c.at < to_micros(wanted.until)


def _stands(state: str) -> Iterator[sa.ColumnElement[bool]]:
    """Say that an attempt has a state: no index knows states, but what is uncertain has a table of its own."""
    if state == Kind.uncertain:
        yield _has(t.uncertain)
        return
    kind = t.event.c.kind
    if state != PENDING:
        yield _has(t.event, kind == state)
    if further := beyond(state):
        yield ~_has(t.event, kind.in_(sorted(further)))


def _has(table: sa.Table, *where: sa.ColumnElement[bool]) -> sa.Exists:
    """Say that a table has a row of the attempt in question."""
    return sa.exists().where(*(table.c[key] == t.attempt.c[key] for key in ("app", "run_no", "person", "n")), *where)


def _groups(conn: sa.Connection, app: int, lists: set[int]) -> dict[tuple[int, int], Group]:
    group = t.list_group
    query = sa.select(group).where(group.c.app == app, group.c.list_no.in_(lists))
    return {
        (row["list_no"], row["group_no"]): read_group(
            row["list_no"], row["group_no"], row["own_zone"], row["candidate_zones"], row["priority"]
        )
        for row in all_of(conn, query)
    }


def _events(
    conn: sa.Connection, app: int, run_no: int, persons: Sequence[bytes]
) -> dict[tuple[bytes, int], list[AttemptEvent]]:
    event = t.event
    found: dict[tuple[bytes, int], list[AttemptEvent]] = {}
    query = (
        sa.select(event)
        .where(event.c.app == app, event.c.run_no == run_no, event.c.person.in_(persons))
        .order_by(event.c.at)
    )
    for row in conn.execute(query):
        found.setdefault((row.person, row.n), []).append(
            AttemptEvent(row.kind, from_micros(row.at), row.code, row.ref, row.segments)
        )
    return found
