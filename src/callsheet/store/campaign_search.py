"""Searching campaigns: those of an app that fit some conditions, sorted, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.campaign import Campaign, Channel, Mode, Status
from callsheet.core.names import key_of
from callsheet.store import tables as t
from callsheet.store.campaign_rows import read, select_campaigns


class SortKey(StrEnum):
    """By what campaigns are sorted."""

    name = "name"
    created_at = "created_at"
    updated_at = "updated_at"


_COLUMNS = {
    SortKey.name: t.campaign.c.lname,
    SortKey.created_at: t.campaign.c.created_at,
    SortKey.updated_at: t.campaign.c.updated_at,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which campaigns are meant; what is empty, or none, narrows nothing."""

    channel: Channel | None = None
    statuses: tuple[Status, ...] = ()
    priorities: tuple[int, ...] = ()
    modes: tuple[Mode, ...] = ()
    since: datetime | None = None
    """Created then or later."""
    before: datetime | None = None
    """Created earlier than that."""
    name_part: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A page, and how many fit in all."""

    campaigns: Sequence[Campaign]
    total: int


def page(
    conn: sa.Connection, app: int, wanted: Wanted, sort: Sequence[tuple[SortKey, bool]], *, offset: int, limit: int
) -> Found:
    """Return a page. `sort`: keys and whether descending; ties stand in the order of creation, or its reverse."""
    where = _conditions(app, wanted)
    total = conn.execute(sa.select(sa.func.count()).select_from(t.campaign).where(*where)).scalar_one()
    orders = [*((_COLUMNS[key], descending) for key, descending in sort), (t.campaign.c.no, bool(sort) and sort[-1][1])]
    order = [sa.desc(column) if down else sa.asc(column) for column, down in orders]
    return Found(_in_order(conn, app, where, order, offset=offset, limit=limit), total)


def following(conn: sa.Connection, app: int, wanted: Wanted, *, before_no: int | None, limit: int) -> list[Campaign]:
    """Return campaigns, the latest first, from a number downwards."""
    where = _conditions(app, wanted)
    if before_no is not None:
        where.append(t.campaign.c.no < before_no)
    return _in_order(conn, app, where, [t.campaign.c.no.desc()], offset=0, limit=limit)


def _in_order(
    conn: sa.Connection,
    app: int,
    where: Sequence[sa.ColumnElement[bool]],
    order: Sequence[sa.ColumnElement[Any]],
    *,
    offset: int,
    limit: int,
) -> list[Campaign]:
    """Return a page: first which they are, so that what is skipped is not joined with all that a campaign shows."""
    page = sa.select(t.campaign.c.no).where(*where).order_by(*order).offset(offset).limit(limit)
    nos = list(conn.execute(page).scalars())
    mine = t.campaign.c.app == app, t.campaign.c.no.in_(nos)
    found = {campaign.no: campaign for campaign in read(conn, app, select_campaigns().where(*mine))} if nos else {}
    return [found[no] for no in nos]


def _conditions(app: int, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    campaign = t.campaign.c
    found: list[sa.ColumnElement[bool]] = [campaign.app == app]
    if wanted.channel is not None:
        found.append(campaign.channel == wanted.channel.value)
    choices: Sequence[tuple[sa.Column[Any], Sequence[Any]]] = (
        (campaign.status, [status.value for status in wanted.statuses]),
        (campaign.priority, wanted.priorities),
        (campaign.mode, [mode.value for mode in wanted.modes]),
    )
    found += [column.in_(values) for column, values in choices if values]
    if wanted.since is not None:
        found.append(campaign.created_at >= to_micros(wanted.since))
    if wanted.before is not None:
        found.append(campaign.created_at < to_micros(wanted.before))
    if key_of(wanted.name_part):
        found.append(campaign.lname.contains(key_of(wanted.name_part), autoescape=True))
    return found
