"""What comes of what people reply: opt-outs, those taken back, answers, and notices, for many replies at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.answering import DAY, HOUR, LASTS, Answered, Decision, ReplyKind, ReplyState, decide, write_answer
from callsheet.core.campaign import Channel
from callsheet.core.flow.session import Ending
from callsheet.core.notice import NoticeKind
from callsheet.core.opting_out import OPTS_OUT, Word
from callsheet.core.run import AppSettings
from callsheet.core.segments import Writing, measure
from callsheet.store import tables as t
from callsheet.store.flow_ends import end_of_persons
from callsheet.store.gate import close_gate
from callsheet.store.outbox import announce_all
from callsheet.store.rows import all_of, one, read_settings, read_writing
from callsheet.store.vault import Seal

CHANNEL = Channel.sms.value
_GONE: Mapping[str, Any] = {"carrier_answers_stop": 0, "writing": "{}"}
"""What is known of a trunk that was deleted."""
RESTARTED = "START"
"""The reason that is kept of opt-outs that their own START took back."""


class Said(NamedTuple):
    """What a reply says, and whose it is."""

    message_id: str
    """Empty: a part of a text that is not whole, or what was heard before."""
    person: bytes
    number_sealed: bytes
    sender: str
    word: Word
    is_answered: bool = False
    """Its carrier has answered it: we do not."""


class Drawn(NamedTuple):
    """What came of replies."""

    words: Sequence[Word]
    """What each of them turned out to be."""
    stopped: frozenset[bytes]
    opted_out: int
    answers: int


@dataclass(slots=True)
class _Ledger:
    """What is known of the people before, and what changes."""

    sources: dict[bytes, dict[str, int]] = field(default_factory=dict)
    """By what each is opted out, and since when."""
    answered: dict[bytes, dict[ReplyKind, Answered]] = field(default_factory=dict)
    added: list[tuple[bytes, str]] = field(default_factory=list)
    lifted: list[tuple[bytes, str]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    notices: list[tuple[NoticeKind, Mapping[str, Any]]] = field(default_factory=list)


def draw_consequences(
    conn: sa.Connection, seal: Seal, app: int, trunk_no: int, said: Sequence[Said], now: datetime
) -> Drawn:
    """Opt out who says so, take back what a START takes back, and write down what is to be answered."""
    home = _home(conn, app, trunk_no, {one.person for one in said if one.message_id})
    asking = {one.person for one in said if one.word is not Word.none}
    ledger = _Ledger(_sources(conn, app, asking), _answered(conn, app, asking, now))
    words: list[Word] = []
    stopped: set[bytes] = set()
    for saying in said:
        decision = decide(
            saying.word,
            ledger.sources.get(saying.person, {}),
            ledger.answered.get(saying.person, {}),
            carrier_answers_stop=home.carrier_answers_stop,
        )
        if saying.is_answered:
            decision = decision._replace(answer=None)
        words.append(decision.word)
        (stopped.add if decision.word in OPTS_OUT else stopped.discard)(saying.person)
        _enter(ledger, home, seal, saying, decision, now)
    _write(conn, app, ledger, now)
    return Drawn(words, frozenset(stopped), len(ledger.added), len(ledger.answers))


class _Home(NamedTuple):
    """Where replies came to."""

    app: int
    trunk_no: int
    brand: str
    settings: AppSettings
    carrier_answers_stop: bool
    writing: Writing
    senders: Mapping[str, tuple[str, str]]
    """Label and id of each sender, by its digits, or its name."""
    talks: Mapping[tuple[bytes, str], str]
    """The open conversations of those who replied: their ids, by person and sender; of no sender, the latest."""


def _home(conn: sa.Connection, app: int, trunk_no: int, persons: Collection[bytes]) -> _Home:
    row = one(conn, sa.select(t.app.c.name, t.app.c.settings).where(t.app.c.no == app))
    assert row is not None, "a reply to an app that is not there"
    columns = t.trunk.c.carrier_answers_stop, t.trunk.c.writing
    trunk = one(conn, sa.select(*columns).where(t.trunk.c.app == app, t.trunk.c.no == trunk_no)) or _GONE
    labels = sa.select(t.sender.c.label, t.sender.c.id).where(t.sender.c.app == app, t.sender.c.deleted_at == 0)
    senders = {bare(label): (label, sender_id) for label, sender_id in conn.execute(labels)}
    settings, writing = read_settings(row["settings"]), read_writing(trunk["writing"])
    return _Home(
        app, trunk_no, row["name"], settings, bool(trunk["carrier_answers_stop"]), writing, senders,
        _talks(conn, app, persons),
    )  # fmt: skip


def _talks(conn: sa.Connection, app: int, persons: Collection[bytes]) -> dict[tuple[bytes, str], str]:
    if not persons:
        return {}
    talking, session = t.open_session, t.flow_session
    query = (
        sa.select(talking.c.person, talking.c.sender, session.c.id)
        .join(session, session.c.no == talking.c.session_no)
        .where(talking.c.app == app, talking.c.person.in_(persons), session.c.channel == CHANNEL)
        .order_by(session.c.no)
    )
    found: dict[tuple[bytes, str], str] = {}
    for person, sender, talk_id in conn.execute(query):
        found[person, sender] = found[person, ""] = talk_id
    return found


def bare(label: str) -> str:
    """Return a sender in the one form in which carriers and we write it alike."""
    return label.strip().removeprefix("+").removeprefix("00").casefold()


def _enter(ledger: _Ledger, home: _Home, seal: Seal, saying: Said, decision: Decision, now: datetime) -> None:
    """Note what comes of one reply."""
    person = saying.person
    label, sender_id = home.senders.get(bare(saying.sender), (saying.sender, None))
    mine = ledger.sources.setdefault(person, {})
    if saying.message_id:
        payload = {
            "message_id": saying.message_id,
            "person_id": person.hex(),
            "sender_id": sender_id,
            "conversation_id": home.talks.get((person, bare(saying.sender))),
            "word": decision.word.value,
        }
        ledger.notices.append((NoticeKind.message_received, payload))
    if decision.opts_out:
        mine[decision.opts_out] = to_micros(now)
        ledger.added.append((person, decision.opts_out))
        payload = {"person_id": person.hex(), "channel": CHANNEL, "source": decision.opts_out}
        ledger.notices.append((NoticeKind.contact_opted_out, payload))
    for source in sorted(decision.lifts):
        del mine[source]
        if (person, source) in ledger.added:
            ledger.added.remove((person, source))
        else:
            ledger.lifted.append((person, source))
    if decision.lifts:
        ledger.notices.append((NoticeKind.contact_opted_in, {"person_id": person.hex(), "channel": CHANNEL}))
    text = write_answer(decision.answer, _chosen(home.settings, decision.answer), home.brand) if decision.answer else ""
    if decision.answer and text:
        lately = ledger.answered.setdefault(person, {})
        hour, day = lately.get(decision.answer, Answered())
        lately[decision.answer] = Answered(hour + 1, day + 1)
        ledger.answers.append(_answer_row(home, label, decision.answer, seal, saying, text, now))


def _chosen(settings: AppSettings, kind: ReplyKind) -> str | None:
    return {
        ReplyKind.stop: settings.stop_reply,
        ReplyKind.help: settings.help_reply,
        ReplyKind.start: settings.start_reply,
    }.get(kind)


def _answer_row(
    home: _Home, sender: str, kind: ReplyKind, seal: Seal, to: Said, text: str, now: datetime
) -> dict[str, Any]:
    """Return the row of a message that answers one of theirs, due now."""
    at = to_micros(now)
    return {
        "app": home.app,
        "person": to.person,
        "number_sealed": to.number_sealed,
        "trunk_no": home.trunk_no,
        "sender": sender,
        "kind": kind.value,
        "state": ReplyState.waiting.value,
        "text_sealed": seal.close(text.encode(), to.person),
        "segments": measure(text, home.writing).count,
        "next_at": at,
        "deadline_at": to_micros(now + LASTS[kind]),
        "at": at,
    }


def _write(conn: sa.Connection, app: int, ledger: _Ledger, now: datetime) -> None:
    at = to_micros(now)
    lifted, added = set(ledger.lifted), set(ledger.added)
    # What is new comes first: whoever waits for that holds none that another one takes back.
    _add(conn, app, sorted(added - lifted), at)
    if lifted:
        _lift(conn, app, sorted(lifted), at)
    _add(conn, app, sorted(added & lifted), at)
    if ledger.answers:
        conn.execute(sa.insert(t.reply), ledger.answers)
    announce_all(conn, app, ledger.notices, now)
    if ledger.added:
        end_of_persons(conn, app, {person for person, _ in ledger.added}, Ending.opted_out, now)
        close_gate(conn, app)


def _add(conn: sa.Connection, app: int, added: Sequence[tuple[bytes, str]], at: int) -> None:
    shared = {"app": app, "channel": CHANNEL, "added_at": at}
    if added:
        conn.execute(sa.insert(t.opt_out), [{**shared, "person": one, "source": source} for one, source in added])


def _lift(conn: sa.Connection, app: int, lifted: Sequence[tuple[bytes, str]], at: int) -> None:
    opt_out = t.opt_out
    for person, source in lifted:
        mine = sa.and_(
            opt_out.c.app == app, opt_out.c.channel == CHANNEL, opt_out.c.person == person, opt_out.c.source == source
        )
        row = one(conn, sa.select(opt_out).where(mine).with_for_update())
        if row is not None:
            conn.execute(sa.insert(t.opt_out_lifted), [{**row, "lifted_at": at, "reason": RESTARTED}])
            conn.execute(sa.delete(opt_out).where(mine))


def _sources(conn: sa.Connection, app: int, persons: Collection[bytes]) -> dict[bytes, dict[str, int]]:
    opt_out = t.opt_out
    found: dict[bytes, dict[str, int]] = {}
    if persons:
        mine = opt_out.c.app == app, opt_out.c.channel == CHANNEL, opt_out.c.person.in_(persons)
        for row in all_of(conn, sa.select(opt_out).where(*mine)):
            found.setdefault(row["person"], {})[row["source"]] = row["added_at"]
    return found


def _answered(
    conn: sa.Connection, app: int, persons: Collection[bytes], now: datetime
) -> dict[bytes, dict[ReplyKind, Answered]]:
    reply = t.reply
    found: dict[bytes, dict[ReplyKind, Answered]] = {}
    if persons:
        of_hour = sa.func.sum(sa.case((reply.c.at > to_micros(now - HOUR), 1), else_=0))
        mine = reply.c.app == app, reply.c.person.in_(persons), reply.c.at > to_micros(now - DAY)
        query = sa.select(reply.c.person, reply.c.kind, of_hour, sa.func.count()).where(*mine)
        for person, kind, hour, day in conn.execute(query.group_by(reply.c.person, reply.c.kind)):
            found.setdefault(person, {})[ReplyKind(kind)] = Answered(int(hour), int(day))
    return found
