"""Preflights: the latest look at all messages of each campaign, how far it is, and what it came to.

What is read of contacts goes block by block, each a short look; between two of them others write.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.campaign import Campaign, Definition
from callsheet.core.gate import Reason
from callsheet.core.preflight import Person, Tally
from callsheet.core.preflight_report import Finding, ZoneHours
from callsheet.core.run import global_dnc_applies
from callsheet.core.walk import Group
from callsheet.store import tables as t
from callsheet.store.apps import App
from callsheet.store.database import Database
from callsheet.store.lists import ContactList, contact_id
from callsheet.store.rows import DAMAGE, all_of, insert, one, read_group, to_json
from callsheet.store.vault import AppKey, Vault


class State(StrEnum):
    """How far a preflight is."""

    waiting = "waiting"
    running = "running"
    done = "done"


@dataclass(frozen=True, slots=True)
class PinnedList:
    """A contact list as a preflight found it."""

    no: int
    id: str
    name: str
    size: int
    allow_duplicates: bool


@dataclass(frozen=True, slots=True)
class Pins:
    """What a preflight looks at: another of these is another campaign, and the report of this one is stale."""

    version: int
    """Of the campaign."""
    text_version: int
    """Of its template or flow; 0: its text stands in the campaign."""
    lists: tuple[PinnedList, ...]
    text: str
    """With its placeholders; empty where there is none."""
    definition: Definition
    problem: str = ""
    """Why there is no text."""

    @property
    def contacts(self) -> int:
        """How many contacts there are to look at."""
        return sum(one.size for one in self.lists)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a preflight came to."""

    findings: tuple[Finding, ...]
    zones: tuple[ZoneHours, ...] = ()
    seconds: float | None = None
    """How long it takes at the sender's pace at least; none: nothing limits it."""
    calls_at_once: int | None = None
    """So many calls may go on at once; none: nobody is called."""
    cost: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Preflight:
    """The latest preflight of a campaign."""

    app: int
    campaign_no: int
    state: State
    pins: Pins
    place: int
    pos: int
    tally: Tally
    outcome: Outcome | None
    epoch: int
    begun_at: datetime
    finished_at: datetime | None


class Facts(NamedTuple):
    """What a block of contacts is judged by."""

    dnc_lists: Collection[int]
    earlier: Collection[int]
    """Lists that come before: who stands there gets his message there."""


_pins = msgspec.json.Decoder(Pins)
_tally = msgspec.json.Decoder(Tally)
_outcome = msgspec.json.Decoder(Outcome)
_attributes = msgspec.json.Decoder(dict[str, str])


