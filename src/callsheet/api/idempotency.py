"""Idempotency keys: a request that is sent again under its key gets the answer it got, and does nothing more.

The header `Idempotency-Key` works on every POST and PUT of a caller, in both dialects. An answer is kept for 24 hours,
in the database, so that it does not matter which node or which process is asked again. Only successes are kept: what
was refused changed nothing, and may be corrected and sent again under the same key. What failed for a reason of ours
may have changed something: nobody knows, and it is not carried out again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from callsheet.api.caller import Caller
from callsheet.api.failures import as_failure
from callsheet.core.errors import FieldError, Invalid, KeyReused
from callsheet.engine.runtime import Runtime
from callsheet.store.answers import Answer, Key

REPEATABLE: Final = frozenset({"POST", "PUT"})
"""The other methods can be repeated as they are."""

_HEADER = "Idempotency-Key"
_LONGEST_KEY = 255
_MOST_KEPT_BYTES = 1024 * 1024
_REPLAYED = "idempotent-replayed"

Route = Callable[[Scope, Receive, Send], Awaitable[None]]


def read_key(headers: Headers) -> str | None:
    """Return the key of a request; None where it has none. Raises Invalid."""
    keys = {key.strip() for key in headers.getlist(_HEADER)}
    if not keys:
        return None
    key = keys.pop()
    if keys or not key or len(key) > _LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise Invalid([FieldError(_HEADER, f"Give one key of 1 to {_LONGEST_KEY} visible ASCII characters.")])
    return key


class Once:
    """Sees to it that a request under a key is carried out once."""

    def __init__(self, runtime: Runtime, caller: Caller, key: str, *, only_reads: bool) -> None:
        self._clock = runtime.clock
        self._only_reads = only_reads
        self._answers = runtime.store.answers
        self._key = Key(caller.tenant.no if caller.tenant is not None else 0, caller.id, key)

    async def answer(self, scope: Scope, body: bytes | None, receive: Receive, send: Send, route: Route) -> None:
        """Route a request, or answer it as before. Without a body it is a file, which is hashed as it comes."""
        hashed = _Hashed(scope, receive)
        if body is not None:
            hashed.add(body)
        begun = await self._answers.begin(self._key, b"" if body is None else hashed.digest(), self._clock.now())
        if begun is None:
            await self._carry_out(scope, receive if body is not None else hashed, hashed, send, route)
            return
        if body is None:
            await hashed.read_all()
        if hashed.digest() != begun.fingerprint:
            raise KeyReused
        replay = Response(begun.body, begun.status, {_REPLAYED: "true"}, begun.content_type)
        await replay(scope, receive, send)

    async def _carry_out(self, scope: Scope, receive: Receive, hashed: _Hashed, send: Send, route: Route) -> None:
        held = _Held()
        try:
            await route(scope, receive, held)
        except Exception as error:
            await self._let_go(as_failure(error).status)
            raise
        if held.is_success() and held.size <= _MOST_KEPT_BYTES:
            await self._answers.keep(self._key, held.as_answer(hashed.digest()))
        else:
            await self._let_go(held.status)
        for message in held.messages:
            await send(message)

    async def _let_go(self, status: int) -> None:
        """End a request whose answer is not kept: what certainly changed nothing may come again under its key."""
        if self._only_reads or 400 <= status < 500:
            await self._answers.forget(self._key)
        else:
            await self._answers.break_off(self._key, self._clock.now())


class _Hashed:
    """Receives a request, and hashes it on its way."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self._hash = hashlib.sha256()
        for part in (scope["method"].encode(), scope["path"].encode(), scope["query_string"]):
            self.add(len(part).to_bytes(8, "big") + part)

    def add(self, part: bytes) -> None:
        """Hash a part."""
        self._hash.update(part)

    def digest(self) -> bytes:
        """Return the hash of all parts so far."""
        return self._hash.digest()

    async def __call__(self) -> Message:
        """Receive the next message."""
        message = await self._receive()
        self.add(message.get("body", b""))
        return message

    async def read_all(self) -> None:
        """Receive all that is left."""
        while (await self()).get("more_body", False):
            pass


class _Held:
    """Holds an answer back until it is kept: whoever has heard an answer hears the same one again."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.size = 0

    async def __call__(self, message: Message) -> None:
        """Take a message of the answer."""
        self.messages.append(message)
        self.size += len(message.get("body", b""))

    def is_success(self) -> bool:
        """Tell whether the request did what it asked for."""
        return 200 <= self.status < 300

    def as_answer(self, fingerprint: bytes) -> Answer:
        """Return what is kept."""
        content_type = Headers(raw=self.messages[0]["headers"]).get("content-type", "")
        body = b"".join(message.get("body", b"") for message in self.messages[1:])
        return Answer(self.status, content_type, body, fingerprint)

    @property
    def status(self) -> int:
        """Return how the request ended."""
        return int(self.messages[0]["status"]) if self.messages else 0
