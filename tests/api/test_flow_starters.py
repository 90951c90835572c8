"""Starter flows: listed, installed, and there for a documented request that names one."""

import asyncio
from typing import Any

import pytest

from api.callers import campaign_body, unique
from phone_numbers import numbers


async def install(shop: Any, starter: str, **body: Any) -> Any:
    return await shop.v1("POST", f"/flow-starters/{starter}/install", body)


def named(answer: Any) -> list[str]:
    assert answer.status_code == 400, answer.text
    return [error["field"] for error in answer.json()["errors"]]


async def documented(shop: Any, flow: str, **changes: Any) -> Any:
    body = campaign_body(await shop.make_list(numbers("IN", 1)[0]), **changes)
    del body["message"]
    body |= {"format": "advanced", "experienceFlowName": flow}
    return await shop.compat("POST", "/campaign", body, params={"campaignType": "sms"})


async def names_of_flows(shop: Any) -> list[str]:
    return [flow["name"] async for flow in shop.pages("/flows")]


async def test_the_starters_are_listed_with_what_they_want(shop):
    page = (await shop.v1("GET", "/flow-starters")).json()
    found = {one["name"]: one for one in page["items"]}

    assert page["next"] is None
    assert found["sms-support"]["title"] == "SMS Support Flow"
    assert all(one["languages"] == ["eng", "hin"] for one in found.values())
    assert [(one["name"], one["required"]) for one in found["order-status"]["parameters"]] == [
        ("business", True),
        ("order_status_url", True),
        ("queue", False),
    ]


async def test_every_starter_becomes_a_flow_with_what_was_said_in_it(shop):
    for starter in (await shop.v1("GET", "/flow-starters")).json()["items"]:
        said = {one["name"]: one["example"] for one in starter["parameters"]}

        made = await install(shop, starter["name"], parameters=said)
        twice = await install(shop, starter["name"], parameters=said)
        other = await install(shop, starter["name"], parameters=said, name=unique("Mine"))
        shown = (await shop.v1("GET", f"/flows/{made.json()['id']}")).json()

        assert made.status_code == 201, made.text
        assert made.json() == {"id": shown["id"], "name": starter["title"]}
        assert (shown["version"], shown["document"]["name"]) == (1, starter["title"])
        assert "{{" not in str(shown["document"])
        assert (twice.status_code, twice.json()["code"]) == (409, "name_taken")
        assert other.status_code == 201


@pytest.mark.parametrize(
    ("starter", "parameters", "expected"),
    [
        ("survey", {}, ["parameters.business"]),
        ("survey", {"business": "two\nlines"}, ["parameters.business"]),
        ("survey", {"business": "Shop", "shop": "x"}, ["parameters.shop"]),
        ("survey", {"business": 5}, ["parameters.business"]),
        ("payment-reminder", {"business": "Shop", "queue": "Nobody"}, ["parameters.queue"]),
        ("order-status", {"queue": "?"}, ["parameters.business", "parameters.order_status_url", "parameters.queue"]),
        ("sms-support", {"order_status_url": "ftp://example.com"}, ["parameters.order_status_url"]),
        ("sms-support", {"order_status_url": "https://me:secret@example.com"}, ["parameters.order_status_url"]),
    ],
)
async def test_a_wrong_parameter_is_named_and_nothing_is_installed(shop, starter, parameters, expected):
    before = await names_of_flows(shop)

    assert sorted(named(await install(shop, starter, parameters=parameters))) == sorted(expected)
    assert await names_of_flows(shop) == before


async def test_a_starter_that_wants_nothing_is_installed_without_a_body(shop):
    made = await shop.v1("POST", "/flow-starters/sms-support/install")
    missing = await shop.v1("POST", "/flow-starters/survey/install")

    assert (made.status_code, made.json()["name"]) == (201, "SMS Support Flow"), made.text
    assert [error["field"] for error in missing.json()["errors"]] == ["parameters.business"]


async def test_a_starter_that_is_not_there_is_not_found(shop):
    answer = await install(shop, "nowhere")

    assert (answer.status_code, answer.json()["code"]) == (404, "starter_not_found")


async def test_the_documented_campaign_names_a_starter_and_it_is_there(stranger):
    made = await documented(stranger, " sms support flow ")
    again = await documented(stranger, "SMS Support Flow")
    (flow,) = (await stranger.v1("GET", "/flows")).json()["items"]

    assert made.status_code == 200, made.text
    assert flow["name"] == "SMS Support Flow"
    assert made.json()["data"]["experienceFlow"] == again.json()["data"]["experienceFlow"] == flow["id"]


async def test_two_campaigns_at_once_install_it_once(stranger):
    answers = await asyncio.gather(*(documented(stranger, "SMS Support Flow") for _ in range(4)))

    assert {answer.status_code for answer in answers} == {200}
    assert await names_of_flows(stranger) == ["SMS Support Flow"]
    assert len({answer.json()["data"]["experienceFlow"] for answer in answers}) == 1


async def test_a_campaign_that_is_wrong_installs_nothing(stranger):
    refused = await documented(stranger, "SMS Support Flow", contactLists=["Nobody's list"])

    assert refused.status_code == 400
    assert await names_of_flows(stranger) == []


async def test_a_starter_that_wants_something_said_is_not_installed_by_its_name(stranger):
    answer = await documented(stranger, "Survey")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["msg"] == "There is no experience flow Survey. There are none yet."


async def test_a_flow_of_ones_own_goes_before_the_starter_of_that_name(stranger):
    mine = (await stranger.v1("POST", "/flows", {"name": "SMS Support Flow"})).json()

    made = await documented(stranger, "SMS Support Flow")

    assert made.json()["data"]["experienceFlow"] == mine["id"]
