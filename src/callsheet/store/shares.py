"""Shares: of what waits each app has equally many taken, so that a flood of one holds up no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from callsheet.store.rows import all_of


def waiting_apps(app: sa.ColumnElement[int], waits: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Return the question of which apps something waits."""
    return sa.select(_whose(app)).where(waits).distinct()


def share_of(query: sa.Select[Any], app: sa.ColumnElement[int], one: int) -> sa.Select[Any]:
    """Return the part of a query that is of one app."""
    return query.where(_whose(app) == one)


def _whose(app: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    # A sum, which no index has: a planner might leaf through all that an app ever had, or all that ever was in the
    # order of apps, instead of the few that wait.
    return app + 0


def take_shares(
    conn: sa.Connection, query: sa.Select[Any], app: sa.ColumnElement[int], waits: sa.ColumnElement[bool], limit: int
) -> list[Mapping[str, Any]]:
    """Return at most so many rows of a query, and where there are more, as many of each app; `waits`: all of them."""
    rows = all_of(conn, query.limit(limit))
    if len(rows) < limit:
        return list(rows)
    apps = conn.execute(waiting_apps(app, waits)).scalars().all()
    if len(apps) < 2:
        return list(rows)
    share = max(1, limit // len(apps))
    each = (share_of(query, app, one).limit(share) for one in sorted(apps))
    return [row for some in each for row in all_of(conn, some)][:limit]
