"""Speech services: who speaks the texts of an app, by their names. Their secrets are sealed, and shown to nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.errors import NameTaken
from callsheet.core.ids import Prefix
from callsheet.core.names import key_of
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.rows import DAMAGE, all_of, insert, new_id, one, to_json
from callsheet.store.vault import Vault

Document = Mapping[str, Any]
Settle = Callable[[Document, Document], tuple[Document, Document]]
"""Makes settings and secrets of those of before. What it raises is raised, and nothing is changed."""


@dataclass(frozen=True, slots=True)
class SpeechService:
    """A service that speaks."""

    no: int
    id: str
    name: str
    settings: Document
    """How to ask it, without the secrets."""
    secrets_sealed: bytes
    """A JSON object, sealed for its id; empty: none."""
    created_at: datetime
    updated_at: datetime


class SpeechServices:
    """The speech services of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def create(self, app: int, name: str, settings: Document, secrets: Document, now: datetime) -> SpeechService:
        """Create one. Raises NameTaken."""
        service_id, at = new_id(Prefix.speech_service), to_micros(now)
        columns = self._columns(service_id, settings, secrets)

        def create(conn: sa.Connection) -> SpeechService:
            _refuse_taken(conn, app, name, but=0)
            named = {"id": service_id, "name": name, "lname": key_of(name)}
            insert(conn, t.speech_service, app=app, **named, **columns, created_at=at, updated_at=at)
            row = one(conn, sa.select(t.speech_service).where(_is(app, service_id)))
            assert row is not None, "it was written in this transaction"
            return _read(row)

        return await self._db.write(create)

    async def find(self, app: int, service_id: str) -> SpeechService | None:
        """Return one by its id."""
        return await self._one(_is(app, service_id))

    async def called(self, app: int, said: str) -> SpeechService | None:
        """Return one by its name, of which case and blanks at its ends do not count, or by its id; the name first."""
        service, key = t.speech_service, key_of(said)
        by_name = sa.case((service.c.lname == key, 0), else_=1)
        wanted = sa.and_(service.c.app == app, sa.or_(service.c.lname == key, service.c.id == key))
        return await self._one(wanted, by_name)

    async def _one(self, wanted: sa.ColumnElement[bool], *order: sa.ColumnElement[int]) -> SpeechService | None:
        query = sa.select(t.speech_service).where(wanted).order_by(*order).limit(1)
        row = await self._db.read(lambda conn: one(conn, query))
        return _read(row) if row is not None else None

    async def of_app(self, app: int, *, after: int, limit: int) -> list[SpeechService]:
        """Return those of an app in the order in which they were made, from a number on."""
        service = t.speech_service
        query = sa.select(service).where(service.c.app == app, service.c.no > after).order_by(service.c.no)
        return await self._db.read(lambda conn: [_read(row) for row in all_of(conn, query.limit(limit))])

    def open_secrets(self, service: SpeechService) -> Document:
        """Return the secrets of one. Raises one of DAMAGE when they were changed, moved, or sealed by another key."""
        if not service.secrets_sealed:
            return {}
        secrets: Document = msgspec.json.decode(self._vault.open_secret(service.secrets_sealed, service.id))
        return secrets

    async def change(
        self, app: int, service_id: str, now: datetime, *, name: str | None = None, settle: Settle | None = None
    ) -> SpeechService | None:
        """Give one another name, or other settings, and return it; None when there is none. Raises NameTaken."""

        def change(conn: sa.Connection) -> SpeechService | None:
            mine = _is(app, service_id)
            row = one(conn, sa.select(t.speech_service).where(mine).with_for_update())
            if row is None:
                return None
            values: dict[str, Any] = {"updated_at": to_micros(now)}
            if name is not None:
                _refuse_taken(conn, app, name, but=row["no"])
                values |= {"name": name, "lname": key_of(name)}
            if settle is not None:
                before = _read(row)
                values |= self._columns(service_id, *settle(before.settings, self._secrets_of(before)))
            conn.execute(sa.update(t.speech_service).where(mine).values(values))
            return _read({**row, **values})

        return await self._db.write(change)

    async def delete(self, app: int, service_id: str) -> bool:
        """Delete one, and say whether there was one."""
        statement = sa.delete(t.speech_service).where(_is(app, service_id))
        return await self._db.write(lambda conn: conn.execute(statement).rowcount == 1)

    def _secrets_of(self, service: SpeechService) -> Document:
        try:
            return self.open_secrets(service)
        except DAMAGE:
            # They were damaged, or sealed by another key: whoever gives them again mends that.
            return {}

    def _columns(self, service_id: str, settings: Document, secrets: Document) -> dict[str, Any]:
        sealed = self._vault.close_secret(to_json(secrets), service_id) if secrets else b""
        return {"settings": to_json(settings), "secrets_sealed": sealed}


def _is(app: int, service_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(t.speech_service.c.app == app, t.speech_service.c.id == service_id)


def _refuse_taken(conn: sa.Connection, app: int, name: str, *, but: int) -> None:
    service = t.speech_service
    taken = sa.select(service.c.no).where(service.c.app == app, service.c.lname == key_of(name), service.c.no != but)
    if one(conn, taken):
        raise NameTaken(f"A speech service with the name {name} exists already.")


def _read(row: Mapping[str, Any]) -> SpeechService:
    return SpeechService(
        row["no"],
        row["id"],
        row["name"],
        msgspec.json.decode(row["settings"]),
        row["secrets_sealed"],
        from_micros(row["created_at"]),
        from_micros(row["updated_at"]),
    )
