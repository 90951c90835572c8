"""Where the documented pages contradict each other, each reading that one of them shows is served: a test a number.

The numbers are those of the list of discrepancies in the description of the documented API. Discrepancies of contact
lists, of schedules and of callbacks are in the files beside this one.
"""

import asyncio
import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from api.callers import PREFIXES, SENDER, V1, V2, Caller, campaign_body, fields, unique, voice_body
from api.test_lifecycle import flow
from api.test_voice_campaigns import neighbours, of_mode
from phone_numbers import numbers

LIST_PATH = "/campaign/getAllCampaignDetails"


async def create(shop: Caller, kind: str = "sms", *, prefix: str = V2, **changes: Any) -> Any:
    body = {"sms": campaign_body, "voice": voice_body}[kind](await shop.make_list(*numbers("IN", 2)), **changes)
    return await shop.compat("POST", "/campaign", body, prefix=prefix, params={"campaignType": kind})


async def made(shop: Caller, kind: str = "sms", **changes: Any) -> dict[str, Any]:
    answer = await create(shop, kind, **changes)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def test_discrepancy_01_a_dnc_list_is_lost_because_another_table_was_read(shop):
    await shop.v1("POST", "/dnc-lists", {"name": "Never"})

    for written in (
        {"dncLists": {"name": "Never"}},
        {"data": {"dncLists": {"name": "Never"}}},
        {"dncLists": ["Never"]},
    ):
        assert (await made(shop, **written))["dncLists"]["name"] == "Never"


async def test_discrepancy_02_a_client_reads_the_id_under_another_key(shop):
    text, call = await create(shop), await create(shop, "voice", **await neighbours(shop))
    (listed,) = (await shop.compat("POST", LIST_PATH, {"type": "sms"})).json()["data"]["results"]

    data = text.json()["data"]
    assert data["_id"] == data["id"] == listed["_id"] == listed["id"]
    voice = call.json()
    assert len({voice["id"], voice["data"]["id"], voice["data"]["_id"], voice["data"]["campId"]}) == 1


@pytest.mark.parametrize(
    "path", ["/campaign/{id}", "/campaign/trigger/{id}", "/campaign//trigger/{id}", "/Campaign/{id}/"]
)
async def test_discrepancy_03_a_start_call_is_lost_between_the_words_of_its_path(shop, path):
    campaign = await made(shop)

    answer = await shop.compat("POST", path.format(id=campaign["id"]), {}, params={"trigger": "play"})

    assert answer.json()["status"] == "Active"


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_discrepancy_04_a_call_is_served_under_one_service_only(shop, prefix):
    campaign = (await create(shop, prefix=prefix)).json()["data"]
    name = await shop.make_list()
    rows = {"contact_list_name": name, "data": [{"phoneNumber": numbers("IN", 1)[0]}]}

    answers = [
        await shop.compat("GET", f"/campaign/{campaign['id']}", prefix=prefix),
        await shop.compat("POST", f"/campaign/{campaign['id']}", {}, prefix=prefix, params={"trigger": "play"}),
        await shop.compat("POST", "/campaign/contactList/addContacts", rows, prefix=prefix),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


@pytest.mark.parametrize("literal", ["voice", "sms", "SMS", "{{campaignType}}"])
async def test_discrepancy_05_a_kind_in_the_place_of_the_id_deletes_a_campaign_of_that_name(shop, literal):
    for name in ("sms", "voice"):
        await made(shop, name=name)

    deleted = await shop.compat("DELETE", f"/campaign/{quote(literal)}", params={"campaignType": "voice"})
    stopped = await shop.compat("POST", f"/campaign/{quote(literal)}", {}, params={"trigger": "stop"})

    assert [deleted.status_code, stopped.status_code] == [404, 404]
    assert (await shop.compat("POST", LIST_PATH, {"type": "sms"})).json()["data"]["totalResults"] == 2


async def test_discrepancy_06_a_voice_call_that_says_sms_makes_an_sms_campaign(shop):
    names = await neighbours(shop)
    body = voice_body(await shop.make_list(), **names)
    for query, changes in (("sms", {}), ("sms", {"campaignType": None}), ("", {"campaignType": "Voice"})):
        wanted = {key: value for key, value in {**body, **changes}.items() if value is not None}
        answer = await shop.compat(
            "POST", "/campaign", {**wanted, "name": unique("Call")}, params={"campaignType": query}
        )
        assert answer.json()["data"]["campaignType"] == "voice"
    call = answer.json()["id"]
    await shop.until_status(call, "Ready")
    # The URL of the page on updates (row 10), with a body that says no kind either.
    printed = f"{V2}/{shop.app_id}/campaign/{call}?accountId={shop.account_id}&campaignType=sms"
    unsaid = {key: value for key, value in body.items() if key != "campaignType"}
    for sent in (body, unsaid):
        updated = await shop.server.http.put(printed, headers=shop.headers, json={**sent, "description": "Again"})
        assert updated.status_code == 200, updated.text
        data = updated.json()["data"]
        assert (data["campaignType"], data["dialingMode"], data["description"]) == ("voice", "Agentless", "Again")
        assert "message" not in data
    text = await made(shop)

    started = await shop.compat(
        "POST", f"/campaign/{text['id']}", {}, params={"trigger": "play", "campaignType": "voice"}
    )

    assert started.json()["status"] == "Active"


@pytest.mark.parametrize(
    "spelled", [("iid", "accountid"), ("Iid", "accountId"), ("IId", "AccountID"), ("iId", "ACCOUNTID")]
)
async def test_discrepancy_07_a_header_in_another_case_is_not_seen(shop, spelled):
    headers = {"auth": shop.token(), spelled[0]: shop.app_id, spelled[1]: shop.account_id}
    wrong = {**headers, spelled[0]: "st-other"}
    url = f"{V2}/{shop.app_id}{LIST_PATH}"

    right, refused = [await shop.server.http.post(url, headers=sent, json={"type": "sms"}) for sent in (headers, wrong)]

    assert (right.status_code, refused.status_code) == (200, 403)


async def test_discrepancy_09_the_account_is_missed_where_it_is_named_elsewhere(shop):
    url, token = f"{V2}/{shop.app_id}{LIST_PATH}", {"auth": shop.token()}
    mine = shop.account_id
    ways: list[tuple[dict[str, str], dict[str, str], int]] = [
        ({}, {}, 200),
        ({"accountId": mine}, {}, 200),
        ({}, {"accountId": mine}, 200),
        ({"accountId": mine}, {"accountId": mine}, 200),
        ({"accountId": mine}, {"accountId": "f" * 24}, 403),
    ]
    for headers, query, expected in ways:
        answer = await shop.server.http.post(url, headers={**token, **headers}, params=query, json={"type": "sms"})
        assert answer.status_code == expected, (headers, query)


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "nonsense", None])
async def test_discrepancy_10_json_without_its_content_type_is_an_empty_body(shop, content_type):
    body = json.dumps(campaign_body(await shop.make_list())).encode()
    headers = {**shop.headers, **({"content-type": content_type} if content_type else {})}

    answer = await shop.server.http.post(f"{V2}/{shop.app_id}/campaign", headers=headers, content=body)

    assert answer.status_code == 200, answer.text


