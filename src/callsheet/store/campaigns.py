"""Campaigns, and the moves that begin and end their runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.campaign import MOST_VOICE_CAMPAIGNS, Campaign, Channel, Definition, Move, Status, after
from callsheet.core.errors import (
    CallsheetError,
    CampaignNotFound,
    ContactListNotFound,
    DncListNotFound,
    ListInUse,
    NameAmbiguous,
    NameTaken,
    TooManyVoiceCampaigns,
    WrongState,
)
from callsheet.core.ids import Prefix
from callsheet.core.names import key_of
from callsheet.core.run import NORMALLY, Launch
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.gate import close_gate, one_at_a_time
from callsheet.store.outbox import announce
from callsheet.store.rows import all_of, insert, new_id, one, read_definition, to_json

_ACCEPTED = ("accepted", "delivered", "undelivered")
"""Counters of attempts that a carrier took."""
_MOST_PREPARED = 500
"""At one look."""
_MOST_IDS = 21
"""Of campaigns with one name: one more than an answer tells."""


class Campaigns:
    """The campaigns of all apps."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def create(self, app: int, definition: Definition, now: datetime, *, unique_names: bool) -> Campaign:
        """Create a campaign: it waits in Ready, and one that calls is Preparing before. Raises NameTaken."""
        campaign_id = new_id(Prefix.campaign)
        status = Status.preparing if definition.channel is Channel.voice else Status.ready

        def create(conn: sa.Connection) -> Campaign:
            if unique_names:
                _refuse_taken(conn, app, definition.name, 0)
            at = to_micros(now)
            no = insert(
                conn,
                t.campaign,
                app=app,
                id=campaign_id,
                lname=key_of(definition.name),
                channel=definition.channel.value,
                status=status.value,
                version=1,
                created_at=at,
                updated_at=at,
            )
            _write_version(conn, app, no, 1, definition)
            if status is Status.preparing:
                insert(conn, t.preparing, app=app, campaign_no=no)
            return Campaign(app, no, campaign_id, status, 1, definition, now, now)

        return await self._db.write(create)

    async def prepare(self, now: datetime) -> int:
        """Make every campaign Ready that is Preparing, in all apps, and return how many there were."""
        waiting = t.preparing.c.campaign_no
        nos = await self._db.read(lambda conn: list(conn.execute(sa.select(waiting).limit(_MOST_PREPARED)).scalars()))
        if not nos:
            return 0

        def prepare(conn: sa.Connection) -> int:
            mine = t.campaign.c.no.in_(nos), t.campaign.c.status == Status.preparing.value
            ready = {"status": Status.ready.value, "updated_at": to_micros(now)}
            conn.execute(sa.delete(t.preparing).where(waiting.in_(nos)))
            return conn.execute(sa.update(t.campaign).where(*mine).values(ready)).rowcount

        return await self._db.write(prepare)

    async def find(self, app: int, *, campaign_id: str | None = None, name: str | None = None) -> Campaign | None:
        """Return a campaign by id, or by name: case and blanks at its ends do not count. Raises NameAmbiguous."""

        def find(conn: sa.Connection) -> Campaign | None:
            wanted = campaign_id or _id_of(conn, app, name or "")
            return _find(conn, app, wanted) if wanted else None

        return await self._db.read(find)

    async def update(
        self, campaign: Campaign, definition: Definition, now: datetime, *, unique_names: bool
    ) -> Campaign:
        """Replace a campaign's definition with a new version of it. Raises NameTaken, WrongState, CampaignNotFound."""

        def update(conn: sa.Connection) -> Campaign:
            current = _lock(conn, campaign)
            status = after(Move.edit, current.status)
            if unique_names:
                _refuse_taken(conn, campaign.app, definition.name, campaign.no)
            version = current.version + 1
            _write_version(conn, campaign.app, campaign.no, version, definition)
            conn.execute(
                sa.update(t.campaign)
                .where(t.campaign.c.no == campaign.no)
                .values(
                    status=status.value,
                    version=version,
                    lname=key_of(definition.name),
                    updated_at=to_micros(now),
                )
            )
            return replace(current, status=status, version=version, definition=definition, updated_at=now)

        return await self._db.write(update)

    async def delete(self, campaign: Campaign) -> Campaign:
        """Delete a campaign and return it as it was; what its runs did stays. Raises WrongState, CampaignNotFound."""

        def delete(conn: sa.Connection) -> Campaign:
            current = _lock(conn, campaign)
            after(Move.delete, current.status)
            _unlink(conn, campaign.app, campaign.no)
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
        most_voice_campaigns: int = MOST_VOICE_CAMPAIGNS,
    ) -> Campaign:
        """Start a new run, or resume the paused one; on an Active campaign it changes nothing.

        Nothing is expanded: the run gets a cursor for each group of its lists. Raises ListInUse, TooManyVoiceCampaigns,
        and WrongState also when the campaign is not the version that `text` was taken from.
        """
        run_id = new_id(Prefix.run)

        def start(conn: sa.Connection) -> Campaign:
            current = _lock(conn, campaign)
            status = after(Move.start, current.status)
            if current.status is Status.active:
                return current
            if current.status is Status.paused:
                _set_status(conn, current, status, now)
                return replace(current, status=status, updated_at=now, run_updated_at=now)
            if current.version != campaign.version:
                raise WrongState("The campaign was edited at this moment: start it again.")
            _hold_lists(conn, current)
            if one_run_per_list:
                _refuse_shared_lists(conn, current)
            if current.definition.channel is Channel.voice:
                _refuse_more_calls(conn, current, most_voice_campaigns)
            return _open_run(conn, current, run_id, text, sender_no, now, launch)

        return await self._db.write(start)

    async def move(self, campaign: Campaign, move: Move, now: datetime) -> Campaign:
        """Pause, resume or stop. Raises WrongState. From the commit on nothing more is armed in a forbidden run."""

        def change(conn: sa.Connection) -> Campaign:
            current = _lock(conn, campaign)
            status = after(move, current.status)
            if status is current.status:
                return current
            close_gate(conn, current.app)
            _set_status(conn, current, status, now)
            announce(
                conn,
                current.app,
                f"run.{status.lower()}",
                {"campaign_id": current.id, "run_id": current.run_id},
                now,
            )
            return replace(current, status=status, updated_at=now, run_updated_at=now)

        return await self._db.write(change)


