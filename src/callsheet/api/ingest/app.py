"""Callbacks of carriers: hot, without a token, and never answered with a success before they are durable.

Who calls is known by the secret in the path and by the carrier's own signature. A callback that could not be stored is
answered 503: carriers call again then, and hearing one twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from callsheet import meters
from callsheet.api.failures import places_of
from callsheet.carriers.callback import BadSignature, Callback, Unreadable, What
from callsheet.core.errors import BodyTooLarge, CallsheetError, MethodNotAllowed, NotFound
from callsheet.engine.doors import PATH, Ingest
from callsheet.engine.runtime import Runtime

log = structlog.get_logger()

MOST_BYTES: Final = 65_536
RETRY_SECONDS: Final = 5
_METHODS: Final = frozenset({"GET", "POST"})
_AGAIN: Final = 503
_REFUSALS: Final[Sequence[tuple[type[Exception], tuple[int, str]]]] = (
    (NotFound, (404, "unknown")),
    (MethodNotAllowed, (405, "unknown")),
    (BodyTooLarge, (413, "unreadable")),
    (BadSignature, (403, "bad_signature")),
    (Unreadable, (400, "unreadable")),
    (CallsheetError, (_AGAIN, "unavailable")),
)
"""The status of each refusal, and what is counted; the first that fits."""
_NO_STORE: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def is_callback(path: str) -> bool:
    """Tell whether a path is one that carriers call."""
    return path.startswith(f"{PATH}/")


class IngestApp:
    """Takes callbacks."""

    def __init__(self, runtime: Runtime) -> None:
        self._ingest: Ingest = runtime.ingest
        self._clock = runtime.clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one callback."""
        try:
            response, outcome = await self._answer(scope, receive)
        except ClientDisconnect:
            return
        meters.callbacks.labels(outcome).inc()
        response.headers.update(_NO_STORE)
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[Response, str]:
        try:
            return await self._take(scope, receive), "heard"
        except (BadSignature, Unreadable, CallsheetError) as error:
            status, outcome = next(found for kind, found in _REFUSALS if isinstance(error, kind))
            return (_again() if status == _AGAIN else _plain(status, str(error))), outcome
        except ClientDisconnect:
            raise
        except Exception as error:  # noqa: BLE001 (the carrier is to call again, whatever it is)
            log.error("callback.broke", error=type(error).__name__, places=places_of(error))  # noqa: TRY400
            return _again(), "unavailable"

    async def _take(self, scope: Scope, receive: Receive) -> Response:
        trunk_id, secret, what = _words(scope["path"])
        # Before a byte of the body is read, and without a look into the store.
        app = self._ingest.app_of(trunk_id, secret)
        if app is None:
            raise NotFound
        if scope["method"] not in _METHODS:
            raise MethodNotAllowed(", ".join(sorted(_METHODS)))
        headers = Headers(scope=scope)
        body = await _read(headers, receive)
        url = self._url(scope, headers)
        callback = Callback(what, scope["method"], url, dict(headers), body, self._clock.now())
        said = await self._ingest.take(app, trunk_id, callback)
        return Response(said.body, headers={"content-type": said.content_type})

    def _url(self, scope: Scope, headers: Headers) -> str:
        """Return the URL as the carrier called it, which is what it signed: what a proxy made of it does not count.

        Raises BadSignature where it makes no URL: that is not how we told it to call.
        """
        base = self._ingest.public_url or f"{scope['scheme']}://{headers.get('host', '')}"
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        url = f"{base}{path}?{query}" if query else f"{base}{path}"
        try:
            _ = urlsplit(url).port
        except ValueError:
            raise BadSignature from None
        return url


def _words(path: str) -> tuple[str, str, What]:
    """Return the trunk, the secret and the subject that a path names. Raises NotFound."""
    try:
        trunk_id, secret, what = path.split("/")[2:]
        return trunk_id, secret, What(what)
    except ValueError:
        raise NotFound from None


async def _read(headers: Headers, receive: Receive) -> bytes:
    """Read a whole body. Raises BodyTooLarge as soon as that is known, ClientDisconnect."""
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:18]) > MOST_BYTES:
        raise BodyTooLarge
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return bytes(body)


def _plain(status: int, sentence: str) -> Response:
    return Response(sentence, status, media_type="text/plain")


def _again() -> Response:
    response = _plain(_AGAIN, "This could not be stored now: tell it again.")
    response.headers["retry-after"] = str(RETRY_SECONDS)
    return response
