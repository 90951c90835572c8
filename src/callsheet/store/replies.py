"""Messages of ours that answer one of theirs: each leaves at most once, whatever crashes.

`waiting` until it is due, `taken` in a transaction of its own before the carrier hears of it, and then what the carrier
says. Whoever takes one and says nothing until its lease ends leaves it `uncertain`: it is not repeated.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.allowance import Bucket, buckets_of
from callsheet.core.answering import URGENCY, ReplyKind, ReplyState
from callsheet.core.campaign import Channel
from callsheet.core.ids import NO_RUN, AttemptKey
from callsheet.core.matching import Carried, canonical_ids
from callsheet.core.run import AppSettings, global_dnc_applies
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.gate import pass_gate
from callsheet.store.matching import CARRIED, carried_rows
from callsheet.store.rows import all_of, one, read_allowance, read_settings
from callsheet.store.vault import Vault

SPARING = frozenset({ReplyKind.stop, ReplyKind.help})
"""They are sent to people who are opted out too."""
MOST_OF_SENDER = 4
"""So many messages of one sender are worked on at once: it has a pace, and others wait."""
_RECALLED, _LET_GO = 1, 2
_MOST_SWEPT = 500
_TRUNK_LOOKS_AGAIN = 250_000
"""After so many microseconds it is looked whether a trunk that was busy, or closed, takes something."""


class From(NamedTuple):
    """Whose turn it is: messages of one sender leave one after another, and hold up no other's."""

    app: int
    trunk_no: int
    sender: str


@dataclass(frozen=True, slots=True)
class DueReply:
    """A message that is due, and the pace that it has to keep."""

    no: int
    person: bytes
    kind: ReplyKind
    source: From
    sender_id: str
    """Empty: nobody configured the sender."""
    buckets: tuple[Bucket, ...]
    """What limits its sender and its trunk."""
    settings: AppSettings
    tries: int
    segments: int


