"""Neighbours of the campaign calls: paths that begin otherwise, and calls that wait for voice."""

from datetime import datetime, timedelta

import pytest

from api.callers import V2, unique, until
from callsheet.api.paths import find_address
from phone_numbers import numbers

DAYS = {"startDate": -1, "endDate": 1}
REPORT = "/agentassist/api/public/analytics/account"


@pytest.mark.parametrize(
    "path",
    [
        f"{REPORT}/abc/v2/interactionDetails",
        f"{REPORT}/abc/v2/calldetails",
        f"{REPORT}/abc/v2/callDetails/",
        f"{REPORT}/abc/calldetails",
        "/AgentAssist//API/public/Analytics/ACCOUNT/abc//V2/InteractionDetails",
    ],
)
def test_a_report_is_found_however_it_is_written(path):
    address = find_address(path.encode(), path)

    assert (address.path, address.app_id, address.account_id) == ("/interactiondetails", None, "abc")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/public/bot/st-1/outboundsms", "/outboundsms"),
        ("/API/public/Bot/st-1/OutboundSMS", "/outboundsms"),
        ("/api/1.1/public/bot/st-1/smartassist/dialout", "/smartassist/dialout"),
        ("/api/1.1/public/bot/st-1//V2/smartassist/dialout", "/smartassist/dialout"),
    ],
)
def test_calls_for_a_bot_are_for_the_app_of_its_id(path, expected):
    address = find_address(path.encode(), path)

    assert (address.path, address.app_id) == (expected, "st-1")


async def test_discrepancy_12_a_trailing_backslash_in_the_query_of_a_neighbour(shop):
    answer = await shop.compat("GET", f"/queues?accountId={shop.account_id}\\&page=1\\", prefix=V2)

    assert answer.status_code == 200, answer.text


# -- the report of conversations -------------------------------------------------------------------------------------


def around_now(shop, **changes):
    """Ask for the day before and after now."""
    now = shop.server.runtime.clock.now()
    dates = {key: (now + timedelta(days=days)).strftime("%Y-%m-%d") for key, days in DAYS.items()}
    return {**dates, "timeZoneOffset": 0, **changes}


async def ask(shop, body, *, path="v2/interactionDetails", headers=None, **query):
    url = f"{REPORT}/{shop.account_id}/{path}"
    return await shop.server.http.post(url, params=query, json=body, headers=headers or {"auth": shop.token()})


async def send(shop, *endings, **changes):
    """Run a campaign to people with these endings; return its id and their numbers."""
    people = [
        person[: -len(ending)] + ending for person, ending in zip(numbers("IN", len(endings)), endings, strict=True)
    ]
    campaign_id = await shop.make_campaign(*people, **changes)
    started = await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")
    return campaign_id, started.json()["campaignInstanceId"], people


async def test_a_campaigns_message_is_a_conversation_with_its_campaign(shop):
    name = unique("Spring")
    campaign_id, run_id, (person,) = await send(shop, "0001", name=name)
    listed = (await shop.compat("POST", f"/campaign/{campaign_id}/status", params={"view": "contacts"})).json()
    lists = (await shop.v1("GET", "/contact-lists")).json()["items"]
    await until(lambda: delivered(shop, run_id))

    answer = await ask(shop, around_now(shop, direction="Outbound", selectedFields=["campaigninfo", "CustomerInfo"]))

    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["data"]
    assert answer.json()["numResults"] == 1
    assert found["conversationId"].startswith("c-")
    assert (found["channel"], found["Direction"], found["finalStatus"]) == ("sms", "Outbound", "CLOSED")
    assert found["metaInfo"]["Initiation"] == "Campaign"
    assert (found["metaInfo"]["campaignName"], found["metaInfo"]["attempt"]) == (name, 1)
    assert found["metaInfo"]["endUserNumber"] == person.removeprefix("+")
    assert found["customerinfo"]["CustomerPhone"] == person
    assert found["campaigninfo"] == {
        "campaignName": name,
        "campaignId": campaign_id,
        "campaignInstanceId": run_id,
        "campaignDialingListId": listed["data"]["results"][0]["campaignDialingListId"],
        "attempt": 1,
        "contactStatus": "answered",
        "campaignRunDate": found["campaigninfo"]["campaignRunDate"],
        "contactListName": [one["name"] for one in lists],
    }
    assert found["campaigninfo"]["campaignRunDate"].endswith("Z")


async def delivered(shop, run_id) -> bool:
    (attempt,) = (await shop.v1("GET", f"/runs/{run_id}/attempts")).json()["items"]
    return attempt["state"] == "delivered"


async def test_only_selected_fields_stand_beside(shop):
    await send(shop, "0002")

    (found,) = (await ask(shop, around_now(shop, direction="Outbound", selectedFields=["skills"]))).json()["data"]

    assert found["skills"] == []
    assert not {"campaigninfo", "customerinfo", "userleveltags", "sessionleveltags"} & set(found)


