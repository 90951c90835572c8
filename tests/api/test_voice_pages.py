"""The pages on voice campaigns: each documented field of a request is taken, and each of an answer is there.

The bodies are those of the samples with names and numbers of ours. Where a sample leaves a field out that its table
demands, it is left out here.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.callers import PREFIXES, SENDER, V1, V2, Caller, unique, until
from api.test_dialout import NOTICE
from api.test_documented_voice_campaign import DAYS, RESULT, results, survey
from callsheet.api.compat.shapes import SCHEMAS
from phone_numbers import numbers

INSTANT = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
WEEK = {
    "frequency": "WEEKLY", "timezone": "Asia/Kolkata",
    "days": [{"day": day, "start": "9:00 AM", "end": "6:00 PM"} for day in ("MO", "TU", "WE", "TH", "FR")],
}  # fmt: skip
STRATEGY = {
    "callerId": {"phoneNumber": SENDER}, "callingHours": WEEK, "dialingOrder": "FIFO", "maxAttemptsPerRecord": 3,
    "defaultRetryPeriod": 10, "maxRingTime": 30,
}  # fmt: skip
OF_QUEUE = {"queue_name": "Default Queue", "enableMachineDetect": False}
SHOWN = {
    "name": str, "lname": str, "description": str, "priority": str, "dialingMode": str, "dialingStrategy": dict,
    "status": str, "createdAt": str, "updatedAt": str, "contactLists": list, "enableMachineDetect": bool,
}  # fmt: skip
"""What every answer with a voice campaign in it has, by the tables; some samples leave `enableMachineDetect` out."""
OF_V2 = {"dncLists": dict, "isFiltersEnabled": bool}
LATER = {"_id": str, "id": str, "schedule": dict}
"""What the tables of the other calls have besides."""
PAGES = {
    "agentless v1": (V1, "voice", {"dialingMode": "Agentless", "enableMachineDetect": False}, {"experienceFlow": str}),
    "agentless v2": (V2, "voice", {"dialingMode": "Agentless", "enableMachineDetect": "no"}, {"experienceFlow": str}),
    "progressive v1": (V1, "voice", {"dialingMode": "Progressive", **OF_QUEUE}, {}),
    # The table of the query says sms, also on the pages of the other modes.
    "progressive v1, sms": (V1, "sms", {"dialingMode": "Progressive", **OF_QUEUE}, {}),
    "progressive v2": (V2, "voice", {"dialingMode": "Progressive", "queue_name": "Default Queue"}, {}),
    "preview v1": (V1, "voice", {"dialingMode": "Preview", **OF_QUEUE, "maxSkips": 1}, {"maxSkips": int}),
    "preview v2": (V2, "voice", {"dialingMode": "Preview", "queue_name": "Default Queue", "maxSkips": 1}, {}),
}


async def as_printed(shop: Caller, fields: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return the body of a sample."""
    dnc = {"name": unique("Company DNC")}
    assert (await shop.v1("POST", "/dnc-lists", dnc)).status_code == 201
    flow = {"experienceFlowName": await survey(shop)} if fields["dialingMode"] == "Agentless" else {}
    return {
        "name": unique("Product Survey-3.41"),
        "description": "Two questions after delivery. It asks what was good, and what was not.",
        "contactLists": [await shop.make_list()],
        **({"dncLists": dnc} if prefix == V2 else {}),
        "priority": "5",
        "dialingStrategy": STRATEGY,
        "schedule": {"isSchedulingEnabled": False},
        **flow,
        "campaignType": "voice",
        **fields,
    }


def is_shown(data: dict[str, Any], body: dict[str, Any], fields: dict[str, type]) -> None:
    """Check an answer's campaign against what was sent: each field is there, of its documented type."""
    assert {key: type(data.get(key)) for key in fields} == fields
    echoed = ("name", "description", "priority", "dialingMode", "contactLists")
    assert {key: data[key] for key in echoed} == {key: body[key] for key in echoed}
    assert data["lname"] == body["name"].lower()
    assert data["dialingStrategy"].items() >= STRATEGY.items()
    assert data["dialingStrategy"]["useSystemMappings"] is False
    assert data["enableMachineDetect"] is False
    assert all(INSTANT.fullmatch(data[key]) for key in ("createdAt", "updatedAt"))
    # The pages never echo these.
    assert not {"queue_name", "experienceFlowName", "message", "format"} & data.keys()


