"""What flows collected: counts of each block, and the answers one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.rows import all_of, one
from callsheet.store.vault import Seal, Vault


class Wanted(NamedTuple):
    """Which results of a flow are meant."""

    app: int
    flow_no: int
    version: int | None = None
    """None: those of all versions."""
    run_no: int | None = None
    """None: those of all runs, and of conversations that replies began."""
    from_at: datetime | None = None
    """Only answers of this instant and later; counts have none."""
    to_at: datetime | None = None
    """Only answers before this instant."""


class Counted(NamedTuple):
    """A count of a block."""

    flow: str
    block: str
    what: str
    """`came`, `exit` or `value`."""
    name: str
    times: int


class Place(NamedTuple):
    """Where an answer stands."""

    at: int
    """Microseconds."""
    session_no: int
    no: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered to a question."""

    place: Place
    conversation_id: str
    person: bytes
    version: int
    mode: str
    at: datetime
    block: str
    kind: str
    value: Any
    """None: nothing that the question takes."""
    response: str | None
    """As they wrote it."""

    @property
    def id(self) -> str:
        """Return its id, which is the same however often it is read."""
        return f"{self.conversation_id}.{self.place.no}"


class FlowResults:
    """The results of all flows."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def counts(self, wanted: Wanted) -> Sequence[Counted]:
        """Return every count, each once: exact, because a turn of a conversation and its counts are one transaction."""
        count = t.flow_count
        columns = count.c.flow, count.c.block, count.c.what, count.c.name
        query = (
            sa.select(*columns, sa.cast(sa.func.sum(count.c.value), sa.BigInteger))
            .where(count.c.app == wanted.app, count.c.flow_no == wanted.flow_no)
            .group_by(*columns)
            .order_by(*columns)
        )
        if wanted.version is not None:
            query = query.where(count.c.version == wanted.version)
        if wanted.run_no is not None:
            query = query.where(count.c.run_no == wanted.run_no)
        return await self._db.read(lambda conn: [Counted(*row) for row in conn.execute(query)])

    async def place(self, app: int, flow_no: int, answer_id: str) -> Place | None:
        """Return where an answer stands, by its id; None: there is no such."""
        conversation_id, _, no = answer_id.rpartition(".")
        if not (no.isascii() and no.isdecimal() and len(no) < len(str(2**31))):
            return None
        session, visit = t.flow_session, t.flow_visit
        query = (
            sa.select(visit.c.at, session.c.no)
            .join(visit, sa.and_(visit.c.app == session.c.app, visit.c.session_no == session.c.no))
            .where(session.c.app == app, session.c.flow_no == flow_no, session.c.id == conversation_id)
            .where(visit.c.app == app, visit.c.no == int(no))
        )
        row = await self._db.read(lambda conn: one(conn, query))
        return Place(row["at"], row["no"], int(no)) if row is not None else None

    async def answers(self, wanted: Wanted, *, after: Place | None, limit: int) -> Sequence[Answer]:
        """Return answers in the order of their instants: one that comes later stands behind, whatever it is of."""
        session, visit = t.flow_session, t.flow_visit
        order = visit.c.at, visit.c.session_no, visit.c.no
        query = (
            sa.select(visit, session.c.id, session.c.person, session.c.version, session.c.channel.label("channel"))
            .join(session, sa.and_(session.c.app == visit.c.app, session.c.no == visit.c.session_no))
            .where(visit.c.app == wanted.app, visit.c.flow_no == wanted.flow_no, t.is_answer)
            .order_by(*order)
            .limit(limit)
        )
        if wanted.version is not None:
            query = query.where(session.c.version == wanted.version)
        if wanted.run_no is not None:
            # A sum, which no index has: it is led by the index of answers.
            query = query.where(session.c.run_no + 0 == wanted.run_no)
        if wanted.from_at is not None:
            query = query.where(visit.c.at >= to_micros(wanted.from_at))
        if wanted.to_at is not None:
            query = query.where(visit.c.at < to_micros(wanted.to_at))
        if after is not None:
            query = query.where(sa.tuple_(*order) > sa.tuple_(*map(sa.literal, after)))
        rows = await self._db.read(lambda conn: all_of(conn, query))
        key = self._vault.app(wanted.app)
        assert key is not None, "the app was opened when its token was read"
        return [_answer(row, key.seal) for row in rows]


def _answer(row: Mapping[str, Any], seal: Seal) -> Answer:
    said = msgspec.json.decode(seal.open(row["said_sealed"], row["person"]))
    return Answer(
        Place(row["at"], row["session_no"], row["no"]),
        row["id"],
        row["person"],
        row["version"],
        row["channel"],
        from_micros(row["at"]),
        row["block"],
        row["kind"],
        said["value"],
        said["response"],
    )
