"""From the documented start call to messages on handsets, and everything that can be done in between."""

import re
from typing import Any

import pytest

from api.callers import SENDER, Caller, campaign_body, unique, until, voice_body
from phone_numbers import numbers

INSTANCE = re.compile(r"cid-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
INSTANT = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


async def taken(shop: Caller, least: int) -> bool:
    return len(await shop.outbox()) >= least


async def test_a_started_campaign_reaches_every_contact_once(shop):
    people = numbers("IN", 120)
    campaign_id = await shop.make_campaign(*people, message={"message": "Hello {{first_name | default: 'there'}}"})

    started = await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")
    shown = (await shop.compat("GET", f"/campaign/{campaign_id}")).json()["data"]

    assert started.status_code == 200
    told = started.json()
    assert (told["status"], told["message"]) == ("Active", "Campaign Started")
    assert (told["totalCallsCompleted"], told["campaignExecutionType"]) == (0, "NORMAL")
    assert INSTANCE.fullmatch(told["campaignInstanceId"])
    assert INSTANT.fullmatch(told["updatedAt"])
    outbox = await shop.outbox()
    assert sorted(message["to"] for message in outbox) == sorted(people)
    assert {(m["text"], m["from"], m["campaign_id"]) for m in outbox} == {("Hello there", SENDER, campaign_id)}
    assert shown["totalMessagesSent"] == 120
    assert shown["campaignInstanceId"] == told["campaignInstanceId"]
    assert shown["campaignExecutionType"] == "NORMAL"
    assert INSTANT.fullmatch(shown["campaignInstanceUpdatedAt"])


async def test_a_created_campaign_waits_until_it_is_started(shop):
    campaign_id = await shop.make_campaign(*numbers("IN", 3))

    assert await shop.status(campaign_id) == "Ready"
    assert await shop.outbox() == []


async def test_an_app_may_start_what_it_creates(shop):
    await shop.v1("PATCH", "/settings", {"start_on_create": True})

    campaign_id = await shop.make_campaign(*numbers("IN", 3))
    await shop.until_status(campaign_id, "Completed")

    assert len(await shop.outbox()) == 3


async def test_a_campaign_that_cannot_start_by_itself_is_created_and_waits(shop):
    await shop.v1("PATCH", "/settings", {"start_on_create": True})
    await shop.v1("POST", "/flows", {"name": "Empty"})
    advanced = {"message": None, "format": "advanced", "experienceFlowName": "Empty"}

    name = await shop.make_list(*numbers("IN", 1))

    made = await shop.compat("POST", "/campaign", campaign_body(name, **advanced))
    plain = await shop.compat("POST", "/campaign", campaign_body(name))
    await shop.v1("POST", "/dnc-lists", {"name": "Never"})
    named = {"experienceFlowName": "Empty", "dncLists": {"name": "Never"}}
    calls = await shop.compat("POST", "/campaign", voice_body(name, **named))
    # One that its schedule starts waits as it is meant to.
    schedule = {"isSchedulingEnabled": True, "startDateTime": "2099-01-05 09:00:00"}
    later = await shop.compat("POST", "/campaign", campaign_body(name, schedule=schedule))

    assert await shop.status(made.json()["data"]["id"]) == "Ready"
    assert [one["code"] for one in made.json()["warnings"]] == ["flow_is_empty"]
    assert all("warnings" not in one.json() for one in (plain, later))
    assert {one.status_code for one in (made, plain, calls, later)} == {200}
    assert calls.json()["message"].endswith("creation in progress")
    assert [one["code"] for one in calls.json()["warnings"]] == ["flow_is_empty"]


async def test_pause_stops_at_once_and_resume_goes_on_with_the_same_run(shop):
    await shop.pace(4)
    people = numbers("IN", 40)
    campaign_id = await shop.make_campaign(*people)

    started = await shop.trigger(campaign_id, "play")
    await until(lambda: taken(shop, 3))
    paused = await shop.trigger(campaign_id, "pause")
    after_pause = len(await shop.outbox())
    again = await shop.trigger(campaign_id, "pause")
    status = await shop.status(campaign_id)
    still = len(await shop.outbox())
    await shop.pace(None)
    resumed = await shop.trigger(campaign_id, "resume")
    await shop.until_status(campaign_id, "Completed")

    assert (paused.json()["status"], paused.json()["message"]) == ("Paused", "Campaign Paused")
    assert (again.status_code, status) == (200, "Paused")
    assert after_pause == still < 40
    assert (resumed.json()["status"], resumed.json()["message"]) == ("Active", "Campaign Resumed")
    ids = {answer.json()["campaignInstanceId"] for answer in (started, paused, again, resumed)}
    assert len(ids) == 1
    assert sorted(message["to"] for message in await shop.outbox()) == sorted(people)


async def test_play_on_a_paused_campaign_goes_on_with_the_same_run(shop):
    await shop.pace(0.1)
    campaign_id = await shop.make_campaign(*numbers("IN", 5))

    started = await shop.trigger(campaign_id, "play")
    await shop.trigger(campaign_id, "pause")
    resumed = await shop.trigger(campaign_id, "play")

    assert resumed.json()["status"] == "Active"
    assert resumed.json()["campaignInstanceId"] == started.json()["campaignInstanceId"]
    await shop.trigger(campaign_id, "stop")


async def test_stop_ends_the_run_and_play_begins_another(shop):
    await shop.pace(0.1)
    campaign_id = await shop.make_campaign(*numbers("IN", 5))

    started = await shop.trigger(campaign_id, "run")
    stopped = await shop.trigger(campaign_id, "stop")
    stopped_again = await shop.trigger(campaign_id, "stop")
    restarted = await shop.trigger(campaign_id, "rerun")

    assert (stopped.json()["status"], stopped.json()["message"]) == ("Stopped", "Campaign Stopped")
    assert stopped.json()["campaignInstanceId"] == started.json()["campaignInstanceId"]
    assert stopped_again.json()["status"] == "Stopped"
    assert restarted.json()["campaignInstanceId"] != started.json()["campaignInstanceId"]
    await shop.trigger(campaign_id, "stop")


async def test_start_on_an_active_campaign_changes_nothing(shop):
    await shop.pace(0.1)
    campaign_id = await shop.make_campaign(*numbers("IN", 5))

    first = await shop.trigger(campaign_id, "play")
    second = await shop.trigger(campaign_id, "play")

    assert second.status_code == 200
    assert second.json()["status"] == "Active"
    assert second.json()["campaignInstanceId"] == first.json()["campaignInstanceId"]
    await shop.trigger(campaign_id, "stop")


async def test_a_completed_campaign_can_run_again_from_the_first_contact(shop):
    campaign_id = await shop.make_campaign(*numbers("IN", 4))

    for _ in range(2):
        await shop.trigger(campaign_id, "play")
        await shop.until_status(campaign_id, "Completed")

    assert len(await shop.outbox()) == 8


@pytest.mark.parametrize(
    ("before", "trigger"),
    [((), "pause"), ((), "resume"), ((), "stop"), (("play", "stop"), "pause"), (("play", "stop"), "resume")],
)
async def test_a_move_that_the_state_does_not_allow_is_refused_with_the_reason(shop, before, trigger):
    await shop.pace(0.1)
    campaign_id = await shop.make_campaign(*numbers("IN", 3))
    for move in before:
        await shop.trigger(campaign_id, move)

    answer = await shop.trigger(campaign_id, trigger)

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "wrong_state"
    assert f"and cannot be {trigger}" in answer.json()["message"]


@pytest.mark.parametrize("before", [("play",), ("play", "pause")])
async def test_a_campaign_under_way_is_neither_edited_nor_deleted(shop, before):
    await shop.pace(0.1)
    contact_list = await shop.make_list(*numbers("IN", 3))
    body = campaign_body(contact_list)
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]
    for move in before:
        await shop.trigger(campaign_id, move)

    edited = await shop.compat("PUT", f"/campaign/{campaign_id}", {**body, "description": "Changed"})
    deleted = await shop.compat("DELETE", f"/campaign/{campaign_id}")
    shown = (await shop.compat("GET", f"/campaign/{campaign_id}")).json()["data"]

    assert (edited.status_code, deleted.status_code) == (409, 409)
    assert shown["description"] == body["description"]
    await shop.trigger(campaign_id, "stop")


