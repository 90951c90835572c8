"""Small flows to test blocks with, and what came of a step."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from callsheet.core.flow.effects import CallWebhook, Say, Step

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def block(uuid: str, kind: str, *exits: dict[str, Any], **config: Any) -> dict[str, Any]:
    return {"uuid": uuid, "name": uuid, "type": kind, "config": config, "exits": list(exits)}


def way(to: str | None, test: str | None = None, *, default: bool = False) -> dict[str, Any]:
    return {"uuid": f"to-{to}", "name": f"to {to}", "destination_block": to, "test": test, "default": default}


def say(uuid: str, text: str) -> dict[str, Any]:
    return block(uuid, "MobilePrimitives.Message", way(None, default=True), prompt=text)


def document(*blocks: dict[str, Any]) -> dict[str, Any]:
    flow = {
        "uuid": "f",
        "name": "f",
        "languages": [{"id": "eng", "iso_639_3": "eng"}],
        "supported_modes": ["SMS"],
        "first_block_id": blocks[0]["uuid"],
        "blocks": list(blocks),
    }
    return {"uuid": "c", "name": "c", "flows": [flow], "resources": []}


def called(made: Step) -> CallWebhook:
    (call,) = [effect for effect in made.effects if isinstance(effect, CallWebhook)]
    return call


def said(made: Step) -> list[str]:
    return [effect.text for effect in made.effects if isinstance(effect, Say)]
