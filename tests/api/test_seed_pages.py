"""The documented requests, as printed, get their documented answers; what we answer besides is frozen.

Each page is a file: the request with its placeholders filled and the slips named in `mended` put right, the documented
answer, and our whole answer. Ids and instants are masked. A changed byte is a decision that somebody reviews.
"""

import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from api.callers import V2, Caller

PAGES = sorted((Path(__file__).parent / "pages").glob("*.json"))
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
MASKS = (
    (re.compile(rf"(cd|cf|cl|cmt)-{UUID}"), r"<\1>"),
    (re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"), "<instant>"),
)


def masked(value: Any) -> Any:
    """Put a mask in place of every id and instant."""
    if isinstance(value, dict):
        return {key: masked(one) for key, one in value.items()}
    if isinstance(value, list):
        return [masked(one) for one in value]
    if isinstance(value, str):
        for pattern, mask in MASKS:
            if pattern.fullmatch(value):
                return pattern.sub(mask, value)
    return value


def missing(documented: Any, answered: Any, path: str = "") -> list[str]:
    """Name every documented key that is not there with its documented value."""
    if isinstance(documented, dict) and isinstance(answered, dict):
        return [
            fault for key, value in documented.items() for fault in missing(value, answered.get(key), f"{path}.{key}")
        ]
    return [] if documented == answered else [f"{path}: {documented!r} is documented, {answered!r} was answered"]


async def prepare(shop: Caller, page: dict[str, Any]) -> None:
    """Make everything that the page's request names."""
    body, documented = page["request"]["body"], page["documented"]["data"]
    for name in body["contactLists"]:
        await shop.make_list(name=name)
    if "dncLists" in body:
        assert (await shop.v1("POST", "/dnc-lists", {"name": body["dncLists"]["name"]})).status_code == 201
    if "experienceFlowName" in body:
        assert (await shop.v1("POST", "/flows", {"name": body["experienceFlowName"]})).status_code == 201
    if "template_name" in body.get("message", {}):
        text = base64.b64decode(unquote(documented["message"]["message"])).decode()
        template = {"name": body["message"]["template_name"], "body": text}
        assert (await shop.v1("POST", "/templates", template)).status_code == 201


async def send(shop: Caller, page: dict[str, Any]) -> Any:
    """Send the page's request to the letter."""
    request = page["request"]
    campaign_id = ""
    if request["method"] == "PUT":
        first = {**request["body"], "name": "Interactive Support SMS Campaign1212", "description": "Before"}
        made = await shop.compat("POST", "/campaign", first)
        campaign_id = made.json()["data"]["_id"]
    filled = {"iid": shop.app_id, "accountId": shop.account_id, "token": shop.token(), "campaignId": campaign_id}
    return await shop.server.http.request(
        request["method"],
        request["path"].format(**filled),
        headers={name: value.format(**filled) for name, value in request["headers"].items()},
        content=json.dumps(request["body"], indent=4, ensure_ascii=False).encode(),
    )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
async def test_a_documented_request_gets_its_documented_answer(shop, path):
    page = json.loads(path.read_text("utf-8"))
    await prepare(shop, page)

    answer = await send(shop, page)

    assert answer.status_code == 200, answer.text
    answered = masked(answer.json())
    assert missing(page["documented"], answered) == []
    assert answered == page["answer"]


async def test_every_page_of_messages_is_here():
    assert len(PAGES) == 4


async def test_the_endpoint_line_with_its_backslash_works_as_printed(shop):
    page = json.loads(next(path for path in PAGES if "without_template" in path.stem).read_text("utf-8"))
    await prepare(shop, page)

    answer = await shop.server.http.post(
        rf"{V2}/{shop.app_id}/campaign?accountId={shop.account_id}\&campaignType=sms",
        headers=shop.headers,
        json=page["request"]["body"],
    )

    assert answer.status_code == 200, answer.text


async def test_an_update_that_leaves_the_dnc_list_out_removes_it(shop):
    page = json.loads(next(path for path in PAGES if "create_advanced" in path.stem).read_text("utf-8"))
    await prepare(shop, page)
    made = await send(shop, page)
    body = {key: value for key, value in page["request"]["body"].items() if key != "dncLists"}

    updated = await shop.compat("PUT", f"/campaign/{made.json()['data']['_id']}", body)

    assert "dncLists" in made.json()["data"]
    assert "dncLists" not in updated.json()["data"]
    assert updated.json()["data"]["createdAt"] == made.json()["data"]["createdAt"]