async def test_a_reply_is_an_inbound_conversation(shop):
    _, _, (person,) = await send(shop, "9910")

    async def replied() -> bool:
        return (await ask(shop, around_now(shop, direction="Inbound"))).json()["numResults"] == 1

    await until(replied)
    both = (await ask(shop, around_now(shop, direction="both", selectedFields=["campaigninfo"]))).json()

    assert both["numResults"] == 2
    assert [one["Direction"] for one in both["data"]] == ["Inbound", "Outbound"]
    assert both["data"][0]["metaInfo"]["endUserNumber"] == person.removeprefix("+")
    assert both["data"][0]["metaInfo"]["Initiation"] == "User"
    assert "campaigninfo" not in both["data"][0]


async def test_pages_of_conversations_are_numbered_from_zero(shop):
    await send(shop, "0001", "0002", "0003")
    body = around_now(shop, direction="Outbound")

    pages = [(await ask(shop, body, offset=page, limit=2)).json() for page in range(3)]

    assert [len(page["data"]) for page in pages] == [2, 1, 0]
    assert {page["numResults"] for page in pages} == {3}
    assert len({one["conversationId"] for page in pages for one in page["data"]}) == 3


async def test_what_lies_outside_the_question_is_not_answered(shop):
    await send(shop, "0001")
    questions = [
        around_now(shop, channels=["voice"]),
        around_now(shop, queues=["qu-1"]),
        around_now(shop, direction="Inbound"),
        around_now(shop, startDate="2020-01-01 00:00:00", endDate="2020-01-08 00:00:00"),
    ]

    answers = [(await ask(shop, body)).json() for body in questions]
    meant = (await ask(shop, around_now(shop, channels=["SMS"], queues=[]))).json()

    assert answers == [{"numResults": 0, "data": []}] * 4
    assert meant["numResults"] == 1


async def test_times_are_on_the_clock_of_whoever_asks(shop):
    await send(shop, "0001")

    utc, india = [(await ask(shop, around_now(shop, timeZoneOffset=zone))).json()["data"][0] for zone in (0, "-330")]

    shift = datetime.fromisoformat(india["sessionStartTime"]) - datetime.fromisoformat(utc["sessionStartTime"])
    assert shift == timedelta(minutes=330)
    assert india["startTime"] == utc["startTime"]


@pytest.mark.parametrize(
    ("changes", "query", "expected"),
    [
        ({"startDate": None, "endDate": ""}, {}, {"startDate", "endDate"}),
        ({"startDate": "16.02.2026", "endDate": "2026-02-30"}, {}, {"startDate", "endDate"}),
        ({"startDate": "2026-02-16", "endDate": "2026-02-24"}, {}, {"endDate"}),
        ({"startDate": "2026-02-16", "endDate": "2026-02-23 00:00:01"}, {}, {"endDate"}),
        ({"startDate": "2026-02-16", "endDate": "2026-02-15"}, {}, {"endDate"}),
        ({"timeZoneOffset": "IST"}, {}, {"timeZoneOffset"}),
        ({"timeZoneOffset": 99999}, {}, {"timeZoneOffset"}),
        ({"direction": "Sideways", "channels": "sms", "queues": [1], "selectedFields": {}}, {},
         {"direction", "channels", "queues", "selectedFields"}),
        ({}, {"limit": 101, "offset": 11}, {"limit", "offset"}),
        ({}, {"limit": 0, "offset": -1}, {"limit", "offset"}),
        ({}, {"limit": "1.5"}, {"limit"}),
    ],
)  # fmt: skip
async def test_a_wrong_question_names_every_field(shop, changes, query, expected):
    answer = await ask(shop, around_now(shop, **changes), **query)

    assert answer.status_code == 400, answer.text
    assert {error["field"] for error in answer.json()["errors"]} == expected


@pytest.mark.parametrize("end", ["2026-02-23", "2026-02-23 00:00:00", "2026-2-3", "2026-02-17T01:02:03.5Z"])
async def test_seven_days_are_not_too_long(shop, end):
    start = "2026-02-1" if end == "2026-2-3" else "2026-02-16"

    answer = await ask(shop, around_now(shop, startDate=start, endDate=end), limit=100, offset=10)

    assert (answer.status_code, answer.json()) == (200, {"numResults": 0, "data": []})


async def test_the_account_in_the_path_and_the_app_in_the_header_must_be_the_callers(shop, stranger):
    await send(stranger, "0001")
    body = around_now(shop)
    foreign = f"{REPORT}/{stranger.account_id}/calldetails"

    own = await ask(shop, body, headers=shop.headers)
    answers = [
        await shop.server.http.post(foreign, json=body, headers={"auth": shop.token()}),
        await ask(shop, body, headers={"auth": shop.token(), "iid": stranger.app_id}),
        await ask(shop, body, headers={"auth": shop.token(), "accountId": stranger.account_id}),
    ]
    nobody = await ask(shop, body, headers={"iid": shop.app_id})

    assert (own.status_code, own.json()["numResults"]) == (200, 0)
    assert [answer.status_code for answer in answers] == [403] * 3
    assert nobody.status_code == 401


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_the_first_and_the_last_day_of_all_can_be_asked_for(shop, day):
    answer = await ask(shop, around_now(shop, startDate=f"{day} 00:00:00", endDate=f"{day} 23:59:59"))

    assert (answer.status_code, answer.json()) == (200, {"numResults": 0, "data": []})
