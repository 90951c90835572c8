"""Errands: what sessions of flows wait for that is asked of others, a webhook or a language model.

A session has one errand at most. It is written in the transaction that makes the session wait, and dropped in the one
that gives the session its answer. A node takes one by putting its `next_at` off until its answer must be there; when
the node dies it comes up again then, under the same id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.flow.effects import AskModel, CallWebhook, Tool
from callsheet.core.ids import Prefix
from callsheet.store import tables as t
from callsheet.store.apps import read_app
from callsheet.store.database import Database
from callsheet.store.rows import DAMAGE, all_of, insert, new_id, one, to_json
from callsheet.store.vault import Seal, Vault

PATIENCE = timedelta(hours=1)
"""So long after it was written an errand is still gone on: later nobody waits for an answer."""
LEASE_MARGIN = timedelta(seconds=30)
"""So much longer than an answer may take an errand is held: for all that goes before and after it."""


@dataclass(frozen=True, slots=True)
class Errand:
    """An errand that this node took, with all that it needs."""

    app: int
    session_no: int
    id: str
    """Constant: by it the other end knows it when it is asked again."""
    revision: int
    """Of the session that waits."""
    asked: CallWebhook | AskModel | None
    """None: what is stored of it cannot be read."""
    flow_id: str
    """Whose secret signs it."""
    tries: int
    """This one included."""
    deadline_at: datetime
    """When it is given up."""


def write_errand(
    conn: sa.Connection,
    app: int,
    session_no: int,
    asked: CallWebhook | AskModel,
    *,
    revision: int,
    seal: Seal,
    now: datetime,
    node_no: int = 0,
) -> str:
    """Write what a session waits for, in the transaction that makes it wait, and return the errand's id.

    `revision`: the one that the session has after this transaction. An errand that the session had is dropped.
    `node_no`: the node that alone asks it, because its answer is heard in a call there; 0: any may.
    """
    drop_errand(conn, app, session_no)
    errand_id = new_id(Prefix.errand)
    insert(
        conn,
        t.errand,
        app=app,
        session_no=session_no,
        id=errand_id,
        node_no=node_no,
        kind="webhook" if isinstance(asked, CallWebhook) else "model",
        asked_sealed=seal.close(to_json(asked).encode(), _purpose(app, session_no)),
        revision=revision,
        next_at=to_micros(now),
        deadline_at=to_micros(now + PATIENCE),
    )
    return errand_id


def drop_errand(conn: sa.Connection, app: int, session_no: int) -> None:
    """Drop what a session waited for, in the transaction that gives it the answer, or ends it."""
    conn.execute(sa.delete(t.errand).where(t.errand.c.app == app, t.errand.c.session_no == session_no))


class Errands:
    """The errands of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def take(
        self, now: datetime, *, most: int, most_each: int, busy: Mapping[int, int], node_no: int = 0
    ) -> tuple[list[Errand], datetime | None]:
        """Take errands that are due here, at the node of this number, and say when the next is, if it took all.

        At most `most_each` of an app, less those of it that are `busy` here: slow ones of one hold up no other's.
        Those of apps whose sending was stopped wait until it is allowed again.
        """
        apps, soonest = await self._db.read(lambda conn: _due_apps(conn, to_micros(now), node_no))
        next_at = from_micros(soonest) if soonest is not None else None
        if not apps:
            return [], next_at

        def take(conn: sa.Connection) -> list[Errand]:
            taken: list[Errand] = []
            for app in apps:
                room = min(most_each - busy.get(app, 0), most - len(taken))
                if room > 0:
                    taken += self._take_some(conn, app, now, room, node_no)
            return taken

        return await self._db.write(take), next_at

    def _take_some(self, conn: sa.Connection, app: int, now: datetime, limit: int, node_no: int) -> list[Errand]:
        errand = t.errand
        due = (
            sa.select(errand)
            .where(errand.c.app == app, errand.c.next_at <= to_micros(now))
            .where(_may_go_on(), _is_for(node_no))
            .order_by(errand.c.next_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        taken = []
        for row in all_of(conn, due):
            asked = self._asked(conn, row)
            seconds = asked.seconds if asked is not None else 0.0
            until = now + timedelta(seconds=seconds) + LEASE_MARGIN
            mine = sa.update(errand).where(errand.c.app == app, errand.c.session_no == row["session_no"])
            conn.execute(mine.values(next_at=to_micros(until), tries=errand.c.tries + 1))
            taken.append(
                Errand(
                    app, row["session_no"], row["id"], row["revision"], asked, _flow_id(conn, row), row["tries"] + 1,
                    from_micros(row["deadline_at"]),
                )
            )  # fmt: skip
        return taken

    def _asked(self, conn: sa.Connection, row: Mapping[str, Any]) -> CallWebhook | AskModel | None:
        try:
            if self._vault.app(row["app"]) is None:  # another node made it a moment ago
                read_app(conn, self._vault, t.app.c.no == row["app"])
            key = self._vault.app(row["app"])
            plain = key.seal.open(row["asked_sealed"], _purpose(row["app"], row["session_no"])) if key else b""
            return _read(row["kind"], msgspec.json.decode(plain))
        except DAMAGE:
            return None

    async def waits(self, app: int, session_no: int, errand_id: str) -> bool:
        """Tell whether a session still waits for the answer to an errand."""
        errand = t.errand
        mine = errand.c.app == app, errand.c.session_no == session_no, errand.c.id == errand_id
        query = sa.select(errand.c.id).where(*mine)
        return await self._db.read(lambda conn: one(conn, query)) is not None

    async def move(self, app: int, session_no: int, node_no: int, now: datetime) -> None:
        """Let another node ask what a session waits for, now: it leads the session's call since."""
        mine = t.errand.c.app == app, t.errand.c.session_no == session_no
        moved = sa.update(t.errand).where(*mine).values(node_no=node_no, next_at=to_micros(now))
        await self._db.write(lambda conn: conn.execute(moved))

    async def release_all(self, now: datetime) -> None:
        """Let go of what an earlier process held; for the one owner of a database."""
        await self._db.write(lambda conn: conn.execute(sa.update(t.errand).values(next_at=to_micros(now))))

    async def forget(self, errand: Errand) -> None:
        """Drop an errand whose answer was given; the session may have another one since.

        Where sending was stopped meanwhile it stays: its answer was not taken, and is asked for afterwards.
        """
        mine = sa.delete(t.errand).where(
            t.errand.c.app == errand.app, t.errand.c.session_no == errand.session_no, t.errand.c.id == errand.id
        )
        await self._db.write(lambda conn: conn.execute(mine.where(_may_go_on())))


def _may_go_on() -> sa.ColumnElement[bool]:
    return t.errand.c.app.not_in(sa.select(t.sending_stop.c.app))


def _is_for(node_no: int) -> sa.ColumnElement[bool]:
    return t.errand.c.node_no.in_((0, node_no))


def _due_apps(conn: sa.Connection, at: int, node_no: int) -> tuple[Sequence[int], int | None]:
    """Return the apps that have errands to do now, the soonest first; and when the next of any is due.

    Those whose sending was stopped are missing: their conversations wait.
    """
    errand = t.errand
    due = sa.select(errand.c.app).where(errand.c.next_at <= at, _may_go_on(), _is_for(node_no)).group_by(errand.c.app)
    later = (
        sa.select(errand.c.next_at)
        .where(errand.c.next_at > at, _may_go_on(), _is_for(node_no))
        .order_by(errand.c.next_at)
        .limit(1)
    )
    apps = conn.execute(due.order_by(sa.func.min(errand.c.next_at))).scalars().all()
    return apps, conn.execute(later).scalar()


def _flow_id(conn: sa.Connection, row: Mapping[str, Any]) -> str:
    session, flow = t.flow_session, t.flow
    query = (
        sa.select(flow.c.id)
        .join(session, sa.and_(session.c.app == flow.c.app, session.c.flow_no == flow.c.no))
        .where(session.c.app == row["app"], session.c.no == row["session_no"])
    )
    found = one(conn, query)
    return str(found["id"]) if found is not None else ""


def _read(kind: str, said: dict[str, Any]) -> CallWebhook | AskModel:
    if kind == "webhook":
        return CallWebhook(**said)
    return AskModel(**{**said, "tools": tuple(Tool(**tool) for tool in said["tools"])})


def _purpose(app: int, session_no: int) -> bytes:
    return f"errand {app} {session_no}".encode()