async def test_two_campaigns_do_not_run_on_one_list(shop):
    await shop.pace(0.1)
    contact_list = await shop.make_list(*numbers("IN", 3))
    ids = [
        (await shop.compat("POST", "/campaign", campaign_body(contact_list))).json()["data"]["_id"] for _ in range(2)
    ]

    await shop.trigger(ids[0], "play")
    refused = await shop.trigger(ids[1], "play")

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "list_in_use")
    assert contact_list in refused.json()["message"]
    await shop.trigger(ids[0], "stop")


@pytest.mark.parametrize("trigger", ["", "launch", "restart"])
async def test_an_unknown_trigger_names_the_known_ones(shop, trigger):
    answer = await shop.trigger(await shop.make_campaign(), trigger)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "trigger"
    assert "play" in answer.json()["message"]


@pytest.mark.parametrize("trigger", ["play", "stop", "pause", "resume"])
async def test_nobody_moves_a_campaign_that_is_not_there(shop, trigger):
    answer = await shop.trigger("cd-00000000-0000-4000-8000-000000000000", trigger)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "campaign_not_found")


async def test_a_flow_without_a_document_cannot_start_until_it_has_one(shop):
    flow_id = (await shop.v1("POST", "/flows", {"name": "Support"})).json()["id"]
    campaign_id = await shop.make_campaign(
        *numbers("IN", 2), message=None, format="advanced", experienceFlowName="Support"
    )

    refused = await shop.trigger(campaign_id, "play")
    status = await shop.status(campaign_id)
    document = await shop.v1("PUT", f"/flows/{flow_id}", {"document": flow("Reply 1 to speak with us")})
    started = await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "flow_is_empty")
    assert status == "Ready"
    assert (document.status_code, document.json()["version"]) == (200, 2)
    assert started.status_code == 200
    assert [message["text"] for message in await shop.outbox()] == ["Reply 1 to speak with us"] * 2


