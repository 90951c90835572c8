"""The status call: the state of a campaign, and how each contact stands."""

import pytest

from api.callers import campaign_body, unique, until
from phone_numbers import numbers


async def contacts(shop, campaign_id, body=None, **query):
    return await shop.compat("POST", f"/campaign/{campaign_id}/status", body, params={"view": "contacts", **query})


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("query", [{"view": "status"}, {"view": "STATUS"}, {}])
async def test_the_status_view(shop, method, query):
    campaign_id = await shop.make_campaign(name=(name := unique("Shown")))

    answer = await shop.compat(method, f"/campaign/{campaign_id}/status", params=query)

    assert answer.json() == {"status": "success", "data": {"id": campaign_id, "status": "Ready", "name": name}}


async def test_every_contact_of_the_latest_run_is_shown_with_its_outcome(shop):
    good, undelivered, invalid, silent, forbidden = (
        numbers("IN", 1, ending="1111")[0],
        numbers("IN", 1, ending="9904")[0],
        numbers("IN", 1, ending="9905")[0],
        numbers("IN", 1, ending="9908")[0],
        numbers("IN", 1, ending="2222")[0],
    )
    dnc_list = (await shop.v1("POST", "/dnc-lists", {"name": "Spared"})).json()
    await shop.v1("POST", f"/dnc-lists/{dnc_list['id']}/numbers", {"numbers": [forbidden]})
    name = await shop.make_list(good, undelivered, invalid, silent, forbidden, uniqueId="u-7")
    body = campaign_body(name, dncLists={"name": "Spared"})
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]

    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")
    await until(lambda: receipts_came(shop, campaign_id))
    found = (await contacts(shop, campaign_id, {"page": 1, "limit": 100})).json()

    assert {key: found["data"][key] for key in ("page", "limit", "totalPages", "totalResults")} == {
        "page": 1,
        "limit": 100,
        "totalPages": 1,
        "totalResults": 5,
    }
    by_number = {one["phoneNumber"]: one for one in results(found)}
    shown = {
        number: (one["dialerOutcome"], one["botOutboundStatus"], one["botOutboundStatusDetail"])
        for number, one in by_number.items()
    }
    assert shown == {
        good[1:]: ("completed", "delivered", ""),
        undelivered[1:]: ("completed", "undelivered", "handset_unreachable"),
        invalid[1:]: ("completed", "rejected", "invalid_number"),
        silent[1:]: ("", "accepted", ""),
        forbidden[1:]: ("completed", "suppressed", "dnc"),
    }
    assert {one["numberOfAttemptsSoFar"] for number, one in by_number.items() if number != forbidden[1:]} == {1}
    assert by_number[forbidden[1:]]["numberOfAttemptsSoFar"] == 0
    assert {one["uniqueId"] for one in by_number.values()} == {"u-7"}
    assert all(one["campaignDialingListId"].startswith("cdl-") for one in by_number.values())
    assert all(one["agentDispositionCodes"] == [] and one["botSessionId"] == "" for one in by_number.values())


async def receipts_came(shop, campaign_id):
    """Tell whether only the handset that never confirms is still waited for."""
    found = (await contacts(shop, campaign_id)).json()
    return sum(one["botOutboundStatus"] == "accepted" for one in results(found)) == 1


def results(answer):
    return answer["data"]["results"]


async def test_pages_neither_lose_nor_repeat_anybody(shop):
    people = numbers("IN", 23)
    name = await shop.make_list(*people, name=unique("Twice"))
    second = await shop.make_list(*people[:4])
    campaign_id = (await shop.compat("POST", "/campaign", campaign_body(name, second))).json()["data"]["_id"]
    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")

    pages = [(await contacts(shop, campaign_id, {"page": page, "limit": 10})).json()["data"] for page in (1, 2, 3, 4)]

    assert [len(page["results"]) for page in pages] == [10, 10, 7, 0]
    assert {page["totalResults"] for page in pages} == {27}
    assert {page["totalPages"] for page in pages} == {3}
    everybody = [one for page in pages for one in page["results"]]
    sent = [one["phoneNumber"] for one in everybody if one["botOutboundStatus"] != "suppressed"]
    assert sorted(sent) == sorted(person[1:] for person in people)
    duplicates = [one for one in everybody if one["botOutboundStatusDetail"] == "duplicate"]
    assert len(duplicates) == 4


async def test_a_campaign_that_never_ran_has_no_results(shop):
    answer = await contacts(shop, await shop.make_campaign(*numbers("IN", 2)))

    assert answer.json()["data"] == {"results": [], "page": 1, "limit": 100, "totalPages": 0, "totalResults": 0}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": 1.5}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"page": 0}, "page"),
        ({"page": -1}, "page"),
        ({"page": [1]}, "page"),
    ],
)
async def test_a_page_that_cannot_be_is_refused(shop, body, field):
    answer = await contacts(shop, await shop.make_campaign(), body)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("body", [None, {}, {"page": "", "limit": ""}, {"page": "1", "limit": "5"}])
async def test_page_and_limit_are_optional_and_may_be_texts(shop, body):
    assert (await contacts(shop, await shop.make_campaign(), body)).status_code == 200


async def test_an_unknown_view_is_refused(shop):
    answer = await shop.compat("POST", f"/campaign/{await shop.make_campaign()}/status", params={"view": "calls"})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "view")
