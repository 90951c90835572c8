"""JSON bodies: read up to a limit, whatever their content type says, and checked before anything looks inside.

Several documented samples send JSON without saying so. An empty body is no body.
"""

from __future__ import annotations

import codecs
from typing import Any, Final

import msgspec
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from callsheet.core.errors import BodyTooLarge, MalformedBody

MOST_BYTES: Final = 1024 * 1024
MOST_DOCUMENT_BYTES: Final = 16 * 1024 * 1024
"""Of a flow's document: ten thousand blocks have room."""
MOST_LEVELS: Final = 64
"""How deep arrays and objects may lie in each other."""


async def read_body(headers: Headers, receive: Receive, most_bytes: int = MOST_BYTES) -> bytes:
    """Read a whole body. Raises BodyTooLarge as soon as that is known, ClientDisconnect."""
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:18]) > most_bytes:
        raise BodyTooLarge(_too_large(most_bytes))
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > most_bytes:
            raise BodyTooLarge(_too_large(most_bytes))
        if not message.get("more_body", False):
            return bytes(body)


def _too_large(most_bytes: int) -> str:
    long_lists = " Long lists come as an import." if most_bytes == MOST_BYTES else ""
    return f"The body is larger than {most_bytes // 1024} KiB.{long_lists}"


def told_again(body: bytes, receive: Receive) -> Receive:
    """Return a receive that tells a body that was read already, and then what comes after it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def tell() -> Message:
        return waiting.pop() if waiting else await receive()

    return tell


def parse(body: bytes) -> Any:
    """Return the value of a JSON body; None when it is empty. Raises MalformedBody.

    The parser fails by itself on what lies a thousand levels deep; what lies less deep, but deeper than anybody needs,
    would make others fail later.
    """
    text = body.removeprefix(codecs.BOM_UTF8).strip()
    if not text:
        return None
    try:
        value = msgspec.json.decode(text)
    except RecursionError:
        raise MalformedBody(f"The body is nested deeper than {MOST_LEVELS} levels.") from None
    except UnicodeDecodeError:
        raise MalformedBody("The body is not valid JSON: it is not UTF-8.") from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise MalformedBody(f"The body is not valid JSON: {error}.") from None
    _check(value)
    return value


def _check(value: Any) -> None:
    """Refuse what is JSON and cannot be kept: deep nesting, and NUL, which databases do not take."""
    level: list[Any] = [value]
    for _ in range(MOST_LEVELS + 1):
        if not level:
            return
        inside: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inside.extend(one)
                inside.extend(one.values())
            elif isinstance(one, list):
                inside.extend(one)
            elif isinstance(one, str) and "\0" in one:
                raise MalformedBody("The body holds a NUL character, which cannot be stored.")
        level = inside
    raise MalformedBody(f"The body is nested deeper than {MOST_LEVELS} levels.")
