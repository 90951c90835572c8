"""The trunks and senders that the pages print are taken as they stand, and what is made of them carries messages."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from api.callers import unique
from house.tree import documents

_JSON = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r"^curl [^\n]*/(trunks|trunks/test|senders)\"[^']*'(\{.*?\})'$", re.MULTILINE | re.DOTALL)


def printed() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the bodies of trunks and senders that the pages print, each with where it is posted."""
    for path in documents():
        page = path.read_text("utf-8")
        for block in _JSON.findall(page):
            if '"carrier"' in block:
                yield "trunks", json.loads(block)
        for where, block in _CALL.findall(page):
            yield where.removesuffix("/test"), json.loads(block)


PRINTED = list(printed())


def test_the_pages_print_trunks_and_senders():
    assert {body["carrier"] for where, body in PRINTED if where == "trunks"} >= {"smpp", "twilio", "http", "sandbox"}
    assert sum("trunk_id" in body for where, body in PRINTED if where == "senders") >= 4


@pytest.mark.parametrize(("where", "body"), PRINTED)
async def test_what_a_page_prints_is_made_as_it_stands(shop, where: str, body: dict[str, Any]):
    if where == "senders":
        trunk = (await shop.v1("POST", "/trunks", {"name": unique("Trunk"), "carrier": "sandbox"})).json()
        members = [await shop.v1("POST", "/senders", {"number": number}) for number in ("+12125550101", "+12125550102")]
        known = {"trunk_id": trunk["id"], "pool": [member.json()["id"] for member in members]}
        body = body | {name: value for name, value in known.items() if name in body}
    made = await shop.v1("POST", f"/{where}", body)

    assert made.status_code in {200, 201}, made.text
    if "trunk_id" in body:
        assert made.json()["trunk_id"] == trunk["id"]
