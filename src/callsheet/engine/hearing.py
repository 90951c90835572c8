"""The ear of one trunk: parts receipts from replies, and has both stored before the carrier may acknowledge them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import datetime

import structlog

from callsheet import meters
from callsheet.carriers.base import Acknowledged, Heard, Inbound, Receipt
from callsheet.clock import Clock
from callsheet.core.attempt import Happening, as_said
from callsheet.core.errors import Unavailable
from callsheet.core.ids import AttemptKey, decode_attempt, decode_reply
from callsheet.core.matching import Carried, LooseReceipt, canonical_ids, contact_number
from callsheet.engine.inbound import Listener
from callsheet.engine.recorder import Recorder
from callsheet.store.apps import Trunk
from callsheet.store.store import Store

log = structlog.get_logger()

MOST_RUNS = 10_000
"""So many runs are kept in mind; a single message is a run too."""


class Hearing:
    """The ear of one trunk: of its open line, and of callbacks, which reach any node."""

    def __init__(self, store: Store, trunk: Trunk, recorder: Recorder, clock: Clock, listener: Listener) -> None:
        self._store = store
        self._trunk = trunk
        self._recorder = recorder
        self._clock = clock
        self._listener = listener
        self._own_runs: set[int] = set()
        """Runs of the trunk's app that were heard of: a run never changes hands."""

    async def hear(self, heard: Sequence[Heard]) -> None:
        """Store receipts and replies; when this returns they are durable, and the carrier may acknowledge.

        Raises Unavailable when the store is away, or so slow that too much waits for it: the carrier tells it again
        then.
        """
        inbound: list[Inbound] = []
        receipts: list[Receipt] = []
        known: list[str] = []
        for item in heard:
            if isinstance(item, Inbound):
                inbound.append(item)
            elif isinstance(item, Acknowledged):
                known.append(item.inbound_id)
            elif not item.reference or decode_reply(item.reference) is None:
                # A receipt for one of our answers names no attempt; drop it.
                receipts.append(item)
        # A STOP waits for no receipt, and no receipt for what is on its way to whoever said STOP.
        await _all(
            *([self._listener.hear(self._trunk, inbound)] if inbound else ()),
            *([self._hear_receipts(receipts)] if receipts else ()),
            *([self._store.inbox.acknowledge(self._trunk.app, self._trunk.no, known)] if known else ()),
        )

    def expect(self, key: AttemptKey, carrier_ids: Sequence[str], at: datetime) -> Carried:
        """Say under which ids the carrier will speak of an attempt, or of some parts of it: those without are empty."""
        known, missing = canonical_ids(carrier_ids), carrier_ids.count("")
        return Carried(self._trunk.app, self._trunk.no, key, known, at, len(known) + missing if missing else 0)

    def hear_stopped(self, person: bytes) -> None:
        """Hear that the carrier does not send to a person who said STOP to it."""
        self._listener.hear_stopped(self._trunk.app, person)

    async def _hear_receipts(self, receipts: Sequence[Receipt]) -> None:
        if self._recorder.is_full:
            # Who tells it gives up sooner than we do, and tells it again: each time it would be kept once more.
            raise Unavailable
        keys = [decode_attempt(receipt.reference) if receipt.reference else None for receipt in receipts]
        await self._learn({key.run_no for key in keys if key is not None})
        heard_at = self._clock.now()
        happenings, loose, unknown = [], [], 0
        stopped: set[bytes] = set()
        for key, receipt in zip(keys, receipts, strict=True):
            # One that names another app's attempt was forged, or sent astray: it changes nothing.
            if key is not None and key.run_no in self._own_runs:
                if receipt.stopped:
                    stopped.add(key.person)
                code, ref = as_said(receipt.code), as_said(receipt.carrier_id)
                happenings.append(Happening(*key, receipt.kind, receipt.at, code, ref))
                if receipt.part_ids:
                    late = self.expect(key, receipt.part_ids, receipt.at)._replace(is_late=True)
                    self._recorder.expect(late)
            elif key is None and (read := self._read(receipt, heard_at)):
                loose.append(read)
                if receipt.stopped and read.person:
                    stopped.add(read.person)
            else:
                unknown += 1
        if unknown:
            log.warning("receipt.unknown", trunk=self._trunk.id, count=unknown)
            meters.unknown_receipts.inc(unknown)
        await _all(
            *([self._listener.opt_out(self._trunk.app, stopped)] if stopped else ()),
            *([self._recorder.settle(happenings, loose)] if happenings or loose else ()),
        )

    def _read(self, receipt: Receipt, heard_at: datetime) -> LooseReceipt | None:
        """Read a receipt that does not carry our reference; None when it says of nothing and nobody that it speaks."""
        ids = canonical_ids((receipt.carrier_id, *receipt.spellings))
        key, number = self._store.vault.app(self._trunk.app), contact_number(receipt.number)
        person = key.person(number) if key is not None and number is not None else b""
        if not ids and not person:
            return None
        return LooseReceipt(
            self._trunk.app,
            self._trunk.no,
            ids,
            person,
            receipt.kind,
            receipt.at,
            heard_at,
            as_said(receipt.code),
            as_said(receipt.carrier_id),
            receipt.hint,
        )

    async def _learn(self, run_nos: set[int]) -> None:
        """Find out which of these runs are the app's."""
        strange = run_nos - self._own_runs
        if strange:
            if len(self._own_runs) > MOST_RUNS:
                self._own_runs = run_nos & self._own_runs
            self._own_runs |= await self._store.runs.among(self._trunk.app, strange)


async def _all(*storing: Awaitable[None]) -> None:
    """Wait for all, then raise what the first of them raised."""
    for said in await asyncio.gather(*storing, return_exceptions=True):
        if said is not None:
            raise said
