"""Opening conversations: of one cause, an attempt or a reply, there is one, whoever opens it and how often."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.attempt import UNREACHED, fold
from callsheet.core.campaign import Channel
from callsheet.core.flow.manners import LATELY, MOST_BEGUN
from callsheet.core.flow.session import Awaits, Ending
from callsheet.core.ids import Prefix, encode_attempt
from callsheet.store import tables as t
from callsheet.store.consequences import bare
from callsheet.store.flow_ends import end_sessions
from callsheet.store.inbox import Message
from callsheet.store.recording import Talking
from callsheet.store.rows import all_of, new_id, one

_LOOKED_AT = 20
"""So many attempts of a person, the newest, are looked at for the one that a reply answers."""


class Opening(NamedTuple):
    """What a conversation begins with."""

    cause: str
    person: bytes
    sender: str
    trunk_no: int
    flow_no: int
    version: int
    run_no: int = 0
    n: int = 0


class Standing(NamedTuple):
    """An open conversation that has a place, or is to take one."""

    no: int
    person: bytes
    sender: str
    """Bare."""
    spoke_at: int
    """When its attempt was armed; 0: a reply began it."""


def place(before: Iterable[Standing], opened: Iterable[Standing]) -> tuple[list[Standing], list[int]]:
    """Return which conversations have the places of those that were opened, and the numbers of those that have to end.

    The newest attempt has said the last word: what is heard late of an older one ends no newer conversation.
    """
    rivals: dict[tuple[bytes, str], set[Standing]] = {}
    for one_of_them in opened:
        rivals.setdefault((one_of_them.person, one_of_them.sender), set()).add(one_of_them)
    for one_of_them in before:
        if mine := rivals.get((one_of_them.person, one_of_them.sender)):
            mine.add(one_of_them)
    placed = [max(mine, key=lambda standing: (standing.spoke_at, standing.no)) for mine in rivals.values()]
    replaced = {standing.no for mine in rivals.values() for standing in mine} - {standing.no for standing in placed}
    return placed, sorted(replaced)


def opened_row(app: int, opening: Opening, now: datetime) -> dict[str, Any]:
    """Return the row of a conversation that was not begun yet."""
    at = to_micros(now)
    return {
        "app": app,
        "id": new_id(Prefix.conversation),
        **opening._asdict(),
        "channel": Channel.sms.value,
        "state_sealed": b"",
        "opening_sealed": b"",
        "awaits": Awaits.reply.value,
        # What a reply began goes on with that reply.
        "wakes_at": at if opening.run_no else 0,
        "opened_at": at,
        "changed_at": at,
    }


OPENED = (
    "app, id, cause, person, sender, trunk_no, flow_no, version, run_no, n, channel, state_sealed, opening_sealed,"
    " awaits, wakes_at, opened_at, changed_at"
)
"""The columns of a new conversation, in the order of `opened_values`."""


def opened_values(
    app: int, person: bytes, n: int, label: str, trunk_no: int, run_no: int, talking: Talking, at: int
) -> tuple[Any, ...]:
    """Return the columns of the conversation that an attempt begins, for the hand that records it."""
    return (
        app, new_id(Prefix.conversation), encode_attempt(run_no, person, n), person, label, trunk_no,
        talking.flow_no, talking.version, run_no, n, Channel.sms.value, b"", b"", Awaits.reply.value, at, at, at,
    )  # fmt: skip


def open_sessions(conn: sa.Connection, app: int, openings: Sequence[Opening], now: datetime) -> None:
    """Open conversations, those of which there are none yet; each takes the place of the one before."""
    for opening in openings:
        mine = t.flow_session.c.app == app, t.flow_session.c.cause == opening.cause
        if one(conn, sa.select(t.flow_session.c.no).where(*mine)) is not None:
            continue
        conn.execute(sa.insert(t.flow_session).values(**opened_row(app, opening, now)))
        no = conn.execute(sa.select(t.flow_session.c.no).where(*mine)).scalar_one()
        _take_place(conn, app, opening, no, now)


def _take_place(conn: sa.Connection, app: int, opening: Opening, no: int, now: datetime) -> None:
    talking = t.open_session
    key = {"app": app, "person": opening.person, "sender": bare(opening.sender)}
    mine = [talking.c[name] == value for name, value in key.items()]
    before = one(conn, sa.select(talking.c.session_no).where(*mine).with_for_update())
    if before is not None:
        end_sessions(conn, app, [before["session_no"]], Ending.replaced, now)
        conn.execute(sa.delete(talking).where(*mine))
    conn.execute(sa.insert(talking).values(**key, session_no=no))


def is_open(conn: sa.Connection, message: Message) -> bool:
    """Tell whether a conversation is open to which a reply belongs."""
    talking = t.open_session
    mine = [talking.c.app == message.app, talking.c.person == message.person]
    if message.sender:
        mine.append(talking.c.sender == bare(message.sender))
    return one(conn, sa.select(talking.c.session_no).where(*mine).limit(1)) is not None


def opening_of_reply(conn: sa.Connection, message: Message, now: datetime) -> Opening | None:
    """Return what a reply without an open conversation begins.

    The attempt that it answers has not been recorded yet, or never will be: then its conversation. Else that of the
    sender's default flow. None: it is recorded, and nothing begins.
    """
    opt_out = t.opt_out
    mine = opt_out.c.app == message.app, opt_out.c.channel == Channel.sms.value, opt_out.c.person == message.person
    if one(conn, sa.select(opt_out.c.source).where(*mine).limit(1)) is not None:
        return None
    return _of_attempt(conn, message) or _of_sender(conn, message, now)


def _of_attempt(conn: sa.Connection, message: Message) -> Opening | None:
    """Return the conversation of the newest attempt through the sender, unless it was opened before."""
    attempt, run, sender = t.attempt, t.run, t.sender
    spoke = sa.case((attempt.c.sender_no > 0, attempt.c.sender_no), else_=run.c.sender_no)
    query = (
        sa.select(attempt.c.run_no, attempt.c.n, attempt.c.at, sender.c.label, sender.c.trunk_no)
        .add_columns(run.c.flow_no, run.c.flow_version, run.c.restored_at)
        .join(run, sa.and_(run.c.no == attempt.c.run_no, run.c.channel == Channel.sms.value))
        .join(sender, sender.c.no == spoke)
        .where(attempt.c.app == message.app, attempt.c.person == message.person)
        .order_by(attempt.c.at.desc(), attempt.c.run_no.desc(), attempt.c.n.desc())
        .limit(_LOOKED_AT)
    )
    wanted = bare(message.sender)
    for row in all_of(conn, query):
        if wanted and bare(row["label"]) != wanted:
            continue
        # What a run that came out of a backup did before is not known: nothing is said twice.
        if not row["flow_no"] or row["at"] <= row["restored_at"] or _has_failed(conn, message, row):
            return None
        cause = encode_attempt(row["run_no"], message.person, row["n"])
        mine = t.flow_session.c.app == message.app, t.flow_session.c.cause == cause
        if one(conn, sa.select(t.flow_session.c.no).where(*mine)) is not None:
            return None
        return Opening(
            cause, message.person, row["label"], row["trunk_no"], row["flow_no"], row["flow_version"],
            row["run_no"], row["n"],
        )  # fmt: skip
    return None


def _has_failed(conn: sa.Connection, message: Message, attempt: Mapping[str, Any]) -> bool:
    event = t.event
    mine = (
        event.c.app == message.app, event.c.run_no == attempt["run_no"], event.c.person == message.person,
        event.c.n == attempt["n"],
    )  # fmt: skip
    return fold(conn.execute(sa.select(event.c.kind).where(*mine)).scalars()) in UNREACHED


def _of_sender(conn: sa.Connection, message: Message, now: datetime) -> Opening | None:
    """Return the conversation of the flow that a sender begins by itself."""
    sender, flow, version = t.sender, t.flow, t.flow_version
    query = (
        sa.select(sender.c.label, sender.c.trunk_no, flow.c.no, flow.c.version)
        .join(flow, sa.and_(flow.c.app == sender.c.app, flow.c.id == sender.c.flow_id))
        .join(
            version,
            sa.and_(version.c.app == flow.c.app, version.c.flow_no == flow.c.no, version.c.version == flow.c.version),
        )
        .where(sender.c.app == message.app, sender.c.deleted_at == 0, version.c.document != "")
    )
    wanted = bare(message.sender)
    for label, trunk_no, flow_no, flow_version in conn.execute(query):
        if bare(label) == wanted:
            if _begun_lately(conn, message, label, now) >= MOST_BEGUN:
                return None
            return Opening(message.id, message.person, label, trunk_no, flow_no, flow_version)
    return None


def _begun_lately(conn: sa.Connection, message: Message, label: str, now: datetime) -> int:
    session = t.flow_session
    mine = (
        session.c.app == message.app, session.c.person == message.person, session.c.run_no == 0,
        session.c.sender == label, session.c.opened_at > to_micros(now - LATELY),
    )  # fmt: skip
    return int(conn.execute(sa.select(sa.func.count()).select_from(session).where(*mine)).scalar_one())
