"""The hot operations on PostgreSQL: each a transaction on a connection of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime

from callsheet.clock import Clock, from_micros, to_micros
from callsheet.core.pacing import Grant
from callsheet.core.retrying import Turn
from callsheet.core.run import Run
from callsheet.core.walk import Chunk, Group
from callsheet.store.arming import Outcome, has_any, open_intents, unpack_members
from callsheet.store.flow_openings import seal_columns
from callsheet.store.postgres import arming, importing, recording, taking, upkeep
from callsheet.store.postgres.database import PostgresDatabase, Raw
from callsheet.store.postgres.statements import columns, now_or
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
from callsheet.store.vault import Vault


class PostgresHot:
    """The way a contact is reached, on a PostgreSQL database that many nodes may share.

    Instants are the database's own, so that the clocks of the nodes do not matter. Every operation raises Unavailable
    when the database is away; all of them may then be repeated.
    """

    def __init__(self, database: PostgresDatabase, vault: Vault, test_clock: Clock | None = None) -> None:
        """Work on a database; `test_clock` stands in for the database's clock in tests that need a fixed present."""
        self._db = database
        self._vault = vault
        self._test_clock = test_clock

    def _present(self) -> int | None:
        return to_micros(self._test_clock.now()) if self._test_clock is not None else None

    async def now(self) -> datetime:
        """Return the instant of the database's clock."""
        if self._test_clock is not None:
            return self._test_clock.now()
        ((now,),) = await self._db.ask(f"select {now_or(1)}", None)
        return from_micros(now)

    async def enter(self, name: str) -> int:
        """Register a node."""
        ((no,),) = await self._db.ask(
            f"insert into node (name, started_at) values ($1, {now_or(2)}) returning no", name, self._present()
        )
        return int(no)

    async def work(self, runs: Sequence[Run]) -> Sequence[Work]:
        """Return what is left to do."""
        return await self._db.write_raw(lambda raw: upkeep.work(raw, runs, self._present()))

    async def take(
        self, run: Run, open_groups: Collection[Group], *, node_no: int, size: int, lease_seconds: float
    ) -> Chunk | None:
        """Take a chunk."""
        lease, present = _micros(lease_seconds), self._present()
        return await self._db.write_raw(
            lambda raw: taking.take(
                raw, run, open_groups, node_no=node_no, size=size, lease_micros=lease, present=present
            )
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
        key, lease, present = ArmKey(run.app, run.no, node_no, arm_no), _micros(lease_seconds), self._present()
        return await self._armed(
            key,
            lease,
            lambda raw: arming.arm(raw, run, chunk, group, limit=limit, key=key, lease_micros=lease, present=present),
        )

    async def arm_again(
        self, run: Run, turn: Turn, *, limit: int, arm_no: int, node_no: int, lease_seconds: float
    ) -> Armed:
        """Arm contacts that come again."""
        key, lease, present = ArmKey(run.app, run.no, node_no, arm_no), _micros(lease_seconds), self._present()
        return await self._armed(
            key,
            lease,
            lambda raw: arming.arm_again(raw, run, turn, limit=limit, key=key, lease_micros=lease, present=present),
        )

    async def _armed(
        self, key: ArmKey, lease_micros: int, run: Callable[[Raw], Awaitable[tuple[Outcome, int]]]
    ) -> Armed:
        outcome, until = await self._db.write_raw(run)
        intents = open_intents(self._vault, key, outcome.send)
        lease_until, at = (from_micros(until), from_micros(until - lease_micros)) if until else (None, None)
        return Armed(
            intents, outcome.left, outcome.lost, outcome.closed_until, lease_until, outcome.seen, outcome.groups, at
        )

    async def record(self, batch: Batch, jitter: Callable[[], float]) -> Recorded:
        """Store what happened."""
        made_of = seal_columns(self._vault, batch.intents)
        return await self._db.write_raw(lambda raw: recording.record(raw, batch, jitter, made_of))

    async def members(self, arm: ArmKey) -> Collection[tuple[bytes, int]]:
        """Return who is in an arm."""
        rows = await self._db.ask(upkeep.MEMBERS, *arm)
        return unpack_members(rows[0]["members"]) if rows else []

    async def renew(
        self, node_no: int, chunks: Collection[Chunk], lease_seconds: float, arms: Collection[ArmKey] = ()
    ) -> None:
        """Renew leases."""
        keys = list(zip(*(chunk[:6] for chunk in chunks), strict=True)) or [()] * 6
        await self._db.ask(upkeep.RENEW, node_no, self._present(), _micros(lease_seconds), *map(list, keys))
        if arms:
            of_arms = columns(sorted(arms), 4)
            await self._db.ask(upkeep.RENEW_ARMS, self._present(), _micros(lease_seconds), *of_arms)

    async def release(self, node_no: int | None, run_no: int | None = None) -> None:
        """Give chunks back."""
        await self._db.ask(upkeep.RELEASE, node_no, run_no)

    async def reap(self, node_no: int, jitter: Callable[[], float], *, all_arms: bool = False) -> int:
        """Make attempts uncertain whose lease ran out, some arms a transaction."""
        doubtful, more, present = 0, True, self._present()
        while more:
            reaped = await self._db.write_raw(
                lambda raw: recording.reap(raw, node_no, jitter, all_arms=all_arms, present=present)
            )
            doubtful, more = doubtful + reaped.doubtful, reaped.more
        return doubtful

    async def complete(self, run: Run) -> bool:
        """Complete the run if nothing is left."""
        return await self._db.write_raw(lambda raw: upkeep.complete(raw, run, self._present()))

    async def lease_rate(
        self, app: int, name: str, segments_per_second: float, *, wanted: int, horizon_seconds: float
    ) -> Grant:
        """Lease a slice of a rate."""
        horizon, present = _micros(horizon_seconds), self._present()
        return await self._db.write_raw(
            lambda raw: upkeep.lease_rate(
                raw, app, name, segments_per_second, wanted=wanted, horizon_micros=horizon, present=present
            )
        )

    async def reserve_day(self, app: int, name: str, *, day: int, cap: int, wanted: int) -> int:
        """Reserve segments of a day."""
        return await self._db.write_raw(lambda raw: upkeep.reserve_day(raw, app, name, day=day, cap=cap, wanted=wanted))

    async def unhanded(
        self, app: int, run_no: int | None = None, persons: Collection[bytes] | None = None
    ) -> Collection[ArmKey]:
        """Return what may leave yet."""
        rows = await self._db.ask(upkeep.UNHANDED, app, run_no)
        return {ArmKey(*key) for *key, members in rows if has_any(members, persons)}

    async def recall(self, arms: Collection[ArmKey]) -> None:
        """Ask for arms."""
        await self._db.ask(upkeep.RECALL, *columns(arms, 4))

    async def recalled(self, arms: Collection[ArmKey]) -> Collection[ArmKey]:
        """Return which of these arms somebody asks for."""
        return set(map(ArmKey._make, await self._db.ask(upkeep.RECALLED, *columns(arms, 4))))

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
        present = self._present()
        return await self._db.write_raw(
            lambda raw: importing.append(raw, app, list_no, contacts, step, present, allow_duplicates)
        )

    async def forbid(
        self, app: int, dnc_no: int, entries: Sequence[NewEntry], *, source: str, step: Step | None = None
    ) -> Appended:
        """Put numbers on a DNC list."""
        present = self._present()
        return await self._db.write_raw(lambda raw: importing.forbid(raw, app, dnc_no, entries, source, step, present))


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)
