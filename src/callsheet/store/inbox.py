"""What people reply: stored once, with all that comes of it, in one transaction for all that came together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.ids import Prefix
from callsheet.core.opting_out import OPTS_OUT, Word
from callsheet.store import tables as t
from callsheet.store.consequences import Said, bare, draw_consequences
from callsheet.store.database import Database
from callsheet.store.many import insert_rows
from callsheet.store.numbers import numbers_of
from callsheet.store.parts import SealedReply, drop_old_parts, is_any_overdue, join, keep_parts, overdue
from callsheet.store.retold import drop_retold, forget_tellers
from callsheet.store.rows import DAMAGE, all_of, new_id, one
from callsheet.store.shares import take_shares
from callsheet.store.vault import Seal, Vault

PART_WAITS = timedelta(minutes=5)
"""So long a text waits for the parts of it that are missing; then it is taken as it is."""
PARTS_KEPT = timedelta(days=7)
"""So long the same part, told again, is known as such."""


class Told(NamedTuple):
    """What came of replies that were heard together."""

    stopped: frozenset[bytes]
    """Who says STOP, now or when the same reply was heard before: nothing may leave for them."""
    opted_out: int
    """How many were not opted out by themselves before."""
    words: Mapping[Word, int]
    """How many new replies said what."""
    answers: int
    """How many are to be answered."""


NOTHING = Told(frozenset(), 0, {}, 0)


@dataclass(frozen=True, slots=True)
class Message:
    """A reply, as people look at it."""

    id: str
    app: int
    person: bytes
    sender: str
    word: Word
    text: str
    at: datetime
    number: str = ""
    """Empty: nothing has it any more."""
    trunk_no: int = 0
    """Through which it came."""


class Inbox:
    """The replies of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def hear(
        self, app: int, trunk_no: int, heard: Sequence[SealedReply], now: datetime, *, somebody_answers: bool = False
    ) -> Told:
        """Store replies that a trunk told, each once, and draw the consequences of what they say.

        Opt-outs are effective from the commit on. Parts of a text are kept until it is whole; one that says STOP by
        itself is heard at once. Where `somebody_answers`, the others wait for who does (`waiting`).

        A STOP that was heard before, under an id that we made up, opts out again: it may be another one that only looks
        the same, said after a START, and a message too few does less harm than one too many.
        """

        def hear(conn: sa.Connection) -> Told:
            known = _known(conn, app, trunk_no, [one_of_them.inbound_id for one_of_them in heard])
            named = {one.inbound_id: one for one in heard}
            new = drop_retold(conn, app, trunk_no, [one for name, one in named.items() if name not in known])
            again = named.keys() - {one.inbound_id for one in new}
            drawn = [one for name, one in named.items() if name not in again or (one.teller and _stops(one))]
            parts = [one for one in new if one.part is not None]
            keep_parts(conn, app, trunk_no, parts, now)
            whole = [one for one in drawn if one.part is None and not one.is_nobodys]
            _keep(conn, app, trunk_no, [one for one in new if one.is_nobodys])
            joined = join(conn, self._seal(app), app, trunk_no, parts)
            told = self._store(
                conn, app, trunk_no, [*whole, *joined], now, somebody_answers=somebody_answers, again=again
            )
            early = self._hear_parts(conn, app, trunk_no, [one for one in drawn if one.part is not None], now)
            stopped = {one.person for one in heard if _stops(one) and not one.is_nobodys}
            return _sum(told, early)._replace(stopped=told.stopped | early.stopped | stopped)

        return await self._db.write(hear)

    async def acknowledge(self, app: int, trunk_no: int, inbound_ids: Collection[str]) -> None:
        """Note that a carrier knows that we have these replies: nothing that is told from now on is one of them."""
        await self._db.write(lambda conn: forget_tellers(conn, app, trunk_no, inbound_ids))

    async def hear_overdue(self, now: datetime, *, somebody_answers: bool = False) -> Sequence[tuple[int, Told]]:
        """Take texts whose other parts did not come in time as they are; return what came of it, by app."""
        if not await self._db.read(lambda conn: is_any_overdue(conn, now - PART_WAITS, now - PARTS_KEPT)):
            return []

        def hear(conn: sa.Connection) -> list[tuple[int, Told]]:
            drop_old_parts(conn, now - PARTS_KEPT)
            found = []
            for app, trunk_no, parts in overdue(conn, now - PART_WAITS):
                whole = join(conn, self._seal(app), app, trunk_no, parts, as_they_are=True)
                found.append((app, self._store(conn, app, trunk_no, whole, now, somebody_answers=somebody_answers)))
            return found

        return await self._db.write(hear)

    async def page(
        self, app: int, *, person: bytes | None, word: Word | None, after: str | None, limit: int
    ) -> Sequence[Message] | None:
        """Return replies, newest first, from after the one of an id; None when there is no such."""
        inbound = t.inbound
        query = sa.select(inbound).where(inbound.c.app == app)
        if person is not None:
            query = query.where(inbound.c.person == person)
        if word is not None:
            query = query.where(inbound.c.word == word.value)

        def read(conn: sa.Connection) -> list[Message] | None:
            asked = query
            if after is not None:
                place = one(
                    conn, sa.select(inbound.c.at, inbound.c.id).where(inbound.c.app == app, inbound.c.id == after)
                )
                if place is None:
                    return None
                order = sa.tuple_(inbound.c.at, inbound.c.id)
                asked = asked.where(order < sa.tuple_(sa.literal(place["at"]), sa.literal(place["id"])))
            rows = all_of(conn, asked.order_by(inbound.c.at.desc(), inbound.c.id.desc()).limit(limit))
            numbers = numbers_of(conn, self._vault, app, {row["person"] for row in rows})
            return [self._read(row, numbers.get(row["person"], "")) for row in rows]

        return await self._db.read(read)

    async def waiting(self, now: datetime, limit: int, lease_seconds: float) -> list[Message]:
        """Take the oldest replies that wait for who answers them: of each person one, the next when it is settled.

        Of each app equally many, where there are more. Those of apps whose sending was stopped wait until it is allowed
        again.
        """
        inbound, earlier = t.inbound, t.inbound.alias("earlier")
        before = (
            sa.exists()
            .where(earlier.c.waits_since > 0, earlier.c.app == inbound.c.app, earlier.c.person == inbound.c.person)
            # Two nodes may have heard two in the same instant.
            .where(
                sa.tuple_(earlier.c.waits_since, earlier.c.id) < sa.tuple_(inbound.c.waits_since, inbound.c.id),
                earlier.c.waits_since <= inbound.c.waits_since,
            )
        )
        stopped = sa.select(t.sending_stop.c.app)
        due = inbound.c.waits_since > 0, inbound.c.lease_until <= to_micros(now), inbound.c.app.not_in(stopped), ~before
        query = sa.select(inbound).where(*due).order_by(inbound.c.waits_since)
        until = to_micros(now + timedelta(seconds=lease_seconds))

        def take(conn: sa.Connection) -> list[Message]:
            free = query.with_for_update(skip_locked=True)
            taken = take_shares(conn, free, inbound.c.app, inbound.c.waits_since > 0, limit)
            rows = [row for row in taken if self._vault.app(row["app"]) is not None]
            _lease(conn, rows, until)
            return [message for row in rows if (message := self._taken(conn, row)) is not None]

        if not await self._db.read(lambda conn: one(conn, query.limit(1))):
            return []
        return await self._db.write(take)

    async def release(self, app: int | None = None, message_ids: Collection[str] = ()) -> None:
        """Let replies be taken at once, by whoever: these of an app, or all that wait."""
        inbound = t.inbound
        wanted = [] if app is None else [inbound.c.app == app, inbound.c.id.in_(message_ids)]
        mine = inbound.c.waits_since > 0, inbound.c.lease_until > 0, *wanted
        # What somebody has in hand just now he settles, or lets go himself.
        free = sa.select(inbound.c.id).where(*mine).with_for_update(skip_locked=True)
        release = sa.update(inbound).where(*mine, inbound.c.id.in_(free)).values(lease_until=0)
        await self._db.write(lambda conn: conn.execute(release))

    async def put_off(self, app: int, message_ids: Collection[str], until: datetime) -> None:
        """Let replies wait until an instant; those of the same people after them wait too."""
        inbound = t.inbound
        mine = inbound.c.app == app, inbound.c.id.in_(message_ids), inbound.c.waits_since > 0
        later = sa.update(inbound).where(*mine).values(lease_until=to_micros(until))
        await self._db.write(lambda conn: conn.execute(later))

    def _seal(self, app: int) -> Seal:
        key = self._vault.app(app)
        assert key is not None, "a reply to an app that was never opened"
        return key.seal

    def _store(
        self,
        conn: sa.Connection,
        app: int,
        trunk_no: int,
        heard: Sequence[SealedReply],
        now: datetime,
        *,
        somebody_answers: bool,
        again: Collection[str] = (),
    ) -> Told:
        """Store replies, but those heard `again`, and draw the consequences of all, in their order."""
        if not heard:
            return NOTHING
        said = [
            Said(
                "" if one.inbound_id in again else new_id(Prefix.message),
                one.person, one.number_sealed, one.sender, one.word, one.is_answered,
            )
            for one in heard
        ]  # fmt: skip
        talks = _talks(conn, app, heard)  # before a STOP ends them
        drawn = draw_consequences(conn, self._seal(app), app, trunk_no, said, now)
        new = [each for each in zip(heard, said, drawn.words, strict=True) if each[1].message_id]
        first = _next_turn(conn, app, now) if somebody_answers else 0
        rows = [
            _row(app, trunk_no, one, saying.message_id, word)
            | {"waits_since": first + i if somebody_answers and word is Word.none else 0}
            | {"session_no": talks.get((one.person, bare(one.sender)), 0)}
            for i, (one, saying, word) in enumerate(new)
        ]
        insert_rows(conn, t.inbound, rows)
        return Told(drawn.stopped, drawn.opted_out, _count([word for *_, word in new]), drawn.answers)

    def _hear_parts(
        self, conn: sa.Connection, app: int, trunk_no: int, parts: Sequence[SealedReply], now: datetime
    ) -> Told:
        """Hear the parts that say STOP by themselves; the whole text is heard when it is there."""
        said = [Said("", one.person, one.number_sealed, one.sender, one.word) for one in parts if one.word is Word.stop]
        if not said:
            return NOTHING
        drawn = draw_consequences(conn, self._seal(app), app, trunk_no, said, now)
        return Told(drawn.stopped, drawn.opted_out, {}, drawn.answers)

    def _read(self, row: Mapping[str, Any], number: str) -> Message:
        text = self._seal(row["app"]).open(row["text_sealed"], row["person"]).decode()
        at = from_micros(row["at"])
        word = Word(row["word"])
        return Message(row["id"], row["app"], row["person"], row["sender"], word, text, at, number, row["trunk_no"])

    def _taken(self, conn: sa.Connection, row: Mapping[str, Any]) -> Message | None:
        """Return a reply that was taken; None: what is stored of it was damaged, and nobody waits for it any more."""
        try:
            return self._read(row, self._number(row))
        except DAMAGE:
            settle_messages(conn, row["app"], [row["id"]])
            return None

    def _number(self, row: Mapping[str, Any]) -> str:
        key = self._vault.app(row["app"])
        return key.open_number(row["number_sealed"], row["person"]) if key is not None and row["number_sealed"] else ""


