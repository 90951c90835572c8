"""Accounts, apps, trunks and senders."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.allowance import UNLIMITED, Allowance
from callsheet.core.ids import Prefix, make_account_id
from callsheet.core.run import AppSettings, Sender
from callsheet.core.segments import USUAL, Writing
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.queues import make_default_queue
from callsheet.store.rows import (
    DAMAGE,
    all_of,
    insert,
    new_id,
    one,
    read_allowance,
    read_pool,
    read_settings,
    read_writing,
    to_json,
)
from callsheet.store.vault import Vault

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Account:
    """Whose apps they are."""

    id: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class App:
    """A tenant."""

    no: int
    id: str
    account_id: str
    name: str
    settings: AppSettings


class ChangedSettings(NamedTuple):
    """The settings of an app, before a change and after it."""

    before: AppSettings
    after: AppSettings


@dataclass(frozen=True, slots=True)
class Trunk:
    """A configured account with a carrier."""

    no: int
    app: int
    id: str
    name: str
    carrier: str
    takes_any_sender: bool
    settings: Mapping[str, Any]
    """How to reach the carrier, without the secrets."""
    secrets_sealed: bytes
    """A JSON object, sealed for the trunk's id (`Vault.close_secret`); empty: none."""
    changed_at: datetime
    allowance: Allowance = UNLIMITED
    """What all its senders may send together."""
    carrier_answers_stop: bool = False
    """The carrier confirms a STOP itself."""
    writing: Writing = USUAL
    """What of its settings decides into how many segments texts go."""


