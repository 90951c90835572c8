"""Ask: call the webhooks, and the language models, that sessions of flows wait for.

Each is asked at least once, under one id however often: who asked and died before the answer was written down leaves
it to the next. The answer, or that there is none, goes to the session as a value.
"""

from __future__ import annotations

import random
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final, Protocol

import msgspec
import structlog

from callsheet import meters
from callsheet.clock import Clock
from callsheet.core.asking import Answer, NotReached, Request
from callsheet.core.flow.completion import BadAnswer, Prices, read_answer, write_question
from callsheet.core.flow.effects import AskModel, CallWebhook
from callsheet.core.flow.given import Given, ModelAnswered, NoAnswer, WebhookAnswered
from callsheet.core.flow.session import Plain
from callsheet.core.webhook import SECRET_PREFIX, read_retry_after, sign
from callsheet.engine.crew import TICK_SECONDS, Crew
from callsheet.engine.outside import Outside
from callsheet.store.ai_endpoints import AiEndpoint
from callsheet.store.errands import Errand
from callsheet.store.store import Store

log = structlog.get_logger()

MOST_AT_ONCE = 256
MOST_EACH = 64
"""So many of one app: slow webhooks of one hold up no other's."""
MOST_BYTES = 256 * 1024
MOST_MODEL_BYTES = 1024 * 1024
"""A stream wraps every word in an object."""
MOST_TRIES = 4
"""So often a model is asked while its time lasts."""
MOST_TAKEN = 5
"""So often an errand is begun: one at which nodes die again and again has no answer."""
RETRY_SECONDS = 1.0
"""After the first try that failed; after each further one twice as long."""
JITTER = 0.5
_MOST_DEPTH = 64
_AGAIN: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})

_UNREADABLE = "What is stored of this question cannot be read, so nothing was asked."
_TOO_LATE = "It was not asked in time, so nobody was."
_TOO_OFTEN = "It was begun again and again, and never finished."
_NO_ENDPOINT = "The app has no AI endpoint of this name."
_NO_PRICES = "What is stored of the AI endpoint's prices cannot be read: give both again."

Answered = WebhookAnswered | ModelAnswered | NoAnswer


class Talks(Protocol):
    """Who leads the conversations that wait for answers."""

    node_no: int
    """Which node of ours this is: what its calls wait for is asked here alone."""
    on_errands: Callable[[], None]
    """Called when something is to be asked."""

    async def give(self, app: int, talk_no: int, given: Given, *, errand_id: str = "") -> bool:
        """Give a conversation an answer, and say whether it waited for it. Raises Unavailable."""


