"""The API as one ASGI application: the documented wire and our own resources behind one front.

Starting and stopping the engine is not its business.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callsheet.api.auditing import deed_of
from callsheet.api.caller import CALLER, DOCUMENT, GENERATION, NOTED, caller_of
from callsheet.api.compat import errors as compat_errors
from callsheet.api.compat import router as compat_router
from callsheet.api.failures import as_failure, is_expected, places_of
from callsheet.api.idempotency import REPEATABLE, Once, read_key
from callsheet.api.identity import brings_token, identify, prove, refuse_contradictions
from callsheet.api.ingest.app import IngestApp, is_callback
from callsheet.api.json_body import MOST_BYTES, MOST_DOCUMENT_BYTES, parse, read_body, told_again
from callsheet.api.paths import Address, Dialect, find_address, read_query, refuse_nul
from callsheet.api.rate_limit import RateLimit
from callsheet.api.session_cookie import read_cookie, refuse_strangers
from callsheet.api.upload import Upload
from callsheet.api.v1 import app as v1_app
from callsheet.api.v1 import errors as v1_errors
from callsheet.core.errors import Forbidden, Unavailable
from callsheet.core.permissions import need_of, only_reads
from callsheet.engine.runtime import Runtime

log = structlog.get_logger()

_NOT_WRITTEN = "This was done, but could not be written into the audit log. Look before you do it again."
_FAILURES = 400
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; script-src 'self' 'unsafe-inline'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'",
}
"""Answers hold phone numbers: no cache keeps them, no browser guesses what they are, no page of ours asks others."""


def build(runtime: Runtime, *, home: ASGIApp | None = None) -> ASGIApp:
    """Build the API of a process. `home` answers every path that is none of the API's: the console.

    What `home` has no page for it raises as an HTTPException, and it is answered as a failure of the API.
    """
    return Front(runtime, compat=compat_router.build(runtime), v1=v1_app.build(runtime), home=home)


class Front:
    """What every request passes: its address, who calls, the body, and what happens when something fails."""

    def __init__(self, runtime: Runtime, *, compat: ASGIApp, v1: ASGIApp, home: ASGIApp | None) -> None:
        self._runtime = runtime
        self._compat = compat
        self._v1 = v1
        self._home = home
        self._rate_limit = RateLimit(runtime.clock)
        self._ingest = IngestApp(runtime)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._v1(scope, receive, send)
            return
        if is_callback(scope["path"]):
            await self._ingest(scope, receive, send)
            return
        address = find_address(_raw_path(scope), scope["path"])
        scope = {**scope, NOTED: {}}
        upload = Upload(Headers(scope=scope), receive)
        answer = _Answer(send, upload, partial(self._write_down, address, scope))
        try:
            if self._home is not None and not address.is_ours():
                await self._home(scope, upload, answer)
            else:
                await self._serve(address, scope, upload, answer)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 (whatever it is, the caller gets an answer without details)
            if not is_expected(error):
                # Without the error's own words: they may quote what it was given.
                places = places_of(error)
                log.error("api.failed", error=type(error).__name__, method=scope["method"], places=places)  # noqa: TRY400
            if not answer.began:
                await _render(address, error)(scope, receive, answer)

    async def _serve(self, address: Address, scope: Scope, receive: Receive, send: Send) -> None:
        refuse_nul(_raw_path(scope), scope["query_string"])
        headers = Headers(scope=scope)
        if address.has_caller():
            await self._admit(address, scope, headers)
        body: bytes | None = None
        if scope["method"] in _WITH_BODY and not address.takes_file(scope["method"]):
            most_bytes = MOST_DOCUMENT_BYTES if address.takes_document() else MOST_BYTES
            body = await read_body(headers, receive, most_bytes)
            scope[DOCUMENT] = parse(body)
            receive = told_again(body, receive)
            MutableHeaders(scope=scope)["content-type"] = "application/json"
        key = read_key(headers) if CALLER in scope and scope["method"] in REPEATABLE else None
        if key is None:
            await self._route(address, scope, receive, send)
            return
        is_look = only_reads(address.area, address.words, scope["method"])
        once = Once(self._runtime, caller_of(scope), key, only_reads=is_look)
        await once.answer(scope, body, receive, send, partial(self._route, address))

    async def _admit(self, address: Address, scope: Scope, headers: Headers) -> None:
        """Find out who calls, and let in who may. Raises Unauthenticated, Forbidden, RateLimited."""
        query = read_query(scope["query_string"])
        cookie = read_cookie(headers) if address.dialect is Dialect.v1 and not brings_token(headers) else ""
        if cookie:
            proof = prove(await self._runtime.sign_in.session(cookie), address)
        else:
            proof = await identify(self._runtime.store, self._runtime.clock.now(), headers)
        # Known from here on: who is turned away is written down.
        caller = scope[CALLER] = proof.caller
        if cookie:
            refuse_strangers(scope["method"], headers)
        refuse_contradictions(proof, headers, address, query)
        if not caller.may(need_of(address.area, address.words, scope["method"])):
            raise Forbidden
        if address.dialect is Dialect.compat:
            self._rate_limit.spend(caller.app)

    async def _write_down(self, address: Address, scope: Scope, status: int) -> Response | None:
        """Add a line to the audit log, if the call is worth one; where that fails, return what is answered instead."""
        found = deed_of(address, scope, status)
        if found is None:
            return None
        try:
            await self._runtime.store.audit.add(*found, self._runtime.clock.now())
        except Exception as error:  # noqa: BLE001 (whatever it is, nobody is told of a success that is not written down)
            log.error("audit.not_written", error=type(error).__name__, places=places_of(error))  # noqa: TRY400
            return _render(address, Unavailable(_NOT_WRITTEN)) if status < _FAILURES else None
        return None

    async def _route(self, address: Address, scope: Scope, receive: Receive, send: Send) -> None:
        if address.dialect is Dialect.compat:
            scope[GENERATION] = address.generation
            scope.update(path=address.path, root_path="")
            await self._compat(scope, receive, send)
        else:
            await self._v1(scope, receive, send)


class _Answer:
    """Sends an answer once its request was heard out and written down, and knows whether it has begun."""

    def __init__(self, send: Send, upload: Upload, write_down: Callable[[int], Awaitable[Response | None]]) -> None:
        self._send = send
        self._upload = upload
        self._write_down = write_down
        self._replaced = False
        self.began = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.began = True
            instead = await self._write_down(message["status"])
            if instead is not None:
                self._replaced = True
                await instead({"type": "http"}, self._upload, self._pass_on)
        if not self._replaced:
            await self._pass_on(message)

    async def _pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._upload.drain()
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


def _raw_path(scope: Scope) -> bytes:
    raw: bytes | None = scope.get("raw_path")
    return raw if raw is not None else scope["path"].encode()


def _render(address: Address, error: Exception) -> Response:
    failure = as_failure(error)
    return compat_errors.render(failure) if address.dialect is Dialect.compat else v1_errors.render(failure)
