"""Messages of ours that answer one of theirs: each leaves at most once, whatever crashes.

`waiting` until it is due, `taken` in a transaction of its own before the carrier hears of it, and then what the carrier
says. Whoever takes one and says nothing until its lease ends leaves it `uncertain`: it is not repeated.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.answering import ReplyKind, ReplyState
from callsheet.core.ids import NO_RUN, AttemptKey
from callsheet.core.matching import Carried, canonical_ids
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.due_replies import DueReply, From, Wanted, find_due, is_kept
from callsheet.store.flow_places import hold_places
from callsheet.store.forbidden_replies import SPARING, forbidden_of, stopped_of
from callsheet.store.gate import pass_gate
from callsheet.store.many import insert_rows, update_rows
from callsheet.store.matching import CARRIED, carried_rows
from callsheet.store.rows import DAMAGE, all_of, one
from callsheet.store.unasked_replies import hold_unasked
from callsheet.store.vault import Vault

_RECALLED, _LET_GO = 1, 2
_MOST_SWEPT = 500
_OPEN = (ReplyState.waiting.value, ReplyState.taken.value, ReplyState.uncertain.value)
_UNREADABLE = "unreadable"
"""The code of a message whose row was damaged: it cannot leave, and its neighbours do not wait for it."""


@dataclass(frozen=True, slots=True)
class TakenReply:
    """A message that was taken: it is handed over now, or never."""

    no: int
    sender: str
    number: str
    text: str
    segments: int
    deadline: datetime
    tries: int
    """How often it was taken, with this time."""


class Outcome(NamedTuple):
    """What became of a message that was taken."""

    no: int
    tries: int
    """By which time that it was taken this is told: told again it changes nothing that came after."""
    state: ReplyState
    """`waiting`: the carrier did not take it, and it is tried again."""
    code: str = ""
    pause: timedelta = timedelta()
    """After which one that waits again is due."""
    ref: str = ""
    carrier_ids: Sequence[str] = ()
    """By these its receipts are known, which carriers send although nobody asked for them."""


class Swept(NamedTuple):
    """How many messages ended because of their time."""

    expired: int
    uncertain: int


class Replies:
    """The answers of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def due(
        self,
        now: datetime,
        *,
        trunks: Collection[int],
        resting: Collection[From] = (),
        held: Mapping[int, int] = MappingProxyType({}),
        limit: int,
    ) -> tuple[list[DueReply], datetime | None]:
        """Return messages that are due on these trunks; and when the next is.

        At most `MOST_OF_SENDER` of each sender, the most urgent first; none of those that are `resting`. `held`: how
        many places each app has now, beside the `limit` that are free. All apps that want some may have equally many,
        with as many left for the next one that comes.
        """
        wanted = Wanted(to_micros(now), trunks, resting, held, limit)
        found, next_at = await self._db.read(lambda conn: find_due(conn, wanted))
        return found, from_micros(next_at) if next_at is not None else None

    async def sweep(self, now: datetime) -> Swept:
        """End what could not leave in time, and what was taken by somebody who says no more."""
        reply, at = t.reply, to_micros(now)
        late = sa.or_(
            sa.and_(reply.c.state == ReplyState.waiting.value, reply.c.deadline_at <= at),
            sa.and_(reply.c.state == ReplyState.taken.value, reply.c.next_at <= at),
        )
        query = sa.select(reply.c.no, reply.c.state).where(reply.c.next_at > 0, late, ~is_kept()).limit(_MOST_SWEPT)
        if not await self._db.read(lambda conn: one(conn, query)):
            return Swept(0, 0)

        def end(conn: sa.Connection) -> Swept:
            rows = all_of(conn, query.with_for_update(skip_locked=True))
            expired = [row["no"] for row in rows if row["state"] == ReplyState.waiting.value]
            unknown = [row["no"] for row in rows if row["state"] == ReplyState.taken.value]
            ended = [Outcome(no, 0, ReplyState.expired, "late") for no in expired]
            _end(conn, ended + [Outcome(no, 0, ReplyState.uncertain, "no_answer") for no in unknown], now)
            return Swept(len(expired), len(unknown))

        return await self._db.write(end)

    async def give_up(self, now: datetime) -> int:
        """End what was taken by a process that is gone, without waiting for its leases: return how many are uncertain.

        For the only owner of the store, before it takes anything.
        """
        reply = t.reply
        query = sa.select(reply.c.no).where(reply.c.next_at > 0, reply.c.state == ReplyState.taken.value)

        def end(conn: sa.Connection) -> int:
            unknown = conn.execute(query).scalars().all()
            _end(conn, [Outcome(no, 0, ReplyState.uncertain, "no_answer") for no in unknown], now)
            return len(unknown)

        return await self._db.write(end)

    async def take(self, nos: Collection[int], now: datetime, lease_seconds: float) -> list[TakenReply]:
        """Take messages, and return those that may leave (still), and nobody else has, in their order of `nos`.

        Once this has committed nobody takes them again, unless the carrier says that it did not take one. Each is
        handed within its lease, or never.
        """
        reply, at = t.reply, to_micros(now)
        lease_until = to_micros(now + timedelta(seconds=lease_seconds))

        def take(conn: sa.Connection) -> list[TakenReply]:
            found = conn.execute(
                sa.select(reply.c.app, reply.c.person, reply.c.run_no).where(reply.c.no.in_(nos))
            ).all()
            apps = sorted({app for app, *_ in found})
            for app in apps:
                # The conversations of those that nobody asked for may end here; who opts out comes to the gate later.
                hold_places(conn, app, {person for its, person, run_no in found if its == app and run_no != NO_RUN})
            for app in apps:
                # Who forbids sees what was taken before, and recalls it; what comes after sees what is forbidden.
                pass_gate(conn, app)
            # What a stopped app has to say waits until it may, or until its time is over.
            going_on = set(apps) - stopped_of(conn, apps)
            mine = reply.c.no.in_(nos), reply.c.state == ReplyState.waiting.value, reply.c.app.in_(going_on)
            rows = all_of(conn, sa.select(reply).where(*mine).order_by(reply.c.no).with_for_update())
            rows = hold_unasked(conn, self._vault, rows, now)
            why = forbidden_of(conn, rows, at)
            opened = {row["no"]: self._open(row) for row in rows if row["no"] not in why}
            why.update((no, _UNREADABLE) for no, one_of_them in opened.items() if one_of_them is None)
            _end(conn, [Outcome(no, 0, ReplyState.expired, code) for no, code in why.items()], now)
            taken = {no: one_of_them for no, one_of_them in opened.items() if one_of_them is not None}
            if taken:
                conn.execute(
                    sa.update(reply)
                    .where(reply.c.no.in_(taken))
                    .values(state=ReplyState.taken.value, next_at=lease_until, tries=reply.c.tries + 1, recalled=0)
                )
            return [taken[no] for no in nos if no in taken]

        return await self._db.write(take)

    def _open(self, row: Mapping[str, Any]) -> TakenReply | None:
        key, person = self._vault.app(row["app"]), row["person"]
        assert key is not None, "the engine opened every app"
        try:
            number = key.open_number(row["number_sealed"], person)
            text = key.seal.open(row["text_sealed"], person).decode()
        except DAMAGE:
            return None
        deadline = from_micros(row["deadline_at"])
        return TakenReply(row["no"], row["sender"], number, text, row["segments"], deadline, row["tries"] + 1)

    async def recall(self, app: int, persons: Collection[bytes] | None, run_no: int | None = None) -> set[int]:
        """Ask for the messages of an app that were taken, and return those that may leave yet.

        Of `persons`, not those that people get who are opted out too; of a run, those that nobody asked for. None: all.
        """
        reply = t.reply
        mine = [reply.c.next_at > 0, reply.c.app == app, reply.c.state == ReplyState.taken.value]
        if run_no is not None:
            mine.append(reply.c.run_no == run_no)
        query = sa.select(reply.c.no, reply.c.person, reply.c.kind, reply.c.recalled)
        query = query.where(*mine, reply.c.recalled < _LET_GO)
        rows = await self._db.read(lambda conn: all_of(conn, query))
        if persons is not None:
            rows = [row for row in rows if row["person"] in persons and ReplyKind(row["kind"]) not in SPARING]
        if new := [row["no"] for row in rows if row["recalled"] < _RECALLED]:
            asked = sa.update(reply).where(reply.c.no.in_(new), reply.c.recalled < _RECALLED).values(recalled=_RECALLED)
            await self._db.write(lambda conn: _lock(conn, new) and conn.execute(asked))
        return {row["no"] for row in rows}

    async def recalled(self, nos: Collection[int]) -> set[int]:
        """Return those of these messages that somebody asks for."""
        reply = t.reply
        query = sa.select(reply.c.no).where(reply.c.no.in_(nos), reply.c.recalled == _RECALLED)
        return await self._db.read(lambda conn: set(conn.execute(query).scalars()))

    async def let_go(self, nos: Collection[int]) -> None:
        """Say that these messages leave no more, by whoever took them."""
        reply = t.reply
        mine = reply.c.no.in_(nos), reply.c.recalled == _RECALLED
        gone = sa.update(reply).where(*mine).values(recalled=_LET_GO)
        if nos:
            await self._db.write(lambda conn: _lock(conn, nos) and conn.execute(gone))

    async def settle(self, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Write down what became of messages that were taken; a late answer settles an uncertain one too.

        Told twice it changes nothing: it may be told again when nobody knows whether it was stored.
        """

        def settle(conn: sa.Connection) -> None:
            rows = _lock(conn, [one_of_them.no for one_of_them in outcomes])
            again = [one_of_them for one_of_them in outcomes if one_of_them.state is ReplyState.waiting]
            _let_wait(conn, [each for each in again if _is_taken(rows.get(each.no), each.tries)], rows, now)
            ended = [each for each in outcomes if each.state is not ReplyState.waiting and each.no in rows]
            _end(conn, ended, now)
            _remember(conn, [each for each in ended if each.carrier_ids], rows, now)

        await self._db.write(settle)


def _lock(conn: sa.Connection, nos: Collection[int]) -> dict[int, Mapping[str, Any]]:
    """Lock those of these messages that are open still, in one order for all, so that nobody waits in a circle."""
    reply = t.reply
    columns = [reply.c[name] for name in ("no", "app", "trunk_no", "person", "state", "tries", "deadline_at")]
    mine = reply.c.no.in_(nos), reply.c.state.in_(_OPEN)
    rows = all_of(conn, sa.select(*columns).where(*mine).order_by(reply.c.no).with_for_update())
    return {row["no"]: row for row in rows}


def _is_taken(row: Mapping[str, Any] | None, tries: int) -> bool:
    return row is not None and row["state"] == ReplyState.taken.value and row["tries"] == tries


def _let_wait(
    conn: sa.Connection, outcomes: Sequence[Outcome], rows: Mapping[int, Mapping[str, Any]], now: datetime
) -> None:
    """Let messages that the carrier did not take wait for another try."""
    update_rows(
        conn,
        t.reply,
        ("no",),
        [
            {
                "no": each.no,
                "state": ReplyState.waiting.value,
                "next_at": min(to_micros(now + each.pause), rows[each.no]["deadline_at"]),
                "code": each.code,
            }
            for each in outcomes
        ],
    )


def _end(conn: sa.Connection, outcomes: Sequence[Outcome], now: datetime) -> None:
    ended = {"next_at": 0, "ended_at": to_micros(now), "number_sealed": b""}
    rows = [
        {"no": each.no, "state": each.state.value, "code": each.code, "ref": each.ref, **ended} for each in outcomes
    ]
    update_rows(conn, t.reply, ("no",), rows)


def _remember(
    conn: sa.Connection, outcomes: Sequence[Outcome], rows: Mapping[int, Mapping[str, Any]], now: datetime
) -> None:
    """Remember the ids of messages, as those of attempts are."""
    carried = []
    for each in outcomes:
        row = rows[each.no]
        key = AttemptKey(NO_RUN, row["person"], each.no)
        carried.append(Carried(row["app"], row["trunk_no"], key, canonical_ids(each.carrier_ids), now))
    names = CARRIED.split(", ")
    insert_rows(conn, t.carried, [dict(zip(names, row, strict=True)) for row in carried_rows(carried)])
