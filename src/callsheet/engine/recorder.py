"""Record: what happened becomes durable in batches; only then is anybody told."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count as counted

import structlog

from callsheet import meters
from callsheet.clock import Clock
from callsheet.core.attempt import Happening
from callsheet.core.errors import Unavailable
from callsheet.core.ids import AttemptKey
from callsheet.core.matching import Carried, LooseReceipt
from callsheet.engine.failpoints import Failpoints
from callsheet.engine.holds import Holds
from callsheet.store.protocol import Batch, HotStore, Recorded

log = structlog.get_logger()

LINGER_SECONDS = 0.02
"""How long a small batch waits for company."""
BUSY = 50
"""Where so many come while a batch lingers, it lingers on: a commit costs more than what is in it."""
LONGEST_LINGERS = 5
FULL = 2000
"""A batch of this size does not wait, and none is larger."""
MOST_UNRECORDED = 20_000
"""While so much waits for the store, receipts are not taken: carriers keep them, and tell them again."""
LAST_TRIES = 20
"""How often a batch is tried when the process is to stop."""
AWAY_SECONDS = 0.5
"""How long to wait before a store that is away is asked again."""


class Recorder:
    """Collects happenings of all lines and writes them down, batch after batch."""

    def __init__(
        self,
        hot: HotStore,
        holds: Holds,
        clock: Clock,
        rng: random.Random,
        failpoints: Failpoints,
        *,
        node_no: int,
        linger_seconds: float = LINGER_SECONDS,
    ) -> None:
        self._hot = hot
        self._holds = holds
        self._clock = clock
        self._rng = rng
        self._failpoints = failpoints
        self._node_no = node_no
        self._linger_seconds = linger_seconds
        self._batch_no = 0
        self._noted: list[Happening | LooseReceipt] = []
        self._carried: list[Carried] = []
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._count = self._durable = 0
        self._work = asyncio.Event()
        self._stopping = False
        self._tries = 0
        """How often a batch is tried; 0: until it is stored."""
        self._has_dropped = self._has_given_up = False
        self.on_recorded: Callable[[Recorded], None] = lambda _: None

    def note(self, happening: Happening, carried: Carried | None = None) -> None:
        """Take a happening that nobody waits for, and the ids under which the carrier will speak of it."""
        self._noted.append(happening)
        if carried is not None:
            self._carried.append(carried)
        self._count += 1
        self._work.set()

    def expect(self, carried: Carried) -> None:
        """Take the ids under which the carrier will speak of what is settled next."""
        self._carried.append(carried)

    def note_all(self, happenings: Sequence[Happening | LooseReceipt]) -> None:
        """Take many at once."""
        self._noted.extend(happenings)
        self._count += len(happenings)
        self._work.set()

    @property
    def is_full(self) -> bool:
        """Tell whether so much waits for the store that nothing is to be taken that somebody else keeps."""
        return len(self._noted) >= MOST_UNRECORDED

    def nudge(self) -> None:
        """Write down soon which arms were handed, although nothing happened yet."""
        self._work.set()

    async def settle(self, happenings: Sequence[Happening], receipts: Sequence[LooseReceipt] = ()) -> None:
        """Take happenings, and receipts that do not say whose they are, and return when they are durable."""
        self.note_all([*happenings, *receipts])
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((self._count, future))
        await future

    async def settled(self) -> None:
        """Return when all that was taken so far is durable. Raises Unavailable when it is not, and never will be."""
        if self._has_given_up:
            raise Unavailable
        if self._durable < self._count:
            await self.settle(())

    async def run(self) -> None:
        """Write batches until `stop`, and then what is left."""
        while not self._stopping or self._noted:
            await self._work.wait()
            await self._linger()
            self._work.clear()
            await self.flush()
            if len(self._noted) > 0:
                self._work.set()

    async def _linger(self) -> None:
        """Wait for company, as long as it comes."""
        for lingers in range(1, LONGEST_LINGERS + 1):
            if len(self._noted) >= FULL or self._stopping:
                return
            await self._clock.sleep(self._linger_seconds)
            if len(self._noted) < BUSY * lingers:
                return

    def hurry(self) -> None:
        """The process is to end: from now on a store that is away is not waited for for ever."""
        self._tries = LAST_TRIES

    def stop(self) -> None:
        """Write what is left and end."""
        self.hurry()
        self._stopping = True
        self._work.set()

    async def flush(self) -> None:
        """Write one batch; a store that is away is asked again with the same batch until it answers."""
        taken, self._noted = self._noted[:FULL], self._noted[FULL:]
        carried, self._carried = self._carried, []
        happenings = [one for one in taken if isinstance(one, Happening)]
        receipts = [one for one in taken if isinstance(one, LooseReceipt)] if len(happenings) < len(taken) else []
        intents = {}
        for happening in happenings:
            key = AttemptKey(happening.run_no, happening.person, happening.n)
            intent = self._holds.end(key, happening.kind)
            if intent is not None:
                intents[key] = intent
        handed, ended = self._holds.collect()
        if not taken and not carried and not handed and not ended:
            return
        self._batch_no += 1
        batch = Batch(self._node_no, self._batch_no, happenings, handed, ended, carried, receipts, intents)
        self._failpoints.reach("before_record")
        recorded = await self._record(batch)
        if recorded is None:
            return
        self._failpoints.reach("after_record")
        _measure(happenings, recorded)
        if recorded.dropped and not self._has_dropped:
            # Said once: more come than a log bears.
            log.warning("receipts.too_many_wait", count=recorded.dropped)
            self._has_dropped = True
        self._tell(self._count - len(self._noted))
        self.on_recorded(recorded)

    async def _record(self, batch: Batch) -> Recorded | None:
        for tries in counted(1):
            try:
                return await self._hot.record(batch, self._rng.random)
            except Exception as error:  # noqa: BLE001 (whatever it was, it must not be lost)
                # The batch number makes a repeat harmless, also when the first one was stored after all.
                log.warning("store.away", batch_no=batch.batch_no, error=type(error).__name__)
                if self._tries and tries >= self._tries:
                    self._give_up(batch, error)
                    return None
                await self._clock.sleep(AWAY_SECONDS)
        raise AssertionError("it returns or raises")

    def _give_up(self, batch: Batch, error: Exception) -> None:
        """Leave what is not stored to the next start: carriers tell it again, or it is uncertain then."""
        count = len(batch.happenings) + len(batch.receipts) + len(self._noted)
        log.error("recorder.gave_up", count=count, error=type(error).__name__)
        self._tries = 1
        self._has_given_up = True
        self._noted.clear()
        self._carried.clear()
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(Unavailable())
        self._waiting.clear()

    def _tell(self, through: int) -> None:
        self._durable = through
        while self._waiting and self._waiting[0][0] <= through:
            future = self._waiting.pop(0)[1]
            if not future.done():
                future.set_result(None)


def _measure(happenings: Sequence[Happening], recorded: Recorded) -> None:
    kinds = Counter(happening.kind for happening in happenings)
    for kind, number in (kinds + Counter(recorded.matched) + Counter(recorded.settled)).items():
        meters.events.labels(kind=kind.value).inc(number)
    meters.unknown_receipts.inc(recorded.unknown)
    meters.loose_receipts.labels(outcome="matched").inc(len(recorded.matched))
    meters.loose_receipts.labels(outcome="attached").inc(len(recorded.settled))
    meters.loose_receipts.labels(outcome="parked").inc(recorded.parked)
    meters.loose_receipts.labels(outcome="dropped").inc(recorded.dropped)
    meters.loose_receipts.labels(outcome="of_answer").inc(recorded.of_answers)