class Asker:
    """Runs the errands of all apps."""

    def __init__(
        self,
        store: Store,
        outside: Outside,
        clock: Clock,
        rng: random.Random,
        talks: Talks,
        *,
        sole_owner: bool = False,
        tick_seconds: float = TICK_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        """`sole_owner`: no other node works on this store, and what an earlier process held is free."""
        self._store = store
        self._outside = outside
        self._clock = clock
        self._rng = rng
        self._talks = talks
        self._unreleased = sole_owner
        self._retry_seconds = retry_seconds
        self._busy: Counter[int] = Counter()
        self._crew: Crew[Errand] = Crew(
            "asker", self._look, self._work, clock, most=MOST_AT_ONCE, tick_seconds=tick_seconds
        )
        self.wake = self._crew.wake
        self.stop = self._crew.stop
        self.run = self._crew.run
        talks.on_errands = self.wake

    async def _look(self, room: int) -> tuple[Sequence[Errand], datetime | None]:
        now = await self._store.hot.now()
        if self._unreleased:
            await self._store.errands.release_all(now)
            self._unreleased = False
        errands, next_at = await self._store.errands.take(
            now, most=room, most_each=MOST_EACH, busy=self._busy, node_no=self._talks.node_no
        )
        self._busy.update(errand.app for errand in errands)
        return errands, next_at

    async def _work(self, errand: Errand) -> None:
        try:
            await self._run_errand(errand)
        finally:
            self._busy[errand.app] -= 1
            if not self._busy[errand.app]:
                del self._busy[errand.app]

    async def _run_errand(self, errand: Errand) -> None:
        now = await self._store.hot.now()
        is_over = now >= errand.deadline_at or errand.tries > MOST_TAKEN
        if is_over:
            answer: Answered = NoAnswer(_TOO_LATE if now >= errand.deadline_at else _TOO_OFTEN, now)
        else:
            answer = await self._ask(errand)
        kind = "model" if isinstance(errand.asked, AskModel) else "webhook"
        meters.errands.labels(kind, "none" if isinstance(answer, NoAnswer) else "answered").inc()
        if isinstance(answer, NoAnswer):
            log.info("errand.no_answer", errand=errand.id, kind=kind, reason=answer.why)
        was_taken = await self._talks.give(errand.app, errand.session_no, answer, errand_id=errand.id)
        if is_over and not was_taken:
            # Nobody can be given it, however often: its flow is gone, or cannot be read.
            await self._store.errands.forget(errand)

    async def _ask(self, errand: Errand) -> Answered:
        match errand.asked:
            case CallWebhook():
                return await self._call(errand, errand.asked)
            case AskModel():
                return await self._ask_model(errand, errand.asked)
            case None:
                log.error("errand.unreadable", errand=errand.id)
                return NoAnswer(_UNREADABLE, await self._store.hot.now())

    # -- webhooks ----------------------------------------------------------------------------------------------------

    async def _call(self, errand: Errand, call: CallWebhook) -> WebhookAnswered | NoAnswer:
        body = b"" if call.body is None else msgspec.json.encode(call.body)
        headers = dict(call.headers)
        if call.body is not None:
            headers["content-type"] = "application/json"
        headers |= sign([secret_of(self._store, errand)], errand.id, self._clock.now(), body)
        request = Request(call.method, call.url, headers, body or None)
        try:
            answer = await self._outside.ask(request, seconds=call.seconds, most_bytes=MOST_BYTES)
        except NotReached as error:
            return NoAnswer(str(error), await self._store.hot.now())
        return WebhookAnswered(answer.status, _read(answer.body), await self._store.hot.now())

    # -- models ------------------------------------------------------------------------------------------------------

    async def _ask_model(self, errand: Errand, asked: AskModel) -> ModelAnswered | NoAnswer:
        found = await self._store.ai_endpoints.named(errand.app, asked.endpoint)
        if found is None:
            return NoAnswer(_NO_ENDPOINT, await self._store.hot.now())
        endpoint, key = found
        if endpoint.prices is None:
            return NoAnswer(_NO_PRICES, await self._store.hot.now())
        request = _question(errand, asked, endpoint, key)
        deadline = self._clock.monotonic() + asked.seconds
        for tries in range(1, MOST_TRIES + 1):
            tried = await self._try(request, asked, endpoint.prices, deadline - self._clock.monotonic())
            if isinstance(tried, ModelAnswered):
                return tried
            why, pause = tried
            if pause is None or tries == MOST_TRIES:
                break
            usual = self._retry_seconds * 2 ** (tries - 1) * (1 + JITTER * self._rng.random())
            seconds = max(usual, pause.total_seconds())
            if self._clock.monotonic() + seconds >= deadline:
                break
            await self._clock.sleep(seconds)
        return NoAnswer(why, await self._store.hot.now())

    async def _try(
        self, request: Request, asked: AskModel, prices: Prices, seconds: float
    ) -> ModelAnswered | tuple[str, timedelta | None]:
        """Ask once; return the answer, or why there is none, and after how long to ask again (None: not at all)."""
        at_once = timedelta()
        try:
            answer = await self._outside.ask(request, seconds=seconds, most_bytes=MOST_MODEL_BYTES)
        except NotReached as error:
            return str(error), at_once
        now = await self._store.hot.now()
        if not 200 <= answer.status < 300:
            return f"The model's endpoint answered {answer.status}.", _again(answer, now)
        try:
            return read_answer(answer.body, asked, prices, now)
        except BadAnswer as error:
            return str(error), at_once


def secret_of(store: Store, errand: Errand) -> str:
    """Return the secret that signs what a flow's webhooks are sent."""
    return flow_secret(store, errand.app, errand.flow_id)


def flow_secret(store: Store, app: int, flow_id: str) -> str:
    """Return the signing secret of a flow: the same on every node, and kept nowhere."""
    key = store.vault.app(app)
    assert key is not None, "the app was opened when its errand, or its token, was read"
    return SECRET_PREFIX + b64encode(key.flow_secret(flow_id)).decode()


def _question(errand: Errand, asked: AskModel, endpoint: AiEndpoint, key: str) -> Request:
    headers = {
        "content-type": "application/json",
        "accept": "text/event-stream, application/json",
        "idempotency-key": errand.id,
    }
    if key:
        headers["authorization"] = f"Bearer {key}"
    body = msgspec.json.encode(write_question(asked, endpoint.model))
    return Request("POST", f"{endpoint.base_url.rstrip('/')}/chat/completions", headers, body)


def _again(answer: Answer, now: datetime) -> timedelta | None:
    """Return after how long to ask again, as far as the answer says so; None: it says the same again."""
    if answer.status not in _AGAIN and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return None
    return read_retry_after(answer.headers.get("retry-after"), now) or timedelta()


def _read(body: bytes) -> Plain:
    """Return the JSON of an answer; its text where it is none, or nests deeper than anybody writes."""
    if not body:
        return None
    try:
        found: Plain = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")
    return found if _is_flat(found) else body.decode("utf-8", "replace")


def _is_flat(value: object) -> bool:
    level = [value]
    for _ in range(_MOST_DEPTH):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each if isinstance(each, list) else ())
        ]
        if not level:
            return True
    return False
