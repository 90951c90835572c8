"""Single messages and calls: one contact, asked for by a call, in a run of its own. So the gate judges it as everybody.

The campaign of a sender's single messages has no lists: a start call on it reaches nobody. The numbers are in a list
besides, from which each run gets a cursor over one place.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from callsheet.core.campaign import Campaign, Move, Status, after
from callsheet.core.errors import CampaignNotFound, WrongState
from callsheet.core.ids import Prefix
from callsheet.core.run import NO_FLOW, NORMALLY, PinnedFlow
from callsheet.store import tables as t
from callsheet.store.campaign_rows import find
from callsheet.store.database import Database
from callsheet.store.launching import TAKES_NOTHING_MORE, open_run
from callsheet.store.rows import insert, new_id, one
from callsheet.store.sending import refuse_stopped


class Singles:
    """Runs of one contact."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def open(
        self,
        campaign: Campaign,
        *,
        list_no: int,
        person: bytes,
        sender_no: int,
        text: str,
        now: datetime,
        flow: PinnedFlow = NO_FLOW,
    ) -> Campaign:
        """Start a run for the latest contact of a person in a list. Raises WrongState, SendingStopped."""
        run_id = new_id(Prefix.run)

        def start(conn: sa.Connection) -> Campaign:
            return open_single(conn, campaign, run_id, list_no, person, sender_no, text, now, flow)

        return await self._db.write(start)


def open_single(
    conn: sa.Connection,
    campaign: Campaign,
    run_id: str,
    list_no: int,
    person: bytes,
    sender_no: int,
    text: str,
    now: datetime,
    flow: PinnedFlow,
) -> Campaign:
    """Write a run for the latest contact of a person in a list. Raises WrongState, SendingStopped."""
    conn.execute(sa.select(t.campaign.c.id).where(t.campaign.c.no == campaign.no).with_for_update())
    current = find(conn, campaign.app, campaign.id)
    if current is None:
        raise CampaignNotFound
    if current.status is Status.paused:
        raise WrongState(f"The campaign {current.definition.name} is paused. Resume it first.")
    if current.definition.contact_lists:
        raise WrongState(f"The campaign {current.definition.name} has contact lists: give it another name.")
    after(Move.start, current.status)
    refuse_stopped(conn, current.app)
    running = open_run(conn, current, run_id, text, sender_no, now, NORMALLY, flow)
    assert running.run_no is not None
    _lay_cursor(conn, campaign.app, running.run_no, list_no, person)
    return running


def _lay_cursor(conn: sa.Connection, app: int, run_no: int, list_no: int, person: bytes) -> None:
    contact = t.contact
    mine = contact.c.app == app, contact.c.list_no == list_no, contact.c.person == person
    row = one(conn, sa.select(contact.c.group_no, contact.c.pos).where(*mine).order_by(contact.c.pos.desc()).limit(1))
    assert row is not None, "the contact was appended before"
    insert(conn, t.run_list, app=app, run_no=run_no, list_no=list_no, place=0, taken_size=TAKES_NOTHING_MORE)
    insert(
        conn,
        t.cursor,
        app=app,
        run_no=run_no,
        list_no=list_no,
        group_no=row["group_no"],
        range_no=0,
        lo=row["pos"],
        hi=row["pos"],
        contacts=1,
        seen=1,
    )
