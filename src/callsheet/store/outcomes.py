"""How each contact of a run stands, a numbered page at a time: its latest attempt, or why it was never attempted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import sqlalchemy as sa

from callsheet.core.attempt import NOT_TAKEN, Disposition, fold
from callsheet.core.ids import AttemptKey
from callsheet.store import tables as t
from callsheet.store.call_outcomes import CallFacts, calls_of, coming_again, spared_after
from callsheet.store.database import Database
from callsheet.store.rows import all_of
from callsheet.store.vault import Vault


@dataclass(frozen=True, slots=True)
class ContactOutcome:
    """One contact of a run."""

    person: bytes
    number: str
    attributes: Mapping[str, str]
    state: str
    """The state of its latest attempt, or `suppressed`."""
    code: str
    """Why, in a stable word or the carrier's own code; empty when there is nothing to say."""
    attempts: int
    """Attempts used: tries minus refused and withdrawn ones."""
    comes_again: bool = False
    """Another attempt waits for its time."""
    spared: str = ""
    """Why there is no further attempt; empty: nothing stands in the way, or it was never attempted."""
    call: CallFacts | None = None
    """The record of the latest attempt, where that was a call."""


@dataclass(frozen=True, slots=True)
class OutcomePage:
    """Some contacts of a run, and how many there are by now."""

    contacts: Sequence[ContactOutcome]
    total: int


