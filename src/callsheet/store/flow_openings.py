"""Opening conversations: of one cause, an attempt or a reply, there is one, whoever opens it and how often."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.attempt import UNREACHED, Intent, fold
from callsheet.core.campaign import Channel
from callsheet.core.flow.manners import LATELY, MOST_BEGUN
from callsheet.core.flow.session import Awaits, Ending
from callsheet.core.ids import AttemptKey, Prefix, encode_attempt
from callsheet.store import tables as t
from callsheet.store.consequences import bare
from callsheet.store.flow_ends import end_held_sessions
from callsheet.store.flow_places import RESERVE, Standing, place, places_of
from callsheet.store.inbox import Message
from callsheet.store.many import insert_rows
from callsheet.store.recording import Talking
from callsheet.store.rows import all_of, new_id
from callsheet.store.vault import Vault

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
    spoke_at: int = 0
    """When its attempt was armed; 0: a reply begins it."""

    @property
    def place(self) -> tuple[bytes, str]:
        """Return whose the conversation is."""
        return self.person, bare(self.sender)


class Unclaimed(NamedTuple):
    """A reply that belongs to no conversation, and of which nothing is to come any more."""

    trunk_no: int
    inbound_id: str
    person: bytes
    sender: str
    at: int


def claim(opened: Iterable[Standing], replies: Iterable[Unclaimed]) -> list[tuple[int, int, str]]:
    """Return number of the conversation, trunk and id of each reply that came before its conversation was opened.

    A fast handset says STOP before its carrier says that it took the message. None belongs to a call.
    """
    talks: dict[bytes, list[Standing]] = {}
    for standing in opened:
        if not standing.is_call:
            talks.setdefault(standing.person, []).append(standing)
    claimed = []
    for reply in replies:
        its = [
            standing
            for standing in talks.get(reply.person, ())
            if standing.spoke_at <= reply.at and bare(reply.sender) in ("", standing.sender)
        ]
        if its:
            talk = max(its, key=lambda standing: (standing.spoke_at, standing.no))
            claimed.append((talk.no, reply.trunk_no, reply.inbound_id))
    return claimed


UNCLAIMED = (
    "select i.trunk_no, i.inbound_id, i.person, i.sender, i.at from inbound i"
    " where i.session_no = 0 and i.waits_since = 0"
)
"""The beginning of the statement that finds those."""


def opened_row(app: int, opening: Opening, now: datetime) -> dict[str, Any]:
    """Return the row of a conversation that was not begun yet."""
    at = to_micros(now)
    return {
        "app": app,
        "id": new_id(Prefix.conversation),
        **{name: value for name, value in opening._asdict().items() if name != "spoke_at"},
        "channel": Channel.sms.value,
        "state_sealed": b"",
        "columns_sealed": b"",
        "opening_sealed": b"",
        "awaits": Awaits.reply.value,
        # What a reply began goes on with that reply.
        "wakes_at": at if opening.run_no else 0,
        "opened_at": at,
        "changed_at": at,
    }


OPENED = (
    "app, id, cause, person, sender, trunk_no, flow_no, version, run_no, n, channel, state_sealed, columns_sealed,"
    " opening_sealed, awaits, wakes_at, opened_at, changed_at"
)
"""The columns of a new conversation, in the order of `opened_values`."""


def opened_values(
    app: int, key: AttemptKey, label: str, trunk_no: int, talking: Talking, at: int, made_of: Mapping[AttemptKey, bytes]
) -> tuple[Any, ...]:
    """Return the columns of the conversation that an attempt begins, for the hand that records it."""
    return (
        app, new_id(Prefix.conversation), encode_attempt(*key), key.person, label, trunk_no, talking.flow_no,
        talking.version, key.run_no, key.n, talking.channel.value, b"", made_of.get(key, b""), b"", Awaits.reply.value,
        # Of a call whoever leads it looks after its time.
        0 if talking.channel is Channel.voice else at, at, at,
    )  # fmt: skip


def seal_columns(vault: Vault, intents: Mapping[AttemptKey, Intent]) -> dict[AttemptKey, bytes]:
    """Seal the columns from which messages were made: whoever begins their conversations says the same again."""
    sealed: dict[AttemptKey, bytes] = {}
    for attempt, intent in intents.items():
        key = vault.app(intent.app)
        assert key is not None, "a run was armed whose app was never opened"
        sealed[attempt] = key.seal.close(msgspec.json.encode(intent.attributes), attempt.person)
    return sealed


def open_sessions(conn: sa.Connection, app: int, openings: Sequence[Opening], now: datetime) -> None:
    """Open conversations of different people, those of which there are none yet; each takes the place before it."""
    session = t.flow_session
    known = _begun(conn, app, {opening.cause for opening in openings})
    # In the order of whoever records, so that nobody waits in a circle.
    fresh = sorted((one for one in openings if one.cause not in known), key=lambda one: (one.run_no, one.person, one.n))
    if not fresh:
        return
    insert_rows(conn, session, [opened_row(app, opening, now) for opening in fresh])
    mine = session.c.app == app, session.c.cause.in_({opening.cause for opening in fresh})
    nos = {row.cause: row.no for row in conn.execute(sa.select(session.c.cause, session.c.no).where(*mine))}
    _take_places(conn, app, [Standing(nos[one.cause], *one.place, one.spoke_at) for one in fresh], now)


def _begun(conn: sa.Connection, app: int, causes: Collection[str]) -> set[str]:
    """Return those of these causes of which there is a conversation."""
    cause = t.flow_session.c.cause
    query = sa.select(cause).where(t.flow_session.c.app == app, cause.in_(causes))
    return set(conn.execute(query).scalars()) if causes else set()


_RESERVE = sa.text(f"{RESERVE.format('values (:app, :person, :sender, :session_no)')} open_session.session_no")
_PLACE = sa.text(f"{RESERVE.format('values (:app, :person, :sender, :session_no)')} excluded.session_no")


def _take_places(conn: sa.Connection, app: int, opened: Sequence[Standing], now: datetime) -> None:
    """Let conversations of different people take the places of those before."""
    own = sorted(opened, key=lambda one: one.person)
    if conn.dialect.name == "postgresql":
        # Where there is none yet, two nodes would both find none: the second one waits here for the first.
        conn.execute(_RESERVE, [_place_row(app, one) for one in own])
    held = places_of(conn, app, {one.person for one in own})
    nos, wanted = {one.no for one in own}, {(one.person, one.sender) for one in own}
    others = [one for one in held if one.no not in nos and (one.person, one.sender) in wanted]
    spoke = _spoke_at(conn, app, [one.no for one in others]) if others else {}
    placed, replaced = place((Standing(*one, spoke.get(one.no, 0)) for one in others), own)
    if replaced:
        end_held_sessions(conn, app, replaced, Ending.replaced, now)
    reserved = nos.intersection(one.no for one in held)
    left = [_place_row(app, one) for one in placed if one.no not in reserved]
    if others and left:
        conn.execute(_PLACE, left)
    else:
        insert_rows(conn, t.open_session, left)


def _place_row(app: int, standing: Standing) -> dict[str, Any]:
    return {"app": app, "person": standing.person, "sender": standing.sender, "session_no": standing.no}


def _spoke_at(conn: sa.Connection, app: int, nos: Collection[int]) -> dict[int, int]:
    """Return when the attempts of conversations were armed, where attempts began them.

    Asked when their places are held: what somebody else has placed meanwhile is seen.
    """
    session, attempt = t.flow_session, t.attempt
    its = (attempt.c[name] == session.c[name] for name in ("app", "run_no", "person", "n"))
    query = sa.select(session.c.no, attempt.c.at).join(attempt, sa.and_(*its))
    rows = conn.execute(query.where(session.c.app == app, session.c.no.in_(nos)))
    return {row.no: row.at for row in rows}


def lonely(conn: sa.Connection, app: int, messages: Sequence[Message]) -> list[Message]:
    """Return the replies that belong to no open conversation."""
    talking = t.open_session
    mine = talking.c.app == app, talking.c.person.in_({message.person for message in messages})
    places = {tuple(row) for row in conn.execute(sa.select(talking.c.person, talking.c.sender).where(*mine))}
    persons = {person for person, _ in places}
    return [
        message
        for message in messages
        # Where a carrier does not say to whom, any is meant.
        if ((message.person, bare(message.sender)) not in places if message.sender else message.person not in persons)
    ]


def openings_of_replies(
    conn: sa.Connection, app: int, messages: Sequence[Message], now: datetime
) -> dict[str, Opening]:
    """Return what replies of different people without an open conversation begin, by the ids of the replies.

    The attempt that one answers has not been recorded yet, or never will be: then its conversation. Else that of the
    sender's default flow. Those that are missing are recorded, and nothing begins.
    """
    opt_out = t.opt_out
    persons = {message.person for message in messages}
    mine = opt_out.c.app == app, opt_out.c.channel == Channel.sms.value, opt_out.c.person.in_(persons)
    gone = set(conn.execute(sa.select(opt_out.c.person).where(*mine)).scalars())
    asked = [message for message in messages if message.person not in gone]
    found = _of_attempts(conn, app, asked)
    left = [message for message in asked if message.id not in found]
    return found | _of_senders(conn, app, left, now) if left else found


def _of_attempts(conn: sa.Connection, app: int, messages: Sequence[Message]) -> dict[str, Opening]:
    """Return the conversations of the newest attempts through the senders, unless they were opened before."""
    attempts = _newest(conn, app, {message.person for message in messages})
    found: dict[str, Opening] = {}
    for message in messages:
        wanted = bare(message.sender)
        mine = attempts.get(message.person, ())
        row = next((one for one in mine if not wanted or bare(one["label"]) == wanted), None)
        # What a run that came out of a backup did before is not known: nothing is said twice.
        if row is not None and row["flow_no"] and row["at"] > row["restored_at"]:
            found[message.id] = Opening(
                encode_attempt(row["run_no"], message.person, row["n"]), message.person, row["label"],
                row["trunk_no"], row["flow_no"], row["flow_version"], row["run_no"], row["n"], row["at"],
            )  # fmt: skip
    if not found:
        return found
    begun = _begun(conn, app, {one.cause for one in found.values()})
    failed = _failed(conn, app, list(found.values()))
    return {name: one for name, one in found.items() if one.cause not in begun and one.cause not in failed}


def _newest(conn: sa.Connection, app: int, persons: Collection[bytes]) -> dict[bytes, list[Mapping[str, Any]]]:
    """Return the newest attempts of people, the newest first."""
    attempt, run, sender = t.attempt, t.run, t.sender
    spoke = sa.case((attempt.c.sender_no > 0, attempt.c.sender_no), else_=run.c.sender_no)
    order = attempt.c.at.desc(), attempt.c.run_no.desc(), attempt.c.n.desc()
    rank = sa.func.row_number().over(partition_by=attempt.c.person, order_by=order)
    ranked = (
        sa.select(attempt.c.person, attempt.c.run_no, attempt.c.n, attempt.c.at, sender.c.label, sender.c.trunk_no)
        .add_columns(run.c.flow_no, run.c.flow_version, run.c.restored_at, rank.label("rank"))
        .join(run, sa.and_(run.c.no == attempt.c.run_no, run.c.channel == Channel.sms.value))
        .join(sender, sender.c.no == spoke)
        .where(attempt.c.app == app, attempt.c.person.in_(persons))
        .subquery("ranked")
    )
    query = sa.select(ranked).where(ranked.c.rank <= _LOOKED_AT).order_by(ranked.c.person, ranked.c.rank)
    found: dict[bytes, list[Mapping[str, Any]]] = {}
    for row in all_of(conn, query):
        found.setdefault(row["person"], []).append(row)
    return found


def _failed(conn: sa.Connection, app: int, openings: Sequence[Opening]) -> set[str]:
    """Return the causes of conversations whose attempts did not reach their people."""
    event = t.event
    runs, persons = {one.run_no for one in openings}, {one.person for one in openings}
    mine = event.c.app == app, event.c.run_no.in_(runs), event.c.person.in_(persons)
    kinds: dict[tuple[int, bytes, int], list[str]] = {}
    for run_no, person, n, kind in conn.execute(
        sa.select(event.c.run_no, event.c.person, event.c.n, event.c.kind).where(*mine)
    ):
        kinds.setdefault((run_no, person, n), []).append(kind)
    return {one.cause for one in openings if fold(kinds.get((one.run_no, one.person, one.n), ())) in UNREACHED}


def _of_senders(conn: sa.Connection, app: int, messages: Sequence[Message], now: datetime) -> dict[str, Opening]:
    """Return the conversations of the flows that senders begin by themselves."""
    sender, flow, version = t.sender, t.flow, t.flow_version
    query = (
        sa.select(sender.c.label, sender.c.trunk_no, flow.c.no, flow.c.version)
        .join(flow, sa.and_(flow.c.app == sender.c.app, flow.c.id == sender.c.flow_id))
        .join(
            version,
            sa.and_(version.c.app == flow.c.app, version.c.flow_no == flow.c.no, version.c.version == flow.c.version),
        )
        .where(sender.c.app == app, sender.c.deleted_at == 0, version.c.document != "")
    )
    ways: dict[str, Sequence[Any]] = {}
    for row in conn.execute(query):
        ways.setdefault(bare(row.label), tuple(row))
    found: dict[str, Opening] = {}
    for message in messages:
        if way := ways.get(bare(message.sender)):
            found[message.id] = Opening(message.id, message.person, *way)
    lately = _begun_lately(conn, app, list(found.values()), now) if found else {}
    return {name: one for name, one in found.items() if lately.get((one.person, one.sender), 0) < MOST_BEGUN}


def _begun_lately(
    conn: sa.Connection, app: int, openings: Sequence[Opening], now: datetime
) -> dict[tuple[bytes, str], int]:
    """Return how many conversations people began lately by themselves, by person and sender."""
    session = t.flow_session
    mine = (
        session.c.app == app, session.c.person.in_({one.person for one in openings}), session.c.run_no == 0,
        session.c.opened_at > to_micros(now - LATELY),
    )  # fmt: skip
    query = sa.select(session.c.person, session.c.sender, sa.func.count()).where(*mine)
    rows = conn.execute(query.group_by(session.c.person, session.c.sender))
    return {(person, sender): int(count) for person, sender, count in rows}
