"""API clients: the programs that may call for an app, each with a secret that signs its tokens."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.errors import ClientNotFound
from callsheet.core.ids import Prefix
from callsheet.core.permissions import Scope
from callsheet.store import tables as t
from callsheet.store.apps import App, open_app
from callsheet.store.database import Database
from callsheet.store.rows import all_of, insert, new_id, one
from callsheet.store.vault import Vault

ALL_SCOPES = frozenset(scope.value for scope in Scope)

# Made once, because every request asks for it: making a statement takes longer than running it.
_WITH_APP = (
    sa.select(
        t.app,
        t.client.c.name.label("client_name"),
        t.client.c.secret_sealed,
        t.client.c.algorithm,
        t.client.c.scopes,
    )
    .join(t.client, t.client.c.app == t.app.c.no)
    .where(t.client.c.id == sa.bindparam("client_id"))
)


class Algorithm(StrEnum):
    """How a client signs (RFC 7518, section 3.2). It is stored for the client: no token chooses it."""

    HS256 = "HS256"
    HS384 = "HS384"
    HS512 = "HS512"

    @property
    def secret_bytes(self) -> int:
        """How long a secret has to be: as long as the hash."""
        return int(self.removeprefix("HS")) // 8


@dataclass(frozen=True, slots=True)
class Client:
    """A program that may call the API for one app, with what its tokens are verified by."""

    id: str
    name: str
    secret: str
    algorithm: str
    scopes: frozenset[str]
    app: App


@dataclass(frozen=True, slots=True)
class ListedClient:
    """A client without its secret."""

    no: int
    id: str
    name: str
    algorithm: str
    scopes: frozenset[str]
    created_at: datetime


class Clients:
    """The API clients of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def create(
        self,
        app: App,
        now: datetime,
        *,
        name: str = "",
        algorithm: Algorithm = Algorithm.HS256,
        scopes: Collection[str] = ALL_SCOPES,
    ) -> Client:
        """Create a client, and return it with its secret."""
        at = to_micros(now)
        client_id, secret = await self._db.write(
            lambda conn: insert_client(conn, self._vault, app.no, name, algorithm, scopes, at)
        )
        return Client(client_id, name, secret, algorithm, frozenset(scopes), app)

    async def find(self, client_id: str) -> Client | None:
        """Return a client of any app with its app and its secret, or None: for whoever verifies a token."""
        row = await self._db.read(lambda conn: one(conn, _WITH_APP, {"client_id": client_id}))
        if row is None:
            return None
        secret = self._vault.open_secret(row["secret_sealed"], client_id)
        scopes = frozenset(row["scopes"].split())
        app = open_app(self._vault, row)
        return Client(client_id, row["client_name"], secret, row["algorithm"], scopes, app)

    async def look_up(self, app: int, client_id: str) -> ListedClient | None:
        """Return a client of an app, or None."""
        query = sa.select(t.client).where(t.client.c.app == app, t.client.c.id == client_id)
        row = await self._db.read(lambda conn: one(conn, query))
        return _read(row) if row is not None else None

    async def of_app(self, app: int, *, after: int, limit: int) -> list[ListedClient]:
        """Return the clients of an app in the order in which they were made, from a number on."""
        query = (
            sa.select(t.client).where(t.client.c.app == app, t.client.c.no > after).order_by(t.client.c.no).limit(limit)
        )
        return await self._db.read(lambda conn: [_read(row) for row in all_of(conn, query)])

    async def change(
        self, app: int, client_id: str, *, name: str | None = None, scopes: Collection[str] | None = None
    ) -> ListedClient:
        """Give a client another name, or these scopes and no others. Raises ClientNotFound."""
        changes = {} if name is None else {"name": name}
        if scopes is not None:
            changes["scopes"] = _written(scopes)

        def change(conn: sa.Connection) -> ListedClient:
            mine = sa.and_(t.client.c.app == app, t.client.c.id == client_id)
            if changes:
                conn.execute(sa.update(t.client).where(mine).values(changes))
            row = one(conn, sa.select(t.client).where(mine))
            if row is None:
                raise ClientNotFound
            return _read(row)

        return await self._db.write(change)

    async def renew_secret(self, app: int, client_id: str) -> str:
        """Give a client a new secret and return it; tokens of the old one are over. Raises ClientNotFound."""

        def renew(conn: sa.Connection) -> str:
            mine = sa.and_(t.client.c.app == app, t.client.c.id == client_id)
            row = one(conn, sa.select(t.client.c.algorithm).where(mine).with_for_update())
            if row is None:
                raise ClientNotFound
            secret = _new_secret(Algorithm(row["algorithm"]))
            sealed = self._vault.close_secret(secret, client_id)
            conn.execute(sa.update(t.client).where(mine).values(secret_sealed=sealed))
            return secret

        return await self._db.write(renew)

    async def delete(self, app: int, client_id: str) -> None:
        """Delete a client; its tokens are over. Raises ClientNotFound."""

        def delete(conn: sa.Connection) -> None:
            if not conn.execute(sa.delete(t.client).where(t.client.c.app == app, t.client.c.id == client_id)).rowcount:
                raise ClientNotFound

        await self._db.write(delete)


def insert_client(
    conn: sa.Connection, vault: Vault, app: int, name: str, algorithm: Algorithm, scopes: Collection[str], at: int
) -> tuple[str, str]:
    """Insert a client, and return its id and its secret."""
    client_id, secret = new_id(Prefix.client), _new_secret(algorithm)
    insert(
        conn,
        t.client,
        id=client_id,
        app=app,
        name=name,
        secret_sealed=vault.close_secret(secret, client_id),
        algorithm=algorithm.value,
        scopes=_written(scopes),
        created_at=at,
    )
    return client_id, secret


def _new_secret(algorithm: Algorithm) -> str:
    return secrets.token_urlsafe(algorithm.secret_bytes)


def _written(scopes: Collection[str]) -> str:
    return " ".join(sorted(scopes))


def _read(row: Mapping[str, Any]) -> ListedClient:
    return ListedClient(
        row["no"],
        row["id"],
        row["name"],
        row["algorithm"],
        frozenset(row["scopes"].split()),
        from_micros(row["created_at"]),
    )
