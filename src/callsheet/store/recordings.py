"""Recordings of calls: audio, sealed, for as long as the app keeps it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.ids import AttemptKey, Prefix, encode_attempt
from callsheet.core.notice import NoticeKind
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.outbox import announce
from callsheet.store.rows import all_of, insert, new_id, one
from callsheet.store.vault import AppKey, Vault


class Purpose(StrEnum):
    """Why something was recorded."""

    campaign = "campaign"
    """The whole call: the campaign records its calls."""
    request = "request"
    """The call, or a part of it: somebody asked for that while it went on."""
    answer = "answer"
    """To the open question of a flow."""
    machine = "machine"
    """What was heard when a machine was told from a person: a sample, to look at the verdicts."""


WHOLE_CALL: Final = frozenset({Purpose.campaign, Purpose.request})
"""Both sides of a call were recorded, as long as it, or the wish, lasted."""


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


class WantedRecordings(NamedTuple):
    """Which recordings are meant; None: whatever it is."""

    now: datetime
    """Those whose time is over then are not."""
    run_no: int | None = None
    campaign_no: int | None = None
    purpose: Purpose | None = None
    person: bytes | None = None
    since: datetime | None = None
    """Of calls that were dialed then, or later."""
    until: datetime | None = None
    """Dialed before."""


def new_recording_id() -> str:
    """Make the id of a recording, once, however often somebody tries to keep it."""
    return new_id(Prefix.recording)


class Recordings:
    """The recordings of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def keep(
        self,
        app: int,
        made: str,
        key: AttemptKey,
        purpose: Purpose,
        audio: bytes,
        milliseconds: int,
        *,
        at: datetime,
        until: datetime,
    ) -> None:
        """Keep what was recorded of a call, a WAV file, until then. `made`: its id; one that is kept stays as it is."""
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
        told = {
            "recording_id": made,
            "attempt_id": encode_attempt(*key),
            "person_id": key.person.hex(),
            "purpose": purpose.value,
            "seconds": milliseconds / 1000,
        }

        def keep(conn: sa.Connection) -> None:
            recording = t.recording
            mine = recording.c.app == app, recording.c.id == made
            if one(conn, sa.select(recording.c.id).where(*mine)) is not None:
                return
            insert(conn, t.recording, **row)
            announce(conn, app, NoticeKind.call_recorded, told, at)

        await self._db.write(keep)

    async def find(self, app: int, recording_id: str, now: datetime) -> tuple[KeptRecording, bytes] | None:
        """Return a recording and its WAV file; None: there is none, or its time is over."""
        recording = t.recording
        query = sa.select(recording).where(recording.c.app == app, recording.c.id == recording_id, _lasts(now))
        row = await self._db.read(lambda conn: one(conn, query))
        if row is None:
            return None
        return read_recording(row), self._key(app).seal.open(row["audio_sealed"], row["id"].encode())

    async def page(
        self, app: int, wanted: WantedRecordings, *, after: str | None = None, limit: int
    ) -> Sequence[KeptRecording] | None:
        """Return recordings, the latest first, from after one; None when there is no such."""
        recording = t.recording
        query = sa.select(*_SHOWN).where(*_meant(app, wanted)).order_by(recording.c.no.desc()).limit(limit)
        place = sa.select(recording.c.no).where(recording.c.app == app, recording.c.id == after)

        def read(conn: sa.Connection) -> list[KeptRecording] | None:
            asked = query
            if after is not None:
                no = conn.execute(place).scalar()
                if no is None:
                    return None
                asked = query.where(recording.c.no < no)
            return [read_recording(row) for row in all_of(conn, asked)]

        return await self._db.read(read)

    async def delete(self, app: int, recording_id: str) -> bool:
        """Delete a recording; False: there is none."""
        mine = t.recording.c.app == app, t.recording.c.id == recording_id
        return await self._db.write(lambda conn: bool(conn.execute(sa.delete(t.recording).where(*mine)).rowcount))

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


_SHOWN: Final = tuple(column for column in t.recording.c if column.name != "audio_sealed")


def _lasts(now: datetime | None) -> sa.ColumnElement[bool]:
    return t.recording.c.until > to_micros(now) if now is not None else sa.true()


def _meant(app: int, wanted: WantedRecordings) -> list[sa.ColumnElement[bool]]:
    recording, run, call = t.recording, t.run, t.call
    meant = [recording.c.app == app, _lasts(wanted.now)]
    if wanted.run_no is not None:
        meant.append(recording.c.run_no == wanted.run_no)
    if wanted.campaign_no is not None:
        runs = sa.select(run.c.no).where(run.c.app == app, run.c.campaign_no == wanted.campaign_no)
        meant.append(recording.c.run_no.in_(runs))
    if wanted.purpose is not None:
        meant.append(recording.c.purpose == wanted.purpose.value)
    if wanted.person is not None:
        meant.append(recording.c.person == wanted.person)
    its = [call.c[name] == recording.c[name] for name in ("app", "run_no", "person", "n")]
    if wanted.since is not None:
        meant.append(sa.exists().where(*its, call.c.dialed_at >= to_micros(wanted.since)))
    if wanted.until is not None:
        meant.append(sa.exists().where(*its, call.c.dialed_at < to_micros(wanted.until)))
    return meant


def recordings_of(
    conn: sa.Connection, app: int, keys: Collection[AttemptKey], now: datetime | None
) -> dict[AttemptKey, list[KeptRecording]]:
    """Return the recordings of calls, the oldest first; `now`: none whose time is over."""
    if not keys:
        return {}
    recording = t.recording
    runs, persons = {key.run_no for key in keys}, {key.person for key in keys}
    mine = recording.c.app == app, recording.c.run_no.in_(runs), recording.c.person.in_(persons)
    found: dict[AttemptKey, list[KeptRecording]] = {}
    for row in all_of(conn, sa.select(*_SHOWN).where(*mine, _lasts(now)).order_by(recording.c.no)):
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
