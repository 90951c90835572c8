"""Everything about one person, over all campaigns of an app: what happened, newest first, and what holds now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros
from callsheet.core.attempt import fold
from callsheet.core.campaign import Named
from callsheet.core.ids import encode_attempt
from callsheet.store import tables as t
from callsheet.store.campaign_rows import is_of_run
from callsheet.store.database import Database
from callsheet.store.lists import contact_id
from callsheet.store.opt_outs import LiftedOptOut, OptOut, lifted_of, opt_outs_of
from callsheet.store.reports import AttemptEvent
from callsheet.store.rows import all_of, one, read_definition, to_json
from callsheet.store.senders import label_spoken_through
from callsheet.store.standings import Membership, coming_back, memberships
from callsheet.store.vault import Vault

_MOST_PLACES = 1000


class Kind(IntEnum):
    """What an entry of a history tells; of one instant, the higher comes first."""

    attempt = 0
    suppression = 1
    reply = 2
    answer = 3


_KEYS = {Kind.attempt: 2, Kind.suppression: 3, Kind.reply: 1, Kind.answer: 1}
"""How many parts tell entries of one instant and kind apart: numbers, and for a reply the carrier's id."""
_MOST = 2**63 - 1


class Place(NamedTuple):
    """Where an entry stands in the order of a history: instant (microseconds), kind, and what tells equals apart."""

    at: int
    kind: Kind
    key: tuple[int | str, ...]


_place = msgspec.json.Decoder(Place)


@dataclass(frozen=True, slots=True)
class RunOf:
    """The run that an entry belongs to."""

    run_id: str
    campaign_id: str
    """Empty when the campaign was deleted."""
    campaign_name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened with a person."""

    place: Place
    at: datetime
    run: RunOf | None = None
    """None for a reply: nobody says to what it replies."""
    attempt_id: str = ""
    n: int = 0
    contact_id: str = ""
    state: str = ""
    """Of an attempt, or of what was answered."""
    reason: str = ""
    """Of a suppression, or why nothing was answered."""
    events: tuple[AttemptEvent, ...] = ()
    text: str = ""
    """Of a reply, and of what was answered to one."""
    word: str = ""
    """What a reply says, or what is answered."""
    sender: str = ""
    """To which sender a reply came, or from which one an answer or an attempt left."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that comes back to the person."""

    run: RunOf
    due_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class History:
    """Some of what happened with a person, and all that holds now."""

    entries: Sequence[Entry]
    opt_outs: Sequence[OptOut]
    lifted: Sequence[LiftedOptOut]
    memberships: Sequence[Membership]
    contact_lists: Sequence[Named]
    waiting: Sequence[Waiting]


class Histories:
    """Reads what happened with people."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def who(self, app: int, list_no: int, pos: int) -> tuple[bytes, str] | None:
        """Return the person key and the number of a contact; None when there is no such contact."""
        contact = t.contact
        query = (
            sa.select(contact.c.person, contact.c.sealed)
            # The contacts of a list that was deleted are not there any more, though some may wait to be erased.
            .join(t.contact_list, t.contact_list.c.no == contact.c.list_no)
            .where(contact.c.app == app, contact.c.list_no == list_no, contact.c.pos == pos)
        )
        row = await self._db.read(lambda conn: one(conn, query))
        key = self._vault.app(app)
        if row is None or key is None:
            return None
        return row["person"], key.open_number(row["sealed"], row["person"])

    async def of(self, app: int, person: bytes, *, before: Place | None, limit: int) -> History:
        """Return what happened with a person, newest first, from a place on."""

        def read(conn: sa.Connection) -> History:
            entries = [
                *_attempts(conn, app, person, before, limit),
                *_suppressions(conn, app, person, before, limit),
                *self._replies(conn, app, person, before, limit),
                *self._answers(conn, app, person, before, limit),
            ]
            entries.sort(key=lambda entry: entry.place, reverse=True)
            return History(
                entries[:limit],
                opt_outs_of(conn, app, person),
                lifted_of(conn, app, person),
                memberships(conn, app, person),
                _contact_lists(conn, app, person),
                _waiting(conn, app, person),
            )

        return await self._db.read(read)

    def _replies(self, conn: sa.Connection, app: int, person: bytes, before: Place | None, limit: int) -> list[Entry]:
        inbound = t.inbound
        query = _page(inbound, app, person, Kind.reply, (inbound.c.inbound_id,), before, limit)
        key = self._vault.app(app)
        assert key is not None, "the app was opened when its token was read"
        return [
            Entry(
                Place(row["at"], Kind.reply, (row["inbound_id"],)),
                from_micros(row["at"]),
                text=key.seal.open(row["text_sealed"], person).decode(),
                word=row["word"],
                sender=row["sender"],
            )
            for row in all_of(conn, query)
        ]

    def _answers(self, conn: sa.Connection, app: int, person: bytes, before: Place | None, limit: int) -> list[Entry]:
        query = _page(t.reply, app, person, Kind.answer, (t.reply.c.no,), before, limit)
        key = self._vault.app(app)
        assert key is not None, "the app was opened when its token was read"
        return [
            Entry(
                Place(row["at"], Kind.answer, (row["no"],)),
                from_micros(row["at"]),
                state=row["state"],
                reason=row["code"],
                text=key.seal.open(row["text_sealed"], person).decode(),
                word=row["kind"],
                sender=row["sender"],
            )
            for row in all_of(conn, query)
        ]


def _page(
    table: sa.Table,
    app: int,
    person: bytes,
    kind: Kind,
    key: tuple[sa.Column[Any], ...],
    before: Place | None,
    limit: int,
) -> sa.Select[Any]:
    """Select a person's rows of one table, newest first, from a place in the whole history on."""
    order = (table.c.at, *key)
    query = sa.select(table).where(table.c.app == app, table.c.person == person)
    if before is not None:
        if kind == before.kind:
            query = query.where(sa.tuple_(*order) < sa.tuple_(*map(sa.literal, (before.at, *before.key))))
        else:
            query = query.where(table.c.at <= before.at if kind < before.kind else table.c.at < before.at)
    return query.order_by(*(column.desc() for column in order)).limit(limit)


