"""Campaigns, and the moves that begin and end their runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.campaign import MOST_VOICE_CAMPAIGNS, Campaign, Channel, Definition, Move, Status, after
from callsheet.core.errors import (
    CallsheetError,
    ContactListNotFound,
    DncListNotFound,
    NameTaken,
    WrongState,
)
from callsheet.core.ids import Prefix
from callsheet.core.names import key_of
from callsheet.core.notice import NoticeKind
from callsheet.core.run import NO_FLOW, NORMALLY, Execution, Launch, PinnedFlow
from callsheet.core.schedule import STARTED, Schedule, Verdict
from callsheet.store import tables as t
from callsheet.store.campaign_rows import find as find_row
from callsheet.store.campaign_rows import id_of, lock
from callsheet.store.campaign_search import Found, SortKey, Wanted, following, page
from callsheet.store.database import Database
from callsheet.store.gate import close_gate, one_at_a_time
from callsheet.store.launching import (
    hold_lists,
    list_numbers,
    open_run,
    refuse_more_calls,
    refuse_second_emergency,
    refuse_shared_lists,
    set_status,
)
from callsheet.store.outbox import tell_of_run
from callsheet.store.planning import WAITS, drop_plan, give_plan, note
from callsheet.store.preflights import drop_preflight
from callsheet.store.restoring import refuse_unacknowledged
from callsheet.store.rows import insert, new_id, one, to_json
from callsheet.store.sending import refuse_stopped

_MOST_PREPARED = 500
"""At one look."""


_TOLD = {
    Move.pause: NoticeKind.run_paused,
    Move.resume: NoticeKind.run_resumed,
    Move.stop: NoticeKind.run_stopped,
    Move.complete: NoticeKind.run_completed,
}


class Campaigns:
    """The campaigns of all apps."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def create(
        self,
        app: int,
        definition: Definition,
        now: datetime,
        *,
        unique_names: bool,
        schedule: Schedule | None = None,
    ) -> Campaign:
        """Create a campaign: it waits in Ready, or for its time, and one that calls from lists is Preparing before.

        Raises NameTaken.
        """
        campaign_id = new_id(Prefix.campaign)
        calls = definition.channel is Channel.voice and definition.contact_lists
        status = Status.preparing if calls else Status.ready

        def create(conn: sa.Connection) -> Campaign:
            if unique_names:
                _refuse_taken(conn, app, definition.name, 0)
            at = to_micros(now)
            no = insert(
                conn,
                t.campaign,
                app=app,
                id=campaign_id,
                channel=definition.channel.value,
                status=status.value,
                **_searched(definition),
                version=1,
                created_at=at,
                updated_at=at,
            )
            _write_version(conn, app, no, 1, definition)
            if status is Status.preparing:
                insert(conn, t.preparing, app=app, campaign_no=no)
            made = Campaign(app, no, campaign_id, status, 1, definition, now, now)
            return give_plan(conn, made, schedule, now) if schedule is not None else made

        return await self._db.write(create)

    async def prepare(self, now: datetime) -> int:
        """Make every campaign Ready that is Preparing, in all apps, and return how many there were."""
        waiting = t.preparing.c.campaign_no
        nos = await self._db.read(lambda conn: list(conn.execute(sa.select(waiting).limit(_MOST_PREPARED)).scalars()))
        if not nos:
            return 0

        return await self._db.write(lambda conn: _prepare(conn, now, t.campaign.c.no.in_(nos), waiting.in_(nos)))

    async def prepare_one(self, campaign: Campaign, now: datetime) -> Campaign:
        """Make a campaign Ready that is Preparing, and return it as it is then."""
        mine = t.campaign.c.app == campaign.app, t.campaign.c.no == campaign.no
        waiting = sa.and_(t.preparing.c.app == campaign.app, t.preparing.c.campaign_no == campaign.no)
        await self._db.write(lambda conn: _prepare(conn, now, sa.and_(*mine), waiting))
        return await self.find(campaign.app, campaign_id=campaign.id) or campaign

    async def find(self, app: int, *, campaign_id: str | None = None, name: str | None = None) -> Campaign | None:
        """Return a campaign by id, or by name: case and blanks at its ends do not count. Raises NameAmbiguous."""

        def find(conn: sa.Connection) -> Campaign | None:
            wanted = campaign_id or id_of(conn, app, name or "")
            return find_row(conn, app, wanted) if wanted else None

        return await self._db.read(find)

    async def page(
        self, app: int, wanted: Wanted, sort: Sequence[tuple[SortKey, bool]], *, offset: int, limit: int
    ) -> Found:
        """Return a page of those that are wanted; `sort` holds keys, and whether descending."""
        return await self._db.read(lambda conn: page(conn, app, wanted, sort, offset=offset, limit=limit))

    async def of_app(self, app: int, wanted: Wanted, *, before: int | None, limit: int) -> list[Campaign]:
        """Return those that are wanted, the latest first, from a number downwards."""
        return await self._db.read(lambda conn: following(conn, app, wanted, before_no=before, limit=limit))

    async def update(
        self,
        campaign: Campaign,
        definition: Definition,
        now: datetime,
        *,
        unique_names: bool,
        schedule: Schedule | None = None,
    ) -> Campaign:
        """Replace a campaign's definition with a new version of it, and its schedule.

        Raises NameTaken, WrongState, CampaignNotFound.
        """

        def update(conn: sa.Connection) -> Campaign:
            current = lock(conn, campaign)
            status = after(Move.edit, current.status)
            if unique_names:
                _refuse_taken(conn, campaign.app, definition.name, campaign.no)
            drop_plan(conn, campaign.app, campaign.no)
            version = current.version + 1
            _write_version(conn, campaign.app, campaign.no, version, definition)
            conn.execute(
                sa.update(t.campaign)
                .where(t.campaign.c.no == campaign.no)
                .values(
                    status=status.value,
                    version=version,
                    updated_at=to_micros(now),
                    **_searched(definition),
                )
            )
            made = replace(current, status=status, version=version, definition=definition, updated_at=now, plan=None)
            return give_plan(conn, made, schedule, now) if schedule is not None else made

        return await self._db.write(update)

    async def delete(self, campaign: Campaign) -> Campaign:
        """Delete a campaign and return it as it was; what its runs did stays. Raises WrongState, CampaignNotFound."""

        def delete(conn: sa.Connection) -> Campaign:
            current = lock(conn, campaign)
            after(Move.delete, current.status)
            _unlink(conn, campaign.app, campaign.no)
            drop_plan(conn, campaign.app, campaign.no)
            drop_preflight(conn, campaign.app, campaign.no)
            conn.execute(sa.delete(t.campaign).where(t.campaign.c.no == campaign.no))
            return current

        return await self._db.write(delete)

    async def start(
        self,
        campaign: Campaign,
        *,
        text: str,
        sender_no: int,
        one_run_per_list: bool,
        now: datetime,
        launch: Launch = NORMALLY,
        move: Move = Move.start,
        most_voice_campaigns: int = MOST_VOICE_CAMPAIGNS,
        verdict: Verdict | None = None,
        flow: PinnedFlow = NO_FLOW,
    ) -> Campaign:
        """Start a new run, or resume the paused one; on an Active campaign it changes nothing. `move` is how.

        With a `verdict` it starts an occurrence, and changes nothing when another node was first. The run gets a cursor
        for each group of its lists. Raises ListInUse, other conflicts, and WrongState where it was edited meanwhile.
        """
        run_id = new_id(Prefix.run)

        def start(conn: sa.Connection) -> Campaign:
            current = lock(conn, campaign)
            how = move if verdict is None else Move.come_due
            if (verdict is not None and current.plan != campaign.plan) or after(how, current.status) is current.status:
                return current
            refuse_stopped(conn, current.app)
            if current.status is Status.paused:
                return _resume(conn, current, now)
            if current.version != campaign.version:
                raise WrongState("The campaign was edited at this moment: start it again.")
            refuse_more_calls(conn, current, most_voice_campaigns)
            if launch.execution is Execution.emergency:
                refuse_second_emergency(conn, current)
            hold_lists(conn, current)
            if one_run_per_list:
                refuse_shared_lists(conn, current)
            return open_run(conn, _claimed(conn, current, verdict, now), run_id, text, sender_no, now, launch, flow)

        return await self._db.write(start)

    async def move(self, campaign: Campaign, move: Move, now: datetime) -> Campaign:
        """Pause, resume, stop or complete. From the commit on nothing more is armed in a forbidden run.

        Raises WrongState, SendingStopped, RestoreNotAcknowledged.
        """

        def change(conn: sa.Connection) -> Campaign:
            current = lock(conn, campaign)
            status = after(move, current.status)
            if status is current.status or (move is Move.complete and current.run_no != campaign.run_no):
                return current
            if status is Status.active:
                refuse_stopped(conn, current.app)
                refuse_unacknowledged(conn, current.run_no)
            if move is Move.pause and current.emergency:
                raise WrongState("An emergency is not paused. Stop it; it can run again.")
            close_gate(conn, current.app)
            shown = set_status(conn, current, status, now)
            tell_of_run(conn, current, _TOLD[move], now)
            return replace(current, status=shown, updated_at=now, run_updated_at=now)

        return await self._db.write(change)


