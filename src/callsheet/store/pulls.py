"""Pulls: where lists fetch their contacts from, when next, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.errors import ContactListNotFound
from callsheet.core.pull import PullPlan, next_pull, pull_again
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.rows import DAMAGE, all_of, insert, one, to_json
from callsheet.store.vault import Vault

SOURCE = "pull"
"""The source of a list that pulls."""
_PLAIN_SOURCE = "upload"

_plan = msgspec.json.Decoder(PullPlan)


class State(StrEnum):
    """How a pull ended."""

    completed = "Completed"
    failed = "Failed"


@dataclass(frozen=True, slots=True)
class Pull:
    """A list that pulls."""

    app: int
    list_no: int
    plan: PullPlan | None
    """None: what is stored of it cannot be read."""
    anchor_at: datetime
    next_at: datetime | None
    """None: not by itself."""
    failures: int
    """In a row."""
    epoch: int
    is_running: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a pull."""

    state: State
    rows: int = 0
    added: int = 0
    updated: int = 0
    rejected: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the log of pulls."""

    no: int
    at: datetime
    outcome: Outcome


class Pulls:
    """The pulls of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def put(self, app: int, list_no: int, plan: PullPlan, now: datetime) -> None:
        """Let a list pull by a plan from now on, at once if it has an interval. Raises ContactListNotFound."""
        at = to_micros(now)
        values = {
            "plan_sealed": self._vault.close_secret(to_json(plan), _purpose(app, list_no)),
            "anchor_at": at,
            "next_at": at if plan.interval_minutes is not None else 0,
            "failures": 0,
            "updated_at": at,
        }

        def put(conn: sa.Connection) -> None:
            lists = t.contact_list
            named = conn.execute(
                sa.update(lists).where(lists.c.app == app, lists.c.no == list_no).values(source=SOURCE)
            )
            if not named.rowcount:
                raise ContactListNotFound
            # What is being pulled by the plan before stores nothing any more.
            anew = {**values, "epoch": t.pull.c.epoch + 1, "lease_until": 0}
            if not conn.execute(sa.update(t.pull).where(_is(app, list_no)).values(anew)).rowcount:
                insert(conn, t.pull, app=app, list_no=list_no, created_at=at, **values)

        await self._db.write(put)

    async def find(self, app: int, list_no: int, now: datetime) -> Pull | None:
        """Return how a list pulls, if it does."""
        row = await self._db.read(lambda conn: one(conn, sa.select(t.pull).where(_is(app, list_no))))
        return self._read(row, now) if row is not None else None

    async def delete(self, app: int, list_no: int) -> None:
        """Let a list pull no more; its contacts and the log stay."""

        def delete(conn: sa.Connection) -> None:
            lists = t.contact_list
            conn.execute(sa.delete(t.pull).where(_is(app, list_no)))
            conn.execute(sa.update(lists).where(lists.c.app == app, lists.c.no == list_no).values(source=_PLAIN_SOURCE))

        await self._db.write(delete)

    async def ask(self, app: int, list_no: int, now: datetime) -> None:
        """Have a list pulled now; once more when it is being pulled at this moment."""
        await self._db.write(
            lambda conn: conn.execute(
                sa.update(t.pull).where(_is(app, list_no)).values(next_at=to_micros(now), updated_at=to_micros(now))
            )
        )

    # -- pulling -----------------------------------------------------------------------------------------------------

    async def take(self, now: datetime, *, most: int, lease_seconds: float) -> tuple[list[Pull], datetime | None]:
        """Take pulls that are due and that no node holds, and say when the next one is."""
        at, until = to_micros(now), to_micros(now + timedelta(seconds=lease_seconds))
        pull = t.pull
        due = (
            sa.select(pull)
            .where(pull.c.next_at.between(1, at), pull.c.lease_until <= at)
            .order_by(pull.c.next_at)
            .limit(most)
            .with_for_update(skip_locked=True)
        )

        def take(conn: sa.Connection) -> tuple[list[Mapping[str, Any]], int | None]:
            rows = all_of(conn, due)
            for row in rows:
                mine = _is(row["app"], row["list_no"])
                conn.execute(sa.update(pull).where(mine).values(lease_until=until, epoch=pull.c.epoch + 1))
            later = sa.select(sa.func.min(pull.c.next_at)).where(pull.c.next_at > at)
            return rows, conn.execute(later).scalar_one()

        rows, soonest = await self._db.write(take)
        taken = [self._read({**row, "epoch": row["epoch"] + 1, "lease_until": until}, now) for row in rows]
        return taken, from_micros(soonest) if soonest is not None else None

    async def renew(self, pull: Pull, until: datetime) -> bool:
        """Hold a pull for longer; False when it was deleted, or another node has it."""
        changed = await self._db.write(
            lambda conn: (
                conn.execute(sa.update(t.pull).where(_held(pull)).values(lease_until=to_micros(until))).rowcount
            )
        )
        return changed == 1

    async def release_all(self) -> None:
        """Let go of what an earlier process held; for the one owner of a database."""
        await self._db.write(lambda conn: conn.execute(sa.update(t.pull).values(lease_until=0)))

    async def finish(self, pull: Pull, outcome: Outcome, now: datetime) -> None:
        """Write down what came of a pull, and when the next is; nothing when this node does not hold it any more."""

        def finish(conn: sa.Connection) -> None:
            row = one(conn, sa.select(t.pull).where(_held(pull)).with_for_update())
            if row is None:
                return
            failures = row["failures"] + 1 if outcome.state is State.failed else 0
            values = {"lease_until": 0, "failures": failures}
            # Whoever asked meanwhile, or wrote another plan, has said when the next one is.
            if from_micros(row["next_at"]) == pull.next_at:
                values["next_at"] = _next(pull, failures, now)
            conn.execute(sa.update(t.pull).where(_held(pull)).values(values))
            insert(
                conn,
                t.pull_log,
                app=pull.app,
                list_no=pull.list_no,
                at=to_micros(now),
                state=outcome.state.value,
                rows=outcome.rows,
                added=outcome.added,
                updated=outcome.updated,
                rejected=outcome.rejected,
                problem=outcome.problem,
            )

        await self._db.write(finish)

    async def entries(self, app: int, list_no: int, *, before: int | None, limit: int) -> list[Entry]:
        """Return the log of a list's pulls, the latest first, from before a number on."""
        log = t.pull_log
        query = sa.select(log).where(log.c.app == app, log.c.list_no == list_no)
        if before is not None:
            query = query.where(log.c.no < before)
        rows = await self._db.read(lambda conn: all_of(conn, query.order_by(log.c.no.desc()).limit(limit)))
        names = ("rows", "added", "updated", "rejected", "problem")
        return [
            Entry(
                row["no"],
                from_micros(row["at"]),
                Outcome(State(row["state"]), **{name: row[name] for name in names}),
            )
            for row in rows
        ]

    async def prune(self, before: datetime) -> None:
        """Forget lines of the log from before an instant."""
        old = sa.delete(t.pull_log).where(t.pull_log.c.at < to_micros(before))
        await self._db.write(lambda conn: conn.execute(old))

    def _read(self, row: Mapping[str, Any], now: datetime) -> Pull:
        return Pull(
            row["app"],
            row["list_no"],
            self._plan_of(row),
            from_micros(row["anchor_at"]),
            from_micros(row["next_at"]) if row["next_at"] else None,
            row["failures"],
            row["epoch"],
            row["lease_until"] > to_micros(now),
            from_micros(row["updated_at"]),
        )

    def _plan_of(self, row: Mapping[str, Any]) -> PullPlan | None:
        try:
            return _plan.decode(self._vault.open_secret(row["plan_sealed"], _purpose(row["app"], row["list_no"])))
        except DAMAGE:
            return None


def forget(conn: sa.Connection, app: int, list_no: int) -> None:
    """Forget how a list pulls, in the transaction that deletes it."""
    conn.execute(sa.delete(t.pull).where(_is(app, list_no)))
    conn.execute(sa.delete(t.pull_log).where(t.pull_log.c.app == app, t.pull_log.c.list_no == list_no))


def _next(pull: Pull, failures: int, now: datetime) -> int:
    # One whose plan cannot be read comes again when somebody asks: it may have been by hand only.
    interval_minutes = pull.plan.interval_minutes if pull.plan is not None else None
    scheduled_at = next_pull(pull.anchor_at, interval_minutes, now)
    at = pull_again(scheduled_at, failures, now) if failures else scheduled_at
    return to_micros(at) if at is not None else 0


def _is(app: int, list_no: int) -> sa.ColumnElement[bool]:
    return sa.and_(t.pull.c.app == app, t.pull.c.list_no == list_no)


def _held(pull: Pull) -> sa.ColumnElement[bool]:
    return sa.and_(_is(pull.app, pull.list_no), t.pull.c.epoch == pull.epoch)


def _purpose(app: int, list_no: int) -> str:
    return f"pull {app} {list_no}"
