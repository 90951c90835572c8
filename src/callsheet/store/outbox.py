"""The outbox: what others are told leaves after the commit, and only if there was one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.campaign import Campaign
from callsheet.core.notice import NoticeKind
from callsheet.core.run import Run
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.deliveries import enqueue, read_payload
from callsheet.store.many import insert_rows
from callsheet.store.rows import all_of, insert, to_json


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that others are told, in order."""

    seq: int
    app: int
    kind: str
    payload: Mapping[str, Any]
    """Empty when what is stored of it cannot be read."""
    at: datetime


def announce(conn: sa.Connection, app: int, kind: NoticeKind, payload: Mapping[str, Any], now: datetime) -> None:
    """Put a notice into the outbox, in the transaction of what it tells."""
    insert(conn, t.outbox, app=app, kind=kind.value, payload=to_json(payload), at=to_micros(now))


def announce_all(
    conn: sa.Connection, app: int, notices: Sequence[tuple[NoticeKind, Mapping[str, Any]]], now: datetime
) -> None:
    """Put notices into the outbox, in their order."""
    shared = {"app": app, "at": to_micros(now)}
    rows = [{**shared, "kind": kind.value, "payload": to_json(payload)} for kind, payload in notices]
    insert_rows(conn, t.outbox, rows)


def announce_past(
    conn: sa.Connection, app: int, notices: Sequence[tuple[datetime, NoticeKind, Mapping[str, Any]]]
) -> None:
    """Put notices of what happened a moment ago into the outbox, each with its instant."""
    rows = [
        {"app": app, "kind": kind.value, "payload": to_json(payload), "at": to_micros(at)}
        for at, kind, payload in notices
    ]
    insert_rows(conn, t.outbox, rows)


def tell_of_run(conn: sa.Connection, campaign: Campaign, kind: NoticeKind, now: datetime) -> None:
    """Announce what became of a campaign's latest run."""
    announce(conn, campaign.app, kind, {"campaign_id": campaign.id, "run_id": campaign.run_id}, now)


def imported(import_id: str, target: str, list_id: str | None) -> Mapping[str, Any]:
    """Return the payload of the notice that an import into a `contact_list` or a `dnc_list` has ended."""
    return {"import_id": import_id, f"{target}_id": list_id}


IMPORTED = (
    "select i.id, i.target, coalesce(c.id, d.id) from import_job i"
    " left join contact_list c on i.target = 'contact_list' and c.no = i.list_no"
    " left join dnc_list d on i.target = 'dnc_list' and d.no = i.list_no where i.no = "
)
"""Asks for what `imported` takes, by the number of an import that follows."""


def completed(run: Run) -> tuple[str, str]:
    """Return kind and payload (JSON) of the notice that a run is complete, for the hand that completes it."""
    return NoticeKind.run_completed.value, to_json({"campaign_id": run.campaign_id, "run_id": run.id})


class Outbox:
    """Notices that wait to be told."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def peek(self, limit: int) -> list[Notice]:
        """Return the oldest notices."""
        query = sa.select(t.outbox).order_by(t.outbox.c.seq).limit(limit)
        rows = await self._db.read(lambda conn: all_of(conn, query))
        return [
            Notice(r["seq"], r["app"], r["kind"], read_payload(r["payload"]) or {}, from_micros(r["at"])) for r in rows
        ]

    async def drop(self, told: Collection[Notice]) -> list[str]:
        """Forget notices that were told, and no other: one with a lower number may be committed later.

        The webhooks that want them have their deliveries in the same transaction: two nodes that told one write one.
        Return the ids of webhooks that were disabled, as nobody can read what they want to be told of.
        """
        seqs = [notice.seq for notice in told]

        def drop(conn: sa.Connection) -> list[str]:
            gone = conn.execute(sa.delete(t.outbox).where(t.outbox.c.seq.in_(seqs)).returning(t.outbox)).mappings()
            return enqueue(conn, sorted((dict(row) for row in gone), key=lambda row: row["seq"]))

        return await self._db.write(drop)
