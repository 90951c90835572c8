"""The audit log: lines that are added and never changed, in a chain per app, and one per account for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from callsheet.clock import EPOCH, from_micros, to_micros
from callsheet.core.audit import GENESIS, ActorKind, Deed, Line, write_json
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.rows import all_of, insert, one

_WALKED_AT_ONCE = 2000

_its_head = (
    t.audit_head.c.app == sa.bindparam("of_app"),
    t.audit_head.c.account_id == sa.bindparam("of_account"),
)
_HEAD = sa.select(t.audit_head).where(*_its_head).with_for_update()
_MOVE_HEAD = sa.update(t.audit_head).where(*_its_head)


class Chain(NamedTuple):
    """Whose lines: those of an app, by its number, or those of an account."""

    app: int = 0
    account_id: str = ""


class Chained(NamedTuple):
    """A line with its hash, as it is stored."""

    line: Line
    hash: bytes


class Verdict(NamedTuple):
    """What came of walking a chain."""

    lines: int
    """How many lines there are to be."""
    hash: bytes
    """The hash of the last; who notes it down can tell later that nothing before it was changed."""
    first_broken: int | None
    """The place of the first line that is not what was added, or is gone; None when all are."""


class Audit:
    """The audit logs of all apps and accounts."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def add(self, chain: Chain, deed: Deed, now: datetime) -> None:
        """Add a line."""
        await self._db.write(lambda conn: add_line(conn, chain, deed, now))

    async def lines(self, chain: Chain, *, before: int | None, limit: int) -> list[Chained]:
        """Return the lines before a place, the newest first."""
        query = sa.select(t.audit).where(_of(t.audit, chain)).order_by(t.audit.c.seq.desc()).limit(limit)
        if before is not None:
            query = query.where(t.audit.c.seq < before)
        return await self._db.read(lambda conn: [_read(row) for row in all_of(conn, query)])

    async def verify(self, chain: Chain) -> Verdict:
        """Walk a chain from its first line on. Lines that are added meanwhile are not looked at."""
        head = await self._db.read(lambda conn: one(conn, sa.select(t.audit_head).where(_of(t.audit_head, chain))))
        last = head["seq"] if head is not None else await self._last(chain)
        ends_in = head["hash"] if head is not None else GENESIS
        seq, before = 0, GENESIS
        while seq < last:
            found = await self._between(chain, seq, last)
            if not found:
                return Verdict(last, ends_in, seq + 1)
            for chained in found:
                seq += 1
                if chained.line.seq != seq or chained.line.hash(before) != chained.hash:
                    return Verdict(last, ends_in, seq)
                before = chained.hash
        return Verdict(last, ends_in, None if before == ends_in else last)

    async def _last(self, chain: Chain) -> int:
        """Return the place of the last line of a chain without a head: nobody has one but who took it away."""
        query = sa.select(sa.func.coalesce(sa.func.max(t.audit.c.seq), 0)).where(_of(t.audit, chain))
        return int(await self._db.read(lambda conn: conn.execute(query).scalar_one()))

    async def _between(self, chain: Chain, seq: int, last: int) -> list[Chained]:
        query = (
            sa.select(t.audit)
            .where(_of(t.audit, chain), t.audit.c.seq > seq, t.audit.c.seq <= last)
            .order_by(t.audit.c.seq)
            .limit(_WALKED_AT_ONCE)
        )
        return await self._db.read(lambda conn: [_read(row) for row in all_of(conn, query)])


def add_line(conn: sa.Connection, chain: Chain, deed: Deed, now: datetime) -> None:
    """Add a line in the transaction of what it tells. The chain is held until the commit, so this comes last in it."""
    mine = {"of_app": chain.app, "of_account": chain.account_id}
    head = one(conn, _HEAD, mine)
    if head is None:
        # Two that begin a chain at once: the second meets the key of the first, and its transaction runs again.
        insert(conn, t.audit_head, app=chain.app, account_id=chain.account_id, seq=0, hash=GENESIS)
    line = Line(head["seq"] + 1 if head is not None else 1, now, deed)
    hashed = line.hash(head["hash"] if head is not None else GENESIS)
    insert(
        conn,
        t.audit,
        app=chain.app,
        account_id=chain.account_id,
        seq=line.seq,
        at=to_micros(now),
        actor_kind=deed.actor_kind.value,
        actor_id=deed.actor_id,
        action=deed.action,
        thing=deed.thing,
        details=write_json(deed.details),
        hash=hashed,
    )
    conn.execute(_MOVE_HEAD, {**mine, "seq": line.seq, "hash": hashed})


def _of(table: sa.Table, chain: Chain) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.app == chain.app, table.c.account_id == chain.account_id)


def _read(row: Mapping[str, Any]) -> Chained:
    # A row that was tampered with may hold anything: whatever it is, it is shown, and its hash is wrong.
    deed = Deed(
        ActorKind(row["actor_kind"]) if row["actor_kind"] in ActorKind.__members__ else ActorKind.nobody,
        row["actor_id"],
        row["action"],
        row["thing"],
        _details(row["details"]),
    )
    return Chained(Line(row["seq"], _instant(row["at"]), deed), bytes(row["hash"]))


def _instant(micros: int) -> datetime:
    try:
        return from_micros(micros)
    except OverflowError:
        return EPOCH


def _details(text: str) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        return {"unreadable": text}
