"""Deliveries: one notice on its way to one webhook.

They are written in the transaction that takes the notice from the outbox, so each is written once. A node takes one by
putting its `next_at` off until its answer must be there; when the node dies, it comes up again then. `epoch` tells an
overtaken node's word from the present one's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.ids import Prefix
from callsheet.core.notice import NoticeKind
from callsheet.core.webhook import Disable, Done, GiveUp, Retry
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.rows import DAMAGE, all_of, insert, new_id, one, to_json
from callsheet.store.vault import Vault

DISABLED = "The webhook was disabled."
UNREADABLE_KINDS = "What is stored of its kinds cannot be read. Say anew what it is to be told of, and enable it."

_kinds = msgspec.json.Decoder(list[str] | None)


class State(StrEnum):
    """How a delivery stands."""

    waiting = "waiting"
    delivered = "delivered"
    failed = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notice on its way to one webhook."""

    no: int
    id: str
    kind: str
    state: State
    tries: int
    last_status: int | None
    problem: str
    """Why the last try failed; empty when it did not."""
    next_at: datetime | None
    at: datetime
    """When what it tells happened."""
    updated_at: datetime


class Address(NamedTuple):
    """Where a webhook is, and what signs what is sent there."""

    url: str
    secrets: tuple[str, ...]
    """The newest first."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery that this node took, with all that sending it needs."""

    no: int
    id: str
    app: int
    kind: str
    payload: Mapping[str, Any] | None
    """None: what is stored of it cannot be read."""
    at: datetime
    tries: int
    """This one included."""
    epoch: int
    webhook_no: int
    webhook_id: str
    address: Address | None
    """None: what is stored of it cannot be read."""
    failing_since: datetime | None
    webhook_updated_at: int


def enqueue(conn: sa.Connection, notices: Sequence[Mapping[str, Any]]) -> list[str]:
    """Write the deliveries of notices (rows of the outbox), in the transaction that takes them from there.

    A webhook of which nobody can read what it wants is told nothing: it is disabled. Return the ids of those.
    """
    webhook = t.webhook
    apps = {notice["app"] for notice in notices}
    listening = all_of(
        conn,
        sa.select(webhook.c.app, webhook.c.no, webhook.c.id, webhook.c.kinds)
        .where(webhook.c.app.in_(apps), webhook.c.enabled == 1)
        .order_by(webhook.c.no),
    )
    rows, disabled = [], []
    for hook in listening:
        try:
            kinds = _kinds.decode(hook["kinds"])
        except DAMAGE:
            _disable(conn, hook, from_micros(max(notice["at"] for notice in notices)))
            disabled.append(hook["id"])
            continue
        mine = (one for one in notices if one["app"] == hook["app"] and (kinds is None or one["kind"] in kinds))
        rows += [_row(notice, hook["no"]) for notice in mine]
    if rows:
        conn.execute(sa.insert(t.delivery), rows)
    return disabled


def _disable(conn: sa.Connection, hook: Mapping[str, Any], now: datetime) -> None:
    mine = sa.update(t.webhook).where(t.webhook.c.no == hook["no"])
    conn.execute(mine.values(enabled=0, problem=UNREADABLE_KINDS, updated_at=to_micros(now)))
    give_up_all(conn, hook["app"], hook["no"], DISABLED, now)


def _row(notice: Mapping[str, Any], webhook_no: int) -> dict[str, Any]:
    return {
        "app": notice["app"],
        "id": new_id(Prefix.delivery),
        "webhook_no": webhook_no,
        "kind": notice["kind"],
        "payload": notice["payload"],
        "at": notice["at"],
        "state": State.waiting.value,
        "next_at": notice["at"],
        "created_at": notice["at"],
        "updated_at": notice["at"],
    }


def give_up_all(conn: sa.Connection, app: int, webhook_no: int, problem: str, now: datetime) -> None:
    """Give up what waits for a webhook."""
    conn.execute(
        sa.update(t.delivery)
        .where(t.delivery.c.app == app, t.delivery.c.webhook_no == webhook_no, t.delivery.c.next_at > 0)
        .values(state=State.failed.value, next_at=0, problem=problem, updated_at=to_micros(now))
    )


