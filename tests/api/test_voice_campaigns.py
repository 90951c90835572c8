"""Voice campaigns of every mode are kept, shown in the documented shapes, and wait for a trunk that could call."""

from typing import Any

import pytest

from api.callers import ALWAYS, SENDER, V1, V2, Caller, fields, unique, voice_body
from databases import change
from flow_documents import document, say
from phone_numbers import numbers

DIALING = {"dialingOrder": "LIFO", "maxAttemptsPerRecord": 100, "defaultRetryPeriod": 1440, "maxRingTime": 5}
QUEUE = "Default Queue"


async def neighbours(shop: Caller) -> dict[str, Any]:
    """Make what a voice campaign names."""
    dnc, flow = unique("Never"), unique("Entry flow")
    assert (await shop.v1("POST", "/dnc-lists", {"name": dnc})).status_code == 201
    assert (await shop.v1("POST", "/flows", {"name": flow})).status_code == 201
    return {"dncLists": {"name": dnc}, "experienceFlowName": flow}


def of_mode(mode: str, names: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that a mode needs."""
    plain = {"dncLists": names["dncLists"], "dialingMode": mode, "queue_name": QUEUE}
    match mode.lower():
        case "agentless":
            return {**names, "dialingMode": mode}
        case "preview":
            return {**plain, "maxSkips": 2}
        case "power":
            return {**plain, "pacingRatio": 2.5}
        case _:
            return plain


async def create(shop: Caller, body: dict[str, Any], *, prefix: str = V2, kind: str = "voice") -> Any:
    return await shop.compat("POST", "/campaign", body, prefix=prefix, params={"campaignType": kind})


def strategy(**changes: Any) -> dict[str, Any]:
    return {"callerId": {"phoneNumber": SENDER}, "callingHours": ALWAYS, **DIALING, **changes}


@pytest.mark.parametrize("mode", ["Agentless", "Progressive", "Preview", "Power", "AGENTLESS", "power"])
async def test_a_campaign_of_every_mode_is_kept_and_shown_as_documented(shop, mode):
    names = await neighbours(shop)
    people = await shop.make_list()
    body = voice_body(people, **of_mode(mode, names), dialingStrategy=strategy())

    made = await create(shop, body)
    told, data = made.json(), made.json()["data"]
    shown = (await shop.compat("GET", f"/campaign/{told['id']}")).json()["data"]

    assert made.status_code == 200
    assert told["message"] == f"Campaign {body['name']} creation in progress"
    assert {told["id"], data["id"], data["_id"], data["campId"]} == {told["id"]}
    assert data["status"] == "Preparing"
    assert data["dialingMode"] == mode.capitalize()
    assert data["dialingStrategy"] == {**strategy(), "useSystemMappings": False}
    assert (data["campaignType"], data["priority"], data["contactLists"]) == ("voice", "5", [people])
    assert (data["isFiltersEnabled"], data["enableMachineDetect"]) == (False, False)
    assert data["dncLists"]["name"] == names["dncLists"]["name"]
    assert not {"queue_name", "experienceFlowName", "message", "format"} & data.keys()
    assert data.get("experienceFlow", "").startswith("cf-") is (mode.capitalize() == "Agentless")
    assert data["maxSkips"] == (2 if mode == "Preview" else 0)
    assert data.get("pacingRatio") == (2.5 if mode.capitalize() == "Power" else None)
    volatile = ("status", "updatedAt", "campId")
    assert {k: v for k, v in shown.items() if k not in volatile} == {k: v for k, v in data.items() if k not in volatile}


async def test_a_created_voice_campaign_becomes_ready_and_cannot_start_before(shop):
    body = voice_body(await shop.make_list(*numbers("IN", 2)), **of_mode("Agentless", await neighbours(shop)))
    campaign_id = (await create(shop, body)).json()["id"]
    await shop.until_status(campaign_id, "Ready")
    late = await shop.trigger(campaign_id, "play")

    # As long as nobody looks: it is not among those that are to be prepared.
    again = "update campaign set status = 'Preparing' where id = :id"
    assert await change(shop.server.runtime.store, again, id=campaign_id) == 1
    early = await shop.trigger(campaign_id, "play")
    edited = await shop.compat("PUT", f"/campaign/{campaign_id}", body)

    assert [answer.status_code for answer in (early, edited, late)] == [409, 409, 409]
    assert [answer.json()["errors"][0]["code"] for answer in (early, edited)] == ["wrong_state", "wrong_state"]
    assert "Wait until it is Ready" in early.json()["message"]
    assert late.json()["errors"][0]["code"] == "flow_is_empty"
    assert "nothing to say" in late.json()["message"]


async def test_a_voice_campaign_is_updated_and_deleted_like_any_other(shop):
    names = await neighbours(shop)
    people = await shop.make_list()
    campaign_id = (await create(shop, voice_body(people, **of_mode("Agentless", names)))).json()["id"]
    await shop.until_status(campaign_id, "Ready")

    body = voice_body(people, **of_mode("Preview", names), name=unique("Renamed"))
    # The page's URL says sms; the stored campaign's kind stays.
    updated = await shop.compat("PUT", f"/campaign/{campaign_id}", body, params={"campaignType": "sms"})
    deleted = await shop.compat("DELETE", f"/campaign/{campaign_id}", params={"campaignType": "voice"})

    assert updated.json()["message"] == f"Campaign {body['name']} details updated successfully"
    assert updated.json()["id"] == campaign_id
    data = updated.json()["data"]
    assert (data["status"], data["dialingMode"], data["maxSkips"]) == ("Ready", "Preview", 2)
    assert "experienceFlow" not in data
    assert deleted.json()["message"] == f"Campaign {body['name']} deleted successfully"


@pytest.mark.parametrize(
    ("mode", "changes", "expected"),
    [
        ("Agentless", {"experienceFlowName": None}, ["experienceFlowName"]),
        ("Agentless", {"experienceFlowName": "No such flow"}, ["experienceFlowName"]),
        ("Agentless", {"dialingMode": "Predictive"}, ["dialingMode"]),
        ("Agentless", {"dialingMode": None}, ["dialingMode"]),
        ("Agentless", {"dialingMode": 7}, ["dialingMode"]),
        ("Agentless", {"dncLists": None}, ["dncLists"]),
        ("Agentless", {"dncLists": 5}, ["dncLists"]),
        ("Agentless", {"enableMachineDetect": "perhaps"}, ["enableMachineDetect"]),
        ("Agentless", {"enableMachineDetect": 1}, ["enableMachineDetect"]),
        ("Progressive", {"queue_name": None}, ["queue_name"]),
        ("Progressive", {"queue_name": "No such queue"}, ["queue_name"]),
        ("Preview", {"queue_name": 5}, ["queue_name"]),
        ("Preview", {"maxSkips": None}, ["maxSkips"]),
        ("Preview", {"maxSkips": -1}, ["maxSkips"]),
        ("Power", {"pacingRatio": 0.5}, ["pacingRatio"]),
        ("Power", {"pacingRatio": 10.1}, ["pacingRatio"]),
        ("Power", {"pacingRatio": "nan"}, ["pacingRatio"]),
        ("Power", {"pacingRatio": True}, ["pacingRatio"]),
        ("Power", {"dialingStrategy": strategy(dialingOrder="RANDOM")}, ["dialingStrategy.dialingOrder"]),
        ("Power", {"dialingStrategy": strategy(maxRingTime=None)}, ["dialingStrategy.maxRingTime"]),
        *(
            ("Progressive", {"dialingStrategy": strategy(**{key: value})}, [f"dialingStrategy.{key}"])
            for key, values in {
                "maxAttemptsPerRecord": (0, 101, "many"),
                "defaultRetryPeriod": (0, 1441, 1.5),
                "maxRingTime": (4, 121),
            }.items()
            for value in values
        ),
    ],
)
async def test_what_is_wrong_with_a_voice_campaign_is_named(shop, mode, changes, expected):
    body = voice_body(await shop.make_list(), **{**of_mode(mode, await neighbours(shop)), **changes})

    answer = await create(shop, body)

    assert answer.status_code == 400, answer.text
    assert fields(answer) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"dialingStrategy": strategy(maxAttemptsPerRecord="1", defaultRetryPeriod="1", maxRingTime="5")},
        {"dialingStrategy": strategy(maxAttemptsPerRecord=100, defaultRetryPeriod=1440, maxRingTime=120)},
        {"dialingStrategy": strategy(dialingOrder="fifo")},
        {"dialingMode": "Power", "queue_name": QUEUE.lower(), "pacingRatio": "10"},
        {"dialingMode": "Power", "queue_name": QUEUE, "pacingRatio": None},
    ],
)
async def test_the_limits_themselves_are_taken(shop, changes):
    made = await create(shop, voice_body(await shop.make_list(), **{**await neighbours(shop), **changes}))

    assert made.status_code == 200, made.text


@pytest.mark.parametrize(
    ("said", "detects", "word"),
    [
        (True, True, "disconnect"),
        (False, False, "no"),
        ("true", True, "disconnect"),
        ("FALSE", False, "no"),
        ("No", False, "no"),
        ("detect", True, "detect"),
        ("DISCONNECT", True, "disconnect"),
        (None, False, "no"),
    ],
)
async def test_machine_detection_is_read_in_every_spelling(shop, said, detects, word):
    made = await create(shop, voice_body(await shop.make_list(), **await neighbours(shop), enableMachineDetect=said))

    data = made.json()["data"]
    assert (data["enableMachineDetect"], data["machineDetectMode"]) == (detects, word)


async def test_only_the_second_generation_wants_a_dnc_list(shop):
    names = await neighbours(shop)
    body = voice_body(await shop.make_list(), **{**names, "dncLists": None})

    second = await create(shop, body, prefix="/api/v2/public")
    first = await create(shop, body, prefix=V1)

    assert fields(second) == ["dncLists"]
    assert "needs a DNC list" in second.json()["message"]
    assert first.status_code == 200
    assert "dncLists" not in first.json()["data"]


async def test_a_started_voice_campaign_calls_everybody_and_says_what_came_of_it(shop):
    person, busy, nobody = (*numbers("IN", 1, ending="0001"), *numbers("IN", 1, ending="9921"), "+919810009905")
    name = await shop.make_list(person, busy, nobody)
    flow = document(say("hello", "Hello"))
    flow["flows"][0]["supported_modes"] = ["IVR"]
    titles = {"experienceFlowName": unique("Calls"), "dncLists": (await neighbours(shop))["dncLists"]}
    spoken = await shop.v1("POST", "/flows", {"name": titles["experienceFlowName"], "document": flow})
    assert spoken.status_code == 201, spoken.text
    body = voice_body(name, **titles)
    body["dialingStrategy"] |= {"maxAttemptsPerRecord": 1}
    made = await create(shop, body)
    assert made.status_code == 200, made.text
    campaign_id = made.json()["id"]
    await shop.until_status(campaign_id, "Ready")

    started = await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")
    calls = (await shop.v1("GET", "/calls")).json()["items"]
    placed = (await shop.v1("GET", "/sandbox/calls")).json()["items"]

    assert (started.status_code, started.json()["status"]) == (200, "Active")
    assert sorted(one["to"] for one in placed) == sorted([person, busy, nobody])
    assert {one["outcome"] for one in calls if one["outcome"]} >= {"busy", "invalid_number"}
    refused = await shop.v1("POST", f"/campaigns/{campaign_id}/emergency", {"reason": "Now"})
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
