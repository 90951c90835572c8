"""The shortest flow that says something."""

from typing import Any

_HELLO = "11111111-1111-4111-8111-111111111111"
_EXITS = [{"uuid": "22222222-2222-4222-8222-222222222222", "name": "on", "default": True}]


def said(text: str) -> dict[str, Any]:
    """Return a flow that says a text."""
    config = {"prompt": text}
    block = {"uuid": _HELLO, "name": "hello", "type": "MobilePrimitives.Message", "config": config, "exits": _EXITS}
    return {"blocks": [block], "first_block_id": _HELLO}


FLOW = said("Hello")
