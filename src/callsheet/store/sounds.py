"""Sounds: audio that an app uploaded, converted, by its name. The audio itself is read only where it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.errors import LimitReached, NameTaken
from callsheet.core.ids import Prefix
from callsheet.core.names import key_of
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.rows import all_of, insert, new_id, one

MOST: Final = 1000
"""An app has so many sounds at most."""


@dataclass(frozen=True, slots=True)
class UploadedSound:
    """A sound of an app."""

    no: int
    id: str
    name: str
    digest: str
    """SHA-256 of its file, in hexadecimal digits."""
    milliseconds: int
    source: str
    """What was uploaded: `wav`, `mp3`, `ogg`."""
    created_at: datetime
    updated_at: datetime


class Audio(NamedTuple):
    """What is heard."""

    wav: bytes
    digest: str
    milliseconds: int
    source: str


class Sounds:
    """The sounds of all apps."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def create(self, app: int, name: str, audio: Audio, now: datetime) -> UploadedSound:
        """Keep a sound. Raises NameTaken and LimitReached."""
        sound_id, at = new_id(Prefix.sound), to_micros(now)

        def create(conn: sa.Connection) -> UploadedSound:
            _refuse_taken(conn, app, name, but=0)
            count = sa.select(sa.func.count()).select_from(t.sound).where(t.sound.c.app == app)
            if conn.execute(count).scalar_one() >= MOST:
                raise LimitReached(f"An app has at most {MOST:,} sounds: delete those that no flow needs.")
            named = {"id": sound_id, "name": name, "lname": key_of(name)}
            insert(conn, t.sound, app=app, **named, **_columns(audio), created_at=at, updated_at=at)
            found = _find(conn, app, t.sound.c.id == sound_id)
            assert found is not None, "it was written in this transaction"
            return found

        return await self._db.write(create)

    async def find(self, app: int, sound_id: str) -> UploadedSound | None:
        """Return one by its id."""
        return await self._db.read(lambda conn: _find(conn, app, t.sound.c.id == sound_id))

    async def called(self, app: int, said: str) -> UploadedSound | None:
        """Return one as flows call it: by its name, of which case and blanks at its ends do not count, or its id.

        Where one has the other's id for a name, the name counts.
        """
        key = key_of(said)
        wanted = sa.or_(t.sound.c.lname == key, t.sound.c.id == key)
        by_name = sa.case((t.sound.c.lname == key, 0), else_=1)
        return await self._db.read(lambda conn: _find(conn, app, wanted, by_name))

    async def of_app(self, app: int, *, after: int, limit: int) -> list[UploadedSound]:
        """Return those of an app in the order in which they were made, from a number on."""
        query = sa.select(*_SHOWN).where(t.sound.c.app == app, t.sound.c.no > after).order_by(t.sound.c.no)
        return await self._db.read(lambda conn: [_read(row) for row in all_of(conn, query.limit(limit))])

    async def keys(self, app: int) -> frozenset[str]:
        """Return what flows can call the sounds of an app: the keys of all names, and all ids."""
        query = sa.select(t.sound.c.id, t.sound.c.lname).where(t.sound.c.app == app)
        rows = await self._db.read(lambda conn: list(conn.execute(query)))
        return frozenset(said for row in rows for said in row)

    async def audio(self, app: int, sound: UploadedSound) -> bytes | None:
        """Return the WAV file of one as it was found; None when it was deleted, or has other audio now."""
        mine = t.sound.c.app == app, t.sound.c.id == sound.id, t.sound.c.digest == sound.digest
        query = sa.select(t.sound.c.audio).where(*mine)
        return await self._db.read(lambda conn: conn.execute(query).scalar_one_or_none())

    async def change(
        self, app: int, sound_id: str, now: datetime, *, name: str | None = None, audio: Audio | None = None
    ) -> UploadedSound | None:
        """Give one another name, or other audio, and return it; None when there is none. Raises NameTaken."""

        def change(conn: sa.Connection) -> UploadedSound | None:
            mine = sa.and_(t.sound.c.app == app, t.sound.c.id == sound_id)
            held = one(conn, sa.select(t.sound.c.no).where(mine).with_for_update())
            if held is None:
                return None
            values: dict[str, Any] = {"updated_at": to_micros(now)}
            if name is not None:
                _refuse_taken(conn, app, name, but=held["no"])
                values |= {"name": name, "lname": key_of(name)}
            if audio is not None:
                values |= _columns(audio)
            conn.execute(sa.update(t.sound).where(mine).values(values))
            return _find(conn, app, t.sound.c.id == sound_id)

        return await self._db.write(change)

    async def delete(self, app: int, sound_id: str) -> bool:
        """Delete one, and say whether there was one."""
        statement = sa.delete(t.sound).where(t.sound.c.app == app, t.sound.c.id == sound_id)
        return await self._db.write(lambda conn: conn.execute(statement).rowcount == 1)

    async def flows_with_audio(self, app: int) -> list[tuple[str, str]]:
        """Return name and body of each flow, as it is now, that a campaign uses and that has recordings.

        No table holds what a flow says: its text is searched, and may have the word for another reason.
        """
        flow, version, campaign, definition = t.flow, t.flow_version, t.campaign, t.campaign_version
        has_audio = sa.func.lower(version.c.document).contains("audio")
        used = (
            sa.select(campaign.c.no)
            .join(
                definition,
                sa.and_(
                    definition.c.app == campaign.c.app,
                    definition.c.campaign_no == campaign.c.no,
                    definition.c.version == campaign.c.version,
                ),
            )
            .where(campaign.c.app == app, definition.c.app == app, definition.c.definition.contains(flow.c.id))
        )
        query = (
            sa.select(flow.c.name, version.c.document)
            .join(
                version,
                sa.and_(
                    version.c.app == flow.c.app, version.c.flow_no == flow.c.no, version.c.version == flow.c.version
                ),
            )
            .where(flow.c.app == app, version.c.app == app, has_audio, used.exists())
            .order_by(flow.c.no)
        )
        return await self._db.read(lambda conn: [(row[0], row[1]) for row in conn.execute(query)])


_SHOWN: Final = tuple(column for column in t.sound.c if column.name not in ("app", "lname", "audio"))


def _columns(audio: Audio) -> dict[str, Any]:
    values = audio._asdict()
    values["audio"] = values.pop("wav")
    return values


def _refuse_taken(conn: sa.Connection, app: int, name: str, *, but: int) -> None:
    sound = t.sound
    taken = sa.select(sound.c.no).where(sound.c.app == app, sound.c.lname == key_of(name), sound.c.no != but)
    if one(conn, taken):
        raise NameTaken(f"A sound with the name {name} exists already.")


def _find(
    conn: sa.Connection, app: int, wanted: sa.ColumnElement[bool], *order: sa.ColumnElement[Any]
) -> UploadedSound | None:
    row = one(conn, sa.select(*_SHOWN).where(t.sound.c.app == app, wanted).order_by(*order).limit(1))
    return _read(row) if row is not None else None


def _read(row: Mapping[str, Any]) -> UploadedSound:
    return UploadedSound(
        row["no"],
        row["id"],
        row["name"],
        row["digest"],
        row["milliseconds"],
        row["source"],
        from_micros(row["created_at"]),
        from_micros(row["updated_at"]),
    )
