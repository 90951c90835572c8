"""Dialouts: single calls that were asked for, what is recorded of each, and what is on its way to whoever asked.

What is told of a call follows from the events of its attempt and from its record. So it is worked out again and again
while the call goes on, on whatever node, and each notice is written once: nobody has to be told of anything at the
moment when it happens, and a crash loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.attempt import FINAL, NOT_TAKEN, PENDING, Kind, fold
from callsheet.core.campaign import Campaign, Status
from callsheet.core.dialout import Dialout, Facts, Notice, notices_of, pause_after
from callsheet.core.ids import Prefix, encode_attempt
from callsheet.core.outcome import Outcome
from callsheet.core.run import NO_FLOW, PinnedFlow
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.planning import IS_OVER
from callsheet.store.rows import DAMAGE, all_of, insert, new_id, one, to_json
from callsheet.store.singles import open_single
from callsheet.store.vault import Vault

SETTLED_WITHIN: Final = timedelta(seconds=5)
"""So long after the end of an attempt its call's record may be missing; then there is none."""
_MOST: Final = 200
_texts = msgspec.json.Decoder(list[str])
_facts = msgspec.json.Decoder(dict[str, Any])


class Asked(NamedTuple):
    """A call that somebody asks for, as far as it is kept."""

    sid: str
    url: str
    """Where he is told; empty: nowhere."""
    headers: Mapping[str, str]
    detects: bool
    events: Sequence[str] | None
    until: datetime


@dataclass(frozen=True, slots=True)
class Parcel:
    """A notice that this node took, with all that sending it needs."""

    no: int
    dialout_no: int
    sid: str
    payload: Mapping[str, Any]
    url: str | None
    """None: what is stored of it cannot be read."""
    headers: Mapping[str, str]
    tries: int
    """This one included."""
    epoch: int


def _write_dialout(
    conn: sa.Connection, vault: Vault, app: int, run_no: int, person: bytes, asked: Asked, now: datetime
) -> None:
    insert(
        conn,
        t.dialout,
        app=app,
        id=asked.sid,
        run_no=run_no,
        person=person,
        url_sealed=vault.close_secret(asked.url, asked.sid) if asked.url else b"",
        headers_sealed=vault.close_secret(to_json(dict(asked.headers)), asked.sid) if asked.url else b"",
        detects=int(asked.detects),
        events=to_json(list(asked.events) if asked.events is not None else None),
        until=to_micros(asked.until),
        at=to_micros(now),
    )


