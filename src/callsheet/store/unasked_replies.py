"""What is said though nobody asked just now: it leaves within the calling hours, and only while its run goes on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.answering import LASTS, ReplyKind, ReplyState
from callsheet.core.campaign import Status
from callsheet.core.flow.manners import LOOKS_AGAIN, judge_unasked
from callsheet.core.flow.session import Ending
from callsheet.core.gate import Suppress, Wait
from callsheet.core.walk import Group
from callsheet.store import tables as t
from callsheet.store.flow_ends import end_sessions
from callsheet.store.rows import read_group
from callsheet.store.runs import read_runs
from callsheet.store.vault import Vault

RUN_STOPPED = "run_stopped"


def hold_unasked(
    conn: sa.Connection, vault: Vault, rows: Sequence[Mapping[str, Any]], now: datetime
) -> list[Mapping[str, Any]]:
    """Return which of these messages go on: the others wait for their run or for the calling hours, or end.

    Asked behind the gate, with the rows locked: what a pause or a stop has answered leaves no more.
    """
    unasked = [row for row in rows if row["run_no"]]
    if not unasked:
        return list(rows)
    runs = {run.no: run for run in read_runs(conn, vault, {row["run_no"] for row in unasked})}
    groups = _groups(conn, {row["session_no"] for row in unasked})
    waiting: dict[datetime, list[Mapping[str, Any]]] = {}
    ended: dict[str, list[Mapping[str, Any]]] = {}
    for row in unasked:
        run = runs.get(row["run_no"])
        if run is not None and run.status is Status.stopped:
            ended.setdefault(RUN_STOPPED, []).append(row)
        elif run is not None and run.status is Status.paused:
            waiting.setdefault(now + LOOKS_AGAIN, []).append(row)
        elif run is not None:
            match judge_unasked(run, groups.get(row["session_no"]), run.settings, now):
                case Wait(until=until):
                    waiting.setdefault(until, []).append(row)
                case Suppress(reason=reason):
                    ended.setdefault(reason.value, []).append(row)
    for until, some in waiting.items():
        _put_off(conn, some, until, now)
    for code, some in ended.items():
        _drop(conn, some, code, now)
    held = {row["no"] for some in (*waiting.values(), *ended.values()) for row in some}
    return [row for row in rows if row["no"] not in held]


def _groups(conn: sa.Connection, session_nos: Collection[int]) -> dict[int, Group]:
    """Return the groups of the contacts of conversations that attempts began: their zones."""
    session, attempt, group = t.flow_session, t.attempt, t.list_group
    began = (attempt.c[name] == session.c[name] for name in ("app", "run_no", "person", "n"))
    its = (group.c[name] == attempt.c[name] for name in ("app", "list_no", "group_no"))
    query = (
        sa.select(session.c.no, group.c.list_no, group.c.group_no)
        .add_columns(group.c.own_zone, group.c.candidate_zones, group.c.priority)
        .join(attempt, sa.and_(*began))
        .join(group, sa.and_(*its))
        .where(session.c.no.in_(session_nos))
    )
    return {no: read_group(*of) for no, *of in conn.execute(query)}


def _put_off(conn: sa.Connection, rows: Sequence[Mapping[str, Any]], until: datetime, now: datetime) -> None:
    """Let messages wait, and the silence after them begin later: their time counts from when they may leave."""
    reply, session, later = t.reply, t.flow_session, to_micros(until) - to_micros(now)
    mine = reply.c.no.in_([row["no"] for row in rows])
    put_off = {"next_at": to_micros(until), "deadline_at": to_micros(until + LASTS[ReplyKind.flow])}
    conn.execute(sa.update(reply).where(mine).values(**put_off))
    its = session.c.no.in_([row["session_no"] for row in rows]), session.c.wakes_at > 0
    conn.execute(sa.update(session).where(*its).values(wakes_at=session.c.wakes_at + later))


def _drop(conn: sa.Connection, rows: Sequence[Mapping[str, Any]], code: str, now: datetime) -> None:
    """End messages, and quietly the conversations that came to nothing else since."""
    reply, session = t.reply, t.flow_session
    for row in rows:
        ended = {"state": ReplyState.expired.value, "code": code, "next_at": 0, "ended_at": to_micros(now)}
        conn.execute(sa.update(reply).where(reply.c.no == row["no"]).values(**ended, number_sealed=b""))
        since = sa.select(session.c.no).where(session.c.no == row["session_no"], session.c.changed_at <= row["at"])
        end_sessions(conn, row["app"], since, Ending.silent, now)
