"""What is left of the present day of each cap: every node reads the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.allowance import Bucket, bounds_of_day
from callsheet.core.day_use import Today
from callsheet.core.pacing import DayUse
from callsheet.store import tables as t
from callsheet.store.database import Database

_UNUSED = DayUse(0, 0)


class DayUses:
    """Reads what was reserved of days."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def of(self, app: int, caps: Collection[Bucket], now: datetime) -> Mapping[Bucket, Today]:
        """Return the day of each of an app's limits; all of them have a cap."""
        if not caps:
            return {}
        bucket = t.bucket
        query = sa.select(bucket.c.name, bucket.c.day, bucket.c.used).where(
            bucket.c.app == app, bucket.c.name.in_({cap.name for cap in caps})
        )
        uses = await self._db.read(lambda conn: {row.name: DayUse(row.day, row.used) for row in conn.execute(query)})
        return {cap: _today(cap, uses.get(cap.name, _UNUSED), now) for cap in caps}


def _today(cap: Bucket, use: DayUse, now: datetime) -> Today:
    assert cap.segments_per_day is not None, "only capped buckets are asked"
    begins, ends = bounds_of_day(cap.reset_zone, now)
    return Today(*use.of_day(to_micros(begins), cap.segments_per_day), ends)
