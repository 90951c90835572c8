"""The body of a webhook: JSON with expressions in its texts, and what is sent where a document gives none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from callsheet.core.flow.amiss import Amiss
from callsheet.core.flow.blocks.kind import Finding, Look, Turn
from callsheet.core.flow.document import Reader
from callsheet.core.flow.expression.scope import Scope
from callsheet.core.flow.names import is_number, plain
from callsheet.core.flow.session import Plain

MOST_OUT_BYTES: Final = 64 * 1024
MOST_KEPT_BYTES: Final = 16 * 1024
"""A larger answer is not kept in a session: it is loaded and stored at each step."""
MOST_DEPTH: Final = 32

Body: TypeAlias = Callable[[Scope], Plain]


def read_body(said: object, reader: Reader) -> Body:
    """Return a body: of all that stands in it only texts can have expressions. Raises BadExpression."""
    if isinstance(said, str):
        return reader.text(said)
    if isinstance(said, Mapping):
        named = {str(name): read_body(each, reader) for name, each in said.items()}
        return lambda scope: {name: each(scope) for name, each in named.items()}
    if isinstance(said, list):
        listed = [read_body(each, reader) for each in said]
        return lambda scope: [each(scope) for each in listed]
    constant = plain(said)
    return lambda _: constant


def find_body(said: object, at: str, look: Look, depth: int = 0) -> Iterator[Finding]:
    """Find what is wrong with a body."""
    if depth > MOST_DEPTH:
        yield Finding(at, f"A body is at most {MOST_DEPTH} deep.")
    elif isinstance(said, str):
        yield from look.text(said, at)
    elif isinstance(said, Mapping):
        for name, each in said.items():
            yield from find_body(each, f"{at}.{name}", look, depth + 1)
    elif isinstance(said, list):
        for number, each in enumerate(said):
            yield from find_body(each, f"{at}[{number}]", look, depth + 1)


def usual_body(turn: Turn) -> dict[str, Plain]:
    """Return what is sent where a document gives no body: the contact, what was collected, and where the session is."""
    frame, session = turn.frame, turn.session
    results = {
        name: {"value": plain(result.value), "response": result.response, "exit": result.exit}
        for name, result in frame.results.items()
    }
    where = {
        "flow": frame.flow,
        "block": frame.block,
        "language": session.language,
        "mode": session.mode.value,
        "replies": session.replies,
    }
    # The column of the number is kept empty: the number stands for itself.
    contact = {name: session.number if is_number(turn.contact, name) else said for name, said in turn.contact.items()}
    return {"contact": contact, "number": session.number, "results": results, "session": where}


def checked(body: Plain) -> Plain:
    """Return a body that is not too large. Raises Amiss."""
    if size_of(body) > MOST_OUT_BYTES:
        raise Amiss(f"The body of the webhook is larger than {MOST_OUT_BYTES // 1024} KiB.")
    return body


def size_of(value: object) -> int:
    """Return how many bytes a value takes as JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