def _claimed(conn: sa.Connection, campaign: Campaign, verdict: Verdict | None, now: datetime) -> Campaign:
    """Take an occurrence of a schedule, in the transaction that begins its run; an emergency ends schedules."""
    if verdict is not None:
        return note(conn, campaign, verdict, now, outcome=STARTED)
    if not campaign.waits:
        return campaign
    drop_plan(conn, campaign.app, campaign.no)
    return replace(campaign, plan=None)


def _resume(conn: sa.Connection, campaign: Campaign, now: datetime) -> Campaign:
    refuse_unacknowledged(conn, campaign.run_no)
    set_status(conn, campaign, Status.active, now)
    tell_of_run(conn, campaign, NoticeKind.run_resumed, now)
    return replace(campaign, status=Status.active, updated_at=now, run_updated_at=now)


def _refuse_taken(conn: sa.Connection, app: int, name: str, but: int) -> None:
    # Two that are created at once would not see each other, and names may repeat where the app says so.
    one_at_a_time(conn, app)
    campaign = t.campaign
    query = sa.select(campaign.c.no).where(
        campaign.c.app == app, campaign.c.lname == key_of(name), campaign.c.no != but
    )
    if one(conn, query):
        raise NameTaken(f"A campaign with the name {name} exists already.")


def _searched(definition: Definition) -> dict[str, Any]:
    """Return the columns that lists show, and by which campaigns are searched."""
    mode = definition.voice.mode.value if definition.voice is not None else ""
    return {"name": definition.name, "lname": key_of(definition.name), "priority": definition.priority, "mode": mode}


