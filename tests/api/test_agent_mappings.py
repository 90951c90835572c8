"""Agent mappings are kept, checked and named by campaigns, in both dialects; nobody else sees them."""

from typing import Any

import pytest

from api.callers import V1, Caller, unique, voice_body
from api.people import make_person
from api.test_voice_campaigns import create, neighbours, of_mode, strategy
from phone_numbers import numbers

ADA, BOB, CY = numbers("IN", 3)


async def make(shop: Caller, **more: Any) -> str:
    made = await shop.v1("POST", "/agent-mappings", {"name": unique("Ours"), **more})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def put(shop: Caller, mapping_id: str, body: Any) -> Any:
    answer = await shop.v1("POST", f"/agent-mappings/{mapping_id}/customers", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def whose(shop: Caller, mapping_id: str) -> dict[str, tuple[str, int | None]]:
    path = f"/agent-mappings/{mapping_id}/customers"
    return {one["number"]: (one["agent"], one["priority"]) async for one in shop.pages(path, limit=1)}


async def test_a_mapping_is_made_shown_changed_and_deleted(shop):
    mapping_id = await make(shop, description="First")
    path = f"/agent-mappings/{mapping_id}"
    shown = (await shop.v1("GET", path)).json()
    assert (shown["description"], shown["size"]) == ("First", 0)
    changed = (await shop.v1("PATCH", path, {"description": "Second"})).json()
    assert (changed["name"], changed["description"]) == (shown["name"], "Second")
    taken = await shop.v1("POST", "/agent-mappings", {"name": shown["name"].upper()})
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")
    assert [one["id"] for one in (await shop.v1("GET", "/agent-mappings")).json()["items"]] == [mapping_id]
    assert (await shop.v1("DELETE", path)).status_code == 204
    gone = await shop.v1("GET", path)
    assert (gone.status_code, gone.json()["code"]) == (404, "agent_mapping_not_found")


async def test_customers_are_written_as_objects_or_as_a_csv_and_wrong_rows_are_named(shop):
    mapping_id = await make(shop)
    first = [{"number": ADA, "agent": "a@x"}, {"number": BOB, "agent": "b@x", "priority": 3}]
    assert await put(shop, mapping_id, {"customers": first}) == {"added": 2, "changed": 0, "rejected": []}
    csv = f"Customer Number,Agent ID,Priority\n{BOB},c@x,10\n12,d@x,1\n{CY},,1\n{CY},e@x,11\n{CY},e@x,\n"
    came = await put(shop, mapping_id, {"csv": csv})
    assert (came["added"], came["changed"]) == (1, 1)
    assert [(one["row"], one["number"]) for one in came["rejected"]] == [(2, "12"), (3, CY), (4, CY)]
    assert await whose(shop, mapping_id) == {ADA: ("a@x", None), BOB: ("c@x", 10), CY: ("e@x", None)}
    removed = await shop.v1("POST", f"/agent-mappings/{mapping_id}/customers/remove", {"numbers": [ADA, ADA, "12"]})
    assert removed.json() == {"removed": 1}
    await put(shop, mapping_id, {"customers": [{"number": ADA, "agent": "z@x"}], "replace": True})
    assert await whose(shop, mapping_id) == {ADA: ("z@x", None)}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"customers": [{"number": ADA, "agent": "a"}], "csv": ""}, ["customers"]),
        (
            {"customers": [{"number": ADA, "agent": " ", "priority": 11}]},
            ["customers[0].agent", "customers[0].priority"],
        ),
    ],
)
async def test_a_body_that_is_wrong_names_its_fields(shop, body, named):
    mapping_id = await make(shop)
    answer = await shop.v1("POST", f"/agent-mappings/{mapping_id}/customers", body)
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == named