def _id_of(conn: sa.Connection, app: int, name: str) -> str | None:
    campaign = t.campaign
    query = sa.select(campaign.c.id).where(campaign.c.app == app, campaign.c.lname == key_of(name))
    ids = list(conn.execute(query.order_by(campaign.c.no.desc()).limit(_MOST_IDS)).scalars())
    if len(ids) > 1:
        raise NameAmbiguous(ids)
    return ids[0] if ids else None


def _find(conn: sa.Connection, app: int, campaign_id: str) -> Campaign | None:
    campaign, version, run = t.campaign, t.campaign_version, t.run
    row = one(
        conn,
        sa.select(campaign, version.c.definition, run.c.id.label("run_id"), run.c.updated_at.label("run_updated_at"))
        .join(
            version,
            sa.and_(
                version.c.app == campaign.c.app,
                version.c.campaign_no == campaign.c.no,
                version.c.version == campaign.c.version,
            ),
        )
        .outerjoin(run, run.c.no == campaign.c.run_no)
        .where(campaign.c.app == app, campaign.c.id == campaign_id),
    )
    if row is None:
        return None
    return _read(row, _sent(conn, app, row["run_no"]) if row["run_no"] else 0)


def _read(row: Mapping[str, Any], sent: int) -> Campaign:
    return Campaign(
        row["app"],
        row["no"],
        row["id"],
        Status(row["status"]),
        row["version"],
        read_definition(row["definition"]),
        from_micros(row["created_at"]),
        from_micros(row["updated_at"]),
        row["run_no"] or None,
        row["run_id"],
        from_micros(row["run_updated_at"]) if row["run_updated_at"] else None,
        sent,
    )


def _sent(conn: sa.Connection, app: int, run_no: int) -> int:
    counter = t.counter
    query = sa.select(sa.func.coalesce(sa.func.sum(counter.c.value), 0)).where(
        counter.c.app == app, counter.c.run_no == run_no, counter.c.name.in_(_ACCEPTED)
    )
    return int(conn.execute(query).scalar_one())


def _lock(conn: sa.Connection, campaign: Campaign) -> Campaign:
    """Return the campaign as it is inside this transaction, and keep others from moving it meanwhile."""
    held = conn.execute(sa.select(t.campaign.c.id).where(t.campaign.c.no == campaign.no).with_for_update()).first()
    current = _find(conn, campaign.app, campaign.id) if held else None
    if current is None:
        raise CampaignNotFound
    return current


def _refuse_taken(conn: sa.Connection, app: int, name: str, but: int) -> None:
    # Two that are created at once would not see each other, and names may repeat where the app says so.
    one_at_a_time(conn, app)
    campaign = t.campaign
    query = sa.select(campaign.c.no).where(
        campaign.c.app == app, campaign.c.lname == key_of(name), campaign.c.no != but
    )
    if one(conn, query):
        raise NameTaken(f"A campaign with the name {name} exists already.")


def _write_version(conn: sa.Connection, app: int, no: int, version: int, definition: Definition) -> None:
    insert(conn, t.campaign_version, app=app, campaign_no=no, version=version, definition=to_json(definition))
    _unlink(conn, app, no)
    numbers = _list_numbers(definition)
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
    held = sa.select(lists.c.no).where(lists.c.app == app, lists.c.no.in_(numbers)).order_by(lists.c.no)
    if len(conn.execute(held.with_for_update(read=True)).all()) < len(numbers):
        raise missing


def _list_numbers(definition: Definition) -> list[int]:
    """Return the numbers of a campaign's lists in their order: one that is named twice counts where it stands first."""
    return list(dict.fromkeys(contact_list.no for contact_list in definition.contact_lists))


