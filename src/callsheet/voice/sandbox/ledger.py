"""The ledger of a simulated phone network: every call that was placed, durable before the phone rings.

It plays the outside world: numbers stand in it in plain, and it knows nothing of our store. It is the judge of
duplicates: an attempt that is placed twice stands in it twice.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from callsheet.clock import from_micros, to_micros
from callsheet.core.calling import Dial

_VERSION: Final = 1
_TABLES: Final = """
create table calls (
    id integer primary key,
    reference text not null,
    to_number text not null,
    from_number text not null,
    campaign_id text not null,
    status text not null,
    keys text not null default '',
    placed_at integer not null,
    answered_at integer,
    ended_at integer
);
create index calls_reference on calls (reference);
"""
_CALLS: Final = """
select id, reference, to_number, from_number, campaign_id, status, keys, placed_at, answered_at, ended_at from calls
"""
_PAGE: Final = (
    f"{_CALLS} where id > ?1 and (?2 is null or campaign_id in (select value from json_each(?2))) order by id limit ?3"
)
_INSERT: Final = """
insert into calls (id, reference, to_number, from_number, campaign_id, status, placed_at) values (?, ?, ?, ?, ?, ?, ?)
"""

RINGING: Final = "ringing"
"""Placed, and not answered yet."""
TALKING: Final = "talking"
ANSWERED: Final = "answered"
"""It was answered, and is over."""
UNANSWERED: Final = "unanswered"
"""Whoever asked for it was never told that it was placed."""


class LedgerFailed(Exception):
    """It could not be written; what was given may have reached the disk all the same."""


class PlacedCall(NamedTuple):
    """One call that was placed."""

    id: int
    """Ascends in the order of placing: the cursor of a reader."""
    reference: str
    """The attempt that it was placed for."""
    to: str
    sender: str
    campaign_id: str
    status: str
    """`ringing`, `talking`, or how it ended: `answered`, `no_answer`, `busy`, `cancelled` and so on."""
    keys: str
    """What the callee pressed."""
    placed_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None


class CallLedgerReader:
    """Reads a ledger: from the process that writes it, from another one meanwhile, or after a kill.

    Raises sqlite3.OperationalError where there is no ledger. Methods may be called from any thread.
    """

    def __init__(self, path: Path) -> None:
        address = path.resolve().as_uri() + "?mode=ro"
        self._reading = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
        self._one_at_a_time = threading.Lock()

    def calls(
        self, after: int = 0, limit: int = 100, campaign_ids: Collection[str] | None = None
    ) -> Sequence[PlacedCall]:
        """List calls, oldest first: at most `limit` with an id above `after`, of these campaigns only."""
        wanted = None if campaign_ids is None else json.dumps(list(campaign_ids))
        return [_call(row) for row in self._read(_PAGE, (after, wanted, limit))]

    def living(self) -> Sequence[PlacedCall]:
        """List the calls that have not ended."""
        return [_call(row) for row in self._read(f"{_CALLS} where status in (?, ?) order by id", (RINGING, TALKING))]

    def times(self, status: str) -> dict[str, int]:
        """Return how many calls to each number ended so."""
        return dict(self._read("select to_number, count(*) from calls where status = ? group by to_number", (status,)))

    def count(self) -> int:
        """Count the calls, duplicates included."""
        return int(self._read("select count(*) from calls")[0][0])

    def duplicates(self) -> dict[str, int]:
        """Return the attempts that were placed more than once, and how often each."""
        return dict(self._read("select reference, count(*) from calls group by reference having count(*) > 1"))

    def close(self) -> None:
        """Let go of the file."""
        self._reading.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self._one_at_a_time:
            return self._reading.execute(statement, values).fetchall()


class _Change(NamedTuple):
    statement: str
    values: tuple[Any, ...]
    done: asyncio.Future[None]


class CallLedger(CallLedgerReader):
    """The ledger of the one process that writes it. What comes together is committed together.

    `inline` writes on the calling thread and does not wait for the disk: for simulated time. Raises RuntimeError for a
    ledger of another version.
    """

    def __init__(self, path: Path, *, inline: bool = False) -> None:
        self._writing = _connect(path, durable=not inline)
        super().__init__(path)
        self._inline = inline
        self._waiting: list[_Change] = []
        self._flushing: asyncio.Task[None] | None = None
        self._latest = int(self._read("select coalesce(max(id), 0) from calls")[0][0])

    async def place(self, dial: Dial, status: str, at: datetime) -> int:
        """Write a call down; return its id when that is durable. Raises LedgerFailed, as all that writes."""
        self._latest += 1
        call_id = self._latest
        row = (call_id, dial.reference, dial.to, dial.sender, dial.campaign_id, status, to_micros(at))
        await self._write(_INSERT, row)
        return call_id

    async def answer(self, call_id: int, at: datetime) -> None:
        """Write down that it was answered."""
        change = "update calls set status = ?, answered_at = ? where id = ?"
        await self._write(change, (TALKING, to_micros(at), call_id))

    async def end(self, call_id: int, status: str, keys: str, at: datetime) -> None:
        """Write down how it ended."""
        change = "update calls set status = ?, keys = keys || ?, ended_at = ? where id = ?"
        await self._write(change, (status, keys, to_micros(at), call_id))

    async def flush(self) -> None:
        """Return when everything is written."""
        if self._flushing is not None:
            await asyncio.shield(self._flushing)

    def close(self) -> None:
        """Let go of the file."""
        super().close()
        self._writing.close()

    async def _write(self, statement: str, values: tuple[Any, ...]) -> None:
        if self._inline:
            try:
                self._writing.execute(statement, values)
            except sqlite3.Error as error:
                raise LedgerFailed from error
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Change(statement, values, done))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush(), name="sandbox call ledger")
        await done

    async def _flush(self) -> None:
        while self._waiting:
            changes, self._waiting = self._waiting, []
            fault: LedgerFailed | None = None
            try:
                await asyncio.to_thread(self._commit, changes)
            except sqlite3.Error as error:
                fault = LedgerFailed(str(error))
            for change in changes:
                if change.done.done():  # nobody waits for it any more
                    continue
                if fault is None:
                    change.done.set_result(None)
                else:
                    change.done.set_exception(fault)

    def _commit(self, changes: Sequence[_Change]) -> None:
        self._writing.execute("begin immediate")
        try:
            for change in changes:
                self._writing.execute(change.statement, change.values)
            self._writing.execute("commit")
        except BaseException:
            if self._writing.in_transaction:
                self._writing.execute("rollback")
            raise


def _connect(path: Path, *, durable: bool) -> sqlite3.Connection:
    path.touch(mode=0o600)  # it holds plain numbers
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("pragma journal_mode = wal")
    connection.execute(f"pragma synchronous = {'full' if durable else 'off'}")
    (version,) = connection.execute("pragma user_version").fetchone()
    if version == 0:
        connection.executescript(f"begin immediate; {_TABLES} pragma user_version = {_VERSION}; commit;")
    elif version != _VERSION:
        connection.close()
        raise RuntimeError(f"this ledger of calls has version {version}, not {_VERSION}: move it away to begin anew")
    return connection


def _call(row: tuple[Any, ...]) -> PlacedCall:
    placed_at, answered_at, ended_at = (None if micros is None else from_micros(micros) for micros in row[7:])
    return PlacedCall._make((*row[:7], placed_at, answered_at, ended_at))