class Apps:
    """Who we work for."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def create_account(self, name: str, now: datetime) -> str:
        """Create an account and return its id."""
        account_id = make_account_id(os.urandom(12))
        await self._db.write(lambda conn: insert(conn, t.account, id=account_id, name=name, created_at=to_micros(now)))
        return account_id

    async def create(self, account_id: str, name: str, now: datetime) -> App:
        """Create an app with a key of its own."""
        app_id = new_id(Prefix.app)
        key_sealed = self._vault.make_app_key(app_id)
        at = to_micros(now)

        def create(conn: sa.Connection) -> int:
            no = insert(
                conn,
                t.app,
                id=app_id,
                account_id=account_id,
                name=name,
                key_sealed=key_sealed,
                settings="{}",
                created_at=at,
            )
            make_default_queue(conn, no, at)
            return no

        no = await self._db.write(create)
        self._vault.learn(no, app_id, key_sealed)
        return App(no, app_id, account_id, name, AppSettings())

    async def account(self, account_id: str) -> Account | None:
        """Return an account, or None."""
        query = sa.select(t.account).where(t.account.c.id == account_id)
        row = await self._db.read(lambda conn: one(conn, query))
        return Account(row["id"], row["name"], from_micros(row["created_at"])) if row is not None else None

    async def account_or_oldest(self, account_id: str | None) -> Account:
        """Return an account; where there is none of this id, the oldest one."""
        wanted = sa.case((t.account.c.id == account_id, 0), else_=1)
        query = sa.select(t.account).order_by(wanted, t.account.c.created_at, t.account.c.id).limit(1)
        row = await self._db.read(lambda conn: one(conn, query))
        assert row is not None, "the first start makes one"
        return Account(row["id"], row["name"], from_micros(row["created_at"]))

    async def rename_account(self, account_id: str, name: str) -> None:
        """Give an account another name."""
        await self._db.write(
            lambda conn: conn.execute(sa.update(t.account).where(t.account.c.id == account_id).values(name=name))
        )

    async def of_account(
        self, account_id: str, *, after: int, limit: int, among: Collection[int] | None = None
    ) -> list[App]:
        """Return apps of an account in the order in which they were made, from a number on: all, or `among` these."""
        query = (
            sa.select(t.app).where(t.app.c.account_id == account_id, t.app.c.no > after).order_by(t.app.c.no)
        ).limit(limit)
        if among is not None:
            query = query.where(t.app.c.no.in_(among))
        return await self._db.read(lambda conn: [_read(row) for row in all_of(conn, query)])

    async def rename(self, app: int, name: str) -> None:
        """Give an app another name."""
        await self._db.write(lambda conn: conn.execute(sa.update(t.app).where(t.app.c.no == app).values(name=name)))

    async def find(self, app_id: str) -> App | None:
        """Return an app by its public id, or None."""
        return await self._db.read(lambda conn: read_app(conn, self._vault, t.app.c.id == app_id))

    async def by_no(self, no: int) -> App | None:
        """Return an app by its number, or None."""
        return await self._db.read(lambda conn: read_app(conn, self._vault, t.app.c.no == no))

    async def open_all(self) -> list[str]:
        """Open the key of every app, and return the ids of apps whose key does not open."""

        def learn(conn: sa.Connection) -> list[str]:
            shut = []
            for row in conn.execute(sa.select(t.app.c.no, t.app.c.id, t.app.c.key_sealed)):
                try:
                    self._vault.learn(row.no, row.id, row.key_sealed)
                except DAMAGE:
                    shut.append(row.id)
            return shut

        return await self._db.read(learn)

    async def change_settings(self, app: int, changes: Mapping[str, Any]) -> ChangedSettings:
        """Change the named settings of an app; those that are not named stay as they are."""

        def change(conn: sa.Connection) -> ChangedSettings:
            mine = t.app.c.no == app
            # Held until the commit: what another call changes at this moment must not be written over.
            held = conn.execute(sa.select(t.app.c.settings).where(mine).with_for_update()).scalar_one()
            before = read_settings(held)
            after = replace(before, **changes)
            conn.execute(sa.update(t.app).where(mine).values(settings=to_json(after)))
            return ChangedSettings(before, after)

        return await self._db.write(change)

    async def create_trunk(
        self,
        app: int,
        *,
        name: str,
        carrier: str,
        takes_any_sender: bool,
        now: datetime,
        settings: Mapping[str, Any] = _NOTHING,
        secrets: Mapping[str, Any] = _NOTHING,
        allowance: Allowance = UNLIMITED,
        carrier_answers_stop: bool = False,
        writing: Writing = USUAL,
    ) -> Trunk:
        """Create a trunk. What its carrier wants to know comes in two: `secrets` are sealed for the trunk's id."""
        trunk_id = new_id(Prefix.trunk)
        sealed = self._vault.close_secret(to_json(secrets), trunk_id) if secrets else b""
        no = await self._db.write(
            lambda conn: insert(
                conn,
                t.trunk,
                app=app,
                id=trunk_id,
                name=name,
                carrier=carrier,
                takes_any_sender=int(takes_any_sender),
                settings=to_json(settings),
                secrets_sealed=sealed,
                limits=to_json(allowance),
                writing=to_json(writing),
                carrier_answers_stop=int(carrier_answers_stop),
                changed_at=to_micros(now),
                created_at=to_micros(now),
            )
        )
        return Trunk(
            no, app, trunk_id, name, carrier, takes_any_sender, settings, sealed, now, allowance, carrier_answers_stop,
            writing,
        )  # fmt: skip

    async def trunks(self, app: int | None = None) -> list[Trunk]:
        """Return the trunks of an app, or of all."""
        query = sa.select(t.trunk).order_by(t.trunk.c.no)
        if app is not None:
            query = query.where(t.trunk.c.app == app)

        def read(conn: sa.Connection) -> list[Trunk]:
            return [read_trunk(r) for r in all_of(conn, query)]

        return await self._db.read(read)

    async def senders(self, app: int) -> list[Sender]:
        """Return the senders of an app."""
        query = sa.select(t.sender).where(t.sender.c.app == app, t.sender.c.deleted_at == 0).order_by(t.sender.c.no)
        return await self._db.read(lambda conn: [read_sender(row) for row in all_of(conn, query)])

    async def find_sender(self, app: int, label: str, now: datetime) -> Sender | None:
        """Return a sender by its caller ID; a trunk that takes any caller ID makes it known on first use."""

        def find(conn: sa.Connection) -> Sender | None:
            mine = t.sender.c.app == app, t.sender.c.label == label, t.sender.c.deleted_at == 0
            row = one(conn, sa.select(t.sender).where(*mine))
            if row is not None:
                return read_sender(row)
            trunk = one(conn, sa.select(t.trunk).where(t.trunk.c.app == app, t.trunk.c.takes_any_sender == 1))
            return read_sender(add_sender(conn, app, trunk["no"], label, now)) if trunk is not None else None

        return await self._db.write(find)


