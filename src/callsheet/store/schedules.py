"""Schedules of campaigns: kept, taken away, looked for when they are due, and passed over when they cannot start.

Starting what is due is `Campaigns.start`: the claim of an occurrence and its run are one transaction.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.campaign import Campaign, lapsed, unscheduled
from callsheet.core.schedule import Schedule, Verdict
from callsheet.store import tables as t
from callsheet.store.campaign_rows import lock, read, select_campaigns
from callsheet.store.database import Database
from callsheet.store.planning import drop_plan, give_plan, move_alone, note


class Schedules:
    """The schedules of all apps."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def put(self, campaign: Campaign, schedule: Schedule, now: datetime) -> Campaign:
        """Give a campaign a schedule, in place of the one that it had; a run that is on goes on."""

        def put(conn: sa.Connection) -> Campaign:
            return give_plan(conn, lock(conn, campaign), schedule, now)

        return await self._db.write(put)

    async def drop(self, campaign: Campaign, now: datetime) -> Campaign:
        """Take the schedule of a campaign away, if it has one; a run that is on goes on, and is the last."""

        def drop(conn: sa.Connection) -> Campaign:
            current = lock(conn, campaign)
            drop_plan(conn, current.app, current.no)
            return move_alone(conn, replace(current, plan=None), unscheduled(current.status), now)

        return await self._db.write(drop)

    async def pass_over(
        self, campaign: Campaign, verdict: Verdict, now: datetime, *, outcome: str, reason: str
    ) -> Campaign | None:
        """Go on to the next occurrence without a run; None when somebody else has dealt with this one."""

        def pass_over(conn: sa.Connection) -> Campaign | None:
            current = lock(conn, campaign)
            if current.plan != campaign.plan:
                return None
            noted = note(conn, current, verdict, now, outcome=outcome, reason=reason)
            return noted if noted.waits else move_alone(conn, noted, lapsed(current.status), now)

        return await self._db.write(pass_over)

    async def due(self, now: datetime) -> list[tuple[int, str]]:
        """Name the campaigns whose next occurrence has come, of all apps, the longest due first: app and id of each."""
        schedule = t.schedule
        query = sa.select(schedule.c.app, t.campaign.c.id).join(
            t.campaign, sa.and_(t.campaign.c.app == schedule.c.app, t.campaign.c.no == schedule.c.campaign_no)
        )
        come = query.where(schedule.c.next_at > 0, schedule.c.next_at <= to_micros(now)).order_by(schedule.c.next_at)
        return await self._db.read(lambda conn: [(app, campaign_id) for app, campaign_id in conn.execute(come)])

    async def over(self, now: datetime) -> list[tuple[int, str]]:
        """Name the campaigns whose run goes on although the time of its occurrence is over: app and id of each."""
        run = t.run
        query = sa.select(run.c.app, t.campaign.c.id).join(
            t.campaign, sa.and_(t.campaign.c.no == run.c.campaign_no, t.campaign.c.run_no == run.c.no)
        )
        over = query.where(run.c.ended_at == 0, run.c.ends_at > 0, run.c.ends_at <= to_micros(now))
        return await self._db.read(lambda conn: [(app, campaign_id) for app, campaign_id in conn.execute(over)])

    async def soonest(self) -> datetime | None:
        """Return when the next occurrence of all begins or ends."""
        begins = sa.select(sa.func.min(t.schedule.c.next_at)).where(t.schedule.c.next_at > 0)
        ends = sa.select(sa.func.min(t.run.c.ends_at)).where(t.run.c.ended_at == 0, t.run.c.ends_at > 0)
        found = await self._db.read(lambda conn: [conn.execute(query).scalar_one() for query in (begins, ends)])
        return min((from_micros(at) for at in found if at), default=None)

    async def upcoming(self, app: int, *, after: tuple[datetime, int] | None, limit: int) -> list[Campaign]:
        """Return the campaigns of an app that start by themselves, the next one first."""
        schedule = t.schedule
        query = select_campaigns().where(t.campaign.c.app == app, schedule.c.app == app, schedule.c.next_at > 0)
        if after is not None:
            at, campaign_no = to_micros(after[0]), after[1]
            query = query.where(
                sa.or_(schedule.c.next_at > at, sa.and_(schedule.c.next_at == at, schedule.c.campaign_no > campaign_no))
            )
        ordered = query.order_by(schedule.c.next_at, schedule.c.campaign_no).limit(limit)
        return await self._db.read(lambda conn: read(conn, app, ordered))
