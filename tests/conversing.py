"""A flow that tests converse by: a question with two answers, and what follows from each."""

import json
from collections.abc import Mapping
from typing import Any

from callsheet.core.run import PinnedFlow
from callsheet.store.apps import App
from callsheet.store.store import Store

ASK = "00000000-0000-4000-8000-000000000001"
THANKS = "00000000-0000-4000-8000-000000000002"
LATER = "00000000-0000-4000-8000-000000000003"
WHAT = "00000000-0000-4000-8000-000000000004"
QUESTION = "Paid? 1 yes, 2 no"


def exit_to(uuid: str | None, name: str, test: str | None = None) -> dict[str, Any]:
    way = {"uuid": f"e-{name}", "name": name, "destination_block": uuid}
    return way | ({"default": True} if test is None else {"test": test})


def block(uuid: str, name: str, kind: str, config: Mapping[str, Any], *exits: Mapping[str, Any]) -> dict[str, Any]:
    return {"uuid": uuid, "name": name, "type": kind, "config": config, "exits": list(exits)}


def message(uuid: str, name: str, text: str, to: str | None = None) -> dict[str, Any]:
    return block(uuid, name, "MobilePrimitives.Message", {"prompt": text}, exit_to(to, "done"))


def question(uuid: str, name: str, text: str, *exits: Mapping[str, Any]) -> dict[str, Any]:
    return block(uuid, name, "MobilePrimitives.OpenResponse", {"prompt": text, "text": {}}, *exits)


def document(*blocks: Mapping[str, Any], timeout_seconds: int = 120, exit_block: str | None = None) -> dict[str, Any]:
    flow = {
        "uuid": "f-1", "name": "payment", "languages": [{"id": "eng", "iso_639_3": "eng", "label": "English"}],
        "supported_modes": ["SMS"], "interaction_timeout": timeout_seconds, "first_block_id": blocks[0]["uuid"],
        "exit_block_id": exit_block, "blocks": list(blocks),
    }  # fmt: skip
    return {"specification_version": "1.0.0", "uuid": "c-1", "name": "c", "flows": [flow], "resources": []}


PAYMENT = document(
    question(
        ASK, "paid", QUESTION,
        exit_to(THANKS, "yes", "block.value = '1'"), exit_to(LATER, "no", "block.value = '2'"), exit_to(WHAT, "other"),
    ),
    message(THANKS, "thanks", "Thank you"),
    question(LATER, "when", "When?", exit_to(THANKS, "said")),
    message(WHAT, "what", "Good bye"),
)  # fmt: skip
"""1: it thanks and ends. 2: it asks when, and thanks. Anything else, and silence: it says good bye."""
HANDED = document(
    question(ASK, "how", QUESTION, exit_to(LATER, "said")),
    block(LATER, "help", "Callsheet.HandOver", {"prompt": "One moment"}, exit_to(None, "closed")),
)
"""After the reply somebody of the default queue has the conversation."""
ASKING = document(
    question(ASK, "how", QUESTION, exit_to(LATER, "said")),
    block(LATER, "look", "Callsheet.Webhook", {"url": "https://shop.example/orders"}, exit_to(None, "told")),
)
"""After the reply a webhook is called, and that is all."""


async def make_flow(store: Store, app: App, said: Mapping[str, Any] = PAYMENT, name: str = "payment") -> PinnedFlow:
    """Store a flow, or its next version where there is one of this name."""
    now = await store.hot.now()
    found = await store.flows.find(app.no, name=name)
    if found is None:
        made = await store.flows.create(app.no, name, json.dumps(said), now)
        return PinnedFlow(made.named.no, made.version)
    changed = await store.flows.change(app.no, found.named.id, now, body=json.dumps(said))
    assert changed is not None
    return PinnedFlow(changed.named.no, changed.version)
