"""Hear: what a trunk's carrier tells, stored before the carrier may acknowledge it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog

from callsheet import meters
from callsheet.carriers.base import Heard, Inbound, Receipt
from callsheet.core.attempt import Happening, as_said
from callsheet.core.ids import decode_attempt
from callsheet.engine.recorder import Recorder
from callsheet.store.apps import Trunk
from callsheet.store.store import Store

log = structlog.get_logger()

MOST_RUNS = 10_000
"""So many runs are kept in mind; a single message is a run too."""

HearInbound = Callable[[Sequence[Inbound]], Awaitable[None]]


class Hearing:
    """The ear of one trunk: of its open line, and of callbacks, which reach any node."""

    def __init__(self, store: Store, trunk: Trunk, recorder: Recorder, hear_inbound: HearInbound) -> None:
        self._store = store
        self._trunk = trunk
        self._recorder = recorder
        self._hear_inbound = hear_inbound
        self._own_runs: set[int] = set()
        """Runs of the trunk's app that were heard of: a run never changes hands."""

    async def hear(self, heard: Sequence[Heard]) -> None:
        """Store receipts and replies; when this returns they are durable, and the carrier may acknowledge.

        Raises Unavailable when the store is away: the carrier tells it again then.
        """
        inbound: list[Inbound] = []
        receipts: list[Receipt] = []
        for item in heard:
            match item:
                case Receipt():
                    receipts.append(item)
                case Inbound():
                    inbound.append(item)
        if inbound:
            await self._hear_inbound(inbound)
        if receipts:
            await self._hear_receipts(receipts)

    async def _hear_receipts(self, receipts: Sequence[Receipt]) -> None:
        keys = [decode_attempt(receipt.reference) for receipt in receipts]
        await self._learn({key.run_no for key in keys if key is not None})
        happenings = []
        for key, receipt in zip(keys, receipts, strict=True):
            # One that names another app's attempt was forged, or sent astray: it changes nothing.
            if key is not None and key.run_no in self._own_runs:
                code, ref = as_said(receipt.code), as_said(receipt.carrier_id)
                happenings.append(Happening(*key, receipt.kind, receipt.at, code, ref))
            else:
                log.warning("receipt.unknown", trunk=self._trunk.id)
                meters.unknown_receipts.inc()
        if happenings:
            await self._recorder.settle(happenings)

    async def _learn(self, run_nos: set[int]) -> None:
        """Find out which of these runs are the app's."""
        strange = run_nos - self._own_runs
        if strange:
            if len(self._own_runs) > MOST_RUNS:
                self._own_runs = run_nos & self._own_runs
            self._own_runs |= await self._store.runs.among(self._trunk.app, strange)