def settle_messages(conn: sa.Connection, app: int, message_ids: Collection[str]) -> None:
    """Note that replies wait for nobody any more."""
    if message_ids:
        inbound = t.inbound
        mine = inbound.c.app == app, inbound.c.id.in_(message_ids)
        # By their ids, as whoever claims them for a conversation: nobody waits in a circle.
        conn.execute(sa.select(inbound.c.id).where(*mine).order_by(inbound.c.id).with_for_update())
        conn.execute(sa.update(inbound).where(*mine).values(waits_since=0))


def _lease(conn: sa.Connection, rows: Sequence[Mapping[str, Any]], until: int) -> None:
    """Keep others from taking replies for a while."""
    inbound = t.inbound
    for app in sorted({row["app"] for row in rows}):
        mine = inbound.c.app == app, inbound.c.id.in_([row["id"] for row in rows if row["app"] == app])
        conn.execute(sa.update(inbound).where(*mine).values(lease_until=until))


def _keep(conn: sa.Connection, app: int, trunk_no: int, heard: Sequence[SealedReply]) -> None:
    """Store replies of which nothing comes, for people to look at."""
    if heard:
        rows = [_row(app, trunk_no, one, new_id(Prefix.message), one.word) for one in heard]
        conn.execute(sa.insert(t.inbound), rows)


