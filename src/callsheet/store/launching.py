"""Launching: who may start, the rows of a new run, and the state that a run shares with its campaign."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.campaign import Campaign, Channel, Definition, Status
from callsheet.core.errors import EmergencyRuns, ListInUse, TooManyVoiceCampaigns
from callsheet.core.notice import NoticeKind
from callsheet.core.run import NO_FLOW, Execution, Launch, PinnedFlow
from callsheet.store import tables as t
from callsheet.store.outbox import tell_of_run
from callsheet.store.rows import all_of, insert, to_json

TAKES_NOTHING_MORE = 2**62
"""As the size that was taken of a list: a run of one contact takes in nothing that its list gains."""


def list_numbers(definition: Definition) -> list[int]:
    """Return the numbers of a campaign's lists in their order: one that is named twice counts where it stands first."""
    return list(dict.fromkeys(contact_list.no for contact_list in definition.contact_lists))


def hold_lists(conn: sa.Connection, campaign: Campaign) -> None:
    """Keep others from starting a run of these lists, and imports from adding to them, until the run is written."""
    lists = t.contact_list
    numbers = list_numbers(campaign.definition)
    held = sa.select(lists.c.no).where(lists.c.app == campaign.app, lists.c.no.in_(numbers)).order_by(lists.c.no)
    conn.execute(held.with_for_update())


def refuse_shared_lists(conn: sa.Connection, campaign: Campaign) -> None:
    """Refuse a list of which another campaign is running. Raises ListInUse. The lists must be held."""
    link = t.campaign_list
    numbers = list_numbers(campaign.definition)
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


def refuse_more_calls(conn: sa.Connection, campaign: Campaign, most: int) -> None:
    """Refuse one voice campaign too many. Raises TooManyVoiceCampaigns. Others of the app must not start meanwhile."""
    if campaign.definition.channel is not Channel.voice:
        return
    its = t.dialout.c.app == t.run.c.app, t.dialout.c.run_no == t.run.c.no
    # Single calls are no campaigns, whatever their runs belong to.
    going_on = (
        t.run.c.ended_at == 0, t.run.c.app == campaign.app, t.run.c.channel == Channel.voice.value,
        ~sa.exists().where(*its),
    )  # fmt: skip
    running = conn.execute(sa.select(sa.func.count()).select_from(t.run).where(*going_on)).scalar_one()
    if running >= most:
        raise TooManyVoiceCampaigns(f"{running} voice campaigns are running, and no more may: stop one of them first.")


def refuse_second_emergency(conn: sa.Connection, campaign: Campaign) -> None:
    """Refuse an emergency while another of the account runs. Raises EmergencyRuns. Nobody must start meanwhile."""
    account = sa.select(t.app.c.account_id).where(t.app.c.no == campaign.app).scalar_subquery()
    apps = list(conn.execute(sa.select(t.app.c.no).where(t.app.c.account_id == account)).scalars())
    emergencies = t.run.c.ended_at == 0, t.run.c.execution == Execution.emergency.value, t.run.c.app.in_(apps)
    if conn.execute(sa.select(t.run.c.no).where(*emergencies).limit(1)).first():
        raise EmergencyRuns


def open_run(
    conn: sa.Connection,
    campaign: Campaign,
    run_id: str,
    text: str,
    sender_no: int,
    now: datetime,
    launch: Launch,
    flow: PinnedFlow = NO_FLOW,
) -> Campaign:
    """Write a new run with its cursors, and make it the campaign's."""
    run_no = _write_run(conn, campaign, run_id, text, sender_no, now, launch, flow)
    _lay_cursors(conn, campaign, run_no)
    running = replace(
        campaign,
        status=Status.active,
        run_no=run_no,
        run_id=run_id,
        sent=0,
        emergency=launch.execution is Execution.emergency,
    )
    set_status(conn, running, Status.active, now)
    tell_of_run(conn, running, NoticeKind.run_started, now)
    return replace(running, updated_at=now, run_updated_at=now)


def _write_run(
    conn: sa.Connection,
    campaign: Campaign,
    run_id: str,
    text: str,
    sender_no: int,
    now: datetime,
    launch: Launch,
    flow: PinnedFlow,
) -> int:
    return insert(
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
        flow_no=flow.no,
        flow_version=flow.version,
        tags=to_json(_tags(conn, campaign, sender_no)),
        execution=launch.execution.value,
        only_unreached=int(launch.only_unreached),
        reason=launch.reason,
        ends_at=to_micros(launch.ends_at) if launch.ends_at is not None else 0,
        over_hours=int(launch.over_hours),
        started_at=to_micros(now),
        updated_at=to_micros(now),
    )


def _tags(conn: sa.Connection, campaign: Campaign, sender_no: int) -> dict[str, str]:
    """Return what some carriers want to know of a run's text besides, as it is now."""
    plan, app = campaign.definition.message, campaign.app
    table, named = (t.flow, plan.flow) if plan.flow is not None else (t.template, plan.template)
    tags = {"dlt_entity_id": _one_text(conn, t.sender.c.dlt_entity_id, app, t.sender.c.no == sender_no)}
    if named is not None:
        tags["dlt_template_id"] = _one_text(conn, table.c.dlt_template_id, app, table.c.id == named.id)
    return {name: text for name, text in tags.items() if text}


def _one_text(conn: sa.Connection, column: sa.Column[str], app: int, which: sa.ColumnElement[bool]) -> str:
    return conn.execute(sa.select(column).where(column.table.c.app == app, which)).scalar_one_or_none() or ""


def _lay_cursors(conn: sa.Connection, campaign: Campaign, run_no: int) -> None:
    """Give a run its lists, and a cursor for each group of each."""
    group = t.list_group
    for place, list_no in enumerate(list_numbers(campaign.definition)):
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


def set_status(conn: sa.Connection, campaign: Campaign, status: Status, now: datetime) -> Status:
    """Set the state of a campaign, and of its runs that go on, which arming reads; return the campaign's.

    One run goes on at a time, but of single messages. A campaign that starts again by itself is not at its end with
    this run.
    """
    at, run = to_micros(now), t.run
    is_end = status in {Status.stopped, Status.completed}
    shown = Status.rescheduled if is_end and campaign.waits else status
    conn.execute(
        sa.update(t.campaign)
        .where(t.campaign.c.no == campaign.no)
        .values(status=shown.value, run_no=campaign.run_no or 0, updated_at=at)
    )
    mine = [run.c.app == campaign.app, run.c.campaign_no == campaign.no, run.c.ended_at == 0]
    if status is Status.active:
        mine.append(run.c.restored_at <= run.c.acknowledged_at)
    ended = {"ended_at": at} if is_end else {}
    conn.execute(sa.update(run).where(*mine).values(status=status.value, updated_at=at, **ended))
    return shown
