"""The list of campaigns: filtered, sorted and paged as documented, whatever the client's spelling."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.callers import V1, V2, Caller, campaign_body, fields, unique, voice_body
from phone_numbers import numbers

PATH = "/campaign/getAllCampaignDetails"


async def listed(shop: Caller, **body: Any) -> dict[str, Any]:
    answer = await shop.compat("POST", PATH, {"type": "sms", **body})
    assert answer.status_code == 200, answer.text
    assert answer.json()["message"] == "Campaign  retrieved successfully"
    data: dict[str, Any] = answer.json()["data"]
    return data


async def names(shop: Caller, **body: Any) -> list[str]:
    return [one["name"] for one in (await listed(shop, **body))["results"]]


async def make(shop: Caller, *made: str, **changes: Any) -> None:
    people = await shop.make_list()
    for name in made:
        answer = await shop.compat("POST", "/campaign", campaign_body(people, name=name, **changes))
        assert answer.status_code == 200, answer.text


async def make_call(shop: Caller, mode: str) -> str:
    body = voice_body(await shop.make_list(), dialingMode=mode, queue_name="Default Queue", name=unique(mode))
    made = await shop.compat("POST", "/campaign", body, prefix=V1)
    assert made.status_code == 200, made.text
    return str(made.json()["id"])


async def test_a_list_shows_campaigns_of_one_kind_with_what_a_page_shows(shop):
    campaign_id = await shop.make_campaign(*numbers("IN", 3))
    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")
    call_id = await make_call(shop, "Progressive")

    (text,) = (await listed(shop))["results"]
    voice = await listed(shop, type="VOICE")

    one = (await shop.compat("GET", f"/campaign/{campaign_id}")).json()["data"]
    assert text == one
    assert (text["totalMessagesSent"], text["campaignExecutionType"], text["status"]) == (3, "NORMAL", "Completed")
    assert text["campaignInstanceUpdatedAt"]
    (call,) = voice["results"]
    assert (call["_id"], call["connection"], call["dialingMode"]) == (call_id, "Default Queue", "Progressive")
    assert call["priority"] == "5"
    assert "queue_name" not in call


@pytest.mark.parametrize("prefix", [V1, V2])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_reading_by_either_method_works_in_both_generations(shop, method, prefix):
    await make(shop, "Only")
    if method == "GET":
        query = {"type": "sms", "limit": "", "accountId": shop.account_id}
        answer = await shop.compat("GET", PATH, prefix=prefix, params=query)
    else:
        answer = await shop.compat("POST", PATH, {"type": "sms", "limit": "", "skip": "", "page": ""}, prefix=prefix)

    data = answer.json()["data"]
    assert [one["name"] for one in data["results"]] == ["Only"]
    assert {key: data[key] for key in data if key != "results"} == {
        "skip": 0,
        "limit": 50,
        "hasMore": False,
        "totalPages": 1,
        "totalResults": 1,
    }


async def test_pages_neither_lose_nor_repeat_a_campaign_although_all_are_of_one_moment(shop):
    wanted = [f"C{i:02}" for i in range(7)]
    await make(shop, *wanted)
    store = shop.server.runtime.store
    await store._database.write(
        lambda conn: conn.exec_driver_sql(f"update campaign set updated_at = 1 where app = {shop.client.app.no}")
    )

    pages = [await listed(shop, limit=3, page=page, sortBy={"updatedAt": "desc"}) for page in (1, 2, 3, 4)]
    skipped = await listed(shop, limit="3", skip="4", page=3, sortBy={"updatedAt": "desc"})

    assert [one["name"] for page in pages for one in page["results"]] == wanted[::-1]
    assert [(page["skip"], page["hasMore"], page["totalPages"]) for page in pages] == [
        (0, True, 3),
        (3, True, 3),
        (6, False, 3),
        (9, False, 3),
    ]
    assert [one["name"] for one in skipped["results"]] == wanted[::-1][4:7]
    assert skipped["skip"] == 4


async def test_campaigns_are_sorted_by_each_key(shop):
    await make(shop, "beta", "Alpha", "gamma")
    alpha = (await listed(shop, sortBy={"name": "asc"}))["results"][0]
    body = campaign_body(alpha["contactLists"][0], name="Alpha", description="Edited")
    assert (await shop.compat("PUT", f"/campaign/{alpha['id']}", body)).status_code == 200

    assert await names(shop) == ["gamma", "Alpha", "beta"]
    assert await names(shop, sortBy={"name": "ASC"}) == ["Alpha", "beta", "gamma"]
    assert await names(shop, sortBy={"name": "desc", "createdAt": ""}) == ["gamma", "beta", "Alpha"]
    assert await names(shop, sortBy={"createdAt": "asc"}) == ["beta", "Alpha", "gamma"]
    assert (await names(shop, sortBy={"updatedAt": "desc"}))[0] == "Alpha"


async def test_filters_narrow_and_empty_ones_do_not(shop):
    await make(shop, "low", priority=1)
    await make(shop, "high", priority="5")
    running = await shop.make_campaign(*numbers("IN", 1), name="over", priority="3")
    await shop.trigger(running, "play")
    await shop.until_status(running, "Completed")

    assert await names(shop, filters={"status": ["completed"]}) == ["over"]
    assert await names(shop, filters={"status": "READY", "priority": []}) == ["high", "low"]
    assert await names(shop, filters={"priority": [1, "5"]}) == ["high", "low"]
    assert await names(shop, filters={"priority": [1], "status": ["Active", "Rescheduled"]}) == []
    assert await names(shop, filters={"dialingMode": ["Preview"]}, sortBy={}) == ["over", "high", "low"]


async def test_calls_are_filtered_by_their_mode(shop):
    made = {mode: await make_call(shop, mode) for mode in ("Progressive", "Power")}

    assert [one["id"] for one in (await listed(shop, type="voice", filters={"dialingMode": ["power"]}))["results"]] == [
        made["Power"]
    ]
    every = {"dialingMode": ["Progressive", "Preview", "Agentless", "Power"]}
    assert (await listed(shop, type="voice", filters=every))["totalResults"] == 2


async def test_dates_mean_when_a_campaign_was_created(shop):
    await make(shop, "now")
    today = datetime.now(UTC)
    at = (await listed(shop))["results"][0]["createdAt"]
    day = at[:10]

    assert await names(shop, startDate=at, endDate=at) == ["now"]
    assert await names(shop, startDate=day, endDate=day) == ["now"]
    assert await names(shop, startDate="", endDate="") == ["now"]
    assert await names(shop, startDate=(today + timedelta(hours=1)).isoformat()) == []
    assert await names(shop, endDate=(today - timedelta(hours=1)).isoformat()) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"type": None}, ["type"]),
        ({"type": "web"}, ["type"]),
        ({"type": 5}, ["type"]),
        ({"limit": 0}, ["limit"]),
        ({"limit": 101}, ["limit"]),
        ({"limit": 1.5}, ["limit"]),
        ({"page": 0}, ["page"]),
        ({"skip": -1}, ["skip"]),
        ({"startDate": "yesterday"}, ["startDate"]),
        ({"startDate": "2026-01-02", "endDate": "2026-01-01"}, ["endDate"]),
        ({"sortBy": {"createdAt": "up"}}, ["sortBy.createdAt"]),
        ({"sortBy": "name"}, ["sortBy"]),
        ({"filters": {"status": ["Rerun"]}}, ["filters.status[0]"]),
        ({"filters": {"status": [1, None]}}, ["filters.status[0]", "filters.status[1]"]),
        ({"filters": {"priority": [0, 6, True, "x"]}}, [f"filters.priority[{i}]" for i in range(4)]),
        ({"filters": {"dialingMode": ["Predictive"]}}, ["filters.dialingMode[0]"]),
    ],
)
async def test_a_list_that_cannot_be_is_refused_by_field(shop, body, expected):
    answer = await shop.compat("POST", PATH, {"type": "sms", **body})

    assert answer.status_code == 400
    assert fields(answer) == expected


async def test_the_limit_itself_is_taken(shop):
    assert (await listed(shop, limit=100))["limit"] == 100
    assert (await listed(shop, limit="1"))["limit"] == 1


async def test_nobody_lists_the_campaigns_of_another_app(shop, stranger):
    await make(shop, "Mine")

    assert (await listed(stranger))["totalResults"] == 0
