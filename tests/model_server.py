"""A small server that speaks OpenAI's chat completions, with answers that a test scripts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from engine.receivers import receiver

Script = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class ModelServer:
    """Answers by its script, one after another; the last one again and again. Remembers what it was asked."""

    url: str = ""
    script: list[Script] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one question."""
        assert request.path == "/v1/chat/completions"
        self.asked.append(await request.json())
        self.headers.append(request.headers)
        say = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return await say(request)


@asynccontextmanager
async def model_server(*script: Script) -> AsyncIterator[ModelServer]:
    """Serve on loopback."""
    server = ModelServer(script=list(script))
    async with receiver(server.answer) as url:
        server.url = f"{url}/v1"
        yield server


def says(text: str, *, tokens: int = 12, calls: Sequence[tuple[str, Any]] = ()) -> Script:
    """Stream an answer word by word, as the endpoints of the large models do; a call's arguments in pieces too."""
    return _streamed([*_pieces(text, calls), _usage(tokens), "[DONE]"])


def says_at_once(text: str, *, calls: Sequence[tuple[str, Any]] = (), usage: Any = None) -> Script:
    """Answer with one JSON object, whatever was asked for."""
    named = [
        {"id": f"call-{no}", "type": "function", "function": {"name": name, "arguments": _arguments(said)}}
        for no, (name, said) in enumerate(calls)
    ]
    message = {"role": "assistant", "content": text or None, **({"tool_calls": named} if named else {})}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}

    async def say(_: web.Request) -> web.StreamResponse:
        return web.json_response(body)

    return say


def breaks_off(text: str) -> Script:
    """Begin a stream, and end it in the middle of the answer as if that were all."""
    return _streamed(_pieces(text, ())[:-1])


def cuts(text: str) -> Script:
    """Begin a stream, and cut the connection."""

    async def say(request: web.Request) -> web.StreamResponse:
        response = await _begun(request)
        await _write(response, _pieces(text, ())[0])
        assert request.transport is not None
        request.transport.abort()
        return response

    return say


def drips(event: asyncio.Event) -> Script:
    """Begin a stream, and say nothing more until the test is over."""

    async def say(request: web.Request) -> web.StreamResponse:
        response = await _begun(request)
        await _write(response, _pieces("Well", ())[0])
        await event.wait()
        return response

    return say


def fails(status: int, body: str = "no", **headers: str) -> Script:
    """Answer with a status."""

    async def say(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=body, headers=headers)

    return say


def _pieces(text: str, calls: Sequence[tuple[str, Any]]) -> list[Any]:
    words = [{"content": word} for word in text.split(" ")] if text else []
    pieces: list[Any] = [{"content": f" {each['content']}"} if no else each for no, each in enumerate(words)]
    for no, (name, said) in enumerate(calls):
        arguments = _arguments(said)
        half = len(arguments) // 2
        pieces.append({"tool_calls": [{"index": no, "id": f"call-{no}", "function": {"name": name, "arguments": ""}}]})
        pieces += [
            {"tool_calls": [{"index": no, "function": {"arguments": part}}]}
            for part in (arguments[:half], arguments[half:])
        ]
    chunks = [{"choices": [{"index": 0, "delta": piece, "finish_reason": None}]} for piece in pieces]
    return [*chunks, {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls" if calls else "stop"}]}]


def _arguments(said: Any) -> str:
    return said if isinstance(said, str) else json.dumps(said)


def _usage(tokens: int) -> Any:
    usage = {"prompt_tokens": tokens - 2, "completion_tokens": 2, "total_tokens": tokens}
    return {"choices": [], "usage": usage}


def _streamed(events: Sequence[Any]) -> Script:
    async def say(request: web.Request) -> web.StreamResponse:
        response = await _begun(request)
        for event in events:
            await _write(response, event)
        await response.write_eof()
        return response

    return say


async def _begun(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    return response


async def _write(response: web.StreamResponse, event: Any) -> None:
    data = event if isinstance(event, str) else json.dumps(event)
    await response.write(f": a comment\ndata: {data}\n\n".encode())
