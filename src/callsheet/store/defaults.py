"""What a first start makes: an account, an app with its API client, a sandbox trunk, and the global DNC list.

Every app that is founded later gets the same.
"""

from __future__ import annotations

import os
from datetime import datetime

import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.ids import Prefix, make_account_id
from callsheet.store import tables as t
from callsheet.store.clients import ALL_SCOPES, Algorithm, insert_client
from callsheet.store.database import Database
from callsheet.store.dnc import GLOBAL_NAME
from callsheet.store.queues import make_default_queue
from callsheet.store.rows import insert, new_id, one
from callsheet.store.vault import Vault

APP_NAME = "Default app"
CLIENT_NAME = "First client"
SANDBOX = "sandbox"

_FIRST_START_LOCK = 0x63616C6D
"""Number of the advisory lock on PostgreSQL that lets one node make the defaults."""


async def make_defaults(database: Database, vault: Vault, now: datetime) -> str:
    """Make what is missing, in one transaction, and return the id of the default app's API client.

    The default app is the oldest one. Nodes that start together on one database make one.
    """
    at = to_micros(now)

    def make(conn: sa.Connection) -> str:
        if conn.dialect.name == "postgresql":
            conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_FIRST_START_LOCK)))
        app = one(conn, sa.select(t.app.c.no).order_by(t.app.c.no).limit(1))
        if app is None:
            account_id = make_account_id(os.urandom(12))
            insert(conn, t.account, id=account_id, name="Default account", created_at=at)
        app_no = app["no"] if app is not None else _make_app(conn, vault, account_id, APP_NAME, at)
        client = one(conn, sa.select(t.client.c.id).where(t.client.c.app == app_no).order_by(t.client.c.no).limit(1))
        return str(client["id"]) if client is not None else _make_client(conn, vault, app_no, at)

    return await database.write(make)


async def found_app(database: Database, vault: Vault, account_id: str, name: str, now: datetime) -> str:
    """Make an app of an account with what the default one has, and return the id of its API client."""
    at = to_micros(now)

    def found(conn: sa.Connection) -> str:
        return _make_client(conn, vault, _make_app(conn, vault, account_id, name, at), at)

    return await database.write(found)


def _make_app(conn: sa.Connection, vault: Vault, account_id: str, name: str, at: int) -> int:
    app_id = new_id(Prefix.app)
    app_no = insert(
        conn,
        t.app,
        id=app_id,
        account_id=account_id,
        name=name,
        key_sealed=vault.make_app_key(app_id),
        settings="{}",
        created_at=at,
    )
    insert(
        conn,
        t.trunk,
        app=app_no,
        id=new_id(Prefix.trunk),
        name="Sandbox",
        carrier=SANDBOX,
        takes_any_sender=1,
        secrets_sealed=b"",
        changed_at=at,
        created_at=at,
    )
    insert(
        conn,
        t.dnc_list,
        app=app_no,
        id=new_id(Prefix.contact_list),
        name=GLOBAL_NAME,
        lname=GLOBAL_NAME.lower(),
        is_global=1,
        created_at=at,
        updated_at=at,
    )
    make_default_queue(conn, app_no, at)
    return app_no


def _make_client(conn: sa.Connection, vault: Vault, app_no: int, at: int) -> str:
    client_id, _ = insert_client(conn, vault, app_no, CLIENT_NAME, Algorithm.HS256, ALL_SCOPES, at)
    return client_id
