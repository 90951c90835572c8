"""A list that pulls has who is in its source, with newer values where that was asked for; and its keys stay ours."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from api.callers import Caller, campaign_body, fields, unique, until
from callsheet.core.fence import Fence
from databases import change, rows
from engine.receivers import receiver
from phone_numbers import numbers

PUBLIC = "https://example.com/contacts"
ADA, BOB, EVE = numbers("IN", 3)


class Source:
    """Answers with what it has, and remembers how it was asked."""

    def __init__(self, answer: Any, status: int = 200) -> None:
        self.answer = answer
        self.status = status
        self.asked: list[tuple[str, dict[str, str], str]] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, dict(request.headers), await request.text()))
        if isinstance(self.answer, str):
            return web.Response(text=self.answer, status=self.status, content_type="text/csv")
        return web.json_response(self.answer, status=self.status)


@asynccontextmanager
async def source(answer: Any, status: int = 200) -> AsyncIterator[tuple[Source, str]]:
    made = Source(answer, status)
    async with receiver(made.handle) as url:
        yield made, url


async def make_list(shop: Caller) -> str:
    made = await shop.v1("POST", "/contact-lists", {"name": unique("Pulled")})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def put(shop: Caller, list_id: str, url: str = PUBLIC, **more: Any) -> dict[str, Any]:
    answer = await shop.v1("PUT", f"/contact-lists/{list_id}/pull", {"url": url, **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def log(shop: Caller, list_id: str) -> list[dict[str, Any]]:
    return [item async for item in shop.pages(f"/contact-lists/{list_id}/pull/log", limit=2)]


async def pull(shop: Caller, list_id: str) -> dict[str, Any]:
    """Pull by hand, and return the line of the log."""
    before = len(await log(shop, list_id))
    answer = await shop.v1("POST", f"/contact-lists/{list_id}/pull/run")
    assert answer.status_code == 202, answer.text
    await until(lambda: _has_more(shop, list_id, before))
    return (await log(shop, list_id))[0]


async def _has_more(shop: Caller, list_id: str, than: int) -> bool:
    return len(await log(shop, list_id)) > than


async def contacts(shop: Caller, list_id: str) -> list[tuple[str, dict[str, str]]]:
    found = [one async for one in shop.pages(f"/contact-lists/{list_id}/contacts")]
    return [(one["number"], one["columns"]) for one in found]


async def test_a_list_fetches_its_contacts_with_a_key_that_is_shown_to_nobody(shop):
    answer = {"data": [{"contact": {"phone": ADA, "name": {"first": "Ada"}}}, {"contact": {"phone": "5"}}]}
    async with source(answer) as (asked, url):
        list_id = await make_list(shop)
        shown = await put(
            shop,
            list_id,
            url,
            method="POST",
            headers={"X-Api-Key": "open-sesame"},
            body='{"segment": 5}',
            items_path="data",
            mapping={"phoneNumber": "contact.phone", "First": "contact.name.first"},
        )
        line = await pull(shop, list_id)

    assert (shown["headers"], shown["next_at"], shown["mode"]) == (["X-Api-Key"], None, "append")
    assert {key: line[key] for key in ("state", "rows", "added", "updated", "rejected")} == {
        "state": "Completed", "rows": 2, "added": 1, "updated": 0, "rejected": 1,
    }  # fmt: skip
    assert line["problem"].startswith("Rejected first: row 2. ")
    assert await contacts(shop, list_id) == [(ADA, {"First": "Ada"})]
    ((method, headers, body),) = asked.asked
    assert (method, headers["X-Api-Key"], body) == ("POST", "open-sesame", '{"segment": 5}')
    got = await shop.v1("GET", f"/contact-lists/{list_id}/pull")
    assert "open-sesame" not in got.text
    kept = await rows(shop.server.runtime.store, "select plan_sealed from pull")
    assert not [row for row in kept if b"open-sesame" in bytes(row[0]) or url.encode() in bytes(row[0])]


@pytest.mark.parametrize(
    ("mode", "added", "updated", "firsts"),
    [
        ("append", 1, 0, ["Ada", "Bob", "Eve"]),
        ("replace_duplicates", 1, 1, ["Ada", "Robert", "Eve"]),
        ("allow_duplicates", 3, 0, ["Ada", "Bob", "Ada", "Robert", "Eve"]),
    ],
)
async def test_whoever_is_in_the_list_already_is_treated_as_the_mode_says(shop, mode, added, updated, firsts):
    async with source([{"phone": ADA, "First": "Ada"}, {"phone": BOB, "First": "Bob"}]) as (asked, url):
        list_id = await make_list(shop)
        await put(shop, list_id, url, mode=mode)
        first = await pull(shop, list_id)
        places = [one["id"] async for one in shop.pages(f"/contact-lists/{list_id}/contacts")]
        asked.answer = [
            {"phone": ADA, "First": "Ada"},
            {"phone": BOB, "First": "Robert"},
            {"phone": EVE, "First": "Eve"},
        ]
        second = await pull(shop, list_id)

    assert (first["added"], second["added"], second["updated"]) == (2, added, updated)
    assert [columns["First"] for _, columns in await contacts(shop, list_id)] == firsts
    after = [one["id"] async for one in shop.pages(f"/contact-lists/{list_id}/contacts")]
    assert after[:2] == places


async def test_a_new_zone_of_somebody_in_the_list_is_said_and_not_taken(shop):
    async with source([{"phone": ADA, "timeZone": "Asia/Kolkata"}]) as (asked, url):
        list_id = await make_list(shop)
        await put(shop, list_id, url, mode="replace_duplicates")
        await pull(shop, list_id)
        asked.answer = [{"phone": ADA, "timeZone": "America/New_York"}]
        line = await pull(shop, list_id)

    assert "another time zone or priority" in line["problem"]


async def test_a_list_with_an_interval_begins_at_once_and_a_failure_comes_back_soon(shop):
    async with source("phone,First\n" + f"{ADA},Ada\n", 503) as (asked, url):
        list_id = await make_list(shop)
        await put(shop, list_id, url, interval_minutes=60)
        await until(lambda: _has_more(shop, list_id, 0))
        failed = (await shop.v1("GET", f"/contact-lists/{list_id}/pull")).json()
        asked.status = 200
        line = await pull(shop, list_id)
        healthy = (await shop.v1("GET", f"/contact-lists/{list_id}/pull")).json()

    lines = await log(shop, list_id)
    assert [(one["state"], one["problem"]) for one in lines] == [
        ("Completed", ""),
        ("Failed", "The source answered 503."),
    ]
    assert (failed["failures"], healthy["failures"], line["added"]) == (1, 0, 1)
    assert failed["next_at"] < healthy["next_at"]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"data": 5}, "not an array"),
        ([{f"column {i}": "x" for i in range(149)} | {"phone": ADA}, {"phone": BOB, "a": "", "b": ""}], "150 columns"),
    ],
)
async def test_an_answer_that_cannot_be_taken_is_in_the_log_with_its_reason(shop, answer, says):
    async with source(answer) as (_, url):
        list_id = await make_list(shop)
        await put(shop, list_id, url)
        line = await pull(shop, list_id)

    assert line["state"] == "Failed"
    assert says in line["problem"]


async def test_a_try_shows_the_first_rows_and_stores_nothing(shop):
    people = numbers("IN", 8)
    answer = [{"phone": number, "First": f"No. {i}"} for i, number in enumerate(people)]
    async with source([*answer, *({"phone": "5"},) * 8]) as (asked, url):
        list_id = await make_list(shop)
        tried = await shop.v1(
            "POST", f"/contact-lists/{list_id}/pull/test", {"url": url, "mapping": {"phone": "phone"}}
        )
        without = await shop.v1("POST", f"/contact-lists/{list_id}/pull/test")
        await put(shop, list_id, url)
        of_list = await shop.v1("POST", f"/contact-lists/{list_id}/pull/test")
        asked.status = 401
        refused = await shop.v1("POST", f"/contact-lists/{list_id}/pull/test")

    assert tried.json()["rows"] == [{"number": number, "columns": {}} for number in people[:5]]
    assert [one["row"] for one in tried.json()["rejects"]] == [9, 10, 11, 12, 13]
    assert of_list.json()["rows"][0]["columns"]["First"] == "No. 0"
    assert (without.status_code, without.json()["code"]) == (404, "pull_not_found")
    assert refused.json() == {"rows": [], "rejects": [], "problem": "The source answered 401."}
    assert await contacts(shop, list_id) == []
    assert await log(shop, list_id) == []


async def test_no_key_goes_where_a_redirect_leads_and_no_address_of_ours_is_read(shop, monkeypatch):
    heard: list[dict[str, str]] = []

    async def other(request: web.Request) -> web.Response:
        heard.append(dict(request.headers))
        return web.json_response([{"phone": ADA}])

    async with receiver(other) as target:

        async def redirect(_: web.Request) -> web.Response:
            raise web.HTTPFound(target)

        async with receiver(redirect) as url:
            list_id = await make_list(shop)
            await put(shop, list_id, url, headers={"X-Api-Key": "open-sesame"})
            line = await pull(shop, list_id)
            monkeypatch.setattr(shop.server.runtime.outside, "fence", Fence())
            behind = await pull(shop, list_id)
            literal = await shop.v1("PUT", f"/contact-lists/{list_id}/pull", {"url": url})
            named = await shop.v1("PUT", f"/contact-lists/{list_id}/pull", {"url": "https://localhost/"})

    assert line["added"] == 1
    assert "X-Api-Key" not in heard[0]
    assert (behind["state"], len(heard)) == ("Failed", 1)
    assert "private network" in behind["problem"]
    assert fields(literal) == fields(named) == ["url"]


async def test_a_plan_can_be_taken_away_and_goes_with_its_list(shop):
    list_id = await make_list(shop)
    path = f"/contact-lists/{list_id}/pull"
    nothing = [await shop.v1(method, path) for method in ("GET", "DELETE")] + [await shop.v1("POST", f"{path}/run")]
    await put(shop, list_id)
    gone = await shop.v1("DELETE", path)
    after = await shop.v1("GET", path)
    await put(shop, list_id)
    await shop.v1("DELETE", f"/contact-lists/{list_id}")

    assert [(one.status_code, one.json()["code"]) for one in nothing] == [(404, "pull_not_found")] * 3
    assert (gone.status_code, after.status_code) == (204, 404)
    orphans = "select 1 from pull p left join contact_list l on l.no = p.list_no where l.no is null"
    left = await rows(shop.server.runtime.store, orphans)
    assert left == []


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["url"]),
        ({"url": "file:///etc/passwd", "headers": {"Host": "a", "x": "a\nb"}}, ["url", "headers.Host", "headers.x"]),
        ({"url": PUBLIC, "mapping": {"a": "..b"}, "items_path": "."}, ["mapping.a", "items_path"]),
        ({"url": PUBLIC, "interval_minutes": 4}, ["interval_minutes"]),
        ({"url": PUBLIC, "interval_minutes": 1441}, ["interval_minutes"]),
        ({"url": PUBLIC, "mode": "prepend", "method": "PUT"}, ["method", "mode"]),
        ({"url": PUBLIC, "body": "x"}, ["body"]),
        ({"url": PUBLIC, "content_type": "a\r\nb"}, ["content_type"]),
        ({"url": PUBLIC, "api_key": "x"}, ["api_key"]),
    ],
)
async def test_a_wrong_plan_is_refused_with_every_wrong_field(shop, body, wrong):
    list_id = await make_list(shop)

    answer = await shop.v1("PUT", f"/contact-lists/{list_id}/pull", body)

    assert answer.status_code == 400, answer.text
    assert fields(answer) == wrong
    assert (await shop.v1("GET", f"/contact-lists/{list_id}/pull")).status_code == 404


async def test_pulls_of_another_app_are_not_there(shop, stranger):
    theirs = await make_list(stranger)
    await put(stranger, theirs)
    path = f"/contact-lists/{theirs}/pull"

    answers = [
        await shop.v1("GET", path),
        await shop.v1("PUT", path, {"url": PUBLIC}),
        await shop.v1("DELETE", path),
        await shop.v1("POST", f"{path}/run"),
        await shop.v1("POST", f"{path}/test"),
        await shop.v1("POST", f"{path}/test", {"url": PUBLIC}),
        await shop.v1("GET", f"{path}/log"),
    ]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [(404, "contact_list_not_found")] * 7


async def test_a_slow_source_holds_nobody_up(shop):
    hung = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        await hung.wait()
        return web.json_response([])

    async with source([{"phone": ADA}]) as (_, url), receiver(hang) as dead:
        slow, quick = await make_list(shop), await make_list(shop)
        await put(shop, slow, dead)
        await shop.v1("POST", f"/contact-lists/{slow}/pull/run")
        await put(shop, quick, url)
        line = await pull(shop, quick)
        running = (await shop.v1("GET", f"/contact-lists/{slow}/pull")).json()
        hung.set()
        await until(lambda: _has_more(shop, slow, 0))

    assert line["added"] == 1
    assert running["is_running"]


async def test_a_running_campaign_takes_whom_a_pull_brings(shop):
    async with source([{"phone": ADA}]) as (_, url):
        list_id = await make_list(shop)
        name = (await shop.v1("GET", f"/contact-lists/{list_id}")).json()["name"]
        await put(shop, list_id, url)
        await pull(shop, list_id)
        made = await shop.compat("POST", "/campaign", campaign_body(name), params={"campaignType": "sms"})
        campaign_id = made.json()["data"]["_id"]
        await shop.trigger(campaign_id, "play")
        await shop.until_status(campaign_id, "Completed")

    assert [one["to"] for one in await shop.outbox()] == [ADA]
    assert json.dumps(await log(shop, list_id))


async def test_a_pull_that_cannot_be_read_says_so_and_can_be_written_anew_or_deleted(shop):
    async with source([{"phone": ADA}]) as (asked, url):
        list_id = await make_list(shop)
        await put(shop, list_id, url)
        await change(
            shop.server.runtime.store,
            "update pull set plan_sealed = (select key_sealed from app where no = :app) where app = :app",
            app=shop.client.app.no,
        )

        failed = await pull(shop, list_id)
        assert (failed["state"], "cannot be read" in failed["problem"]) == ("Failed", True)
        shown = (await shop.v1("GET", f"/contact-lists/{list_id}/pull")).json()
        assert (shown["url"], shown["failures"], shown["next_at"]) == ("", 1, None)
        sample = (await shop.v1("POST", f"/contact-lists/{list_id}/pull/test")).json()
        assert "cannot be read" in sample["problem"]
        assert asked.asked == []

        await put(shop, list_id, url)
        assert (await pull(shop, list_id))["added"] == 1
        assert (await shop.v1("DELETE", f"/contact-lists/{list_id}/pull")).status_code == 204
