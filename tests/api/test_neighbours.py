"""Neighbours of the campaign calls: paths that begin otherwise, and calls that wait for voice."""

import pytest

from api.callers import V1, V2
from callsheet.api.paths import find_address

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


@pytest.mark.parametrize("version", ["", "/V2"])
async def test_a_single_call_waits_for_voice_and_says_so(shop, version):
    path = f"/api/1.1/public/bot/{shop.app_id}{version}/smartassist/dialout"

    answer = await shop.server.http.post(path, headers=shop.headers, json={"target": "tel:+919876543210"})

    assert answer.status_code == 501
    assert answer.json()["errors"][0]["code"] == "not_implemented"
    assert "voice" in answer.json()["message"]


async def test_agent_mappings_wait_for_voice_in_both_dialects(shop):
    ours = await shop.v1("GET", "/agent-mappings")
    documented = await shop.compat("POST", "/agentMappings", {}, prefix=V1)

    assert (ours.status_code, ours.json()["code"]) == (501, "not_implemented")
    assert documented.status_code == 501


async def test_discrepancy_12_a_trailing_backslash_in_the_query_of_a_neighbour(shop):
    answer = await shop.compat("GET", f"/queues?accountId={shop.account_id}\\&page=1\\", prefix=V2)

    assert answer.status_code == 200, answer.text