class Dialouts:
    """Calls that were asked for, of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def open(
        self,
        campaign: Campaign,
        asked: Asked,
        *,
        list_no: int,
        person: bytes,
        sender_no: int,
        now: datetime,
        flow: PinnedFlow = NO_FLOW,
    ) -> Campaign:
        """Start a run that calls the latest contact of a person in a list. Raises WrongState, SendingStopped."""
        run_id = new_id(Prefix.run)

        def start(conn: sa.Connection) -> Campaign:
            running = open_single(conn, campaign, run_id, list_no, person, sender_no, "", now, flow)
            assert running.run_no is not None, "it was opened a moment ago"
            _write_dialout(conn, self._vault, campaign.app, running.run_no, person, asked, now)
            return running

        return await self._db.write(start)

    async def look(self, now: datetime) -> bool:
        """Write the notices of what has become of calls by now, and give up those that were not placed in time.

        Return whether some go on.
        """
        dialout = t.dialout
        query = sa.select(dialout).where(dialout.c.done == 0).order_by(dialout.c.no).limit(_MOST)
        if not await self._db.read(lambda conn: all_of(conn, query.limit(1))):
            return False

        def look(conn: sa.Connection) -> bool:
            rows = all_of(conn, query.with_for_update(skip_locked=True))
            for row in rows:
                _look_at(conn, row, now)
            return True

        return await self._db.write(look)

    async def take(self, now: datetime, *, most: int, lease_seconds: float) -> tuple[list[Parcel], datetime | None]:
        """Take notices that are due, the first of each call, and say when the next of all is."""
        notice, at = t.dialout_notice, to_micros(now)
        due = sa.select(notice).where(notice.c.next_at <= at).order_by(notice.c.no).limit(_MOST)
        soonest = sa.select(sa.func.min(notice.c.next_at))

        def take(conn: sa.Connection) -> list[Parcel]:
            first: dict[int, Mapping[str, Any]] = {}
            for row in all_of(conn, due.with_for_update(skip_locked=True)):
                first.setdefault(row["dialout_no"], row)
            taken = list(first.values())[:most]
            until = to_micros(now + timedelta(seconds=lease_seconds))
            conn.execute(
                sa.update(notice)
                .where(notice.c.no.in_([row["no"] for row in taken]))
                .values(tries=notice.c.tries + 1, epoch=notice.c.epoch + 1, next_at=until)
            )
            asked = _of(conn, [row["dialout_no"] for row in taken])
            return [self._parcel(row, asked[row["dialout_no"]]) for row in taken]

        if not await self._db.read(lambda conn: all_of(conn, due.limit(1))):
            next_at = await self._db.read(lambda conn: conn.execute(soonest).scalar_one())
            return [], from_micros(next_at) if next_at else None
        return await self._db.write(take), None

    async def settle(self, parcel: Parcel, *, is_told: bool, now: datetime) -> bool:
        """Write down what came of a try; return whether it was the last one, in vain."""
        pause = None if is_told else pause_after(parcel.tries)
        notice = t.dialout_notice
        mine = notice.c.no == parcel.no, notice.c.epoch == parcel.epoch

        def settle(conn: sa.Connection) -> bool:
            if pause is None:
                gone = conn.execute(sa.delete(notice).where(*mine)).rowcount
                return bool(gone) and not is_told
            conn.execute(sa.update(notice).where(*mine).values(next_at=to_micros(now + pause)))
            return False

        return await self._db.write(settle)

    async def prune(self, before: datetime) -> None:
        """Forget calls of which nothing is left to tell, from before an instant."""
        dialout, notice = t.dialout, t.dialout_notice
        waiting = sa.exists().where(notice.c.dialout_no == dialout.c.no)
        old = sa.delete(dialout).where(dialout.c.done == 1, dialout.c.at < to_micros(before), ~waiting)
        await self._db.write(lambda conn: conn.execute(old))

    def _parcel(self, row: Mapping[str, Any], asked: Mapping[str, Any]) -> Parcel:
        url, headers = self._open(asked)
        return Parcel(
            row["no"], row["dialout_no"], asked["id"], _facts.decode(row["payload"]), url, headers,
            row["tries"] + 1, row["epoch"] + 1,
        )  # fmt: skip

    def _open(self, asked: Mapping[str, Any]) -> tuple[str | None, Mapping[str, str]]:
        try:
            url = self._vault.open_secret(asked["url_sealed"], asked["id"])
            headers = msgspec.json.decode(
                self._vault.open_secret(asked["headers_sealed"], asked["id"]), type=dict[str, str]
            )
        except DAMAGE:
            return None, {}
        return url, headers


def _of(conn: sa.Connection, numbers: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    found = all_of(conn, sa.select(t.dialout).where(t.dialout.c.no.in_(numbers)))
    return {row["no"]: row for row in found}


def _look_at(conn: sa.Connection, row: Mapping[str, Any], now: datetime) -> None:
    """Write what is to be told of one call by now."""
    facts = _facts_of(conn, row, now)
    if not facts.is_over and facts.dialed_at is None and to_micros(now) >= row["until"]:
        _give_up(conn, row, now)
    # Of whom nobody can read what he wants to be told, he is told of the call, and of no event.
    asked = Dialout(
        row["id"], encode_attempt(row["run_no"], row["person"], 1), bool(row["detects"]), _events(row["events"])
    )
    told = _texts.decode(row["told"])
    new = [notice for notice in notices_of(asked, facts) if notice.name not in told]
    if new and row["url_sealed"]:
        _write(conn, row, new, now)
    if new or facts.is_over:
        names = [*told, *(notice.name for notice in new)]
        values = {"told": to_json(names), "done": int(facts.is_over)}
        conn.execute(sa.update(t.dialout).where(t.dialout.c.no == row["no"]).values(values))


def _events(text: str) -> Sequence[str] | None:
    try:
        return msgspec.json.decode(text, type=list[str] | None)
    except DAMAGE:
        return ()


def _write(conn: sa.Connection, row: Mapping[str, Any], notices: Sequence[Notice], now: datetime) -> None:
    at = to_micros(now)
    shared = {"app": row["app"], "dialout_no": row["no"], "at": at, "next_at": at}
    rows = [{**shared, "name": one.name, "payload": to_json(dict(one.payload))} for one in notices]
    conn.execute(sa.insert(t.dialout_notice), rows)


def _facts_of(conn: sa.Connection, row: Mapping[str, Any], now: datetime) -> Facts:
    """Return what is recorded of a call."""
    app, run_no, person = row["app"], row["run_no"], row["person"]
    attempt, event, call = t.attempt, t.event, t.call
    tried = one(
        conn,
        sa.select(attempt.c.n)
        .where(attempt.c.app == app, attempt.c.run_no == run_no, attempt.c.person == person)
        .order_by(attempt.c.n.desc())
        .limit(1),
    )
    if tried is None:
        return _untried(conn, row)
    its = {"app": app, "run_no": run_no, "person": person, "n": tried["n"]}
    found = all_of(conn, sa.select(event).where(*(event.c[name] == value for name, value in its.items())))
    recorded = one(conn, sa.select(call).where(*(call.c[name] == value for name, value in its.items())))
    events = {one["kind"]: one for one in found}
    state = fold(events)
    if state in NOT_TAKEN:
        # It comes again, unless nobody is called any more in its run.
        over = _untried(conn, row)
        return replace(over, outcome=events[state]["code"] or over.outcome)
    if recorded is not None:
        return _recorded(events, recorded)
    return _unrecorded(events, state, now)


def _untried(conn: sa.Connection, row: Mapping[str, Any]) -> Facts:
    """Return what there is to say of a call that is not under way: whether it will be, and else why not."""
    run, suppression, arm = t.run, t.suppression, t.arm
    mine = sa.select(suppression.c.reason).where(suppression.c.app == row["app"], suppression.c.run_no == row["run_no"])
    spared = conn.execute(mine.limit(1)).scalar_one_or_none()
    held = sa.select(arm.c.arm_no).where(arm.c.app == row["app"], arm.c.run_no == row["run_no"]).limit(1)
    ended = sa.select(run.c.ended_at).where(run.c.app == row["app"], run.c.no == row["run_no"])
    ended_at = conn.execute(ended).scalar_one_or_none()
    # A run that is not there any more was erased.
    is_over = ended_at != 0 and conn.execute(held).first() is None
    return Facts(is_over=is_over, ended_at=_instant(ended_at or 0) if is_over else None, outcome=spared or "")


def _recorded(events: Mapping[str, Mapping[str, Any]], call: Mapping[str, Any]) -> Facts:
    detection = _read_detection(call["detection"])
    answered_at = call["answered_at"] or _answered_at(events)
    return Facts(
        dialed_at=from_micros(call["dialed_at"]),
        rang_at=_instant(call["rang_at"]),
        answered_at=_instant(answered_at),
        verdict=_verdict(events, call["outcome"]) if answered_at else "",
        why=str(detection.get("reason", "")),
        has_stopped_speaking="greeting_over" in detection,
        has_beeped="beep" in detection,
        is_over=bool(call["ended_at"]),
        ended_at=_instant(call["ended_at"]),
        sip_status=call["sip_status"],
        outcome=call["outcome"],
        ended_by=call["ended_by"],
    )


def _unrecorded(events: Mapping[str, Mapping[str, Any]], state: str, now: datetime) -> Facts:
    """Return what the events of an attempt say alone: of a call that goes on, or that was never placed."""
    if state == PENDING:
        return Facts()
    last = events[state]
    is_final = state in FINAL or state == Kind.uncertain
    is_over = is_final and last["at"] <= to_micros(now - SETTLED_WITHIN)
    answered_at = _answered_at(events)
    return Facts(
        dialed_at=_instant(last["at"]) if answered_at or is_over else None,
        answered_at=_instant(answered_at),
        verdict=_verdict(events, "") if answered_at else "",
        is_over=is_over,
        ended_at=_instant(last["at"]) if is_over else None,
        outcome=last["code"],
    )


def _answered_at(events: Mapping[str, Mapping[str, Any]]) -> int:
    """Return when somebody answered, as the events of an attempt tell it; 0: nobody did."""
    for kind in (Kind.accepted, Kind.delivered):
        if kind in events:
            return int(events[kind]["at"])
    return 0


def _verdict(events: Mapping[str, Mapping[str, Any]], outcome: str) -> str:
    """Return who answered; empty: nobody knows yet."""
    said = {one["code"] for kind, one in events.items() if kind in FINAL} | {outcome}
    return next((word.value for word in (Outcome.machine, Outcome.unsure, Outcome.human) if word in said), "")


def _instant(at: int) -> datetime | None:
    return from_micros(at) if at else None


def _read_detection(text: str) -> Mapping[str, Any]:
    try:
        return _facts.decode(text) if text else {}
    except DAMAGE:
        return {}


def _give_up(conn: sa.Connection, row: Mapping[str, Any], now: datetime) -> None:
    """End the run of a call that nobody could place in time: from here on nothing of it is armed."""
    run, campaign, at = t.run, t.campaign, to_micros(now)
    mine = run.c.app == row["app"], run.c.no == row["run_no"], run.c.ended_at == 0
    # Whoever arms holds the run: what he armed is seen from here on.
    found = one(conn, sa.select(run.c.campaign_no).where(*mine).with_for_update())
    held = sa.select(t.arm.c.arm_no).where(t.arm.c.app == row["app"], t.arm.c.run_no == row["run_no"]).limit(1)
    if found is None or conn.execute(held).first() is not None:
        return
    conn.execute(sa.update(run).where(*mine).values(status=Status.stopped.value, updated_at=at, ended_at=at))
    conn.execute(
        sa.update(campaign)
        .where(campaign.c.app == row["app"], campaign.c.no == found["campaign_no"], sa.text(IS_OVER))
        .values(status=Status.completed.value, updated_at=at)
    )
