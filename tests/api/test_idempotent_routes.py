"""Every POST and PUT of both dialects is carried out once under a key (of ours the quick suite tries every third)."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import pytest

from api.callers import Caller, closed_strategy, unique
from api.documented import ROWS
from api.everything import (
    PARAMETER,
    Operation,
    call_on,
    example,
    fill,
    handed_over,
    operations,
    own_everything,
    see_handed_over,
)
from api.people import hash_cheaply
from api.test_printed_calls import SETTINGS
from phone_numbers import numbers

WITHOUT_CALLER = ("/v1/sessions", "/v1/setup")
"""Who signs in is no caller yet, and a key belongs to one; a token has no session (`docs/reference/idempotency.md`)."""
WITHOUT_SUCCESS = ("/acknowledge-restore",)
"""Only what came out of a backup is acknowledged (`test_restored_runs.py`); what is refused is not remembered."""

REPEATABLE = [name for name, printings in ROWS.items() if any(method in ("POST", "PUT") for method, _ in printings)]
"""The documented calls that take a key."""

MOVES: Mapping[str, list[str]] = {
    "start": [],
    "emergency": [],
    "pause": ["start"],
    "resume": ["start", "pause"],
    "stop": ["start"],
    "rerun": ["start", "stop"],
}
"""What is done to a new campaign before each move of it fits."""


async def see_it_done_once(shop: Caller, method: str, path: str, body: Any) -> str:
    """Send a request twice under a key, and another one; return what is wrong."""
    answers, newest = [], []
    key = unique("key")
    for sent in (body, body, _other(body)):
        more = {"content": sent} if isinstance(sent, bytes) else {} if sent is None else {"json": sent}
        headers = {"auth": shop.token(), "Idempotency-Key": key}
        answers.append(await shop.server.http.request(method, path, headers=headers, **more))
        # What the second one wrote stands there after the third as well.
        if len(answers) != 2:
            newest.append((await shop.v1("GET", "/audit", params={"limit": "1"})).json()["items"])
    first, again, other = answers
    replayed = (again.status_code, again.content, again.headers.get("idempotent-replayed"))
    if first.is_success and replayed == (first.status_code, first.content, "true") and other.status_code == 422:
        # Each change that is carried out is one more line of the audit log.
        return "" if newest == newest[:1] * 2 else f"{method} {path} is done twice: {newest}"
    return f"{method} {path} {[answer.status_code for answer in answers]} {body} {first.text[:300]}"


def _other(body: Any) -> Any:
    """Return another body."""
    if isinstance(body, bytes):
        return body + b"\n"
    return [*body, {}] if isinstance(body, list) else {**(body or {}), "other": "x"}


@pytest.mark.parametrize("name", REPEATABLE)
async def test_a_documented_post_or_put_is_carried_out_once_under_a_key(shop, name):
    for method, printed in ROWS[name]:
        if method in ("POST", "PUT"):
            case = await SETTINGS[name](shop)
            meant = {"a": shop.app_id, "account": shop.account_id, "x": case.thing, "name": case.name}
            path = PARAMETER.sub(lambda found, meant=meant: meant[found[1]], printed)
            assert await see_it_done_once(shop, method, path, case.body) == ""


@pytest.mark.parametrize("every", [pytest.param(3, id="sample"), pytest.param(1, id="whole", marks=pytest.mark.full)])
async def test_every_post_and_put_of_ours_is_carried_out_once_under_a_key(shop, every):
    hash_cheaply(shop)
    ids = await own_everything(shop)
    wrong = []
    for operation in islice(_repeatable(), 0, None, every):
        path, body = await _prepare(shop, operation, ids)
        wrong.append(await see_it_done_once(shop, operation.method, path, body))
    # The node is everybody's here, and one of the calls emptied it.
    await shop._send("POST", "/v1/voice-nodes/local/resume", {})
    assert "\n".join(filter(None, wrong)) == ""


def _repeatable() -> Iterator[Operation]:
    """Yield our operations that take a key."""
    for one in operations():
        ours = one.path.startswith("/v1/") and not one.path.startswith(WITHOUT_CALLER)
        if ours and one.method in ("POST", "PUT") and not one.path.endswith(WITHOUT_SUCCESS):
            yield one


async def _prepare(shop: Caller, operation: Operation, ids: Mapping[str, str]) -> tuple[str, Any]:
    """Make what a call needs beside one of everything; return its path and a body that fits."""
    end = operation.path.rpartition("/")[2]
    body = example(operation)
    if end == "test-filter":
        condition = {"column": "city", "operator": "filled"}
        body = {
            "contact_list_ids": [await shop.make_list(numbers("IN", 1)[0], city="Pune")],
            "filter": {"conditions": [condition]},
        }
    elif end == "history":
        body = {"number": numbers("IN", 1)[0]}
    elif operation.path.endswith("/campaigns") or end == "{campaign_id}":
        body = {**body, "name": unique("Campaign")}
    if "/campaigns/{campaign_id}" in operation.path:
        ids = {**ids, "campaign_id": await shop.make_campaign(numbers("IN", 1)[0], dialingStrategy=closed_strategy())}
        for move in MOVES.get(end, ()):
            moved = await shop.v1("POST", f"/campaigns/{ids['campaign_id']}/{move}")
            assert moved.status_code == 200, moved.text
    if "/calls/{attempt_id}/" in operation.path:
        ids = {**ids, "attempt_id": await call_on(shop, ids["attempt_id"])}
    if "{conversation_id}" in operation.path:
        ids = {**ids, "conversation_id": await _held_conversation(shop, is_taken=end != "take")}
    return fill(operation, shop, ids), body


async def _held_conversation(shop: Caller, *, is_taken: bool) -> str:
    """Have a conversation handed over to a queue, and taken by the caller; return its id."""
    queue = (await shop.v1("POST", "/queues", {"name": unique("Queue")})).json()
    name = await shop.make_list(numbers("IN", 1)[0])
    conversation = await see_handed_over(shop, name, handed_over("Hello", queue["name"], unique("group")))
    if is_taken:
        taken = await shop.v1("POST", f"/conversations/{conversation['id']}/take", {})
        assert taken.status_code == 200, taken.text
    return str(conversation["id"])