@dataclass(frozen=True, slots=True)
class TakenReply:
    """A message that was taken: it is handed over now, or never."""

    no: int
    sender: str
    number: str
    text: str
    segments: int
    deadline: datetime


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
        busy: Collection[int] = (),
        resting: Collection[From] = (),
        held: Mapping[int, int] = MappingProxyType({}),
        limit: int,
    ) -> tuple[list[DueReply], datetime | None]:
        """Return messages that are due on these trunks, without those that are `busy`; and when the next is.

        At most `MOST_OF_SENDER` of each sender, the most urgent first; none of those that are `resting`. `held`: how
        many places each app has now, beside the `limit` that are free. All apps that want some may have equally many,
        with as many left for the next one that comes.
        """
        at = to_micros(now)
        turns = _turns(at, trunks, busy, resting)

        def read(conn: sa.Connection) -> tuple[list[DueReply], datetime | None]:
            apps = held.keys() | set(conn.execute(sa.select(turns.c.app).distinct()).scalars())
            share = max(1, (limit + sum(held.values())) // (len(apps) + 1))
            found = [_read(row) for row in all_of(conn, _due(turns, held, share, limit))]
            next_at = _next_at(conn, at, trunks)
            return found, from_micros(next_at) if next_at is not None else None

        return await self._db.read(read)

    async def sweep(self, now: datetime) -> Swept:
        """End what could not leave in time, and what was taken by somebody who says no more."""
        reply, at = t.reply, to_micros(now)
        late = sa.or_(
            sa.and_(reply.c.state == ReplyState.waiting.value, reply.c.deadline_at <= at),
            sa.and_(reply.c.state == ReplyState.taken.value, reply.c.next_at <= at),
        )
        query = sa.select(reply.c.no, reply.c.state).where(reply.c.next_at > 0, late).limit(_MOST_SWEPT)
        if not await self._db.read(lambda conn: one(conn, query)):
            return Swept(0, 0)

        def end(conn: sa.Connection) -> Swept:
            rows = all_of(conn, query.with_for_update(skip_locked=True))
            expired = [row["no"] for row in rows if row["state"] == ReplyState.waiting.value]
            unknown = [row["no"] for row in rows if row["state"] == ReplyState.taken.value]
            _end(conn, expired, ReplyState.expired, now, "late")
            _end(conn, unknown, ReplyState.uncertain, now, "no_answer")
            return Swept(len(expired), len(unknown))

        return await self._db.write(end)

    async def take(self, no: int, now: datetime, lease_seconds: float) -> TakenReply | None:
        """Take a message; None when it may not leave (any more), or somebody else has it.

        Once this has committed nobody takes it again, unless the carrier says that it did not take it. It is handed
        within its lease, or never.
        """
        reply, at = t.reply, to_micros(now)

        def take(conn: sa.Connection) -> TakenReply | None:
            app = conn.execute(sa.select(reply.c.app).where(reply.c.no == no)).scalar()
            if app is not None:
                # Who forbids sees what was taken before, and recalls it; what comes after sees what is forbidden.
                pass_gate(conn, app)
            row = one(conn, sa.select(reply).where(reply.c.no == no).with_for_update())
            if row is None or row["state"] != ReplyState.waiting.value:
                return None
            if why := _forbidden(conn, row, at):
                _end(conn, [no], ReplyState.expired, now, why)
                return None
            lease_until = to_micros(now + timedelta(seconds=lease_seconds))
            conn.execute(
                sa.update(reply)
                .where(reply.c.no == no)
                .values(state=ReplyState.taken.value, next_at=lease_until, tries=reply.c.tries + 1, recalled=0)
            )
            key = self._vault.app(row["app"])
            assert key is not None, "the engine opened every app"
            number = key.open_number(row["number_sealed"], row["person"])
            text = key.seal.open(row["text_sealed"], row["person"]).decode()
            return TakenReply(no, row["sender"], number, text, row["segments"], from_micros(row["deadline_at"]))

        return await self._db.write(take)

    async def recall(self, app: int, persons: Collection[bytes] | None) -> set[int]:
        """Ask for the messages of an app that were taken, and return those that may leave yet.

        Of `persons`, not those that people get who are opted out too; None: all.
        """
        reply = t.reply
        mine = reply.c.next_at > 0, reply.c.app == app, reply.c.state == ReplyState.taken.value
        query = sa.select(reply.c.no, reply.c.person, reply.c.kind, reply.c.recalled)
        query = query.where(*mine, reply.c.recalled < _LET_GO)
        rows = await self._db.read(lambda conn: all_of(conn, query))
        if persons is not None:
            rows = [row for row in rows if row["person"] in persons and ReplyKind(row["kind"]) not in SPARING]
        if new := [row["no"] for row in rows if row["recalled"] < _RECALLED]:
            asked = sa.update(reply).where(reply.c.no.in_(new), reply.c.recalled < _RECALLED).values(recalled=_RECALLED)
            await self._db.write(lambda conn: conn.execute(asked))
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
        if nos:
            await self._db.write(lambda conn: conn.execute(sa.update(reply).where(*mine).values(recalled=_LET_GO)))

    async def end(
        self,
        no: int,
        state: ReplyState,
        now: datetime,
        *,
        code: str = "",
        ref: str = "",
        carrier_ids: Sequence[str] = (),
    ) -> None:
        """Write down what became of a message that was taken; a late answer settles an uncertain one too.

        By `carrier_ids` its receipts are known, which carriers send although nobody asked for them.
        """

        def end(conn: sa.Connection) -> None:
            if _end(conn, [no], state, now, code, ref) and carrier_ids:
                _remember(conn, no, carrier_ids, now)

        await self._db.write(end)

    async def again(self, no: int, at: datetime, code: str) -> None:
        """Let a message that the carrier did not take wait for another try."""
        reply = t.reply
        mine = reply.c.no == no, reply.c.state == ReplyState.taken.value
        values = {"state": ReplyState.waiting.value, "next_at": to_micros(at), "code": code}
        await self._db.write(lambda conn: conn.execute(sa.update(reply).where(*mine).values(values)))


def _due(turns: sa.Subquery, held: Mapping[int, int], share: int, limit: int) -> sa.Select[Any]:
    """Choose from what is due: of no app more than its share, those first that have least."""
    reply, sender = t.reply, t.sender
    of_app = sa.func.row_number().over(
        partition_by=turns.c.app, order_by=(turns.c.urgency, turns.c.turn, turns.c.next_at, turns.c.no)
    )
    has = sa.case(held, value=turns.c.app, else_=0) if held else sa.literal(0)
    places = sa.select(turns.c.no, turns.c.urgency, (of_app + has).label("place"))
    turn = places.where(turns.c.turn <= MOST_OF_SENDER).subquery("places")
    return (
        sa.select(
            reply.c.no,
            reply.c.app,
            reply.c.person,
            reply.c.kind,
            reply.c.trunk_no,
            reply.c.sender,
            reply.c.next_at,
            reply.c.tries,
            reply.c.segments,
            t.app.c.settings,
        )
        .add_columns(sender.c.id.label("sender_id"), sender.c.segments_per_second, sender.c.limits)
        .add_columns(t.trunk.c.id.label("trunk_id"), t.trunk.c.limits.label("trunk_limits"))
        .join(turn, turn.c.no == reply.c.no)
        .join(t.app, t.app.c.no == reply.c.app)
        .join(t.trunk, t.trunk.c.no == reply.c.trunk_no)
        .outerjoin(
            sender,
            sa.and_(sender.c.app == reply.c.app, sender.c.label == reply.c.sender, sender.c.deleted_at == 0),
        )
        .where(turn.c.place <= share)
        .order_by(turn.c.urgency, turn.c.place, reply.c.next_at, reply.c.no)
        .limit(limit)
    )


def _turns(at: int, trunks: Collection[int], busy: Collection[int], resting: Collection[From]) -> sa.Subquery:
    """Number what is due by senders, the most urgent first: who has many messages waiting holds up no other."""
    reply = t.reply
    urgency = sa.case({kind.value: rank for rank, kind in enumerate(URGENCY)}, value=reply.c.kind, else_=len(URGENCY))
    source = reply.c.app, reply.c.trunk_no, reply.c.sender
    turn = sa.func.row_number().over(partition_by=source, order_by=(urgency, reply.c.next_at, reply.c.no))
    due = (
        reply.c.next_at.between(1, at), reply.c.trunk_no.in_(trunks), reply.c.no.not_in(busy),
        reply.c.state == ReplyState.waiting.value, sa.tuple_(*source).not_in(resting),
    )  # fmt: skip
    columns = reply.c.no, reply.c.app, reply.c.next_at
    return sa.select(*columns, urgency.label("urgency"), turn.label("turn")).where(*due).subquery("turns")


def _next_at(conn: sa.Connection, at: int, trunks: Collection[int]) -> int | None:
    """Return when something is to be looked at again: one is due, a trunk may be free again, time has run out."""
    reply = t.reply
    waits = reply.c.state == ReplyState.waiting.value
    instant = sa.case(
        (sa.and_(waits, reply.c.next_at > at), reply.c.next_at),
        (sa.and_(waits, reply.c.trunk_no.not_in(trunks)), at + _TRUNK_LOOKS_AGAIN),
        (waits, reply.c.deadline_at),
        else_=reply.c.next_at,
    )
    soonest: int | None = conn.execute(sa.select(sa.func.min(instant)).where(reply.c.next_at > 0)).scalar()
    return soonest


def _forbidden(conn: sa.Connection, row: Mapping[str, Any], at: int) -> str:
    """Say why a message may not leave now; empty: it may."""
    if row["deadline_at"] <= at:
        return "late"
    if one(conn, sa.select(t.sending_stop.c.app).where(t.sending_stop.c.app == row["app"])):
        return "sending_stopped"
    if ReplyKind(row["kind"]) in SPARING:
        return ""
    opt_out = t.opt_out
    mine = opt_out.c.app == row["app"], opt_out.c.channel == Channel.sms.value, opt_out.c.person == row["person"]
    if one(conn, sa.select(opt_out.c.source).where(*mine).limit(1)):
        return "opted_out"
    return "dnc" if _is_on_dnc(conn, row["app"], row["person"]) else ""


def _is_on_dnc(conn: sa.Connection, app: int, person: bytes) -> bool:
    """Tell whether the app's global DNC list spares a person from texts."""
    entry, dnc_list = t.dnc_entry, t.dnc_list
    everybody = sa.select(dnc_list.c.no).where(dnc_list.c.app == app, dnc_list.c.is_global == 1)
    mine = entry.c.app == app, entry.c.dnc_no.in_(everybody), entry.c.person == person
    settings = sa.select(t.app.c.settings).where(t.app.c.no == app).where(sa.exists().where(*mine))
    found = conn.execute(settings).scalar()
    return found is not None and global_dnc_applies(Channel.sms, read_settings(found))


def _end(
    conn: sa.Connection, nos: Collection[int], state: ReplyState, now: datetime, code: str = "", ref: str = ""
) -> int:
    """End those that are open still, and return how many they were."""
    if not nos:
        return 0
    reply = t.reply
    open_still = reply.c.state.in_([ReplyState.waiting, ReplyState.taken, ReplyState.uncertain])
    values = {
        "state": state.value, "next_at": 0, "ended_at": to_micros(now), "code": code, "ref": ref,
        "number_sealed": b"",
    }  # fmt: skip
    return conn.execute(sa.update(reply).where(reply.c.no.in_(nos), open_still).values(values)).rowcount


def _remember(conn: sa.Connection, no: int, carrier_ids: Sequence[str], now: datetime) -> None:
    """Remember the ids of a message, as those of attempts are."""
    reply = t.reply
    app, trunk_no, person = conn.execute(
        sa.select(reply.c.app, reply.c.trunk_no, reply.c.person).where(reply.c.no == no)
    ).one()
    carried = Carried(app, trunk_no, AttemptKey(NO_RUN, person, no), canonical_ids(carrier_ids), now)
    rows = [dict(zip(CARRIED.split(", "), row, strict=True)) for row in carried_rows([carried])]
    if rows:
        conn.execute(sa.insert(t.carried), rows)


def _read(row: Mapping[str, Any]) -> DueReply:
    own = replace(read_allowance(row["limits"] or "{}"), segments_per_second=row["segments_per_second"])
    buckets = buckets_of(row["sender_id"] or "", own)
    return DueReply(
        row["no"],
        row["person"],
        ReplyKind(row["kind"]),
        From(row["app"], row["trunk_no"], row["sender"]),
        row["sender_id"] or "",
        (*buckets, *buckets_of(row["trunk_id"], read_allowance(row["trunk_limits"]))),
        read_settings(row["settings"]),
        row["tries"],
        row["segments"],
    )
