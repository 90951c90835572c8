"""A support flow with five ways through it, who takes which, and what must come of it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NAME = "SMS Support Flow"
Way = Sequence[tuple[str, str]]
"""The blocks that are left one after another, each with its exit."""


def _id(name: str) -> str:
    return str(uuid.UUID(bytes=uuid.uuid5(uuid.NAMESPACE_DNS, name).bytes, version=4))


class _Pen:
    """Writes a document."""

    def __init__(self) -> None:
        self.resources: list[dict[str, Any]] = []
        self.blocks: list[dict[str, Any]] = []

    def text(self, words: str) -> str:
        """Write a text down and return the id of its resource."""
        resource = _id(f"text {words}")
        value = {"content_type": "TEXT", "mime_type": "text/plain", "language_id": "eng", "modes": ["SMS"]}
        self.resources.append({"uuid": resource, "values": [{**value, "value": words}]})
        return resource

    def block(self, name: str, kind: str, config: Mapping[str, Any], exits: Mapping[str, tuple[str, str]]) -> None:
        """Write a block; of each exit its test and the name of the block that it leads to. The last is the default."""
        *_, last = exits
        self.blocks.append(
            {
                "uuid": _id(name), "name": name, "label": name, "semantic_label": "", "type": kind, "config": config,
                "exits": [
                    {"uuid": _id(f"{name} {way}"), "name": way, "destination_block": _id(to) if to else None}
                    | ({"test": test} if test else {})
                    | ({"default": True} if way == last else {})
                    for way, (test, to) in exits.items()
                ],
            }
        )  # fmt: skip

    def message(self, name: str, words: str) -> None:
        """Write a block that says something and ends the flow."""
        self.block(name, "MobilePrimitives.Message", {"prompt": self.text(words)}, {"next": ("", "")})

    def choice(self, name: str, words: str, ways: Mapping[str, str], other: str) -> None:
        """Write a question with choices, each of which leads to a block."""
        choices = [{"name": way, "prompt": self.text(way.title())} for way in ways]
        exits = {way: (f'block.value = "{way}"', to) for way, to in ways.items()}
        config = {"prompt": self.text(words), "choices": choices}
        self.block(name, "MobilePrimitives.SelectOneResponse", config, {**exits, "other": ("", other)})


def document() -> dict[str, Any]:
    """Return the flow."""
    pen = _Pen()
    ways = {"order": "order", "ticket": "ticket", "rating": "rating", "hours": "hours", "person": "person"}
    pen.choice("menu", "How can we help?", ways, "sorry")
    asked = "MobilePrimitives.OpenResponse"
    for name, words, to in (("order", "Which order?", "sent"), ("ticket", "What happened?", "urgency")):
        exits = {"answered": ("", to), "none": ("", "sorry")}
        pen.block(name, asked, {"prompt": pen.text(words), "max_response_characters": 100}, exits)
    bounds = {"validation_minimum": 1, "validation_maximum": 9}
    exits = {"answered": ("", "noted"), "none": ("", "sorry")}
    pen.block(
        "urgency", "MobilePrimitives.NumericResponse", {"prompt": pen.text("How urgent, 1 to 9?")} | bounds, exits
    )
    pen.choice("rating", "How did we do?", {"well": "glad", "badly": "regret"}, "sorry")
    pen.block("person", "Callsheet.HandOver", {"prompt": pen.text("Somebody will write.")}, {"closed": ("", "thanks")})
    pen.message("sent", "Order @results.order.value is on its way.")
    pen.message("noted", "We look into it.")
    pen.message("glad", "We are glad.")
    pen.message("regret", "We are sorry to hear that.")
    pen.message("hours", "We are open from 9 to 6.")
    pen.message("thanks", "Thank you for your patience.")
    pen.message("sorry", "We did not understand that.")
    flow = {
        "uuid": _id("flow"), "name": NAME, "label": NAME, "last_modified": "2026-11-22T00:00:00Z",
        "languages": [{"id": "eng", "iso_639_3": "eng", "label": "English"}], "supported_modes": ["SMS"],
        "first_block_id": _id("menu"), "blocks": pen.blocks,
    }  # fmt: skip
    used = {resource["uuid"]: resource for resource in pen.resources}
    return {
        "specification_version": "1.0.0", "uuid": _id("container"), "name": NAME, "description": "",
        "flows": [flow], "resources": list(used.values()),
    }  # fmt: skip


@dataclass(frozen=True)
class Talk:
    """One way through the flow: what its handset writes after each message of ours, and what comes of each reply."""

    writes: Sequence[str | None]
    ways: Sequence[Way]
    """What each reply makes leave; a STOP leaves nothing."""
    ending: str | None
    """None: it waits for a reply still."""
    messages: int
    """So many come to the handset in all."""
    came: Sequence[str] = ()
    """Where it waits at last."""


PERSON = Talk(
    ["5", "Hello, my parcel is lost"], [[("menu", "person")], []], "done", 4
)  # the agent's reply, and what the flow says when it was closed, are the last two
TALKS = {
    "0": Talk([], [], None, 1),
    "1": Talk(["STOP"], [[]], "opted_out", 2),
    "2": Talk(["1", "A-77"], [[("menu", "order")], [("order", "answered"), ("sent", "next")]], "done", 3),
    "3": Talk(
        ["2", "It broke", "7"],
        [[("menu", "ticket")], [("ticket", "answered")], [("urgency", "answered"), ("noted", "next")]],
        "done",
        4,
    ),
    "4": Talk(["3", "1"], [[("menu", "rating")], [("rating", "well"), ("glad", "next")]], "done", 3),
    "5": Talk(["4"], [[("menu", "hours"), ("hours", "next")]], "done", 2),
    "6": Talk(["1"], [[("menu", "order")]], None, 2),
    "7": Talk(["2", "STOP"], [[("menu", "ticket")], []], "opted_out", 3),
    "8": Talk(["bananas"], [[("menu", "other"), ("sorry", "next")]], "done", 2),
    "9": Talk(["3", "apples"], [[("menu", "rating")], [("rating", "other"), ("sorry", "next")]], "done", 3),
}
"""By the last digit of the number."""
LEADS = {
    ("menu", "order"): "order", ("menu", "ticket"): "ticket", ("menu", "rating"): "rating", ("menu", "hours"): "hours",
    ("menu", "person"): "person", ("menu", "other"): "sorry", ("order", "answered"): "sent",
    ("ticket", "answered"): "urgency", ("urgency", "answered"): "noted", ("rating", "well"): "glad",
    ("rating", "other"): "sorry", ("person", "closed"): "thanks",
}  # fmt: skip


def counted(ways: Iterable[Way]) -> dict[str, tuple[int, dict[str, int]]]:
    """Return how many came to each block, and left it by each exit, when conversations went these ways."""
    came: Counter[str] = Counter()
    exits: dict[str, Counter[str]] = {}
    for way in ways:
        came["menu"] += 1
        for block, by in way:
            exits.setdefault(block, Counter())[by] += 1
            if to := LEADS.get((block, by)):
                came[to] += 1
    return {block: (count, dict(exits.get(block, {}))) for block, count in came.items()}
