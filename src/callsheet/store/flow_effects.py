"""What follows from turns of conversations: groups of contacts, answers, errands; columns are in `flow_contacts.py`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.answering import LASTS, ReplyKind, ReplyState
from callsheet.core.campaign import Channel
from callsheet.core.flow.effects import AskModel, CallWebhook, HandOver, LeaveGroups, SetGroup
from callsheet.core.ids import NO_RUN
from callsheet.core.names import key_of
from callsheet.core.segments import USUAL, measure
from callsheet.store import tables as t
from callsheet.store.errands import write_errand
from callsheet.store.flow_talks import ERRANDS
from callsheet.store.many import insert_rows
from callsheet.store.rows import all_of, read_writing
from callsheet.store.vault import Seal

if TYPE_CHECKING:
    from callsheet.store.flow_turns import Turn


def find_queues(conn: sa.Connection, app: int, turns: Sequence[Turn]) -> Mapping[str, int]:
    """Return the queues that conversations are handed over to, by the names that flows give them: else the default."""
    names = {effect.queue for turn in turns for effect in turn.effects if isinstance(effect, HandOver)}
    if not names:
        return {}
    queue = t.queue
    wanted = queue.c.lname.in_({key_of(name) for name in names}) | (queue.c.is_default == 1)
    rows = all_of(conn, sa.select(queue.c.no, queue.c.lname, queue.c.is_default).where(queue.c.app == app, wanted))
    default = next((row["no"] for row in rows if row["is_default"]), 0)
    known = {row["lname"]: row["no"] for row in rows}
    return {name: known.get(key_of(name), default) for name in names}


def change_groups(conn: sa.Connection, app: int, turns: Sequence[Turn], at: int) -> None:
    """Make people members of groups, or not any more."""
    member = t.contact_group
    for turn in sorted(turns, key=lambda turn: turn.talk.person):
        for effect in turn.effects:
            if not isinstance(effect, LeaveGroups | SetGroup):
                continue
            mine = member.c.app == app, member.c.person == turn.talk.person
            if isinstance(effect, LeaveGroups):
                conn.execute(sa.delete(member).where(*mine))
            else:
                conn.execute(sa.delete(member).where(*mine, member.c.group_key == effect.key))
                if effect.is_member:
                    row = {"app": app, "person": turn.talk.person, "group_key": effect.key}
                    conn.execute(sa.insert(member).values(**row, name=effect.name, at=at))


def say(conn: sa.Connection, seal: Seal, app: int, turns: Sequence[Turn], now: datetime) -> None:
    """Write down what is said: it is due now."""
    saying = [turn for turn in turns if turn.text]
    if not saying:
        return
    present = find_trunks(conn, app, {turn.talk.sender for turn in saying})
    through = [(turn, present.get(turn.talk.sender, turn.talk.trunk_no)) for turn in saying]
    trunks = t.trunk.c.app == app, t.trunk.c.no.in_({trunk_no for _, trunk_no in through})
    rows = all_of(conn, sa.select(t.trunk.c.no, t.trunk.c.writing).where(*trunks))
    writings = {row["no"]: read_writing(row["writing"]) for row in rows}
    insert_rows(
        conn,
        t.reply,
        [
            {
                **answer_of(
                    trunk_no, turn.talk.sender, turn.talk.person, turn.talk.no, ReplyKind.flow, now, turn.leaves_at
                ),
                "app": app,
                "run_no": turn.talk.run_no if turn.is_unasked else NO_RUN,
                "number_sealed": turn.number_sealed,
                "text_sealed": seal.close(turn.text.encode(errors="replace"), turn.talk.person),
                "segments": measure(turn.text, writings.get(trunk_no, USUAL)).count,
            }
            for turn, trunk_no in through
        ],
    )


def hasten(conn: sa.Connection, app: int, turns: Sequence[Turn], now: datetime) -> None:
    """Let what was put off leave now, before what is said next; what is being taken is on its way already."""
    reply = t.reply
    for turn in turns:
        if turn.hastens:
            mine = (
                reply.c.app == app, reply.c.person == turn.talk.person, reply.c.session_no == turn.talk.no,
                reply.c.state == ReplyState.waiting.value, reply.c.next_at > to_micros(now),
            )  # fmt: skip
            nos = conn.execute(sa.select(reply.c.no).where(*mine).with_for_update(skip_locked=True)).scalars().all()
            at_once = {"next_at": to_micros(now), "run_no": NO_RUN}
            conn.execute(sa.update(reply).where(reply.c.no.in_(nos)).values(**at_once))


def find_trunks(conn: sa.Connection, app: int, labels: Collection[str]) -> Mapping[str, int]:
    """Return the trunks of senders, by their labels, as they are now: one may have moved since it opened."""
    sender = t.sender
    mine = sender.c.app == app, sender.c.label.in_(sorted(labels)), sender.c.deleted_at == 0
    rows = all_of(conn, sa.select(sender.c.label, sender.c.trunk_no).where(*mine))
    return {row["label"]: row["trunk_no"] for row in rows}


def answer_of(
    trunk_no: int,
    sender: str,
    person: bytes,
    session_no: int,
    kind: ReplyKind,
    now: datetime,
    leaves_at: datetime | None = None,
) -> dict[str, Any]:
    """Return what the row of an answer has, but for what is sealed."""
    due_at = leaves_at or now
    return {
        "person": person,
        "trunk_no": trunk_no,
        "sender": sender,
        "kind": kind.value,
        "state": ReplyState.waiting.value,
        "next_at": to_micros(due_at),
        "deadline_at": to_micros(due_at + LASTS[kind]),
        "at": to_micros(now),
        "session_no": session_no,
    }


def add_errands(conn: sa.Connection, seal: Seal, app: int, turns: Sequence[Turn], now: datetime, node_no: int) -> None:
    """Write down what is to be asked of others: in a call by this node alone."""
    for turn in turns:
        asked = [effect for effect in turn.effects if isinstance(effect, CallWebhook | AskModel)]
        if asked and turn.awaits in ERRANDS:
            revision, here = turn.talk.revision + 1, node_no if turn.talk.channel is Channel.voice else 0
            write_errand(conn, app, turn.talk.no, asked[-1], revision=revision, seal=seal, now=now, node_no=here)
