"""Documents of flows, put together in a line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from callsheet.core.flow.document import Container
from callsheet.core.flow.effects import Say, Step
from callsheet.core.flow.given import Reply
from callsheet.core.flow.reading import read
from callsheet.core.flow.session import Mode
from callsheet.core.flow.step import begin, step

HELLO = "42095857-6782-425d-809b-4226c4d53d4d"
NOWHERE = "00000000-0000-4000-8000-000000000000"
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

MESSAGE = "MobilePrimitives.Message"
ONE = "MobilePrimitives.SelectOneResponse"
MANY = "MobilePrimitives.SelectManyResponses"
NUMBER = "MobilePrimitives.NumericResponse"
OPEN = "MobilePrimitives.OpenResponse"


def way(destination: str | None = None, **more: Any) -> dict[str, Any]:
    """Return an exit."""
    return {"uuid": "e", "name": "x", "destination_block": destination, **more}


def other(destination: str | None = None) -> dict[str, Any]:
    """Return a default exit."""
    return way(destination, default=True, name="other")


def block(uuid: str, kind: str, *exits: dict[str, Any], **config: Any) -> dict[str, Any]:
    """Return a block whose name is its uuid."""
    return {"uuid": uuid, "name": uuid, "type": kind, "config": config, "exits": list(exits)}


def flow(uuid: str, *blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a flow that begins at its first block."""
    return {"uuid": uuid, "name": uuid, "first_block_id": blocks[0]["uuid"], "blocks": list(blocks), **more}


def value(text: str, *modes: str, language: str = "eng", content: str = "TEXT") -> dict[str, Any]:
    """Return a value of a resource."""
    return {"language_id": language, "content_type": content, "modes": list(modes), "value": text}


def resource(uuid: str, *values: dict[str, Any]) -> dict[str, Any]:
    """Return a resource."""
    return {"uuid": uuid, "values": list(values)}


def container(*flows: dict[str, Any], resources: Any = ()) -> dict[str, Any]:
    """Return a container."""
    holder = {"specification_version": "1.0.0-rc4", "uuid": "c", "name": "Container"}
    return {**holder, "flows": list(flows), "resources": list(resources)}


def start(
    document: Container | dict[str, Any],
    *,
    contact: Mapping[str, str] | None = None,
    mode: Mode = Mode.sms,
    **more: Any,
) -> Step:
    """Begin a session."""
    opened = document if isinstance(document, Container) else read(document)
    return begin(opened, contact=contact or {}, number="+12025550123", mode=mode, at=AT, **more)


def converse(document: dict[str, Any], *replies: str, **more: Any) -> list[Step]:
    """Begin a session, and give it replies; return all steps."""
    opened = read(document)
    steps = [start(opened, **more)]
    for reply in replies:
        steps.append(step(opened, steps[-1].session, Reply(reply, AT)))
    return steps


def said(made: Step) -> str:
    """Return what a step says."""
    return "\n".join(effect.text for effect in made.effects if isinstance(effect, Say))
