"""The HTTP port of the handset simulator: messages in, the outbox, and misbehaving on demand."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from callsheet.carriers.base import InvalidNumber, SendError, Throttled
from callsheet.carriers.sandbox.handsets import Handsets
from callsheet.carriers.sandbox.origin import Origin
from callsheet.carriers.sandbox.outbox import read_outbox
from callsheet.carriers.sandbox.smpp_port import SmppPort

_NOISE_OCTETS: Final = 64
_MOST_ITEMS: Final = 1_000
_SILENCE_SECONDS: Final = 60.0


def _check_text(text: str) -> str:
    text.encode("utf-8")  # half a surrogate pair is no text
    return text


class Text(BaseModel):
    """The body of `POST /messages`."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    to: str = Field(min_length=1, max_length=20)
    sender: str = Field(alias="from", min_length=1, max_length=20)
    text: str = Field(max_length=20_000)
    reference: str = Field(default="", max_length=200)
    callback_url: str = Field(default="", max_length=2_000)
    reply_url: str = Field(default="", max_length=2_000)

    @field_validator("callback_url", "reply_url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("Give a URL that begins with http:// or https://.")
        return url

    _check_text = field_validator("text")(_check_text)


class Reply(BaseModel):
    """The body of `POST /replies`."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    number: str = Field(alias="from", pattern=r"^\+?[0-9]{3,15}$")
    sender: str = Field(alias="to", pattern=r"^[ -~]{1,20}$")
    text: str = Field(max_length=10_000)

    _check_text = field_validator("text")(_check_text)


class HttpPort:
    """Serves HTTP."""

    def __init__(self, handsets: Handsets, smpp: SmppPort) -> None:
        self._handsets = handsets
        self._smpp = smpp
        self._runner: web.AppRunner | None = None
        self._links: set[asyncio.Transport] = set()

    async def open(self, host: str, port: int) -> int:
        """Listen, and return the port. Raises OSError."""
        app = web.Application(middlewares=[_explain])
        app.router.add_post("/messages", self._post_message)
        app.router.add_post("/replies", self._post_reply)
        app.router.add_get("/outbox", self._get_outbox)
        app.router.add_get("/healthz", self._get_health)
        app.router.add_get("/misbehave", self._get_misbehaviour)
        app.router.add_post("/misbehave", self._post_misbehaviour)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self._handsets.cut_links.append(self._cut)
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _post_message(self, request: web.Request) -> web.StreamResponse:
        text = Text.model_validate(await _json(request))
        assert request.transport is not None
        self._links.add(request.transport)
        try:
            return await self._take(request, text)
        finally:
            self._links.discard(request.transport)

    async def _take(self, request: web.Request, text: Text) -> web.StreamResponse:
        wrong = self._handsets.misbehaviour
        origin = Origin("http", text.callback_url, text.reference, reply_url=text.reply_url)
        try:
            if wrong.due("throttle"):
                raise Throttled
            accepted = await self._handsets.take(origin, text.to, text.sender, text.text)
        except SendError as error:
            return await self._refuse(request, error)
        if wrong.slow_seconds:
            await self._handsets.clock.sleep(wrong.slow_seconds)
        if wrong.cuts_now():
            self._handsets.cut()
        if wrong.due("withhold_answers"):
            return await self._stay_silent(request, _SILENCE_SECONDS)
        if wrong.due("garbage"):
            return web.Response(body=self._handsets.rng.randbytes(_NOISE_OCTETS), content_type="application/json")
        return web.json_response({"id": accepted.carrier_id}, status=201)

    async def _post_reply(self, request: web.Request) -> web.Response:
        reply = Reply.model_validate(await _json(request))
        origin = await self._handsets.reply(reply.number, reply.sender, reply.text)
        if origin is None:
            return web.json_response({"error": "nobody_listens"}, status=409)
        return web.json_response({"way": origin.way, "told": origin.reply_url or origin.who}, status=201)

    async def _refuse(self, request: web.Request, error: SendError) -> web.StreamResponse:
        if error.code == "no_answer":
            return await self._stay_silent(request, 0)
        status = 429 if isinstance(error, Throttled) else 422 if isinstance(error, InvalidNumber) else 500
        return web.json_response({"error": error.code}, status=status)

    async def _stay_silent(self, request: web.Request, seconds: float) -> web.StreamResponse:
        """Give no answer: in the end the link is cut."""
        await self._handsets.clock.sleep(seconds)
        if isinstance(request.transport, asyncio.Transport):
            request.transport.abort()
        return web.Response(status=500)

    async def _get_outbox(self, request: web.Request) -> web.Response:
        after = _number(request, "after", 0, 2**62)
        limit = _number(request, "limit", 100, _MOST_ITEMS) or 1
        page = read_outbox(self._handsets.ledger, after, limit, parts=request.query.get("parts") in ("1", "true"))
        return web.json_response(page)

    async def _get_health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "bound": self._smpp.bound, "accepted": self._handsets.ledger.count()})

    async def _get_misbehaviour(self, _: web.Request) -> web.Response:
        return web.json_response(self._handsets.misbehaviour.model_dump())

    async def _post_misbehaviour(self, request: web.Request) -> web.Response:
        wanted = await _json(request)
        if not isinstance(wanted, dict):
            raise web.HTTPBadRequest(text="Give an object.")
        self._handsets.misbehaviour.change(wanted)
        return web.json_response(self._handsets.misbehaviour.model_dump())

    def _cut(self) -> None:
        for link in list(self._links):
            link.abort()


async def _json(request: web.Request) -> Any:
    try:
        return await request.json()
    except (ValueError, RecursionError) as error:
        raise web.HTTPBadRequest(text="The body is no JSON.") from error


def _number(request: web.Request, name: str, default: int, most: int) -> int:
    written = request.query.get(name, "")
    if not written:
        return default
    if not (written.isascii() and written.isdecimal()) or len(written) > 18:
        raise web.HTTPBadRequest(text=f"Give a whole number as {name}.")
    return min(int(written), most)


@web.middleware
async def _explain(request: web.Request, handler: Any) -> web.StreamResponse:
    """Name every wrong field, in one 400."""
    try:
        answer: web.StreamResponse = await handler(request)
    except ValidationError as error:
        faults = [{"field": ".".join(map(str, fault["loc"])), "message": fault["msg"]} for fault in error.errors()]
        return web.json_response({"error": "invalid", "fields": faults}, status=400)
    except web.HTTPException as error:
        return web.json_response({"error": error.text or error.reason}, status=error.status)
    return answer
