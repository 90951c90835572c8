"""The sandbox's ledger: what was accepted, committed before it is answered, and what is still to be told.

It plays the outside world. Numbers and texts stand in it in plain, as they would in a carrier's books and on
a handset, and it knows nothing of our store. It is the judge of duplicates: a reference that comes twice is
accepted twice and shown twice. Refusals are counted beside the messages and are no acceptances.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple, Self

from callsheet.carriers.base import Outbound
from callsheet.carriers.sandbox.behaviour import REPLY, Planned
from callsheet.carriers.sandbox.tables import MEMORY, Entry, Row, connect, connect_to_read
from callsheet.carriers.sandbox.writer import InlineWriter, ThreadWriter, Writer
from callsheet.clock import from_micros, to_micros


class Status(StrEnum):
    """How a message in the ledger stands.

    `unanswered` was taken without an answer. `delivered` and `undelivered` are set when the receipt was
    acknowledged.
    """

    accepted = "accepted"
    unanswered = "unanswered"
    delivered = "delivered"
    undelivered = "undelivered"


class Message(NamedTuple):
    """One acceptance, as the outbox shows it."""

    id: int
    """Ascends in the order of acceptance: the cursor of the outbox."""
    carrier_id: str
    reference: str
    to: str
    sender: str
    text: str
    segments: int
    campaign_id: str
    status: str
    accepted_at: datetime


class Telling(NamedTuple):
    """A receipt or a reply that is to be told until it is acknowledged."""

    id: int
    message_id: int
    due_at: datetime
    kind: str
    """A receipt's kind, or `reply`."""
    text: str
    """The code of a receipt, or the words of a reply."""
    reference: str
    number: str
    sender: str

    @property
    def carrier_id(self) -> str:
        """The carrier's id of the message that it is about."""
        return name_message(self.message_id)


class Acceptance(NamedTuple):
    """A message that is in the ledger, and what will be told about it."""

    carrier_id: str
    tellings: tuple[Telling, ...]


def name_message(message_id: int) -> str:
    """Write the carrier id of a message."""
    return f"sb-{message_id:09d}"


_MESSAGES: Final = """
select id, reference, to_number, from_number, text, segments, campaign_id, status, accepted_at from messages
"""
_OF_CAMPAIGNS: Final = "(?1 is null or campaign_id in (select value from json_each(?1)))"
_PENDING: Final = """
select t.id, t.message_id, t.due_at, t.kind, t.text, m.reference, m.to_number, m.from_number
from tellings t join messages m on m.id = t.message_id where t.acknowledged_at is null order by t.id
"""
_ACKNOWLEDGE: Final = """
update tellings set acknowledged_at = ?
where id in (select value from json_each(?)) and acknowledged_at is null
"""
_RETELL: Final = "update tellings set acknowledged_at = null where acknowledged_at >= ?"
_LATEST: Final = """
select reference from messages where ltrim(from_number, '+') = ltrim(?1, '+')
order by ltrim(to_number, '+') = ltrim(?2, '+') desc, id desc limit 1
"""
_SET_STATUS: Final = "update messages set status = ? where id in (select value from json_each(?))"


class LedgerReader:
    """Reads a ledger: from the process that writes it, from another one meanwhile, or after a kill.

    Raises sqlite3.OperationalError where there is no ledger. Methods may be called from any thread.
    """

    def __init__(self, path: Path | str) -> None:
        self._reading = connect_to_read(path)
        self._one_at_a_time = threading.Lock()

    def outbox(self, after: int = 0, limit: int = 100, campaign_ids: Collection[str] | None = None) -> list[Message]:
        """List acceptances, oldest first: at most `limit` with an id above `after`, of these campaigns only.

        The id of the last one is the cursor of the next page. Acceptances become visible in the order of
        their ids, so a reader that follows the cursor misses none.
        """
        # By id, without an index of campaigns: a page of one app's messages must not sort all of them.
        rows = self._read(
            f"{_MESSAGES} where id > ?2 and {_OF_CAMPAIGNS} order by id limit ?3",
            (_json_or_none(campaign_ids), after, limit),
        )
        return [Message._make((row[0], name_message(row[0]), *row[1:8], from_micros(row[8]))) for row in rows]

    def count(self, campaign_ids: Collection[str] | None = None) -> int:
        """Count acceptances, duplicates included."""
        ((number,),) = self._read(
            f"select count(*) from messages where {_OF_CAMPAIGNS}", (_json_or_none(campaign_ids),)
        )
        return int(number)

    def duplicates(self) -> dict[str, int]:
        """Give the references that were accepted more than once, and how often each."""
        return dict(self._read("select reference, count(*) from messages group by reference having count(*) > 1"))

    def pending(self) -> list[Telling]:
        """List what was not acknowledged, in the order of acceptance."""
        return [
            Telling(number, message_id, from_micros(due_at), *rest)
            for number, message_id, due_at, *rest in self._read(_PENDING)
        ]

    def latest(self, sender: str, number: str) -> str | None:
        """Return the reference of what a sender texted last, to this number if there is any; with a plus or without."""
        rows = self._read(_LATEST, (sender, number))
        return str(rows[0][0]) if rows else None

    def close(self) -> None:
        """Let go of the file."""
        self._reading.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, statement: str, values: Row = ()) -> list[Row]:
        with self._one_at_a_time:
            return self._reading.execute(statement, values).fetchall()


