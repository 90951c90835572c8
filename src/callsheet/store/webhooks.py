"""Webhooks: URLs of others to which notices are delivered, and the secrets that sign what is sent there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.ids import Prefix
from callsheet.core.notice import NoticeKind
from callsheet.core.webhook import OVERLAP, SECRET_BYTES, make_secret
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.deliveries import DISABLED, give_up_all
from callsheet.store.rows import DAMAGE, all_of, insert, new_id, one, to_json
from callsheet.store.vault import Vault

_kinds = msgspec.json.Decoder(tuple[NoticeKind, ...] | None)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A URL that is told of notices."""

    app: int
    no: int
    id: str
    url: str
    """Empty when what is stored of it cannot be read: then nothing is sent."""
    kinds: tuple[NoticeKind, ...] | None
    """None: all. Empty when what is stored of them cannot be read."""
    description: str
    enabled: bool
    problem: str
    """Why we disabled it; empty when we did not."""
    failing_since: datetime | None
    """When a delivery failed first since the last that got through."""
    created_at: datetime
    updated_at: datetime


class Webhooks:
    """The webhooks of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def create(
        self,
        app: int,
        *,
        url: str,
        kinds: tuple[NoticeKind, ...] | None,
        description: str,
        enabled: bool,
        now: datetime,
    ) -> tuple[Webhook, str]:
        """Create a webhook, and return it with its secret, which is not shown again."""
        webhook_id, secret = new_id(Prefix.webhook), make_secret(os.urandom(SECRET_BYTES))
        at = to_micros(now)
        no = await self._db.write(
            lambda conn: insert(
                conn,
                t.webhook,
                app=app,
                id=webhook_id,
                url_sealed=self._vault.close_secret(url, webhook_id),
                kinds=to_json(kinds),
                description=description,
                enabled=int(enabled),
                secret_sealed=self._vault.close_secret(secret, webhook_id),
                old_secret_sealed=b"",
                created_at=at,
                updated_at=at,
            )
        )
        return Webhook(app, no, webhook_id, url, kinds, description, enabled, "", None, now, now), secret

    async def find(self, app: int, webhook_id: str) -> Webhook | None:
        """Return a webhook by its id."""
        query = sa.select(t.webhook).where(t.webhook.c.app == app, t.webhook.c.id == webhook_id)
        row = await self._db.read(lambda conn: one(conn, query))
        return self._read(row) if row is not None else None

    async def of_app(self, app: int, *, after: int, limit: int) -> list[Webhook]:
        """Return the webhooks of an app in the order in which they were made, from a number on."""
        query = (
            sa.select(t.webhook)
            .where(t.webhook.c.app == app, t.webhook.c.no > after)
            .order_by(t.webhook.c.no)
            .limit(limit)
        )
        return [self._read(row) for row in await self._db.read(lambda conn: all_of(conn, query))]

    async def change(self, webhook: Webhook, changes: Mapping[str, Any], now: datetime) -> Webhook | None:
        """Change `url`, `kinds`, `description` or `enabled`; None when it is gone. Enabling forgets what went wrong.

        What waits for a webhook that is disabled is given up.
        """
        values: dict[str, Any] = {**changes, "updated_at": to_micros(now)}
        if "url" in values:
            values["url_sealed"] = self._vault.close_secret(values.pop("url"), webhook.id)
        if "kinds" in values:
            values["kinds"] = to_json(values["kinds"])
        if "enabled" in values:
            values["enabled"] = int(values["enabled"])
            values |= {"problem": "", "failing_since": 0}

        def change(conn: sa.Connection) -> Mapping[str, Any] | None:
            conn.execute(sa.update(t.webhook).where(_is(webhook)).values(values))
            if values.get("enabled") == 0:
                give_up_all(conn, webhook.app, webhook.no, DISABLED, now)
            return one(conn, sa.select(t.webhook).where(_is(webhook)))

        row = await self._db.write(change)
        return self._read(row) if row is not None else None

    async def rotate(self, webhook: Webhook, now: datetime) -> str:
        """Give a webhook a new secret, and return it. The old one signs beside it for a day."""
        secret = make_secret(os.urandom(SECRET_BYTES))
        values = {
            "old_secret_sealed": t.webhook.c.secret_sealed,
            "old_secret_until": to_micros(now + OVERLAP),
            "secret_sealed": self._vault.close_secret(secret, webhook.id),
            "updated_at": to_micros(now),
        }
        await self._db.write(lambda conn: conn.execute(sa.update(t.webhook).where(_is(webhook)).values(values)))
        return secret

    async def delete(self, webhook: Webhook) -> None:
        """Delete a webhook with its deliveries."""

        def delete(conn: sa.Connection) -> None:
            conn.execute(sa.delete(t.webhook).where(_is(webhook)))
            conn.execute(
                sa.delete(t.delivery).where(t.delivery.c.app == webhook.app, t.delivery.c.webhook_no == webhook.no)
            )

        await self._db.write(delete)

    def _read(self, row: Mapping[str, Any]) -> Webhook:
        return Webhook(
            row["app"],
            row["no"],
            row["id"],
            self._url_of(row),
            _kinds_of(row),
            row["description"],
            bool(row["enabled"]),
            row["problem"],
            from_micros(row["failing_since"]) if row["failing_since"] else None,
            from_micros(row["created_at"]),
            from_micros(row["updated_at"]),
        )

    def _url_of(self, row: Mapping[str, Any]) -> str:
        try:
            return self._vault.open_secret(row["url_sealed"], row["id"])
        except DAMAGE:
            return ""


def _kinds_of(row: Mapping[str, Any]) -> tuple[NoticeKind, ...] | None:
    try:
        kinds: tuple[NoticeKind, ...] | None = _kinds.decode(row["kinds"])
    except DAMAGE:
        return ()
    return kinds


def _is(webhook: Webhook) -> sa.ColumnElement[bool]:
    return sa.and_(t.webhook.c.app == webhook.app, t.webhook.c.no == webhook.no)
