"""What is said though nobody asked just now: it keeps the calling hours; what silence says stops with its run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.answering import LASTS, ReplyKind, ReplyState
from callsheet.core.campaign import Status
from callsheet.core.flow.manners import LONG_AGO, LOOKS_AGAIN, is_long_ago, judge_unasked
from callsheet.core.flow.session import Ending
from callsheet.core.gate import Suppress, Wait
from callsheet.core.walk import Group
from callsheet.store import tables as t
from callsheet.store.flow_ends import end_sessions
from callsheet.store.rows import read_group
from callsheet.store.runs import read_runs
from callsheet.store.vault import Vault

RUN_STOPPED = "run_stopped"


class _Whose(NamedTuple):
    """Whose conversation it is, of those that attempts began."""

    run_no: int
    group: Group | None


def hold_unasked(
    conn: sa.Connection, vault: Vault, rows: Sequence[Mapping[str, Any]], now: datetime
) -> list[Mapping[str, Any]]:
    """Return which of these messages go on: the others wait for their run or for the calling hours, or end.

    What was said long ago keeps the hours too, whoever asked for it. Asked behind the gate, with the rows locked: what
    a pause or a stop has answered leaves no more.
    """
    unasked, old = [row for row in rows if row["run_no"]], _said_long_ago(conn, rows, now)
    if not unasked and not old:
        return list(rows)
    whose = _whose(conn, {row["session_no"] for row in (*unasked, *old)})
    runs = {run.no: run for run in read_runs(conn, vault, {one.run_no for one in whose.values()})}
    waiting: dict[datetime, list[Mapping[str, Any]]] = {}
    ended: dict[str, list[Mapping[str, Any]]] = {}
    for row in (*unasked, *old):
        its = whose.get(row["session_no"])
        run = runs.get(its.run_no) if its is not None else None
        if its is None or run is None:
            continue
        if row["run_no"] and run.status is Status.stopped:
            ended.setdefault(RUN_STOPPED, []).append(row)
        elif row["run_no"] and run.status is Status.paused:
            waiting.setdefault(now + LOOKS_AGAIN, []).append(row)
        else:
            verdict = judge_unasked(run, its.group, run.settings, now)
            if isinstance(verdict, Wait):
                waiting.setdefault(verdict.until, []).append(row)
            elif isinstance(verdict, Suppress) and row["run_no"]:
                ended.setdefault(verdict.reason.value, []).append(row)
    for until, some in waiting.items():
        _put_off(conn, some, until, now)
    for code, some in ended.items():
        _drop(conn, some, code, now)
    held = {row["no"] for some in (*waiting.values(), *ended.values()) for row in some}
    return [row for row in rows if row["no"] not in held]


def _said_long_ago(conn: sa.Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> list[Mapping[str, Any]]:
    """Return which of the messages that were asked for could not leave for long, and nobody waits for just now."""
    old = [row for row in rows if not row["run_no"] and row["session_no"] and is_long_ago(from_micros(row["at"]), now)]
    if not old:
        return old
    inbound, since = t.inbound, to_micros(now - LONG_AGO)
    wrote = set[tuple[int, bytes]]()
    for app in {row["app"] for row in old}:
        persons = {row["person"] for row in old if row["app"] == app}
        mine = inbound.c.app == app, inbound.c.person.in_(persons), inbound.c.at > since
        wrote |= {(app, person) for person in conn.execute(sa.select(inbound.c.person).where(*mine)).scalars()}
    return [row for row in old if (row["app"], row["person"]) not in wrote]


def _whose(conn: sa.Connection, session_nos: Collection[int]) -> dict[int, _Whose]:
    """Return the runs of the conversations that attempts began, and the groups of their contacts: their zones."""
    session, attempt, group = t.flow_session, t.attempt, t.list_group
    began = (attempt.c[name] == session.c[name] for name in ("app", "run_no", "person", "n"))
    its = (group.c[name] == attempt.c[name] for name in ("app", "list_no", "group_no"))
    query = (
        sa.select(session.c.no, session.c.run_no, group.c.list_no, group.c.group_no)
        .add_columns(group.c.own_zone, group.c.candidate_zones, group.c.priority)
        .join(attempt, sa.and_(*began))
        .outerjoin(group, sa.and_(*its))
        .where(session.c.no.in_(session_nos))
    )
    return {
        no: _Whose(run_no, read_group(*of) if of[0] is not None else None) for no, run_no, *of in conn.execute(query)
    }


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