def flow(text: str) -> dict[str, Any]:
    """Write a flow document that says one thing."""
    block = "11111111-1111-4111-8111-111111111111"
    resource = "22222222-2222-4222-8222-222222222222"
    language = "33333333-3333-4333-8333-333333333333"
    return {
        "specification_version": "1.0.0-rc4",
        "uuid": "44444444-4444-4444-8444-444444444444",
        "name": "Support",
        "flows": [
            {
                "uuid": "55555555-5555-4555-8555-555555555555",
                "name": "Support",
                "languages": [{"id": language, "iso_639_3": "eng"}],
                "first_block_id": block,
                "blocks": [
                    {
                        "uuid": block,
                        "name": "hello",
                        "type": "MobilePrimitives.Message",
                        "config": {"prompt": resource},
                        "exits": [{"uuid": "66666666-6666-4666-8666-666666666666", "name": "d", "default": True}],
                    }
                ],
            }
        ],
        "resources": [
            {
                "uuid": resource,
                "values": [
                    {"language_id": language, "content_type": "TEXT", "modes": ["SMS"], "value": text},
                ],
            }
        ],
    }


async def test_an_update_keeps_id_and_age_and_makes_the_campaign_ready(shop):
    body = campaign_body(await shop.make_list(*numbers("IN", 2)))
    made = (await shop.compat("POST", "/campaign", body)).json()["data"]
    await shop.trigger(made["_id"], "play")
    await shop.until_status(made["_id"], "Completed")

    updated = await shop.compat(
        "PUT",
        f"/campaign/{made['_id']}",
        {**body, "name": "Renamed", "description": None, "campaignType": "voice"},
        params={"campaignType": "voice"},
    )

    assert updated.json()["message"] == "Campaign Renamed details updated successfully"
    data = updated.json()["data"]
    assert (data["_id"], data["createdAt"], data["status"]) == (made["_id"], made["createdAt"], "Ready")
    assert (data["name"], data["description"], data["campaignType"]) == ("Renamed", "", "sms")
    assert data["updatedAt"] > made["updatedAt"]


async def test_a_deleted_campaign_is_answered_as_it_was_and_is_gone(shop):
    campaign_id = await shop.make_campaign(name="To go")

    deleted = await shop.compat("DELETE", f"/campaign/{campaign_id}", params={"campaignType": "sms"})
    gone = await shop.compat("GET", f"/campaign/{campaign_id}")

    assert deleted.json()["message"] == "Campaign To go deleted successfully"
    assert (deleted.json()["data"]["_id"], deleted.json()["data"]["status"]) == (campaign_id, "Ready")
    assert gone.status_code == 404


async def test_a_name_that_fits_several_campaigns_moves_none_of_them(shop):
    await shop.v1("PATCH", "/settings", {"unique_names": False})
    name = unique("Twin")
    twins = [await shop.make_campaign(*numbers("IN", 1), name=name) for _ in range(2)]

    answers = [
        await shop.trigger(name, "play"),
        await shop.compat("GET", f"/campaign/{name}"),
        await shop.compat("PUT", f"/campaign/{name}", campaign_body(await shop.make_list(), name=name)),
        await shop.compat("DELETE", f"/campaign/{name}"),
        await shop.compat("POST", f"/campaign/{name}/status"),
        await shop.v1("GET", f"/campaigns/{name}"),
        await shop.v1("GET", "/runs", params={"campaign_id": name}),
    ]

    for answer in answers:
        assert answer.status_code == 409
        assert "name_ambiguous" in answer.text
        assert all(twin in answer.text for twin in twins)
    assert [await shop.status(twin) for twin in twins] == ["Ready", "Ready"]