class Ledger(LedgerReader):
    """The ledger of the one process that writes it.

    Entries that arrive together share a commit on a writer thread (WAL, `synchronous=FULL`). `inline` writes
    on the calling thread instead, a commit each and without waiting for the disk: for simulated time, where
    no power cut happens; only then may `path` be `:memory:`, else it raises ValueError. Raises RuntimeError
    for a ledger of another version.
    """

    def __init__(self, path: Path | str, *, inline: bool = False) -> None:
        if str(path) == MEMORY and not inline:
            raise ValueError("a ledger in memory has one connection, so it has to be inline")
        connection = connect(path, durable=not inline)
        if inline:
            self._reading = connection
            self._one_at_a_time = threading.Lock()
        else:
            super().__init__(path)
        # Ids are given on the event loop, in the order in which the writer commits: known before the commit.
        self._messages = self._highest("messages")
        self._tellings = self._highest("tellings")
        self._refused: dict[tuple[str, str], int] = {}
        self._writer: Writer = InlineWriter(connection) if inline else ThreadWriter(connection)

    @property
    def commits(self) -> int:
        """How many transactions were committed since it was opened."""
        return self._writer.commits

    async def accept(
        self,
        message: Outbound,
        status: Status,
        at: datetime,
        planned: Iterable[Planned] = (),
        after: Callable[[Acceptance], None] | None = None,
    ) -> Acceptance:
        """Record an acceptance and what will be told about it; return once both are durable.

        A reference that is in the ledger already is recorded once more. `after` is called on the event loop
        with the acceptance as soon as it is durable, also when the caller was cancelled meanwhile.
        """
        self._messages += 1
        message_id, accepted_at = self._messages, to_micros(at)
        reference, to, sender, text, segments, campaign_id = message[:6]
        tellings: list[Telling] = []
        for after_seconds, kind, words in planned:
            self._tellings += 1
            due_at = at + timedelta(seconds=after_seconds)
            tellings.append(Telling(self._tellings, message_id, due_at, kind, words, reference, to, sender))
        acceptance = Acceptance(name_message(message_id), tuple(tellings))
        entry = Entry(
            messages=[(message_id, reference, to, sender, text, segments, campaign_id, status, accepted_at)],
            tellings=[(t.id, message_id, to_micros(t.due_at), t.kind, t.text, None) for t in tellings],
        )
        await self._writer.commit(entry, None if after is None else lambda: after(acceptance))
        return acceptance

    async def refuse(self, number: str, code: str, at: datetime, *, at_most: int | None = None) -> bool:
        """Count a refusal, unless the number was refused `at_most` times for this reason; say whether it was.

        The count is the ledger's, so it outlives a restart.
        """
        if at_most is not None:
            times = self._times_refused(number, code)
            if times >= at_most:
                return False
            # Before the commit: two messages that arrive together are two refusals.
            self._refused[number, code] = times + 1
        await self._writer.commit(Entry(refusals=[(number, code, 1, to_micros(at))]))
        return True

    async def acknowledge(self, told: Sequence[Telling], at: datetime) -> None:
        """Record that these were heard, so that they are not told again."""
        changes: list[tuple[str, Row]] = [(_ACKNOWLEDGE, (to_micros(at), _json([t.id for t in told])))]
        for kind in sorted({t.kind for t in told} - {REPLY}):
            confirmed = _json([t.message_id for t in told if t.kind == kind])
            changes += [(_SET_STATUS, (Status(kind), confirmed))]
        await self._writer.commit(Entry(changes=changes))

    async def retell(self, since: datetime) -> None:
        """Tell again what was acknowledged from an instant on: who heard it has forgotten it."""
        await self._writer.commit(Entry(changes=[(_RETELL, (to_micros(since),))]))

    async def flush(self) -> None:
        """Return once all that was given so far is durable."""
        await self._writer.commit(Entry())

    def close(self) -> None:
        """Write what was given, and close the file."""
        self._writer.close()
        super().close()

    def _times_refused(self, number: str, code: str) -> int:
        known = self._refused.get((number, code))
        if known is not None:
            return known
        rows = self._read("select times from refusals where number = ? and code = ?", (number, code))
        return int(rows[0][0]) if rows else 0

    def _highest(self, table: str) -> int:
        ((highest,),) = self._read(f"select coalesce(max(id), 0) from {table}")
        return int(highest)


def _json_or_none(values: Collection[str] | None) -> str | None:
    return None if values is None else _json(values)


def _json(values: Collection[str] | Collection[int]) -> str:
    return json.dumps(list(values))