class Preflights:
    """The preflights of all campaigns."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def begin(self, campaign: Campaign, pins: Pins, now: datetime) -> Preflight:
        """Begin to look anew; what was found before is forgotten, and who looks still learns so at his next step."""

        def begin(conn: sa.Connection) -> Preflight:
            drop_preflight(conn, campaign.app, campaign.no)
            key = {"app": campaign.app, "campaign_no": campaign.no}
            # An epoch of an earlier look must never come again.
            values = {"state": State.waiting.value, "pins": to_json(pins), "epoch": to_micros(now)}
            insert(conn, t.preflight, **key, **values, begun_at=to_micros(now))
            found = _find(conn, campaign.app, campaign.no)
            assert found is not None, "it was written a moment ago"
            return found

        return await self._db.write(begin)

    async def find(self, campaign: Campaign) -> Preflight | None:
        """Return the latest preflight of a campaign."""
        return await self._db.read(lambda conn: _find(conn, campaign.app, campaign.no))

    async def take(self, now: datetime, lease: timedelta) -> Preflight | None:
        """Take a preflight that nobody works on, to go on where it stands; None when there is none."""
        row = t.preflight
        free = (
            sa.select(row).where(row.c.finished_at == 0, row.c.lease_until <= to_micros(now)).order_by(row.c.begun_at)
        )

        def take(conn: sa.Connection) -> Preflight | None:
            found = one(conn, free.limit(1).with_for_update(skip_locked=True))
            if found is None:
                return None
            held = {"state": State.running.value, "epoch": found["epoch"] + 1, "lease_until": to_micros(now + lease)}
            conn.execute(sa.update(row).where(*_mine(found["app"], found["campaign_no"])).values(**held))
            taken = _readable({**found, **held})
            if taken is None:
                drop_preflight(conn, found["app"], found["campaign_no"])
            return taken

        return await self._db.write(take)

    async def step(self, preflight: Preflight, until: datetime) -> bool:
        """Write down how far a preflight is, and hold it longer; False when it is another's by now, or begins anew."""
        values = {"place": preflight.place, "pos": preflight.pos, "tally": to_json(preflight.tally)}
        return await self._hold(preflight, {**values, "lease_until": to_micros(until)})

    async def finish(self, preflight: Preflight, outcome: Outcome, now: datetime) -> bool:
        """Write down what a preflight came to; False when it is another's by now, or begins anew."""
        values = {"state": State.done.value, "tally": to_json(preflight.tally), "outcome": to_json(outcome)}
        return await self._hold(preflight, {**values, "finished_at": to_micros(now)})

    async def _hold(self, preflight: Preflight, values: Mapping[str, Any]) -> bool:
        mine = *_mine(preflight.app, preflight.campaign_no), t.preflight.c.epoch == preflight.epoch
        change = sa.update(t.preflight).where(*mine).values(dict(values))
        return await self._db.write(lambda conn: conn.execute(change).rowcount > 0)

    async def facts(self, app: App, definition: Definition, earlier: Collection[int]) -> Facts:
        """Find out by which DNC lists contacts are judged."""
        mine = sa.select(t.dnc_list.c.no).where(t.dnc_list.c.app == app.no, t.dnc_list.c.is_global == 1)
        named = {one.no for one in definition.dnc_lists}
        if global_dnc_applies(definition.channel, app.settings):
            named |= set(await self._db.read(lambda conn: list(conn.execute(mine).scalars())))
        return Facts(named, earlier)

    async def persons(
        self, app: int, within: PinnedList, definition: Definition, facts: Facts, *, after: int, limit: int
    ) -> tuple[list[Person], int | None]:
        """Return contacts of a list from a position on, judged as of now, and where to go on: none at the end."""
        contact = t.contact
        columns = contact.c.pos, contact.c.person, contact.c.sealed, contact.c.attributes
        mine = contact.c.app == app, contact.c.list_no == within.no, contact.c.pos >= after
        page = sa.select(*columns).where(*mine).order_by(contact.c.pos).limit(limit)

        def read(conn: sa.Connection) -> tuple[list[Mapping[str, Any]], Mapping[Reason, set[Any]]]:
            rows = all_of(conn, page)
            return rows, _spared(conn, app, within, definition, facts, rows)

        rows, spared = await self._db.read(read)
        key = self._vault.app(app)
        assert key is not None, "a list of an app that was never opened"
        persons = [_person(key, within.no, row, definition, spared) for row in rows]
        return persons, rows[-1]["pos"] + 1 if len(rows) == limit else None

    async def groups(self, app: int, lists: Collection[int]) -> list[tuple[Group, int]]:
        """Return the groups of some lists, and how many contacts each has."""
        group = t.list_group
        query = sa.select(group).where(group.c.app == app, group.c.list_no.in_(lists), group.c.contacts > 0)
        rows = await self._db.read(lambda conn: all_of(conn, query))
        named = ("list_no", "group_no", "own_zone", "candidate_zones", "priority")
        return [(read_group(*(row[name] for name in named)), row["contacts"]) for row in rows]


def drop_preflight(conn: sa.Connection, app: int, campaign_no: int) -> None:
    """Forget the preflight of a campaign, if it has one."""
    conn.execute(sa.delete(t.preflight).where(*_mine(app, campaign_no)))


