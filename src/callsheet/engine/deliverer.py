"""Deliver: tell webhooks what happened, at least once each, in no promised order."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from callsheet import meters
from callsheet.clock import Clock
from callsheet.core.asking import NotReached, Request
from callsheet.core.instants import write_instant
from callsheet.core.webhook import Disable, Done, GiveUp, after, read_retry_after, sign
from callsheet.engine.crew import TICK_SECONDS, Crew
from callsheet.engine.outside import Outside
from callsheet.store.deliveries import Parcel
from callsheet.store.store import Store

log = structlog.get_logger()

TIMEOUT_SECONDS = 15.0
LEASE_SECONDS = 60.0
"""Longer than a try takes with all that goes before and after it."""
MOST_AT_ONCE = 256
MOST_EACH = 4
"""So many of one webhook, and one of one that is failing."""
KEPT = timedelta(days=30)
PRUNE_EVERY = timedelta(hours=1)

_UNREADABLE = "What is stored of this notice cannot be read, so nothing was sent."
_UNREADABLE_WEBHOOK = (
    "What is stored of the webhook's URL or secret cannot be read, so nothing was sent. Give it its URL again, and a"
    " new secret."
)


class Deliverer:
    """Delivers notices to the webhooks of all apps."""

    def __init__(
        self, store: Store, outside: Outside, clock: Clock, rng: random.Random, *, tick_seconds: float = TICK_SECONDS
    ) -> None:
        self._store = store
        self._outside = outside
        self._clock = clock
        self._rng = rng
        self._busy: Counter[int] = Counter()
        self._pruned_at: datetime | None = None
        self._crew: Crew[Parcel] = Crew(
            "deliverer", self._look, self._deliver, clock, most=MOST_AT_ONCE, tick_seconds=tick_seconds
        )
        self.wake = self._crew.wake
        self.stop = self._crew.stop
        self.run = self._crew.run

    async def _look(self, room: int) -> tuple[Sequence[Parcel], datetime | None]:
        now = await self._store.hot.now()
        if self._pruned_at is None or now - self._pruned_at >= PRUNE_EVERY:
            self._pruned_at = now
            await self._store.deliveries.prune(now - KEPT)
        parcels, next_at = await self._store.deliveries.take(
            now, most=room, most_each=MOST_EACH, busy=self._busy, lease_seconds=LEASE_SECONDS
        )
        self._busy.update(parcel.webhook_no for parcel in parcels)
        return parcels, next_at

    async def _deliver(self, parcel: Parcel) -> None:
        try:
            await self._try(parcel)
        finally:
            self._busy[parcel.webhook_no] -= 1
            if not self._busy[parcel.webhook_no]:
                del self._busy[parcel.webhook_no]

    async def _try(self, parcel: Parcel) -> None:
        status, problem, retry_after = await self._post(parcel)
        now = await self._store.hot.now()
        verdict = after(
            status,
            parcel.tries,
            now=now,
            jitter=self._rng.random(),
            retry_after=read_retry_after(retry_after, now),
            failing_since=parcel.failing_since,
        )
        await self._store.deliveries.settle(parcel, verdict, status=status, problem=problem, now=now)
        meters.deliveries.labels(type(verdict).__name__.lower()).inc()
        match verdict:
            case Done():
                pass
            case GiveUp():
                log.warning("delivery.given_up", delivery=parcel.id, webhook=parcel.webhook_id, tries=parcel.tries)
            case Disable(reason):
                log.warning("webhook.disabled", webhook=parcel.webhook_id, reason=reason)

    async def _post(self, parcel: Parcel) -> tuple[int | None, str, str | None]:
        """Send a delivery; return the status, what went wrong, and what the answer says about when to come again."""
        if parcel.address is None or parcel.payload is None:
            log.error("delivery.unreadable", delivery=parcel.id, webhook=parcel.webhook_id)
            return None, _UNREADABLE_WEBHOOK if parcel.address is None else _UNREADABLE, None
        content = msgspec.json.encode(
            {"type": parcel.kind, "timestamp": write_instant(parcel.at), "data": parcel.payload}
        )
        headers = {
            "content-type": "application/json",
            **sign(parcel.address.secrets, parcel.id, self._clock.now(), content),
        }
        request = Request("POST", parcel.address.url, headers, content)
        try:
            answer = await self._outside.ask(request, seconds=TIMEOUT_SECONDS, most_bytes=0)
        except NotReached as error:
            return None, str(error), None
        problem = "" if 200 <= answer.status < 300 else f"The receiver answered {answer.status}."
        return answer.status, problem, answer.headers.get("retry-after")