def _write_version(conn: sa.Connection, app: int, no: int, version: int, definition: Definition) -> None:
    insert(conn, t.campaign_version, app=app, campaign_no=no, version=version, definition=to_json(definition))
    if version > 1:
        _unlink(conn, app, no)
    numbers = list_numbers(definition)
    _keep(conn, t.contact_list, app, numbers, ContactListNotFound)
    for place, list_no in enumerate(numbers):
        insert(conn, t.campaign_list, app=app, list_no=list_no, campaign_no=no, place=place)
    dnc_numbers = {dnc_list.no for dnc_list in definition.dnc_lists}
    _keep(conn, t.dnc_list, app, dnc_numbers, DncListNotFound)
    for dnc_no in dnc_numbers:
        insert(conn, t.campaign_dnc, app=app, dnc_no=dnc_no, campaign_no=no)


def _unlink(conn: sa.Connection, app: int, no: int) -> None:
    for link in (t.campaign_list, t.campaign_dnc):
        conn.execute(sa.delete(link).where(link.c.app == app, link.c.campaign_no == no))


def _keep(
    conn: sa.Connection, lists: sa.Table, app: int, numbers: Collection[int], missing: type[CallsheetError]
) -> None:
    """Keep others from deleting the lists that a campaign names, until it is written. Raises `missing`."""
    if not numbers:
        return
    held = sa.select(lists.c.no).where(lists.c.app == app, lists.c.no.in_(numbers)).order_by(lists.c.no)
    if len(conn.execute(held.with_for_update(read=True)).all()) < len(numbers):
        raise missing


def _prepare(conn: sa.Connection, now: datetime, mine: sa.ColumnElement[bool], waiting: sa.ColumnElement[bool]) -> int:
    """Make campaigns Ready, or let them wait for their time, those that are Preparing."""
    waits = sa.case((sa.text(WAITS), Status.scheduled.value), else_=Status.ready.value)
    ready = {"status": waits, "updated_at": to_micros(now)}
    conn.execute(sa.delete(t.preparing).where(waiting))
    preparing = t.campaign.c.status == Status.preparing.value
    return conn.execute(sa.update(t.campaign).where(mine, preparing).values(ready)).rowcount