async def test_discrepancy_12_a_backslash_of_the_page_becomes_part_of_a_value(shop):
    body = campaign_body(await shop.make_list(), campaignType=None)
    url = rf"{V2}/{shop.app_id}/campaign?accountId={shop.account_id}\&campaignType=sms\ ".strip()

    answer = await shop.server.http.post(url, headers={"auth": shop.token()}, json=body)

    assert answer.json()["data"]["campaignType"] == "sms"


async def test_discrepancy_13_a_priority_counts_in_one_of_its_types_only(shop):
    campaigns = [await made(shop, priority=priority) for priority in ("4", 4)]

    assert [campaign["priority"] for campaign in campaigns] == ["4", "4"]
    for said in ([4], ["4"]):
        found = await shop.compat("POST", LIST_PATH, {"type": "sms", "filters": {"priority": said}})
        assert found.json()["data"]["totalResults"] == 2


@pytest.mark.parametrize(
    ("said", "word"),
    [
        *((value, "disconnect") for value in (True, "true", "True", "disconnect", "Disconnect")),
        *((value, "no") for value in (False, "false", "FALSE", "no", "No")),
        ("DETECT", "detect"),
    ],
)
@pytest.mark.parametrize("prefix", [V1, V2])
async def test_discrepancy_14_machine_detection_of_the_other_generation_is_refused(shop, said, word, prefix):
    data = await made(shop, "voice", prefix=prefix, **await neighbours(shop), enableMachineDetect=said)

    assert (data["enableMachineDetect"], data["machineDetectMode"]) == (word != "no", word)


async def test_discrepancy_15_the_format_that_a_table_copied_makes_a_flow_a_text(shop):
    names = await neighbours(shop)
    flow = {"experienceFlowName": names["experienceFlowName"]}
    advanced = [await made(shop, message=None, format=said, **flow) for said in ("advanced", "simple", None)]
    plain = await made(shop, format="advanced", message={"message": "Plain text"})

    assert {campaign["format"] for campaign in advanced} == {"advanced"}
    assert all(campaign["experienceFlow"].startswith("cf-") for campaign in advanced)
    assert plain["message"]["message"] == "Plain text"
    assert "experienceFlow" not in plain


