"""AI endpoints: language models that flows talk to, by their names. Their keys are sealed, and shown to nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.errors import FieldError, Invalid, NameTaken
from callsheet.core.flow.completion import Prices
from callsheet.core.ids import Prefix
from callsheet.core.names import key_of
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.rows import DAMAGE, all_of, insert, new_id, one, to_json
from callsheet.store.vault import Vault

_prices = msgspec.json.Decoder(Prices)


@dataclass(frozen=True, slots=True)
class AiEndpoint:
    """A URL that speaks OpenAI's chat completions."""

    app: int
    no: int
    id: str
    name: str
    base_url: str
    model: str
    """Which is asked where a flow names none."""
    has_key: bool
    prices: Prices | None
    """None when what is stored of them cannot be read: then nothing is asked, as limits of cost would not hold."""
    created_at: datetime
    updated_at: datetime


class AiEndpoints:
    """The AI endpoints of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def create(self, app: int, values: Mapping[str, Any], now: datetime) -> AiEndpoint:
        """Create one of these columns, of which `api_key` is sealed. Raises NameTaken."""
        endpoint_id, at = new_id(Prefix.ai_endpoint), to_micros(now)
        row = self._columns(endpoint_id, {"api_key": "", **values})

        def create(conn: sa.Connection) -> AiEndpoint:
            _refuse_taken(conn, app, values["name"], but=0)
            insert(conn, t.ai_endpoint, app=app, id=endpoint_id, **row, created_at=at, updated_at=at)
            found = one(conn, sa.select(t.ai_endpoint).where(_is(app, endpoint_id)))
            assert found is not None, "it was written in this transaction"
            return _read(found)

        return await self._db.write(create)

    async def find(self, app: int, endpoint_id: str) -> AiEndpoint | None:
        """Return one by its id."""
        row = await self._db.read(lambda conn: one(conn, sa.select(t.ai_endpoint).where(_is(app, endpoint_id))))
        return _read(row) if row is not None else None

    async def named(self, app: int, name: str) -> tuple[AiEndpoint, str] | None:
        """Return one by its name, case and blanks at its ends do not count; with its key, which may be empty.

        A key that cannot be read (damaged, sealed by another key) is empty: the endpoint says so then.
        """
        mine = t.ai_endpoint.c.app == app, t.ai_endpoint.c.lname == key_of(name)
        row = await self._db.read(lambda conn: one(conn, sa.select(t.ai_endpoint).where(*mine)))
        if row is None:
            return None
        try:
            key = self._vault.open_secret(row["key_sealed"], row["id"]) if row["key_sealed"] else ""
        except DAMAGE:
            key = ""
        return _read(row), key

    async def of_app(self, app: int, *, after: int, limit: int) -> list[AiEndpoint]:
        """Return those of an app in the order in which they were made, from a number on."""
        endpoint = t.ai_endpoint
        query = sa.select(endpoint).where(endpoint.c.app == app, endpoint.c.no > after)
        rows = await self._db.read(lambda conn: all_of(conn, query.order_by(endpoint.c.no).limit(limit)))
        return [_read(row) for row in rows]

    async def keys(self, app: int) -> frozenset[str]:
        """Return the keys of all names: what each has in common with those that mean the same endpoint."""
        query = sa.select(t.ai_endpoint.c.lname).where(t.ai_endpoint.c.app == app)
        return await self._db.read(lambda conn: frozenset(row["lname"] for row in all_of(conn, query)))

    async def change(self, app: int, endpoint_id: str, changes: Mapping[str, Any], now: datetime) -> AiEndpoint | None:
        """Change the named columns, of `prices` the named ones, and return it; None when there is none.

        Raises NameTaken, and Invalid where a key that nobody gave again would go to another host, or where a price is
        missing beside one that cannot be read.
        """
        values = {**self._columns(endpoint_id, changes), "updated_at": to_micros(now)}

        def change(conn: sa.Connection) -> AiEndpoint | None:
            held = one(conn, sa.select(t.ai_endpoint).where(_is(app, endpoint_id)).with_for_update())
            if held is None:
                return None
            if "name" in changes:
                _refuse_taken(conn, app, changes["name"], but=held["no"])
            moves = _host_of(changes.get("base_url", held["base_url"])) != _host_of(held["base_url"])
            if moves and held["key_sealed"] and "api_key" not in changes:
                raise Invalid([FieldError("api_key", "Give the key again: the one that is there is for another host.")])
            if "prices" in changes:
                values["prices"] = to_json(_changed_prices(_prices_of(held), changes["prices"]))
            conn.execute(sa.update(t.ai_endpoint).where(_is(app, endpoint_id)).values(values))
            row = one(conn, sa.select(t.ai_endpoint).where(_is(app, endpoint_id)))
            return _read(row) if row is not None else None

        return await self._db.write(change)

    async def delete(self, app: int, endpoint_id: str) -> bool:
        """Delete one, and say whether there was one. Flows that name it get no answer then."""
        statement = sa.delete(t.ai_endpoint).where(_is(app, endpoint_id))
        return await self._db.write(lambda conn: conn.execute(statement).rowcount == 1)

    def _columns(self, endpoint_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
        row = dict(values)
        if "api_key" in row:
            key = row.pop("api_key")
            row["key_sealed"] = self._vault.close_secret(key, endpoint_id) if key else b""
        if "name" in row:
            row["lname"] = key_of(row["name"])
        if "prices" in row:
            row["prices"] = to_json(row["prices"])
        return row


def _refuse_taken(conn: sa.Connection, app: int, name: str, *, but: int) -> None:
    endpoint = t.ai_endpoint
    taken = sa.select(endpoint.c.no).where(
        endpoint.c.app == app, endpoint.c.lname == key_of(name), endpoint.c.no != but
    )
    if one(conn, taken):
        raise NameTaken(f"An AI endpoint with the name {name} exists already.")


def _host_of(url: str) -> tuple[str, str]:
    """Return who gets the key: scheme, host and port."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.casefold()


def _is(app: int, endpoint_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(t.ai_endpoint.c.app == app, t.ai_endpoint.c.id == endpoint_id)


def _prices_of(row: Mapping[str, Any]) -> Prices | None:
    try:
        return _prices.decode(row["prices"])
    except DAMAGE:
        return None


def _changed_prices(prices: Prices | None, changes: Mapping[str, float]) -> Prices:
    if prices is not None:
        return replace(prices, **changes)
    missing = [name for name in ("input", "output") if name not in changes]
    if missing:
        why = "Give it too: what is stored of the prices cannot be read."
        raise Invalid([FieldError(f"prices.{name}", why) for name in missing])
    return Prices(**changes)


def _read(row: Mapping[str, Any]) -> AiEndpoint:
    return AiEndpoint(
        row["app"],
        row["no"],
        row["id"],
        row["name"],
        row["base_url"],
        row["model"],
        bool(row["key_sealed"]),
        _prices_of(row),
        from_micros(row["created_at"]),
        from_micros(row["updated_at"]),
    )
