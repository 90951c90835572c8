"""Turns of conversations: a batch of them, with all that follows from each, in one transaction.

Whoever writes a turn read the conversation before; `revision` tells whether somebody changed it meanwhile, and then
nothing of that turn is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.flow.effects import Dispose, Effect, HandOver, Visit
from callsheet.core.flow.session import Awaits, Ending, Session
from callsheet.core.notice import NoticeKind
from callsheet.store import tables as t
from callsheet.store.flow_contacts import change_contacts
from callsheet.store.flow_effects import add_errands, change_groups, find_queues, hasten, say
from callsheet.store.flow_ends import NOTHING_KEPT, ended_facts, release_replies
from callsheet.store.flow_states import write_state
from callsheet.store.flow_talks import ERRANDS, Talk
from callsheet.store.many import insert_rows, update_rows
from callsheet.store.outbox import announce_all
from callsheet.store.rows import all_of
from callsheet.store.vault import Seal

_COUNTED = frozenset(
    f"MobilePrimitives.{kind}" for kind in ("SelectOneResponse", "SelectManyResponse", "SelectManyResponses")
)
"""Blocks whose values are counted: they are choices. What people write by themselves is no name of a count."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a conversation becomes, and what follows from that."""

    talk: Talk
    """As it was read."""
    session: Session | None
    """As it is now; None: it could not be begun, or read, and ends."""
    effects: tuple[Effect, ...] = ()
    visits: tuple[Visit, ...] = ()
    text: str = ""
    """What is said; empty: nothing."""
    opening: str | None = None
    """What was said when it began, in the campaign's message; None: it did not begin in this turn."""
    messages: tuple[str, ...] = ()
    """The ids of the replies that were taken."""
    number_sealed: bytes = b""
    """Of the person, where something is said."""
    wakes_at: datetime | None = None
    has_begun: bool = False
    """It began in this turn."""
    ending: Ending | None = None
    """How it ended; None: it goes on."""
    why: str = ""
    errand_id: str = ""
    """The errand whose answer is taken: when it waits no more, nothing is written. Empty: none."""
    is_unasked: bool = False
    """What is said comes of silence: it leaves only while the run goes on, and within the calling hours."""
    leaves_at: datetime | None = None
    """When what is said may leave; None: at once."""
    hastens: bool = False
    """Something is to be said later: somebody is there now, and hears that first."""

    @property
    def awaits(self) -> Awaits:
        """Return for what it waits now."""
        return Awaits.nothing if self.ending is not None or self.session is None else self.session.awaits


def write_turns(
    conn: sa.Connection, seal: Seal, app: int, turns: Sequence[Turn], now: datetime, node_no: int
) -> set[int]:
    """Write turns of an app, each of another conversation; return the numbers of those that were changed meanwhile."""
    fresh = _unchanged(conn, app, turns)
    lost = {turn.talk.no for turn in turns} - {turn.talk.no for turn in fresh}
    if not fresh:
        return lost
    queues = find_queues(conn, app, fresh)
    at = to_micros(now)
    rows = [_row(turn, seal, queues, at) for turn in fresh]
    for names in {tuple(row) for row in rows}:
        update_rows(conn, t.flow_session, ("no",), [row for row in rows if tuple(row) == names])
    _write_visits(conn, seal, app, fresh)
    _count(conn, app, fresh, node_no)
    change_contacts(conn, app, fresh)
    change_groups(conn, app, fresh, at)
    hasten(conn, app, fresh, now)
    say(conn, seal, app, fresh, now)
    _settle(conn, app, fresh)
    _drop_errands(conn, app, fresh)
    add_errands(conn, seal, app, fresh, now, node_no)
    _close(conn, app, fresh)
    announce_all(conn, app, list(_notices(fresh)), now)
    return lost


def _unchanged(conn: sa.Connection, app: int, turns: Sequence[Turn]) -> list[Turn]:
    """Hold the conversations that are as they were read, and return their turns."""
    session, talking, errand = t.flow_session, t.open_session, t.errand
    nos, persons = sorted(turn.talk.no for turn in turns), {turn.talk.person for turn in turns}
    query = (
        sa.select(session.c.no, session.c.revision)
        .select_from(talking)
        .join(session, session.c.no == talking.c.session_no)
        .where(talking.c.app == app, talking.c.person.in_(persons), session.c.no.in_(nos), session.c.ended_at == 0)
        # Of each first its place, as whoever opens or ends conversations: see `flow_places.py`.
        .order_by(talking.c.person, talking.c.sender)
        .with_for_update()
    )
    held = {row["no"]: row["revision"] for row in all_of(conn, query)}
    fresh = [turn for turn in turns if held.get(turn.talk.no) == turn.talk.revision]
    if not any(turn.errand_id for turn in fresh):
        return fresh
    asked = sa.select(errand.c.id).where(errand.c.app == app, errand.c.session_no.in_(nos))
    waiting = set(conn.execute(asked).scalars())
    return [turn for turn in fresh if not turn.errand_id or turn.errand_id in waiting]