async def test_discrepancy_16_a_flow_without_a_text_is_refused_or_says_nothing(shop):
    person = numbers("IN", 1)[0]
    await shop.v1("POST", "/flows", {"name": "Support", "document": flow("Reply 1 to speak with us")})

    campaign_id = await shop.make_campaign(person, message=None, format="advanced", experienceFlowName="Support")
    shown = (await shop.compat("GET", f"/campaign/{campaign_id}")).json()["data"]
    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")

    assert (shown["format"], shown["experienceFlow"][:3]) == ("advanced", "cf-")
    assert [(one["to"], one["text"]) for one in await shop.outbox()] == [(person, "Reply 1 to speak with us")]


async def test_discrepancy_17_people_get_base64_or_plain_words_are_decoded(shop):
    text = "Rates rise on Monday, 5% & more?"
    encoded = base64.b64encode(text.encode()).decode()
    for received, sent in [
        (text, text),
        (encoded, text),
        (quote(encoded, safe=""), text),
        ("Test", "Test"),
        ("100%25 sure", "100%25 sure"),
    ]:
        person = numbers("IN", 1)[0]
        campaign_id = await shop.make_campaign(person, message={"message": received})
        await shop.trigger(campaign_id, "play")
        await shop.until_status(campaign_id, "Completed")
        (message,) = [one for one in await shop.outbox() if one["campaign_id"] == campaign_id]
        shown = (await shop.compat("GET", f"/campaign/{campaign_id}")).json()["data"]
        assert (message["text"], shown["message"]["message"]) == (sent, received)


async def test_discrepancy_18_a_template_is_overruled_by_the_text_beside_it(shop):
    template = (await shop.v1("POST", "/templates", {"name": "Bill", "body": "Your bill is due."})).json()
    stored = quote(base64.b64encode(b"Your bill is due.").decode(), safe="")
    for key, value in [("template_name", "Bill"), ("templateName", "bill"), ("templateId", template["id"])]:
        message = (await made(shop, message={"message": "Something else", key: value}))["message"]
        assert (message["message"], message["templateId"]) == (stored, template["id"])

    unknown = await create(shop, message={"message": "Text", "template_name": "None such"})

    assert (unknown.status_code, fields(unknown)) == (400, ["message.template_name"])


async def test_discrepancy_19_a_description_is_demanded(shop):
    assert (await made(shop, description=None))["description"] == ""
    assert (await made(shop, description="d" * 256))["description"] == "d" * 256
    assert fields(await create(shop, description="d" * 257)) == ["description"]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ({"createdAt": "desc"}, "CAB"),
        ({"createdAt": "asc"}, "BAC"),
        ({"updatedAt": "desc"}, "ACB"),
        ({"updatedAt": "asc"}, "BCA"),
        ({"name": "asc"}, "ABC"),
        ({"name": "desc", "createdAt": ""}, "CBA"),
        ({}, "CAB"),
    ],
)
async def test_discrepancy_29_a_sort_without_the_name_is_refused_or_not_done(shop, sort, order):
    campaigns = {}
    for name in "BAC":
        campaigns[name] = await made(shop, name=name)
        await asyncio.sleep(0.002)
    again = campaign_body(campaigns["A"]["contactLists"][0], name="A")
    assert (await shop.compat("PUT", f"/campaign/{campaigns['A']['id']}", again)).status_code == 200

    answer = await shop.compat("POST", LIST_PATH, {"type": "sms", "sortBy": sort})

    assert "".join(one["name"] for one in answer.json()["data"]["results"]) == order


async def test_discrepancy_30_dialing_modes_are_wanted_as_numbers(shop):
    await made(shop, "voice", **await neighbours(shop))
    ask = {"type": "voice", "filters": {"dialingMode": ["Progressive", "Preview", "Agentless", "Power"]}}

    assert (await shop.compat("POST", LIST_PATH, ask)).json()["data"]["totalResults"] == 1
    assert fields(await shop.compat("POST", LIST_PATH, {**ask, "filters": {"dialingMode": [1]}})) == [
        "filters.dialingMode[0]"
    ]


@pytest.mark.parametrize(
    "sample", ['{"type": "sms", "limit": 50 "skip": 0}', '{"name": "x",}', "{'type': 'sms'}", '{"type": "sms"']
)
async def test_discrepancy_31_a_sample_without_its_comma_gets_a_puzzling_answer(shop, sample):
    url = f"{V2}/{shop.app_id}{LIST_PATH}"

    answer = await shop.server.http.post(url, headers=shop.headers, content=sample.encode())

    assert answer.status_code == 400
    assert "not valid JSON" in answer.json()["message"]


