"""`Callsheet.Webhook`: calls a URL, and leaves with what it answered.

An answer of 200 to 299 leaves by the exits, whose tests see `block.ok`, `block.status` and `block.value`; any other,
and none, is amiss: the default exit. Either way `results.<name>` has `value`, `ok` and `status` from then on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from callsheet.core.flow.amiss import Amiss
from callsheet.core.flow.blocks.address import find_address, read_address, write_address
from callsheet.core.flow.blocks.kind import Fail, Finding, Leave, Look, Outcome, Turn, Wait
from callsheet.core.flow.blocks.request_body import (
    MOST_KEPT_BYTES,
    Body,
    checked,
    find_body,
    read_body,
    size_of,
    usual_body,
)
from callsheet.core.flow.document import Block, Json, Reader, text_of
from callsheet.core.flow.effects import CallWebhook
from callsheet.core.flow.expression.scope import Scope, Text
from callsheet.core.flow.given import Given, NoAnswer, WebhookAnswered
from callsheet.core.flow.session import Awaits
from callsheet.core.pull import fault_of_header

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
BODILESS: Final = frozenset({"GET", "DELETE"})
USUAL_SECONDS: Final = 10
MOST_SECONDS: Final = 30
_MOST_HEADERS: Final = 20
_LONGEST_HEADER: Final = 1000
_OURS: Final = re.compile(r"webhook-.*|cookie", re.IGNORECASE)
_SECRET: Final = re.compile(r"authorization|.*(api|access|auth)[-_]?(key|token).*|.*(secret|password).*", re.IGNORECASE)
_TOO_LARGE: Final = f"The webhook answered more than {MOST_KEPT_BYTES // 1024} KiB, which a session does not keep."
_NO_SECRETS: Final = (
    "A document is no place for a secret: who can read the flow can read it. Check the signature of the request"
    " instead."
)


@dataclass(frozen=True, slots=True)
class Call:
    """What a webhook block calls."""

    method: str
    url: Text
    headers: Mapping[str, Text]
    body: Body | None
    """None: the usual one."""
    seconds: float


class Webhook:
    """A call to a URL."""

    waits = True

    def read(self, config: Json, reader: Reader) -> Call:
        """Return what it calls."""
        headers = config.get("headers")
        body = config.get("body")
        return Call(
            text_of(config, "method", "POST").upper(),
            read_address(config.get("url")),
            {str(name): reader.text(value) for name, value in headers.items()} if isinstance(headers, Mapping) else {},
            None if body is None else read_body(body, reader),
            seconds_of(config, USUAL_SECONDS),
        )

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:
        """Find what is wrong with URL, method, headers, body and time."""
        yield from find_address(config.get("url"), f"{at}.url", look)
        yield from find_method(config, at)
        yield from _find_headers(config.get("headers"), f"{at}.headers", look)
        body = config.get("body")
        if body is not None and not isinstance(body, Mapping | list):
            yield Finding(f"{at}.body", "A body is an object or a list; leave it out to send the usual one.")
        elif body is not None and size_of(body) > MOST_KEPT_BYTES:
            yield Finding(f"{at}.body", f"A body in a document takes at most {MOST_KEPT_BYTES // 1024} KiB.")
        else:
            yield from find_body(body, f"{at}.body", look)
        yield from find_seconds(config, at, MOST_SECONDS)

    def enter(self, turn: Turn, block: Block) -> Outcome:
        """Call it; where what it calls cannot be written, nothing is called, and that is no answer."""
        try:
            turn.do(_call(turn, block))
        except Amiss as error:
            return Fail(str(error), facts={"ok": False, "status": 0})
        return Wait(Awaits.webhook)

    def take(self, turn: Turn, block: Block, given: Given) -> Outcome | None:  # noqa: ARG002 (as every kind)
        """Take the answer."""
        if isinstance(given, NoAnswer):
            return Fail(given.why, facts={"ok": False, "status": 0})
        if not isinstance(given, WebhookAnswered):
            return None
        is_ok = 200 <= given.status < 300
        facts = {"ok": is_ok, "status": given.status}
        if size_of(given.body) > MOST_KEPT_BYTES:
            return Fail(_TOO_LARGE, facts={**facts, "ok": False})
        if not is_ok:
            return Fail(f"The webhook answered {given.status}.", value=given.body, facts=facts)
        return Leave(given.body, facts=facts)


def _call(turn: Turn, block: Block) -> CallWebhook:
    """Return what is called. Raises Amiss."""
    call: Call = block.config
    scope = turn.scope()
    url = write_address(call.url, scope)
    headers = {name: _line(text, scope) for name, text in call.headers.items()}
    body = None
    if call.method not in BODILESS:
        body = checked(usual_body(turn) if call.body is None else call.body(scope))
    return CallWebhook(block.uuid, call.method, url, headers, body, call.seconds)


def seconds_of(config: Json, usual: float) -> float:
    """Return how long an answer is waited for."""
    said = config.get("timeout_seconds")
    return float(said) if isinstance(said, int | float) and not isinstance(said, bool) else usual


def find_method(config: Json, at: str) -> Iterator[Finding]:
    """Find what is wrong with a method."""
    method = config.get("method", "POST")
    if not isinstance(method, str) or method.upper() not in METHODS:
        yield Finding(f"{at}.method", f"A method is one of {', '.join(METHODS)}.")
    elif method.upper() in BODILESS and config.get("body") is not None:
        yield Finding(f"{at}.body", f"A {method.upper()} has no body.")


def find_seconds(config: Json, at: str, most: int) -> Iterator[Finding]:
    """Find what is wrong with a time limit."""
    said = config.get("timeout_seconds", 1)
    if not isinstance(said, int | float) or isinstance(said, bool) or not 1 <= said <= most:
        yield Finding(f"{at}.timeout_seconds", f"Give a number of seconds from 1 to {most}.")


def _find_headers(said: object, at: str, look: Look) -> Iterator[Finding]:
    if said is None:
        return
    if not isinstance(said, Mapping) or len(said) > _MOST_HEADERS:
        yield Finding(at, f"Headers are an object of names and texts, at most {_MOST_HEADERS}.")
        return
    for name, value in said.items():
        fault = "This header is ours to write." if _OURS.fullmatch(name) else fault_of_header(name, "")
        if fault is not None:
            yield Finding(f"{at}.{name}", fault)
        elif not isinstance(value, str):
            yield Finding(f"{at}.{name}", "The value of a header is a text.")
        else:
            yield from look.text(value, f"{at}.{name}")
            if _SECRET.fullmatch(name):
                yield Finding(f"{at}.{name}", _NO_SECRETS, is_warning=True)


def _line(text: Text, scope: Scope) -> str:
    """Return the value of a header. Raises Amiss."""
    said = text(scope).strip()
    if len(said) > _LONGEST_HEADER or fault_of_header("x", said) is not None:
        raise Amiss("The value of a header is not one line of ASCII.")
    return said
