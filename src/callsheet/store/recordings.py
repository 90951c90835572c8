"""Recordings of calls: audio, sealed, for as long as the app keeps it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.ids import AttemptKey, Prefix, encode_attempt
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.rows import all_of, insert, new_id, one
from callsheet.store.vault import AppKey, Vault


class Purpose(StrEnum):
    """Why something was recorded."""

    campaign = "campaign"
    """The campaign records its calls."""
    answer = "answer"
    """To the open question of a flow."""
    machine = "machine"
    """What was heard when a machine was told from a person: a sample, to look at the verdicts."""


@dataclass(frozen=True, slots=True)
class KeptRecording:
    """A recording, without its audio."""

    id: str
    attempt_id: str
    purpose: Purpose
    milliseconds: int
    at: datetime
    until: datetime
    """When it is deleted."""


class Recordings:
    """The recordings of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def keep(
        self,
        app: int,
        key: AttemptKey,
        purpose: Purpose,
        audio: bytes,
        milliseconds: int,
        *,
        at: datetime,
        until: datetime,
    ) -> str:
        """Keep what was recorded of a call, a WAV file, until then; return its id."""
        made = new_id(Prefix.recording)
        row = {
            "app": app,
            "id": made,
            **key._asdict(),
            "purpose": purpose.value,
            "milliseconds": milliseconds,
            "audio_sealed": self._key(app).seal.close(audio, made.encode()),
            "at": to_micros(at),
            "until": to_micros(until),
        }
        await self._db.write(lambda conn: insert(conn, t.recording, **row))
        return made

    async def find(self, app: int, recording_id: str) -> tuple[KeptRecording, bytes] | None:
        """Return a recording and its WAV file."""
        query = sa.select(t.recording).where(t.recording.c.app == app, t.recording.c.id == recording_id)
        row = await self._db.read(lambda conn: one(conn, query))
        if row is None:
            return None
        return read_recording(row), self._key(app).seal.open(row["audio_sealed"], row["id"].encode())

    async def sweep(self, now: datetime, most: int) -> int:
        """Delete recordings whose time is over, at most so many, and return how many those were."""
        recording = t.recording
        old = sa.select(recording.c.no).where(recording.c.until <= to_micros(now)).order_by(recording.c.until)

        def sweep(conn: sa.Connection) -> int:
            nos = list(conn.execute(old.limit(most)).scalars())
            if nos:
                conn.execute(sa.delete(recording).where(recording.c.no.in_(nos)))
            return len(nos)

        return await self._db.write(sweep)

    def _key(self, app: int) -> AppKey:
        key = self._vault.app(app)
        assert key is not None, "the app was opened when its token was read, or by the engine"
        return key


def recordings_of(conn: sa.Connection, app: int, keys: Collection[AttemptKey]) -> dict[AttemptKey, list[KeptRecording]]:
    """Return the recordings of calls, the oldest first."""
    if not keys:
        return {}
    recording = t.recording
    columns = [column for column in recording.c if column.name != "audio_sealed"]
    runs, persons = {key.run_no for key in keys}, {key.person for key in keys}
    mine = recording.c.app == app, recording.c.run_no.in_(runs), recording.c.person.in_(persons)
    found: dict[AttemptKey, list[KeptRecording]] = {}
    for row in all_of(conn, sa.select(*columns).where(*mine).order_by(recording.c.no)):
        key = AttemptKey(row["run_no"], row["person"], row["n"])
        if key in keys:
            found.setdefault(key, []).append(read_recording(row))
    return found


def read_recording(row: Any) -> KeptRecording:
    """Read a row of `recording`."""
    return KeptRecording(
        row["id"],
        encode_attempt(row["run_no"], row["person"], row["n"]),
        Purpose(row["purpose"]),
        row["milliseconds"],
        from_micros(row["at"]),
        from_micros(row["until"]),
    )