async def test_discrepancy_32_a_status_is_unknown_in_another_case(shop):
    await made(shop)
    for said in ("Ready", "ready", "READY"):
        found = await shop.compat("POST", LIST_PATH, {"type": "sms", "filters": {"status": [said]}})
        assert [one["status"] for one in found.json()["data"]["results"]] == ["Ready"]

    every = ["Active", "Completed", "Ready", "Paused", "Preparing", "Stopped", "Scheduled", "Rescheduled"]
    assert (await shop.compat("POST", LIST_PATH, {"type": "sms", "filters": {"status": every}})).status_code == 200


async def test_discrepancy_33_a_failure_has_no_word_or_no_code(shop):
    answers = {
        404: await shop.compat("GET", "/campaign/cd-none"),
        400: await shop.compat("POST", "/campaign", {}),
        401: await shop.compat("GET", "/campaign/cd-none", headers={"auth": "nonsense"}),
    }

    for code, answer in answers.items():
        assert (answer.status_code, answer.json()["status"]) == (code, "failure")
        assert answer.json()["errors"][0]["msg"]


async def test_discrepancy_34_a_start_says_success_where_the_state_belongs(shop):
    await shop.pace(0.01)
    campaign = await made(shop)

    told = [(await shop.trigger(campaign["id"], word)).json() for word in ("play", "stop")]

    assert [one["status"] for one in told] == ["Active", "Stopped"]
    assert [one["message"] for one in told] == ["Campaign Started", "Campaign Stopped"]


@pytest.mark.parametrize("word", ["play", "Play", "run", "Run", "start"])
async def test_discrepancy_36_only_one_word_starts_and_only_by_an_id(shop, word):
    campaign = await made(shop, name="Spring sale")

    by_name = (await shop.trigger("Spring%20sale", word)).json()
    by_id = (await shop.trigger(campaign["id"], word)).json()

    assert by_name["status"] == "Active"
    assert by_id["campaignInstanceId"]


@pytest.mark.parametrize("mode", ["Progressive", "Preview", "Power"])
@pytest.mark.parametrize("said", [True, "disconnect", "nonsense"])
async def test_discrepancy_37_machine_detection_with_agents_is_refused_or_done(shop, mode, said):
    data = await made(shop, "voice", **of_mode(mode, await neighbours(shop)), enableMachineDetect=said)

    assert (data["enableMachineDetect"], data["machineDetectMode"]) == (False, "no")


async def test_discrepancy_38_the_mode_of_the_screens_is_unknown_to_the_api(shop):
    data = await made(shop, "voice", **of_mode("Power", await neighbours(shop)))

    assert (data["dialingMode"], data["pacingRatio"]) == ("Power", 2.5)


async def test_discrepancy_40_the_scale_of_an_old_manual_is_read(shop):
    assert fields(await create(shop, priority="10")) == ["priority"]
    assert fields(await create(shop, priority="6")) == ["priority"]
    assert (await made(shop, priority=None))["priority"] == "5"


async def test_discrepancy_42_an_agentless_update_is_asked_for_a_queue(shop):
    names = await neighbours(shop)
    campaign = await made(shop, "voice", **names)
    await shop.until_status(campaign["id"], "Ready")
    agentless = voice_body(campaign["contactLists"][0], **names)
    with_agents = {**agentless, "dialingMode": "Preview"}

    answers = [await shop.compat("PUT", f"/campaign/{campaign['id']}", body) for body in (agentless, with_agents)]

    assert [answer.status_code for answer in answers] == [200, 400]
    assert sorted(fields(answers[1])) == ["maxSkips", "queue_name"]


async def test_discrepancy_43_a_page_titled_sms_hides_calls(shop):
    call, text = await made(shop, "voice", **await neighbours(shop)), await made(shop)

    for kind, campaign in (("voice", call), ("sms", text)):
        found = await shop.compat("POST", LIST_PATH, {"type": kind})
        assert [one["id"] for one in found.json()["data"]["results"]] == [campaign["id"]]
        shown = await shop.compat("GET", f"/campaign/{campaign['id']}", prefix=V1)
        assert shown.json()["data"]["campaignType"] == kind


@pytest.mark.parametrize("mode", ["Agentless", "Progressive", "Preview"])
async def test_discrepancy_44_the_answer_to_a_preview_campaign_lacks_everything_but_its_id(shop, mode):
    answer = (await create(shop, "voice", prefix=V1, **of_mode(mode, await neighbours(shop)))).json()

    assert answer["id"] == answer["data"]["campId"]
    assert {"name", "status", "dialingStrategy", "contactLists", "dialingMode", "maxSkips"} <= answer["data"].keys()
    assert answer["data"]["dialingStrategy"]["callerId"]["phoneNumber"] == SENDER