def _attempts(conn: sa.Connection, app: int, person: bytes, before: Place | None, limit: int) -> list[Entry]:
    attempt = t.attempt
    query = _page(attempt, app, person, Kind.attempt, (attempt.c.run_no, attempt.c.n), before, limit)
    query = query.add_columns(label_spoken_through())
    rows = all_of(conn, query)
    numbers = {row["run_no"] for row in rows}
    runs, events = _runs(conn, app, numbers), _events(conn, app, person, numbers)
    return [
        Entry(
            Place(row["at"], Kind.attempt, (row["run_no"], row["n"])),
            from_micros(row["at"]),
            runs.get(row["run_no"]),
            encode_attempt(row["run_no"], person, row["n"]),
            row["n"],
            contact_id(row["list_no"], row["pos"]),
            fold(event.kind for event in events.get((row["run_no"], row["n"]), ())),
            events=tuple(events.get((row["run_no"], row["n"]), ())),
            sender=row["sender_label"],
        )
        for row in rows
    ]


def _suppressions(conn: sa.Connection, app: int, person: bytes, before: Place | None, limit: int) -> list[Entry]:
    suppression = t.suppression
    key = (suppression.c.run_no, suppression.c.list_no, suppression.c.pos)
    rows = all_of(conn, _page(suppression, app, person, Kind.suppression, key, before, limit))
    runs = _runs(conn, app, {row["run_no"] for row in rows})
    return [
        Entry(
            Place(row["at"], Kind.suppression, (row["run_no"], row["list_no"], row["pos"])),
            from_micros(row["at"]),
            runs.get(row["run_no"]),
            contact_id=contact_id(row["list_no"], row["pos"]),
            reason=row["reason"],
        )
        for row in rows
    ]


def _runs(conn: sa.Connection, app: int, numbers: Collection[int]) -> Mapping[int, RunOf]:
    run, version, campaign = t.run, t.campaign_version, t.campaign
    query = (
        sa.select(run.c.no, run.c.id, campaign.c.id.label("campaign_id"), version.c.definition)
        .join(version, is_of_run())
        .outerjoin(campaign, campaign.c.no == run.c.campaign_no)
        .where(run.c.app == app, run.c.no.in_(numbers))
    )
    return {
        row["no"]: RunOf(row["id"], row["campaign_id"] or "", read_definition(row["definition"]).name)
        for row in all_of(conn, query)
    }


def _events(
    conn: sa.Connection, app: int, person: bytes, runs: Collection[int]
) -> Mapping[tuple[int, int], list[AttemptEvent]]:
    event = t.event
    found: dict[tuple[int, int], list[AttemptEvent]] = {}
    query = sa.select(event).where(event.c.app == app, event.c.run_no.in_(runs), event.c.person == person)
    for row in conn.execute(query.order_by(event.c.at)):
        found.setdefault((row.run_no, row.n), []).append(
            AttemptEvent(row.kind, from_micros(row.at), row.code, row.ref, row.segments)
        )
    return found


def _contact_lists(conn: sa.Connection, app: int, person: bytes) -> list[Named]:
    lists, contact = t.contact_list, t.contact
    is_in = sa.exists().where(contact.c.app == app, contact.c.list_no == lists.c.no, contact.c.person == person)
    query = sa.select(lists.c.no, lists.c.id, lists.c.name).where(lists.c.app == app, is_in).order_by(lists.c.no)
    return [Named(row["no"], row["id"], row["name"]) for row in all_of(conn, query.limit(_MOST_PLACES))]


def _waiting(conn: sa.Connection, app: int, person: bytes) -> list[Waiting]:
    coming = coming_back(conn, app, person)
    runs = _runs(conn, app, {one.run_no for one in coming})
    return [Waiting(runs[one.run_no], one.due_at, one.reason) for one in coming]


def write_place(place: Place) -> str:
    """Write a place as the cursor of a page."""
    return to_json(place)


def read_place(text: str) -> Place | None:
    """Read the cursor of a page; None when no page gave it."""
    try:
        place = _place.decode(text)
    except msgspec.MsgspecError:
        return None
    numbers = [part for part in place.key if isinstance(part, int)]
    expected = [] if place.kind is Kind.reply else [0] * len(place.key)
    in_range = all(0 <= number <= _MOST for number in (place.at, *numbers))
    return place if in_range and len(place.key) == _KEYS[place.kind] and len(numbers) == len(expected) else None