def pin_list(found: ContactList) -> PinnedList:
    """Pin a list as it is."""
    return PinnedList(found.no, found.id, found.name, found.size, found.allow_duplicates)


def _mine(app: int, campaign_no: int) -> tuple[sa.ColumnElement[bool], ...]:
    return t.preflight.c.app == app, t.preflight.c.campaign_no == campaign_no


def _find(conn: sa.Connection, app: int, campaign_no: int) -> Preflight | None:
    row = one(conn, sa.select(t.preflight).where(*_mine(app, campaign_no)))
    return _readable(row) if row is not None else None


def _readable(row: Mapping[str, Any]) -> Preflight | None:
    """Read a preflight; one that cannot be read is none: it can be made again."""
    try:
        return _read(row)
    except DAMAGE:
        return None


def _read(row: Mapping[str, Any]) -> Preflight:
    return Preflight(
        row["app"],
        row["campaign_no"],
        State(row["state"]),
        _pins.decode(row["pins"]),
        row["place"],
        row["pos"],
        _tally.decode(row["tally"]),
        _outcome.decode(row["outcome"]) if row["outcome"] else None,
        row["epoch"],
        from_micros(row["begun_at"]),
        from_micros(row["finished_at"]) if row["finished_at"] else None,
    )


def _spared(
    conn: sa.Connection,
    app: int,
    within: PinnedList,
    definition: Definition,
    facts: Facts,
    rows: Sequence[Mapping[str, Any]],
) -> dict[Reason, set[Any]]:
    """Find the persons of a block whom the gate would spare now, and the positions of who stands in a list again."""
    persons = {row["person"] for row in rows}
    entry, opt_out = t.dnc_entry, t.opt_out
    on_dnc = sa.select(entry.c.person).where(
        entry.c.app == app, entry.c.dnc_no.in_(facts.dnc_lists), entry.c.person.in_(persons)
    )
    opted_out = sa.select(opt_out.c.person).where(
        opt_out.c.app == app, opt_out.c.channel == definition.channel.value, opt_out.c.person.in_(persons)
    )
    return {
        Reason.dnc: set(conn.execute(on_dnc).scalars()) if facts.dnc_lists else set(),
        Reason.opted_out: set(conn.execute(opted_out).scalars()),
        Reason.duplicate: _again(conn, app, within, facts, rows, persons),
    }


def _again(
    conn: sa.Connection,
    app: int,
    within: PinnedList,
    facts: Facts,
    rows: Sequence[Mapping[str, Any]],
    persons: Collection[bytes],
) -> set[int]:
    """Find the positions whose person stands in an earlier list, or earlier in this one."""
    contact = t.contact
    lists = [*facts.earlier, *([within.no] if within.allow_duplicates else [])]
    if not lists:
        return set()
    mine = contact.c.app == app, contact.c.list_no.in_(lists), contact.c.person.in_(persons)
    first: dict[bytes, int] = {}
    for list_no, pos, person in conn.execute(
        sa.select(contact.c.list_no, contact.c.pos, contact.c.person).where(*mine)
    ):
        place = pos if list_no == within.no else -1
        first[person] = min(place, first.get(person, place))
    return {row["pos"] for row in rows if first.get(row["person"], row["pos"]) < row["pos"]}


def _person(
    key: AppKey, list_no: int, row: Mapping[str, Any], definition: Definition, spared: Mapping[Reason, set[Any]]
) -> Person:
    named = contact_id(list_no, row["pos"])
    try:
        attributes = _attributes.decode(row["attributes"])
        number = key.open_number(row["sealed"], row["person"])
    except DAMAGE:
        return Person(named, "", {})
    if definition.filter is not None and not definition.filter.accepts(attributes):
        return Person(named, number, attributes, Reason.filtered)
    if row["pos"] in spared[Reason.duplicate]:
        return Person(named, number, attributes, Reason.duplicate)
    reason = next((one for one in (Reason.dnc, Reason.opted_out) if row["person"] in spared[one]), "")
    return Person(named, number, attributes, reason, row["person"])