class Deliveries:
    """What is on its way to webhooks."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def ping(self, app: int, webhook_no: int, payload: Mapping[str, Any], now: datetime) -> str:
        """Write a delivery that tells nothing, and return its id."""
        notice = {"app": app, "kind": NoticeKind.webhook_ping.value, "payload": to_json(payload), "at": to_micros(now)}
        row = _row(notice, webhook_no)
        await self._db.write(lambda conn: insert(conn, t.delivery, **row))
        return str(row["id"])

    async def find(self, app: int, webhook_no: int, delivery_id: str) -> Delivery | None:
        """Return a delivery by its id."""
        delivery = t.delivery
        query = sa.select(delivery).where(
            delivery.c.app == app, delivery.c.id == delivery_id, delivery.c.webhook_no == webhook_no
        )
        row = await self._db.read(lambda conn: one(conn, query))
        return _read(row) if row is not None else None

    async def of_webhook(self, app: int, webhook_no: int, *, before: int | None, limit: int) -> list[Delivery]:
        """Return deliveries of a webhook, the latest first, from before a number on."""
        delivery = t.delivery
        query = sa.select(delivery).where(delivery.c.app == app, delivery.c.webhook_no == webhook_no)
        if before is not None:
            query = query.where(delivery.c.no < before)
        query = query.order_by(delivery.c.no.desc()).limit(limit)
        return [_read(row) for row in await self._db.read(lambda conn: all_of(conn, query))]

    async def replay(self, app: int, delivery: Delivery, now: datetime) -> None:
        """Have a delivery sent now, with all tries before it."""
        values = {
            "state": State.waiting.value,
            "tries": 0,
            "next_at": to_micros(now),
            "problem": "",
            "updated_at": to_micros(now),
        }
        await self._db.write(
            lambda conn: conn.execute(
                sa.update(t.delivery).where(t.delivery.c.app == app, t.delivery.c.no == delivery.no).values(values)
            )
        )

    async def take(
        self, now: datetime, *, most: int, most_each: int, busy: Mapping[int, int], lease_seconds: float
    ) -> tuple[list[Parcel], datetime | None]:
        """Take deliveries that are due, and say when the next is, if this node could take all that are.

        At most `most_each` of a webhook, one of one that is failing, less those of it that are `busy` here.
        """
        at, until = to_micros(now), to_micros(now + timedelta(seconds=lease_seconds))

        def take(conn: sa.Connection) -> tuple[list[Parcel], datetime | None]:
            parcels: list[Parcel] = []
            soonest: int | None = None
            for hook in _waiting(conn):
                if hook["soonest"] > at:
                    soonest = hook["soonest"]
                    break
                room = (1 if hook["failing_since"] else most_each) - busy.get(hook["no"], 0)
                room = min(room, most - len(parcels))
                if room > 0:
                    parcels += self._take_some(conn, hook, at, until, room)
            return parcels, from_micros(soonest) if soonest is not None else None

        if not await self._db.read(_waiting):
            # Where nobody listens, no write stands before those of others.
            return [], None
        return await self._db.write(take)

    def _take_some(self, conn: sa.Connection, hook: Mapping[str, Any], at: int, until: int, limit: int) -> list[Parcel]:
        delivery = t.delivery
        rows = all_of(
            conn,
            sa.select(delivery)
            .where(delivery.c.webhook_no == hook["no"], delivery.c.next_at.between(1, at))
            .order_by(delivery.c.next_at)
            .limit(limit)
            .with_for_update(skip_locked=True),
        )
        numbers = [row["no"] for row in rows]
        conn.execute(
            sa.update(delivery)
            .where(delivery.c.no.in_(numbers))
            .values(tries=delivery.c.tries + 1, epoch=delivery.c.epoch + 1, next_at=until)
        )
        address = self._address(hook, at)
        return [_parcel(row, hook, address) for row in rows]

    def _address(self, hook: Mapping[str, Any], at: int) -> Address | None:
        url, newest = self._open(hook, "url_sealed"), self._open(hook, "secret_sealed")
        if url is None or newest is None:
            return None
        old = self._open(hook, "old_secret_sealed") if hook["old_secret_until"] > at else None
        return Address(url, (newest,) if old is None else (newest, old))

    def _open(self, hook: Mapping[str, Any], column: str) -> str | None:
        try:
            return self._vault.open_secret(hook[column], hook["id"])
        except DAMAGE:
            return None

    async def settle(
        self,
        parcel: Parcel,
        verdict: Done | Retry | GiveUp | Disable,
        *,
        status: int | None,
        problem: str,
        now: datetime,
    ) -> None:
        """Write down what came of a try; nothing when another node took the delivery meanwhile."""

        def settle(conn: sa.Connection) -> None:
            if _settle_delivery(conn, parcel, verdict, status, problem, now):
                _settle_webhook(conn, parcel, verdict, now)

        await self._db.write(settle)

    async def prune(self, before: datetime) -> None:
        """Forget deliveries of which nothing is left to do, from before an instant."""
        delivery = t.delivery
        old = sa.delete(delivery).where(delivery.c.created_at < to_micros(before), delivery.c.next_at == 0)
        await self._db.write(lambda conn: conn.execute(old))


def _parcel(row: Mapping[str, Any], hook: Mapping[str, Any], address: Address | None) -> Parcel:
    return Parcel(
        row["no"],
        row["id"],
        row["app"],
        row["kind"],
        read_payload(row["payload"]),
        from_micros(row["at"]),
        row["tries"] + 1,
        row["epoch"] + 1,
        hook["no"],
        hook["id"],
        address,
        from_micros(hook["failing_since"]) if hook["failing_since"] else None,
        hook["updated_at"],
    )


def read_payload(text: str) -> Mapping[str, Any] | None:
    """Read what a notice tells; None when that cannot be read."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except DAMAGE:
        return None