def test_the_contract_has_the_fields_of_the_pages():
    def fields(schema: str) -> set[str]:
        return set(SCHEMAS[schema]["properties"])

    assert fields("ShownCampaign") >= SHOWN.keys() | OF_V2.keys() | LATER.keys() | {"experienceFlow", "maxSkips"}
    assert fields("ContactResult") >= RESULT
    assert fields("DialoutNotice") == NOTICE | {"machineDetection"}
    assert fields("TriggerAnswer") >= {"totalCallsCompleted", "campaignInstanceId"}


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_that_creates_a_campaign_gets_its_documented_answer(shop, page):
    prefix, in_query, fields, further = PAGES[page]
    body = await as_printed(shop, fields, prefix)
    params = {"campaignType": in_query, **({"accountId": shop.account_id} if prefix == V2 else {})}

    made = await shop.compat("POST", "/campaign", body, prefix=prefix, params=params)

    assert made.status_code == 200, made.text
    told, data = made.json(), made.json()["data"]
    assert (told["status"], told["message"]) == ("success", f"Campaign {body['name']} creation in progress")
    is_shown(data, body, {**SHOWN, "id": str, **(OF_V2 if prefix == V2 else {}), **further})
    assert data["status"] == "Preparing"
    assert (told["id"], data["campId"]) == (data["id"], data["id"])
    if prefix == V2:
        assert (data["dncLists"]["name"], type(data["dncLists"]["id"])) == (body["dncLists"]["name"], str)


@pytest.mark.parametrize("prefix", [V1, V2])
async def test_the_pages_that_update_show_list_and_delete_get_their_documented_answers(shop, prefix):
    body = await as_printed(shop, {"dialingMode": "Agentless", "enableMachineDetect": "no"}, V2)
    campaign_id = (await shop.compat("POST", "/campaign", body, prefix=prefix)).json()["id"]
    await shop.until_status(campaign_id, "Ready")
    path, of_all = f"/campaign/{campaign_id}", {**SHOWN, **OF_V2, **LATER, "experienceFlow": str}
    # The sample of an update has neither a queue nor skips nor machine detection, and its address says sms.
    changed = {key: value for key, value in body.items() if key != "enableMachineDetect"}
    changed["name"] = unique("Product Survey-3.5")

    updated = (await shop.compat("PUT", path, changed, prefix=prefix, params={"campaignType": "sms"})).json()
    shown = (await shop.compat("GET", path, prefix=prefix)).json()
    question = {"type": "voice", "limit": 50, "skip": 0, "page": 1, "sortBy": {"createdAt": "desc"}}
    listed = (await shop.compat("POST", "/campaign/getAllCampaignDetails", question, prefix=prefix)).json()
    status = (await shop.compat("POST", f"{path}/status", prefix=prefix, params={"view": "status"})).json()
    deleted = (await shop.compat("DELETE", path, prefix=prefix, params={"campaignType": "voice"})).json()

    said = f"Campaign {changed['name']}"
    assert (updated["message"], updated["id"]) == (f"{said} details updated successfully", campaign_id)
    assert type(updated["data"]["maxSkips"]) is int
    assert shown["message"] == f"{said} retrieved successfully"
    assert listed["message"] == "Campaign  retrieved successfully"
    assert deleted["message"] == f"{said} deleted successfully"
    (in_list,) = listed["data"]["results"]
    assert in_list["connection"] == body["experienceFlowName"]
    for data in (updated["data"], shown["data"], in_list, deleted["data"]):
        is_shown(data, changed, of_all)
        assert data["status"] == "Ready"
        assert data["schedule"].items() >= {"isSchedulingEnabled": False, "isRecurrenceEnabled": False}.items()
    assert status == {"status": "success", "data": {"id": campaign_id, "status": "Ready", "name": changed["name"]}}