def _row(app: int, trunk_no: int, heard: SealedReply, message_id: str, word: Word) -> dict[str, Any]:
    return {
        "app": app,
        "trunk_no": trunk_no,
        "inbound_id": heard.inbound_id,
        "id": message_id,
        "person": heard.person,
        "number_sealed": heard.number_sealed,
        "sender": heard.sender,
        "word": word.value,
        "text_sealed": heard.text_sealed,
        "at": to_micros(heard.at),
        "teller": heard.teller,
        "digest": heard.digest,
    }


def _next_turn(conn: sa.Connection, app: int, now: datetime) -> int:
    """Return since when the next reply waits: later than every other of the app, so that their order is kept."""
    inbound = t.inbound
    waits = inbound.c.app == app, inbound.c.waits_since > 0
    last = sa.select(inbound.c.waits_since).where(*waits).order_by(inbound.c.waits_since.desc()).limit(1)
    return max(to_micros(now), (conn.execute(last).scalar() or 0) + 1)


def _stops(heard: SealedReply) -> bool:
    return heard.word in OPTS_OUT if heard.part is None else heard.word is Word.stop


def _known(conn: sa.Connection, app: int, trunk_no: int, inbound_ids: Collection[str]) -> set[str]:
    found: set[str] = set()
    for table in (t.inbound, t.inbound_part):
        mine = table.c.app == app, table.c.trunk_no == trunk_no, table.c.inbound_id.in_(inbound_ids)
        found.update(conn.execute(sa.select(table.c.inbound_id).where(*mine)).scalars())
    return found


def _talks(conn: sa.Connection, app: int, heard: Sequence[SealedReply]) -> Mapping[tuple[bytes, str], int]:
    """Return the open conversations in which a word such as STOP was said; what a flow takes is noted when it does."""
    persons = {one.person for one in heard if one.word is not Word.none}
    if not persons:
        return {}
    talking = t.open_session
    query = sa.select(talking.c.person, talking.c.sender, talking.c.session_no)
    rows = conn.execute(query.where(talking.c.app == app, talking.c.person.in_(persons)))
    return {(person, sender): no for person, sender, no in rows}


def _count(words: Sequence[Word]) -> Mapping[Word, int]:
    return {word: words.count(word) for word in set(words)}


def _sum(one: Told, other: Told) -> Told:
    return one._replace(opted_out=one.opted_out + other.opted_out, answers=one.answers + other.answers)