def read_app(conn: sa.Connection, vault: Vault, where: sa.ColumnElement[bool]) -> App | None:
    """Return the app that fits, with its key opened, or None."""
    row = one(conn, sa.select(t.app).where(where))
    return open_app(vault, row) if row is not None else None


def open_app(vault: Vault, row: Mapping[str, Any]) -> App:
    """Read an app from its row, and open its key."""
    vault.learn(row["no"], row["id"], row["key_sealed"])
    return _read(row)


def _read(row: Mapping[str, Any]) -> App:
    return App(row["no"], row["id"], row["account_id"], row["name"], read_settings(row["settings"]))


def add_sender(conn: sa.Connection, app: int, trunk_no: int, label: str, now: datetime) -> Mapping[str, Any]:
    """Write a sender without limits, and return its row: a new one, or one that was deleted and comes back."""
    mine = sa.and_(t.sender.c.app == app, t.sender.c.label == label)
    deleted = one(conn, sa.select(t.sender).where(mine).with_for_update())
    if deleted is not None:
        if deleted["trunk_no"] != trunk_no:
            leave_trunk(conn, deleted, now)
        fresh = {"flow_id": "", "dlt_entity_id": "", "limits": "{}", "pool": "", "deleted_at": 0}
        conn.execute(sa.update(t.sender).where(mine).values(trunk_no=trunk_no, segments_per_second=None, **fresh))
    else:
        sender_id, at = new_id(Prefix.sender), to_micros(now)
        insert(conn, t.sender, app=app, id=sender_id, trunk_no=trunk_no, label=label, created_at=at)
    row = one(conn, sa.select(t.sender).where(mine))
    assert row is not None, "it was written a moment ago"
    return row


def leave_trunk(conn: sa.Connection, sender: Mapping[str, Any], now: datetime) -> None:
    """Remember the trunk that a sender had until now: receipts of what went through it come there."""
    place = {"app": sender["app"], "sender_no": sender["no"], "until": to_micros(now)}
    insert(conn, t.former_trunk, **place, trunk_no=sender["trunk_no"])


def read_sender(row: Mapping[str, Any]) -> Sender:
    """Read a sender from its row, with its trunk's limits where they come with it."""
    rate, pool = row["segments_per_second"], read_pool(row["pool"])
    # A pool has no trunk of its own: its members have.
    of_trunk = row if pool is None else _NOTHING
    return Sender(
        row["no"],
        row["id"],
        row["label"],
        row["trunk_no"],
        rate,
        row["flow_id"],
        row["dlt_entity_id"],
        replace(read_allowance(row["limits"]), segments_per_second=rate),
        of_trunk.get("trunk_id") or "",
        read_allowance(of_trunk.get("trunk_limits") or "{}"),
        read_writing(of_trunk.get("writing") or "{}"),
        pool,
    )


def read_trunk(row: Mapping[str, Any]) -> Trunk:
    """Return a trunk, as its row has it."""
    return Trunk(
        row["no"], row["app"], row["id"], row["name"], row["carrier"], bool(row["takes_any_sender"]),
        msgspec.json.decode(row["settings"]), row["secrets_sealed"], from_micros(row["changed_at"]),
        read_allowance(row["limits"]), bool(row["carrier_answers_stop"]), read_writing(row["writing"]),
    )  # fmt: skip