def _row(turn: Turn, seal: Seal, queues: Mapping[str, int], at: int) -> dict[str, Any]:
    """Return the columns of a conversation that a turn changes."""
    talk = turn.talk
    row: dict[str, Any] = {
        "no": talk.no,
        "revision": talk.revision + 1,
        "changed_at": at,
        "awaits": turn.awaits.value,
        "wakes_at": to_micros(turn.wakes_at) if turn.wakes_at is not None else 0,
    }
    if turn.opening is not None:
        row["opening_sealed"] = seal.close(turn.opening.encode(errors="replace"), talk.person)
        row["columns_sealed"] = b""
    for effect in turn.effects:
        if isinstance(effect, HandOver):
            queue_no = queues[effect.queue]
            row |= {"queue_no": queue_no, "handed_no": queue_no, "queued_at": at, "agent": ""}
        elif isinstance(effect, Dispose):
            row["disposition"] = effect.disposition
    if turn.ending is not None or turn.session is None:
        ending = turn.ending or Ending.failed
        return row | dict(NOTHING_KEPT) | {"ending": ending.value, "why": turn.why, "ended_at": at}
    if turn.awaits is not Awaits.person:
        row["queue_no"] = 0
    return row | {"state_sealed": seal.close(write_state(turn.session), talk.person)}


def _write_visits(conn: sa.Connection, seal: Seal, app: int, turns: Sequence[Turn]) -> None:
    rows = [
        {
            "app": app,
            "session_no": turn.talk.no,
            "no": visit.no,
            "at": to_micros(visit.at),
            "flow_no": turn.talk.flow_no,
            "flow": visit.flow,
            "block": visit.block,
            "name": visit.name,
            "kind": visit.kind,
            "exit": visit.exit,
            "has_left": int(visit.has_left),
            "is_question": int(visit.is_question),
            "said_sealed": seal.close(
                msgspec.json.encode({"value": visit.value, "response": visit.response, "why": visit.why}),
                turn.talk.person,
            ),
        }
        for turn in turns
        for visit in turn.visits
    ]
    insert_rows(conn, t.flow_visit, rows)


_ADD = sa.text(
    "insert into flow_count (app, flow_no, version, run_no, node_no, flow, block, what, name, value)"
    " values (:app, :flow_no, :version, :run_no, :node_no, :flow, :block, :what, :name, :value)"
    " on conflict (app, flow_no, version, run_no, node_no, flow, block, what, name)"
    " do update set value = flow_count.value + excluded.value"
)


def _count(conn: sa.Connection, app: int, turns: Sequence[Turn], node_no: int) -> None:
    """Count where people came to, how they left, and what they chose."""
    counted: Counter[tuple[int, int, int, str, str, str, str]] = Counter()
    for turn in turns:
        of = turn.talk.flow_no, turn.talk.version, turn.talk.run_no
        for visit, what, name in _counted(turn):
            counted[(*of, visit.flow, visit.block, what, name)] += 1
    names = "flow_no", "version", "run_no", "flow", "block", "what", "name"
    rows = [
        dict(zip(names, key, strict=True)) | {"app": app, "node_no": node_no, "value": value}
        for key, value in sorted(counted.items())
    ]
    if rows:
        conn.execute(_ADD, rows)


def _counted(turn: Turn) -> Iterator[tuple[Visit, str, str]]:
    frames = turn.talk.session.frames if turn.talk.session is not None else ()
    waited = (frames[-1].flow, frames[-1].block) if frames else None
    for visit in turn.visits:
        here = visit.flow, visit.block
        # Of a block in which it waited it was counted before that it came there.
        if here != waited:
            yield visit, "came", ""
        waited = None if visit.has_left else here
        if visit.has_left and visit.exit:
            yield visit, "exit", visit.exit
        if visit.is_question and visit.kind in _COUNTED and visit.value is not None:
            values = visit.value if isinstance(visit.value, list | tuple) else [visit.value]
            yield from ((visit, "value", str(value)) for value in values)


def _settle(conn: sa.Connection, app: int, turns: Sequence[Turn]) -> None:
    """Note which conversation took which reply; one that waited for something else takes what waited meanwhile."""
    taken = sorted((one, turn.talk.no) for turn in turns for one in turn.messages)
    rows = [{"app": app, "id": one, "waits_since": 0, "session_no": no} for one, no in taken]
    update_rows(conn, t.inbound, ("app", "id"), rows)
    went_on = {turn.talk.person for turn in turns if turn.talk.awaits in ERRANDS}
    if went_on:
        release_replies(conn, app, went_on)


def _drop_errands(conn: sa.Connection, app: int, turns: Sequence[Turn]) -> None:
    nos = [turn.talk.no for turn in turns if turn.talk.awaits in ERRANDS]
    if nos:
        conn.execute(sa.delete(t.errand).where(t.errand.c.app == app, t.errand.c.session_no.in_(nos)))


def _close(conn: sa.Connection, app: int, turns: Sequence[Turn]) -> None:
    ended = [turn.talk for turn in turns if turn.awaits is Awaits.nothing]
    if ended:
        talking = t.open_session
        mine = talking.c.app == app, talking.c.person.in_({talk.person for talk in ended})
        conn.execute(sa.delete(talking).where(*mine, talking.c.session_no.in_([talk.no for talk in ended])))


def _notices(turns: Collection[Turn]) -> Iterator[tuple[NoticeKind, Mapping[str, Any]]]:
    for turn in turns:
        row = {"id": turn.talk.id, "person": turn.talk.person}
        facts = {"conversation_id": turn.talk.id, "person_id": turn.talk.person.hex()}
        if turn.has_begun:
            yield NoticeKind.conversation_started, facts
        if any(isinstance(effect, HandOver) for effect in turn.effects):
            yield NoticeKind.conversation_handed_over, facts
        if turn.awaits is Awaits.nothing:
            yield NoticeKind.conversation_ended, ended_facts(row, (turn.ending or Ending.failed).value)
