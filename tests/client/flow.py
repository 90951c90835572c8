"""The shortest flows that say something, and that ask something."""

from typing import Any

_HELLO = "11111111-1111-4111-8111-111111111111"
_EXITS = [{"uuid": "22222222-2222-4222-8222-222222222222", "name": "on", "default": True}]


def said(text: str) -> dict[str, Any]:
    """Return a flow that says a text."""
    config = {"prompt": text}
    block = {"uuid": _HELLO, "name": "hello", "type": "MobilePrimitives.Message", "config": config, "exits": _EXITS}
    return {"blocks": [block], "first_block_id": _HELLO}


FLOW = said("Hello")


def asked(question: str, **flow: Any) -> dict[str, Any]:
    """Return a flow that asks whether, and thanks for a `yes` (1) or a `no` (2)."""
    thanks = "33333333-3333-4333-8333-333333333333"
    choices = [{"name": name, "prompt": name} for name in ("yes", "no")]
    ask = {
        "uuid": _HELLO,
        "name": "ask",
        "type": "MobilePrimitives.SelectOneResponse",
        "config": {"prompt": question, "choices": choices},
        "exits": [{**_EXITS[0], "destination_block": thanks}],
    }
    thank = {**said("Thanks")["blocks"][0], "uuid": thanks, "name": "thank"}
    return {"blocks": [ask, thank], "first_block_id": _HELLO, **flow}


def handed_over(text: str, queue: str, group: str) -> dict[str, Any]:
    """Return a flow that says a text, makes the contact a member of a group, and hands over to a queue."""
    joined, handed = "44444444-4444-4444-8444-444444444444", "55555555-5555-4555-8555-555555555555"
    hello = said(text)["blocks"][0]
    join = {
        "uuid": joined,
        "name": "join",
        "type": "Core.SetGroupMembership",
        "config": {"groups": [{"group_key": group, "group_name": group}], "is_member": True},
        "exits": [{**_EXITS[0], "destination_block": handed}],
    }
    hand = {
        "uuid": handed,
        "name": "hand",
        "type": "Callsheet.HandOver",
        "config": {"queue": queue, "note": f"A member of {group}"},
        "exits": _EXITS,
    }
    hello = {**hello, "exits": [{**_EXITS[0], "destination_block": joined}]}
    return {"blocks": [hello, join, hand], "first_block_id": _HELLO}
