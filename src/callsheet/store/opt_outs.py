"""People who opted out, and the replies by which they did."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.campaign import Channel
from callsheet.core.flow.session import Ending
from callsheet.core.notice import NoticeKind
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.flow_ends import end_of_persons
from callsheet.store.gate import close_gate
from callsheet.store.numbers import numbers_of
from callsheet.store.outbox import announce
from callsheet.store.rows import all_of
from callsheet.store.vault import Vault

_MOST_LIFTED = 100


class Place(NamedTuple):
    """Where an opt-out stands in the order of its page."""

    channel: str
    person: bytes
    source: str


@dataclass(frozen=True, slots=True)
class OptOut:
    """Somebody who is not contacted on a channel, by their own word."""

    person: bytes
    channel: Channel
    source: str
    """`reply`: they said STOP. `doubt`: they may have. `carrier`: the carrier says that they did. `api`: somebody wrote
    it down for them. One person can have opted out by several."""
    added_at: datetime


@dataclass(frozen=True, slots=True)
class LiftedOptOut:
    """An opt-out that was taken back, and why."""

    opt_out: OptOut
    lifted_at: datetime
    reason: str


class OptOuts:
    """Who said STOP, by any means."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def find(self, app: int, person: bytes) -> list[OptOut]:
        """Return what a person opted out of."""
        return await self._db.read(lambda conn: opt_outs_of(conn, app, person))

    async def page(
        self, app: int, *, channel: Channel | None, source: str | None, after: Place | None, limit: int
    ) -> Sequence[tuple[OptOut, str]]:
        """Return opt-outs in the order of channels and person keys, each with its number.

        The number is empty when no list and no reply has it any more: an opt-out outlives them all.
        """
        opt_out = t.opt_out
        order = (opt_out.c.channel, opt_out.c.person, opt_out.c.source)
        query = sa.select(opt_out).where(opt_out.c.app == app)
        if channel is not None:
            query = query.where(opt_out.c.channel == channel.value)
        if source is not None:
            query = query.where(opt_out.c.source == source)
        if after is not None:
            query = query.where(sa.tuple_(*order) > sa.tuple_(*map(sa.literal, after)))

        def read(conn: sa.Connection) -> list[tuple[OptOut, str]]:
            found = [_read(row) for row in all_of(conn, query.order_by(*order).limit(limit))]
            numbers = numbers_of(conn, self._vault, app, {one.person for one in found})
            return [(one, numbers.get(one.person, "")) for one in found]

        return await self._db.read(read)

    async def add(self, app: int, channel: Channel, source: str, persons: Collection[bytes], now: datetime) -> int:
        """Write down that people opted out, and return how many were new. Arming spares them from the commit on."""

        def add(conn: sa.Connection) -> int:
            added = _add(conn, app, channel, source, persons, now)
            close_gate(conn, app)
            return added

        return await self._db.write(add)

    async def lift(
        self, app: int, channel: Channel, persons: Collection[bytes], reason: str, now: datetime
    ) -> Collection[bytes]:
        """Take back the opt-outs of people, whatever they came by, and return whose those were. The reason is kept."""
        opt_out, lifted = t.opt_out, t.opt_out_lifted
        mine = sa.and_(opt_out.c.app == app, opt_out.c.channel == channel.value, opt_out.c.person.in_(persons))

        def lift(conn: sa.Connection) -> Collection[bytes]:
            # In the order in which everybody writes them, so that nobody waits in a circle.
            held = sa.select(opt_out).where(mine).order_by(opt_out.c.person, opt_out.c.source).with_for_update()
            rows = all_of(conn, held)
            kept = [{**row, "lifted_at": to_micros(now), "reason": reason} for row in rows]
            if kept:
                conn.execute(sa.insert(lifted), kept)
                # These very rows: a STOP that comes meanwhile stays.
                conn.execute(_DROP, rows)
            return {row["person"] for row in rows}

        return await self._db.write(lift)


_DROP = sa.text("delete from opt_out where app = :app and channel = :channel and person = :person and source = :source")


def _add(
    conn: sa.Connection, app: int, channel: Channel, source: str, persons: Collection[bytes], now: datetime
) -> int:
    """Write down who is new, and tell others."""
    opt_out = t.opt_out
    known = sa.select(opt_out.c.person).where(
        opt_out.c.app == app,
        opt_out.c.channel == channel.value,
        opt_out.c.person.in_(persons),
        opt_out.c.source == source,
    )
    new = set(persons) - set(conn.execute(known).scalars())
    shared = {"app": app, "channel": channel.value, "source": source, "added_at": to_micros(now)}
    if new:
        conn.execute(sa.insert(opt_out), [{**shared, "person": person} for person in sorted(new)])
    if new and channel is Channel.sms:
        end_of_persons(conn, app, new, Ending.opted_out, now)
    for person in sorted(new):
        payload = {"person_id": person.hex(), "channel": channel.value, "source": source}
        announce(conn, app, NoticeKind.contact_opted_out, payload, now)
    return len(new)


def opt_outs_of(conn: sa.Connection, app: int, person: bytes) -> list[OptOut]:
    """Return what a person opted out of."""
    opt_out = t.opt_out
    # By channel too: the key leads with it.
    mine = sa.and_(opt_out.c.app == app, opt_out.c.channel.in_(list(Channel)), opt_out.c.person == person)
    return [
        _read(row) for row in all_of(conn, sa.select(opt_out).where(mine).order_by(opt_out.c.channel, opt_out.c.source))
    ]


def lifted_of(conn: sa.Connection, app: int, person: bytes) -> list[LiftedOptOut]:
    """Return the opt-outs of a person that were taken back, the latest first."""
    lifted = t.opt_out_lifted
    mine = sa.and_(lifted.c.app == app, lifted.c.channel.in_(list(Channel)), lifted.c.person == person)
    rows = all_of(
        conn, sa.select(lifted).where(mine).order_by(lifted.c.lifted_at.desc(), lifted.c.no.desc()).limit(_MOST_LIFTED)
    )
    return [LiftedOptOut(_read(row), from_micros(row["lifted_at"]), row["reason"]) for row in rows]


def _read(row: Mapping[str, Any]) -> OptOut:
    return OptOut(row["person"], Channel(row["channel"]), row["source"], from_micros(row["added_at"]))