def _waiting(conn: sa.Connection) -> list[Mapping[str, Any]]:
    """Return the enabled webhooks for which something waits, whose next comes first."""
    webhook, delivery = t.webhook, t.delivery
    soonest = (
        sa.select(sa.func.min(delivery.c.next_at))
        .where(delivery.c.webhook_no == webhook.c.no, delivery.c.next_at > 0)
        .scalar_subquery()
        .label("soonest")
    )
    waiting = sa.select(webhook, soonest).where(webhook.c.enabled == 1).subquery()
    return all_of(conn, sa.select(waiting).where(waiting.c.soonest.is_not(None)).order_by(waiting.c.soonest))


def _settle_delivery(
    conn: sa.Connection,
    parcel: Parcel,
    verdict: Done | Retry | GiveUp | Disable,
    status: int | None,
    problem: str,
    now: datetime,
) -> bool:
    match verdict:
        case Done():
            state, next_at = State.delivered, 0
        case Retry(at):
            state, next_at = State.waiting, to_micros(at)
        case GiveUp() | Disable():
            state, next_at = State.failed, 0
    changed = conn.execute(
        sa.update(t.delivery)
        .where(t.delivery.c.no == parcel.no, t.delivery.c.epoch == parcel.epoch)
        .values(state=state.value, next_at=next_at, last_status=status or 0, problem=problem, updated_at=to_micros(now))
    )
    return changed.rowcount == 1


def _settle_webhook(
    conn: sa.Connection, parcel: Parcel, verdict: Done | Retry | GiveUp | Disable, now: datetime
) -> None:
    webhook = t.webhook
    # What its owner changed meanwhile was not what failed.
    mine = sa.and_(webhook.c.no == parcel.webhook_no, webhook.c.updated_at == parcel.webhook_updated_at)
    update = sa.update(webhook).where(mine)
    match verdict:
        case Done():
            conn.execute(update.where(webhook.c.failing_since > 0).values(failing_since=0))
        case Retry() | GiveUp():
            conn.execute(update.where(webhook.c.failing_since == 0).values(failing_since=to_micros(now)))
        case Disable(reason):
            disabled = conn.execute(update.values(enabled=0, problem=reason, updated_at=to_micros(now)))
            if disabled.rowcount:
                give_up_all(conn, parcel.app, parcel.webhook_no, DISABLED, now)


def _read(row: Mapping[str, Any]) -> Delivery:
    return Delivery(
        row["no"],
        row["id"],
        row["kind"],
        State(row["state"]),
        row["tries"],
        row["last_status"] or None,
        row["problem"],
        from_micros(row["next_at"]) if row["next_at"] else None,
        from_micros(row["at"]),
        from_micros(row["updated_at"]),
    )