async def test_the_documented_dialect_keeps_them_too(shop):
    name = unique("Theirs")
    data = [{"phoneNumber": ADA.removeprefix("+"), "agentId": "u-1", "customerPriority": "7"}, {"phoneNumber": "1"}]
    made = await shop.compat("POST", "/agentMappings", {"name": name, "data": data}, prefix=V1)
    assert made.status_code == 200, made.text
    assert made.json()["message"] == f"Agent mapping {name} created successfully"
    assert made.json()["data"]["totalRecordCount"] == 1
    assert [one["row"] for one in made.json()["data"]["rejected"]] == [2]
    listed = (await shop.compat("GET", "/agentMappings", prefix=V1)).json()["data"]
    assert [one["name"] for one in listed] == [name]
    shown = (await shop.compat("GET", f"/agentMappings/{name}", prefix=V1)).json()["data"]
    assert shown["data"] == [{"phoneNumber": ADA.removeprefix("+"), "agentId": "u-1", "priority": 7}]
    changed = await shop.compat("PUT", f"/agentMappings/{shown['id']}", {"data": []}, prefix=V1)
    assert changed.json()["data"]["totalRecordCount"] == 0
    deleted = await shop.compat("DELETE", f"/agentMappings/{shown['_id']}", prefix=V1)
    assert deleted.json()["message"] == f"Agent mapping {name} deleted successfully"
    assert (await shop.compat("GET", f"/agentMappings/{name}", prefix=V1)).status_code == 404
    wrong = await shop.compat("POST", "/agentMappings", {"name": "", "data": "x"}, prefix=V1)
    assert {error["field"] for error in wrong.json()["errors"] if "field" in error} == {"name", "data"}


@pytest.mark.parametrize("mode", ["Agentless", "Preview"])
async def test_a_campaign_may_name_one_which_then_stays(shop, mode):
    mapping_id = await make(shop)
    name = (await shop.v1("GET", f"/agent-mappings/{mapping_id}")).json()["name"]
    body = voice_body(await shop.make_list(), **of_mode(mode, await neighbours(shop)), dialingStrategy=strategy())
    made = await create(shop, body | {"agentMapping": {"name": name.upper()}})
    campaign_id = made.json()["id"]
    shown = (await shop.v1("GET", f"/campaigns/{campaign_id}")).json()["voice"]
    assert shown["agent_mapping"] == {"id": mapping_id, "name": name}
    used = await shop.v1("DELETE", f"/agent-mappings/{mapping_id}")
    assert (used.status_code, used.json()["code"]) == (409, "in_use")
    unknown = await create(shop, body | {"name": unique("Other"), "agentMapping": "Nobody's"})
    assert [error["field"] for error in unknown.json()["errors"] if "field" in error] == ["agentMapping"]


async def test_a_campaign_says_what_machine_detection_goes_by(shop):
    flow_id = (await shop.v1("POST", "/flows", {"name": unique("Flow")})).json()["id"]
    lists = [(await shop.v1("POST", "/contact-lists", {"name": unique("People")})).json()["id"]]
    hours = {"timezone": "UTC", "windows": [{"days": ["MO"], "start": "09:00", "end": "17:00"}]}
    body = {
        "name": unique("Calls"), "channel": "voice", "contact_list_ids": lists, "sender": "+12125550100",
        "calling_hours": hours, "message": {"flow_id": flow_id},
        "voice": {
            "mode": "Agentless", "machine_detection": "detect", "detection": {"decision_seconds": 8},
            "machine_sample_share": 0.25,
        },
    }  # fmt: skip
    made = await shop.v1("POST", "/campaigns", body)
    assert made.status_code == 201, made.text
    detection = made.json()["voice"]["detection"]
    assert (detection["decision_seconds"], detection["no_speech_seconds"]) == (8.0, 5.0)
    assert made.json()["voice"]["machine_sample_share"] == 0.25
    body["voice"]["machine_sample_share"] = 1.5
    body["voice"]["detection"] = {"decision_seconds": 0, "tone_seconds": 61, "dog_seconds": 1}
    wrong = await shop.v1("POST", "/campaigns", body | {"name": unique("Calls")})
    assert {error["field"] for error in wrong.json()["errors"]} == {
        "voice.detection.decision_seconds",
        "voice.detection.tone_seconds",
        "voice.detection.dog_seconds",
        "voice.machine_sample_share",
    }


async def test_another_tenant_and_those_who_may_not_configure_are_refused(shop, stranger):
    mapping_id = await make(shop)
    await put(shop, mapping_id, {"customers": [{"number": ADA, "agent": "a@x"}]})
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/customers")):
        assert (await stranger.v1(method, f"/agent-mappings/{mapping_id}{path}")).status_code == 404
    assert (await stranger.v1("GET", "/agent-mappings")).json()["items"] == []
    assert (await stranger.compat("GET", f"/agentMappings/{mapping_id}", prefix=V1)).status_code == 404
    viewer, operator = await make_person(shop, "viewer"), await make_person(shop, "operator")
    assert (await viewer.call("GET", "/agent-mappings")).status_code == 200
    assert (await operator.call("POST", "/agent-mappings", {"name": unique("Mine")})).status_code == 403
