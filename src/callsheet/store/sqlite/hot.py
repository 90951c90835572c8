"""The hot operations on SQLite: each a function on the writer thread, one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from callsheet.clock import Clock, from_micros, to_micros
from callsheet.core.pacing import Grant
from callsheet.core.retrying import Turn
from callsheet.core.run import Run
from callsheet.core.walk import Chunk, Group
from callsheet.store.arming import Lease, Outcome, open_intents
from callsheet.store.flow_openings import seal_columns
from callsheet.store.protocol import (
    Appended,
    Armed,
    ArmKey,
    Batch,
    NewContact,
    NewEntry,
    Recorded,
    Step,
    Work,
)
from callsheet.store.sqlite import arming, importing, recording, taking, upkeep
from callsheet.store.sqlite.database import SqliteDatabase
from callsheet.store.vault import Vault


class SqliteHot:
    """The way a contact is reached, on one SQLite file."""

    def __init__(self, database: SqliteDatabase, vault: Vault, clock: Clock) -> None:
        self._db = database
        self._vault = vault
        self._clock = clock

    def _micros(self, seconds: float = 0.0) -> int:
        return to_micros(self._clock.now()) + round(seconds * 1_000_000)

    async def now(self) -> datetime:
        """Return the Clock's instant: one process owns this file."""
        return self._clock.now()

    async def enter(self, name: str) -> int:
        """Register a node."""
        now = self._micros()
        return await self._db.write_raw(
            lambda raw: int(
                raw.execute("insert into node (name, started_at) values (?,?) returning no", (name, now)).fetchone()[0]
            )
        )

    async def work(self, runs: Sequence[Run]) -> Sequence[Work]:
        """Return what is left to do."""
        now = self._micros()
        return await self._db.write_raw(lambda raw: upkeep.work(raw, runs, now))

    async def take(
        self, run: Run, open_groups: Collection[Group], *, node_no: int, size: int, lease_seconds: float
    ) -> Chunk | None:
        """Take a chunk."""
        now, until = self._micros(), self._micros(lease_seconds)
        return await self._db.write_raw(
            lambda raw: taking.take(raw, run, open_groups, node_no=node_no, size=size, now=now, lease_until=until)
        )

    async def arm(
        self,
        run: Run,
        chunk: Chunk,
        group: Group,
        *,
        limit: int,
        arm_no: int,
        node_no: int,
        lease_seconds: float,
    ) -> Armed:
        """Arm the next contacts of a chunk."""
        key = ArmKey(run.app, run.no, node_no, arm_no)
        return await self._armed(
            key,
            lease_seconds,
            lambda raw, lease: arming.arm(raw, run, chunk, group, limit=limit, lease=lease),
        )

    async def arm_again(
        self, run: Run, turn: Turn, *, limit: int, arm_no: int, node_no: int, lease_seconds: float
    ) -> Armed:
        """Arm contacts that come again."""
        key = ArmKey(run.app, run.no, node_no, arm_no)
        return await self._armed(
            key, lease_seconds, lambda raw, lease: arming.arm_again(raw, run, turn, limit=limit, lease=lease)
        )

    async def _armed(self, key: ArmKey, lease_seconds: float, run: Callable[..., Outcome]) -> Armed:
        def armed(raw: object) -> tuple[Outcome, Lease]:
            # The instant is read when the transaction begins: a queue in front of it must not open a closed door.
            lease = Lease(key, self._micros(), self._micros(lease_seconds))
            return run(raw, lease), lease

        outcome, lease = await self._db.write_raw(armed)
        intents = open_intents(self._vault, key, outcome.send)
        return Armed(
            intents, outcome.left, outcome.lost, outcome.closed_until, from_micros(lease.until), outcome.seen,
            outcome.groups, from_micros(lease.now),
        )  # fmt: skip

    async def record(self, batch: Batch, jitter: Callable[[], float]) -> Recorded:
        """Store what happened."""
        made_of = seal_columns(self._vault, batch.intents)
        return await self._db.write_raw(lambda raw: recording.record(raw, batch, jitter, made_of))

    async def members(self, arm: ArmKey) -> Collection[tuple[bytes, int]]:
        """Return who is in an arm."""
        return await self._db.write_raw(lambda raw: upkeep.members(raw, arm))

    async def renew(
        self, node_no: int, chunks: Collection[Chunk], lease_seconds: float, arms: Collection[ArmKey] = ()
    ) -> None:
        """Renew leases."""
        now, until = self._micros(), self._micros(lease_seconds)
        await self._db.write_raw(lambda raw: upkeep.renew(raw, node_no, chunks, arms, now, until))

    async def release(self, node_no: int | None, run_no: int | None = None) -> None:
        """Give chunks back."""
        await self._db.write_raw(lambda raw: upkeep.release(raw, node_no, run_no))

    async def reap(self, node_no: int, jitter: Callable[[], float], *, all_arms: bool = False) -> int:
        """Make attempts uncertain whose lease ran out."""
        now = self._micros()
        return await self._db.write_raw(lambda raw: recording.reap(raw, node_no, now, jitter, all_arms=all_arms))

    async def complete(self, run: Run) -> bool:
        """Complete the run if nothing is left."""
        now = self._micros()
        return await self._db.write_raw(lambda raw: upkeep.complete(raw, run, now))

    async def lease_rate(
        self, app: int, name: str, segments_per_second: float, *, wanted: int, horizon_seconds: float
    ) -> Grant:
        """Lease a slice of a rate."""
        now, horizon = self._micros(), round(horizon_seconds * 1_000_000)
        return await self._db.write_raw(
            lambda raw: upkeep.lease_rate(raw, app, name, segments_per_second, wanted=wanted, now=now, horizon=horizon)
        )

    async def reserve_day(self, app: int, name: str, *, day: int, cap: int, wanted: int) -> int:
        """Reserve segments of a day."""
        return await self._db.write_raw(lambda raw: upkeep.reserve_day(raw, app, name, day=day, cap=cap, wanted=wanted))

    async def unhanded(
        self, app: int, run_no: int | None = None, persons: Collection[bytes] | None = None
    ) -> Collection[ArmKey]:
        """Return what may leave yet."""
        return await self._db.write_raw(lambda raw: upkeep.unhanded(raw, app, run_no, persons))

    async def recall(self, arms: Collection[ArmKey]) -> None:
        """Ask for arms."""
        await self._db.write_raw(lambda raw: upkeep.recall(raw, arms))

    async def recalled(self, arms: Collection[ArmKey]) -> Collection[ArmKey]:
        """Return which of these arms somebody asks for."""
        return await self._db.write_raw(lambda raw: upkeep.recalled(raw, arms))

    async def append(
        self,
        app: int,
        list_no: int,
        contacts: Sequence[NewContact],
        *,
        step: Step | None = None,
        allow_duplicates: bool | None = None,
    ) -> Appended:
        """Append contacts to a list."""
        now = self._micros()
        return await self._db.write_raw(
            lambda raw: importing.append(raw, app, list_no, contacts, step, now, allow_duplicates)
        )

    async def forbid(
        self, app: int, dnc_no: int, entries: Sequence[NewEntry], *, source: str, step: Step | None = None
    ) -> Appended:
        """Put numbers on a DNC list."""
        now = self._micros()
        return await self._db.write_raw(lambda raw: importing.forbid(raw, app, dnc_no, entries, source, step, now))