@pytest.mark.parametrize(("start", "of_start"), [(PREFIXES[1], ""), ("/api/v2/public", "/trigger")])
async def test_the_pages_that_start_and_stop_say_how_many_calls_are_over(shop, start, of_start):
    # Who is busy comes again in ten minutes, so that the campaign goes on.
    person, busy = (numbers("IN", 1, ending=end, seed=78)[0] for end in ("0001", "9921"))
    body = await as_printed(shop, {"dialingMode": "Agentless", "enableMachineDetect": "no"}, V2)
    body |= {"contactLists": [await shop.make_list(person, busy)]}
    body["dialingStrategy"] = {**STRATEGY, "callingHours": {**WEEK, "days": DAYS}}
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["id"]
    await shop.until_status(campaign_id, "Ready")
    path = f"/campaign{of_start}/{campaign_id}"

    async def pull(trigger: str) -> dict[str, Any]:
        params = {"campaignType": "voice", "trigger": trigger}
        answer = await shop.compat("POST", path, {}, prefix=start, params=params)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        assert INSTANT.fullmatch(told["updatedAt"])
        return told

    async def calls() -> list[dict[str, Any]]:
        """Return the calls, once both are over."""
        found: list[dict[str, Any]] = (await shop.v1("GET", "/calls", params={"live": "false"})).json()["items"]
        return found if len(found) == len((person, busy)) else []

    async def told() -> dict[str, dict[str, Any]]:
        """Return the results, once both have one."""
        found = await results(shop, campaign_id)
        return found if all(one["dialerDisposition"] for one in found.values()) else {}

    first = await pull("play")
    (talked,) = [one for one in await until(calls) if one["outcome"] == "human"]
    found = await until(told)
    rows = (await shop.v1("GET", f"/runs/{first['campaignInstanceId']}/dispositions")).json()["rows"]
    again, stopped = await pull("play"), await pull("stop")

    answers = [(one["status"], one["message"], one["totalCallsCompleted"]) for one in (first, again, stopped)]
    assert answers == [
        ("Active", "Campaign Started", 0),
        ("Active", "Campaign Started", 2),
        ("Stopped", "Campaign Stopped", 2),
    ]
    assert {one["campaignInstanceId"] for one in (first, again, stopped)} == {first["campaignInstanceId"]}
    assert {one["campaignExecutionType"] for one in (first, again, stopped)} == {"NORMAL"}
    assert found[person]["botSessionId"] == talked["conversation_id"] != ""
    assert (found[busy]["botSessionId"], found[busy]["agentDispositionCodes"]) == ("", [])
    # What the flow said of a call stands in the results, and in the table by attempt.
    assert found[person]["agentDispositionCodes"] == ["Answered"]
    assert {(row["word"], row["said"]): row["by_attempts"] for row in rows} == {
        ("Connected", "Answered"): {"1": 1},
        ("Busy", ""): {"1": 1},
    }


async def test_who_was_connected_is_called_again_at_the_time_that_was_asked_for(shop):
    person, busy = (numbers("IN", 1, ending=end, seed=79)[0] for end in ("0001", "9921"))
    body = await as_printed(shop, {"dialingMode": "Agentless", "enableMachineDetect": "no"}, V2)
    body |= {"contactLists": [await shop.make_list(person, busy)]}
    # Who is busy comes again in ten minutes, so that the campaign goes on.
    body["dialingStrategy"] = {**STRATEGY, "callingHours": {**WEEK, "days": DAYS}, "maxAttemptsPerRecord": 2}
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["id"]
    await shop.until_status(campaign_id, "Ready")
    run_id = (await shop.trigger(campaign_id, "play")).json()["campaignInstanceId"]

    async def tried(times: int) -> dict[str, dict[str, Any]]:
        """Return the results, once the person was called so often."""
        found = await results(shop, campaign_id)
        return found if person in found and found[person]["numberOfAttemptsSoFar"] == times else {}

    entry = (await until(lambda: tried(1)))[person]["campaignDialingListId"]

    async def asks() -> bool:
        """Ask for a call in a moment; false: that moment was over before anybody read it."""
        at = datetime.now(UTC) + timedelta(seconds=0.5)
        wanted = [{"campaignDialingListId": entry, "timeToContact": f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"}]
        asked = await shop.compat("POST", f"/campaign/{run_id}/callContactAt", wanted)
        (said,) = asked.json()["data"]
        assert said["campaignDialingListId"] == entry
        assert (said["status"], said.get("reason")) in (("success", None), ("failed", "time_in_past"))
        return said["status"] == "success"

    await until(asks)
    found = await until(lambda: tried(2))
    assert (await shop.trigger(campaign_id, "stop")).status_code == 200
    assert found[busy]["numberOfAttemptsSoFar"] == 1
    placed = [one["to"] for one in (await shop.v1("GET", "/sandbox/calls")).json()["items"]]
    assert placed.count(busy) == 1
