"""A body is JSON whatever its content type says, and a bad one costs little and changes nothing."""

import codecs
import json

import pytest

from api.callers import campaign_body
from callsheet.api.json_body import MOST_BYTES, MOST_LEVELS

# What happens at the door is the same whatever database lies behind it.
pytestmark = pytest.mark.parametrize("served_database", ["sqlite"], indirect=True)

CREATE = "/campaign?campaignType=sms"
TEMPLATES = "/templates"


async def post_compat(shop, content: bytes, content_type: str | None = "application/json"):
    headers = {"content-type": content_type} if content_type is not None else {}
    return await shop.compat("POST", CREATE, content=content, headers=headers)


async def post_v1(shop, content: bytes, content_type: str | None = "application/json"):
    headers = {"content-type": content_type} if content_type is not None else {}
    return await shop.v1("POST", TEMPLATES, content=content, headers=headers)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/x-www-form-urlencoded", "text/plain", None, "application/json; charset=latin-1"],
)
async def test_json_is_read_under_any_content_type(shop, content_type):
    body = json.dumps(campaign_body(await shop.make_list())).encode()

    made = await post_compat(shop, body, content_type)
    template = await post_v1(shop, b'{"name":"T","body":"Hello"}', content_type)

    assert made.status_code == 200, made.text
    assert template.status_code == 201, template.text


NOT_JSON = [
    b"not json",
    b"{",
    b'{"name": "A" "format": "simple"}',
    b'{"name": NaN}',
    b"{'name': 'A'}",
    b'{"name": "\xff\xfe"}',
    b'{"name": "\\ud800"}',
    b'{"name": "a\\u0000b"}',
    b'{"a\\u0000b": 1}',
    b'{"name": "' + b"1" * 10 + b'", "n": ' + b"9" * 6000 + b"}",
    b"[" * 500_000,
    b"[" * (MOST_LEVELS + 1) + b"]" * (MOST_LEVELS + 1),
    b'{"a":' * 300 + b"1" + b"}" * 300,
    "{}".encode("utf-16"),
]


@pytest.mark.parametrize("content", NOT_JSON, ids=range(len(NOT_JSON)))
async def test_what_is_not_json_is_refused_in_either_dialect(shop, content):
    documented, ours = await post_compat(shop, content), await post_v1(shop, content)

    assert (documented.status_code, ours.status_code) == (400, 400)
    assert documented.json()["errors"][0]["code"] == "malformed_body"
    assert ours.json()["code"] == "malformed_body"


async def test_the_place_where_json_breaks_is_told(shop):
    answer = await post_compat(shop, b'{"name": "A" "format": "simple"}')

    assert "(byte 13)" in answer.json()["message"]


@pytest.mark.parametrize("content", [b"[]", b'"text"', b"5", b"true"])
async def test_a_body_that_is_no_object_is_refused(shop, content):
    documented, ours = await post_compat(shop, content), await post_v1(shop, content)

    assert documented.json()["message"] == "The body must be a JSON object."
    assert ours.status_code == 400


@pytest.mark.parametrize("content", [b"", b"   ", b"null"])
async def test_no_body_names_what_is_missing(shop, content):
    documented, ours = await post_compat(shop, content), await post_v1(shop, content)

    assert documented.status_code == ours.status_code == 400
    assert documented.json()["errors"][0]["code"] == "invalid"
    assert ours.json()["code"] == "invalid"


async def test_a_byte_order_mark_is_passed_over(shop):
    body = codecs.BOM_UTF8 + json.dumps(campaign_body(await shop.make_list())).encode()

    assert (await post_compat(shop, body)).status_code == 200


async def test_a_body_that_is_too_large_is_refused(shop):
    body = b'{"name": "' + b"x" * MOST_BYTES + b'"}'

    documented, ours = await post_compat(shop, body), await post_v1(shop, body)

    assert (documented.status_code, ours.status_code) == (413, 413)
    assert documented.json()["errors"][0]["code"] == ours.json()["code"] == "body_too_large"


async def test_a_body_without_a_length_is_measured_as_it_comes(shop):
    async def chunks():
        for _ in range(40):
            yield b" " * (MOST_BYTES // 16)

    assert (await shop.compat("POST", CREATE, content=chunks())).status_code == 413


async def test_a_body_of_the_largest_size_is_taken(shop):
    body = json.dumps(campaign_body(await shop.make_list())).encode()

    assert (await post_compat(shop, body.ljust(MOST_BYTES))).status_code == 200


async def test_a_start_call_needs_no_body_but_takes_no_nonsense(shop):
    campaign_id = await shop.make_campaign()
    path = f"/campaign/{campaign_id}?trigger=play"

    nonsense = await shop.compat("POST", path, content=b"play")
    started = await shop.compat("POST", path, content=b"")

    assert (nonsense.status_code, started.status_code) == (400, 200)