def _hold_lists(conn: sa.Connection, campaign: Campaign) -> None:
    """Keep others from starting a run of these lists, and imports from adding to them, until the run is written."""
    lists = t.contact_list
    numbers = _list_numbers(campaign.definition)
    held = sa.select(lists.c.no).where(lists.c.app == campaign.app, lists.c.no.in_(numbers)).order_by(lists.c.no)
    conn.execute(held.with_for_update())


def _refuse_shared_lists(conn: sa.Connection, campaign: Campaign) -> None:
    link = t.campaign_list
    numbers = _list_numbers(campaign.definition)
    running = all_of(
        conn,
        sa.select(t.contact_list.c.name)
        .join(link, link.c.list_no == t.contact_list.c.no)
        .join(t.campaign, t.campaign.c.no == link.c.campaign_no)
        .where(
            link.c.app == campaign.app,
            link.c.list_no.in_(numbers),
            link.c.campaign_no != campaign.no,
            t.campaign.c.status.in_((Status.active.value, Status.paused.value)),
        ),
    )
    if running:
        names = ", ".join(sorted({row["name"] for row in running}))
        raise ListInUse(f"Another running campaign uses the same contact list: {names}.")


def _refuse_more_calls(conn: sa.Connection, campaign: Campaign, most: int) -> None:
    """Refuse one voice campaign too many. Raises TooManyVoiceCampaigns."""
    one_at_a_time(conn, campaign.app)
    going_on = t.run.c.ended_at == 0, t.run.c.app == campaign.app, t.run.c.channel == Channel.voice.value
    running = conn.execute(sa.select(sa.func.count()).select_from(t.run).where(*going_on)).scalar_one()
    if running >= most:
        raise TooManyVoiceCampaigns(f"{running} voice campaigns are running, and no more may: stop one of them first.")


def _open_run(
    conn: sa.Connection, campaign: Campaign, run_id: str, text: str, sender_no: int, now: datetime, launch: Launch
) -> Campaign:
    """Write a new run with its cursors, and make it the campaign's."""
    run_no = insert(
        conn,
        t.run,
        app=campaign.app,
        id=run_id,
        campaign_no=campaign.no,
        version=campaign.version,
        channel=campaign.definition.channel.value,
        status=Status.active.value,
        sender_no=sender_no,
        text=text,
        execution=launch.execution.value,
        only_unreached=int(launch.only_unreached),
        reason=launch.reason,
        started_at=to_micros(now),
        updated_at=to_micros(now),
    )
    _lay_cursors(conn, campaign, run_no)
    running = replace(campaign, status=Status.active, run_no=run_no, run_id=run_id, sent=0)
    _set_status(conn, running, Status.active, now)
    announce(conn, campaign.app, "run.started", {"campaign_id": campaign.id, "run_id": run_id}, now)
    return replace(running, updated_at=now, run_updated_at=now)


def _lay_cursors(conn: sa.Connection, campaign: Campaign, run_no: int) -> None:
    """Give a run its lists, and a cursor for each group of each."""
    group = t.list_group
    for place, list_no in enumerate(_list_numbers(campaign.definition)):
        size = conn.execute(sa.select(t.contact_list.c.size).where(t.contact_list.c.no == list_no)).scalar_one()
        insert(
            conn,
            t.run_list,
            app=campaign.app,
            run_no=run_no,
            list_no=list_no,
            place=place,
            taken_size=size,
        )
        conn.execute(
            sa.insert(t.cursor).from_select(
                ["app", "run_no", "list_no", "group_no", "range_no", "lo", "hi", "contacts", "seen"],
                sa.select(
                    group.c.app,
                    sa.literal(run_no),
                    group.c.list_no,
                    group.c.group_no,
                    sa.literal(0),
                    # A cursor begins and ends where its group does: by its head groups take turns.
                    sa.select(sa.func.min(t.contact.c.pos)).where(*_members()).scalar_subquery(),
                    sa.select(sa.func.max(t.contact.c.pos)).where(*_members()).scalar_subquery(),
                    group.c.contacts,
                    group.c.contacts,
                ).where(group.c.app == campaign.app, group.c.list_no == list_no),
            )
        )


def _members() -> tuple[sa.ColumnElement[bool], ...]:
    """Say that a contact belongs to the group in question."""
    contact, group = t.contact, t.list_group
    return contact.c.app == group.c.app, contact.c.list_no == group.c.list_no, contact.c.group_no == group.c.group_no


def _set_status(conn: sa.Connection, campaign: Campaign, status: Status, now: datetime) -> None:
    """Set the state of a campaign and of its run, which arming reads."""
    at = to_micros(now)
    conn.execute(
        sa.update(t.campaign)
        .where(t.campaign.c.no == campaign.no)
        .values(status=status.value, run_no=campaign.run_no or 0, updated_at=at)
    )
    ended = {"ended_at": at} if status is Status.stopped else {}
    conn.execute(
        sa.update(t.run).where(t.run.c.no == campaign.run_no).values(status=status.value, updated_at=at, **ended)
    )


__all__ = ["Campaigns", "Channel"]