class Outcomes:
    """Reads how the contacts of runs stand."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def page(self, app: int, run_no: int, *, offset: int, limit: int) -> OutcomePage:
        """Return contacts in the order of their person keys, after them those that were never attempted."""

        def read(conn: sa.Connection) -> OutcomePage:
            attempted = _count(conn, t.attempt, app, run_no, t.attempt.c.n == 1)
            suppressed = _count(conn, t.suppression, app, run_no, ~_was_attempted())
            persons = _persons(conn, app, run_no, offset, limit) if offset < attempted else []
            found = _with_calls(
                conn,
                app,
                run_no,
                [(row, self._attempted(row, events)) for row, events in _latest(conn, app, run_no, persons)],
            )
            rest = limit - len(found)
            if rest > 0:
                rows = _suppressed(conn, app, run_no, max(0, offset - attempted), rest)
                found += [self._outcome(row, Disposition.suppressed, row["reason"], 0) for row in rows]
            return OutcomePage(found, attempted + suppressed)

        return await self._db.read(read)

    async def attempted(self, app: int, run_no: int, *, after: bytes | None, limit: int) -> Sequence[ContactOutcome]:
        """Return contacts that were attempted in the order of their person keys, from a key on."""

        def read(conn: sa.Connection) -> list[ContactOutcome]:
            persons = _persons(conn, app, run_no, 0, limit, after)
            return [self._attempted(*one) for one in _latest(conn, app, run_no, persons)]

        return await self._db.read(read)

    async def spared(
        self, app: int, run_no: int, *, after: tuple[int, int] | None, limit: int
    ) -> Sequence[tuple[tuple[int, int], ContactOutcome]]:
        """Return contacts that were never attempted in the order of the lists, each with the key to go on from."""
        rows = await self._db.read(lambda conn: _suppressed(conn, app, run_no, 0, limit, after))
        return [
            ((row["list_no"], row["pos"]), self._outcome(row, Disposition.suppressed, row["reason"], 0)) for row in rows
        ]

    def _attempted(self, row: Mapping[str, Any], events: Sequence[tuple[str, str]]) -> ContactOutcome:
        state = fold(kind for kind, _ in events)
        code = next((code for kind, code in events if kind == state), "")
        used = row["used"] - (state in NOT_TAKEN)
        return self._outcome(row, state, code, used)

    def _outcome(self, row: Mapping[str, Any], state: str, code: str, attempts: int) -> ContactOutcome:
        key = self._vault.app(row["app"])
        known = key is not None and row["sealed"] is not None
        number = key.open_number(row["sealed"], row["person"]) if key is not None and known else ""
        attributes = msgspec.json.decode(row["attributes"]) if known else {}
        return ContactOutcome(row["person"], number, attributes, state, code, attempts)


def _with_calls(
    conn: sa.Connection, app: int, run_no: int, found: Sequence[tuple[Mapping[str, Any], ContactOutcome]]
) -> list[ContactOutcome]:
    """Add the records of calls, and what comes after them."""
    persons = [row["person"] for row, _ in found]
    keys = {row["person"]: AttemptKey(run_no, row["person"], row["n"]) for row, _ in found}
    calls = calls_of(conn, app, keys.values())
    again, spared = coming_again(conn, app, run_no, persons), spared_after(conn, app, run_no, persons)
    return [
        replace(
            one, comes_again=one.person in again, spared=spared.get(one.person, ""), call=calls.get(keys[one.person])
        )
        for _, one in found
    ]


def _count(conn: sa.Connection, table: sa.Table, app: int, run_no: int, where: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(table).where(table.c.app == app, table.c.run_no == run_no, where)
    return int(conn.execute(query).scalar_one())


def _was_attempted() -> sa.ColumnElement[bool]:
    """Say of a suppression that the same contact was attempted before: it came again and met the gate."""
    attempt, suppression = t.attempt, t.suppression
    return sa.exists().where(
        attempt.c.app == suppression.c.app,
        attempt.c.run_no == suppression.c.run_no,
        attempt.c.person == suppression.c.person,
        attempt.c.list_no == suppression.c.list_no,
        attempt.c.pos == suppression.c.pos,
    )


def _persons(
    conn: sa.Connection, app: int, run_no: int, offset: int, limit: int, after: bytes | None = None
) -> list[bytes]:
    attempt = t.attempt
    further = [attempt.c.person > after] if after is not None else []
    query = (
        sa.select(attempt.c.person)
        # Whoever was attempted has a first try.
        .where(attempt.c.app == app, attempt.c.run_no == run_no, attempt.c.n == 1, *further)
        .order_by(attempt.c.person)
        .offset(offset)
        .limit(limit)
    )
    return list(conn.execute(query).scalars())


def _latest(
    conn: sa.Connection, app: int, run_no: int, persons: Sequence[bytes]
) -> list[tuple[Mapping[str, Any], Sequence[tuple[str, str]]]]:
    """Return the latest attempt of each person with kind and code of its events."""
    attempt, contact, event = t.attempt, t.contact, t.event
    query = (
        sa.select(attempt, contact.c.sealed, contact.c.attributes)
        .outerjoin(
            contact,
            sa.and_(
                contact.c.app == attempt.c.app,
                contact.c.list_no == attempt.c.list_no,
                contact.c.group_no == attempt.c.group_no,
                contact.c.pos == attempt.c.pos,
            ),
        )
        .where(attempt.c.app == app, attempt.c.run_no == run_no, attempt.c.person.in_(persons))
        .order_by(attempt.c.person, attempt.c.n)
    )
    latest = {row["person"]: row for row in all_of(conn, query)}
    events: dict[tuple[bytes, int], list[tuple[str, str]]] = {}
    for row in conn.execute(
        sa.select(event.c.person, event.c.n, event.c.kind, event.c.code).where(
            event.c.app == app, event.c.run_no == run_no, event.c.person.in_(persons)
        )
    ):
        events.setdefault((row.person, row.n), []).append((row.kind, row.code))
    return [(row, events.get((person, row["n"]), ())) for person, row in latest.items()]


def _suppressed(
    conn: sa.Connection, app: int, run_no: int, offset: int, limit: int, after: tuple[int, int] | None = None
) -> list[Mapping[str, Any]]:
    suppression, contact = t.suppression, t.contact
    key = sa.tuple_(suppression.c.list_no, suppression.c.pos)
    further = [key > sa.tuple_(*map(sa.literal, after))] if after is not None else []
    query = (
        sa.select(suppression, contact.c.sealed, contact.c.attributes)
        .outerjoin(
            contact,
            sa.and_(
                contact.c.app == suppression.c.app,
                contact.c.list_no == suppression.c.list_no,
                contact.c.pos == suppression.c.pos,
            ),
        )
        .where(suppression.c.app == app, suppression.c.run_no == run_no, ~_was_attempted(), *further)
        .order_by(suppression.c.list_no, suppression.c.pos)
        .offset(offset)
        .limit(limit)
    )
    return all_of(conn, query)
