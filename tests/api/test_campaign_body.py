"""Every wrong field of a campaign is named in one answer, nothing is stored, and every documented reading is taken."""

import base64
from typing import Any
from urllib.parse import quote

import pytest

from api.callers import ALWAYS, SENDER, campaign_body, fields, unique
from databases import change
from phone_numbers import numbers

LATIN = "Rates rise on Monday; reply to keep yours."


async def create(shop, body: Any, **more: Any):
    return await shop.compat("POST", "/campaign", body, params={"campaignType": "sms"}, **more)


async def named(shop, **changes: Any) -> list[str]:
    """Return the fields that the answer to an otherwise right body names."""
    name = unique("Wrong")
    answer = await create(shop, campaign_body(await shop.make_list(), **{"name": name, **changes}))
    assert answer.status_code == 400, answer.text
    assert answer.json()["status"] == "failure"
    assert (await shop.compat("GET", f"/campaign/{quote(name)}")).status_code == 404
    return fields(answer)


def strategy(**changes: Any) -> dict[str, Any]:
    return {"callerId": {"phoneNumber": SENDER}, "callingHours": {**ALWAYS, **changes}}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "n" * 49}, ["name"]),
        ({"name": ["a"]}, ["name"]),
        ({"name": "   "}, ["name"]),
        ({"description": "d" * 257}, ["description"]),
        ({"description": 5}, ["description"]),
        ({"contactLists": None}, ["contactLists"]),
        ({"contactLists": []}, ["contactLists"]),
        ({"contactLists": "A list"}, ["contactLists"]),
        ({"contactLists": [f"L{i}" for i in range(11)]}, ["contactLists"]),
        ({"contactLists": [5, "", {"name": "x"}]}, ["contactLists[0]", "contactLists[1]", "contactLists[2]"]),
        ({"dncLists": ["a", "b"]}, ["dncLists"]),
        ({"dncLists": {"nom": "a"}}, ["dncLists"]),
        ({"dncLists": 5}, ["dncLists"]),
        ({"DncList": 5}, ["DncList"]),
        ({"dncList": "a", "dnclists": {"name": "b"}}, ["dncList", "dnclists"]),
        ({"dncLists": "a", "data": {"dncList": "b"}}, ["dncLists", "data.dncList"]),
        ({"priority": "6"}, ["priority"]),
        ({"priority": 0}, ["priority"]),
        ({"priority": 2.5}, ["priority"]),
        ({"priority": "high"}, ["priority"]),
        ({"priority": True}, ["priority"]),
        ({"format": "fancy"}, ["format"]),
        ({"message": None}, ["message.message"]),
        ({"message": "Hello"}, ["message"]),
        ({"message": {"message": ""}}, ["message.message"]),
        ({"message": {"message": 7}}, ["message.message"]),
        ({"message": {"message": "x" * 70_000}}, ["message.message"]),
        ({"message": {"message": "Hello {{first_name"}}, ["message.message"]),
        ({"message": {"message": base64.b64encode(b" " * 30).decode()}}, ["message.message"]),
        ({"message": None, "format": "advanced"}, ["experienceFlowName"]),
        ({"message": None, "experienceFlowName": 5}, ["experienceFlowName"]),
        ({"name": "two\nlines"}, ["name"]),
        ({"name": "tab\tbed"}, ["name"]),
        ({"name": "line\u2028separator"}, ["name"]),
        ({"schedule": "now"}, ["schedule"]),
        ({"schedule": {"isSchedulingEnabled": True}}, ["schedule.startDateTime"]),
        ({"schedule": {"isSchedulingEnabled": "perhaps"}}, ["schedule.isSchedulingEnabled"]),
        ({"dialingStrategy": None}, ["dialingStrategy"]),
        ({"dialingStrategy": "FIFO"}, ["dialingStrategy"]),
        ({"dialingStrategy": {}}, ["dialingStrategy.callerId", "dialingStrategy.callingHours"]),
        (
            {"dialingStrategy": {"callerId": {}, "callingHours": {}}},
            [
                "dialingStrategy.callerId.phoneNumber",
                "dialingStrategy.callingHours.frequency",
                "dialingStrategy.callingHours.timezone",
                "dialingStrategy.callingHours.days",
            ],
        ),
        ({"dialingStrategy": strategy(timezone="Mars/Olympus")}, ["dialingStrategy.callingHours.timezone"]),
        ({"dialingStrategy": strategy(days=[])}, ["dialingStrategy.callingHours.days"]),
        (
            {"dialingStrategy": strategy(frequency="WEEKLY", days=[{"day": "XX", "start": "9:00", "end": "6:00 PM"}])},
            ["dialingStrategy.callingHours.days[0].day", "dialingStrategy.callingHours.days[0].start"],
        ),
        (
            {"dialingStrategy": strategy(days=[{"start": "6:00 PM", "end": "9:00 AM"}])},
            ["dialingStrategy.callingHours.days[0].end"],
        ),
        (
            {"dialingStrategy": {"callerId": {"phoneNumber": "+1\n212"}, "callingHours": ALWAYS}},
            ["dialingStrategy.callerId.phoneNumber"],
        ),
    ],
)
async def test_a_wrong_field_is_named_where_it_stands(shop, changes, expected):
    assert await named(shop, **changes) == expected


@pytest.mark.parametrize("name", ["नमस्\u200dते", "👩\u200d🚀 launch", "No\u00a0break", "Grüße"])
async def test_a_name_is_written_in_any_script(shop, name):
    made = await create(shop, campaign_body(await shop.make_list(), name=name))

    assert made.json()["data"]["name"] == name


async def test_blanks_at_the_ends_of_a_name_mean_nothing(shop):
    people, spared, name = await shop.make_list(), unique("Spared"), unique("Spring")
    await shop.v1("POST", "/dnc-lists", {"name": spared})

    made = await create(shop, campaign_body(f" {people} ", name=f" {name} ", dncLists={"name": f"{spared} "}))
    again = await create(shop, campaign_body(people, name=f"{name} "))
    twice = await shop.compat("POST", "/campaign/contactList/createContactList", {"name": f"{people} "})
    shown = await shop.compat("GET", f"/campaign/%20{name}%20")

    data = made.json()["data"]
    assert (data["name"], data["contactLists"], data["dncLists"]["name"]) == (name, [people], spared)
    assert [answer.status_code for answer in (again, twice)] == [409, 409]
    assert shown.json()["data"]["_id"] == data["_id"]


async def test_wrong_fields_and_unknown_names_come_in_one_answer(shop):
    await shop.make_list(name="The only list")
    await shop.v1("POST", "/dnc-lists", {"name": "The only DNC list"})
    body = campaign_body(
        "No such list",
        name="n" * 60,
        dncLists={"name": "No such DNC list"},
        priority=9,
        message={"template_name": "No such template"},
        dialingStrategy={"callerId": {"phoneNumber": SENDER}, "callingHours": {**ALWAYS, "timezone": "Nowhere"}},
    )

    answer = await create(shop, body)

    assert answer.status_code == 400
    assert fields(answer) == [
        "dialingStrategy.callingHours.timezone",
        "name",
        "priority",
        "contactLists[0]",
        "dncLists.name",
        "message.template_name",
    ]
    said = {error["field"]: error["msg"] for error in answer.json()["errors"]}
    assert said["contactLists[0]"] == "There is no contact list No such list. There are: The only list."
    assert "The only DNC list" in said["dncLists.name"]
    assert said["message.template_name"] == "There is no template No such template. There are none yet."


async def test_an_unknown_flow_says_which_ones_exist(shop):
    await shop.v1("POST", "/flows", {"name": "Support"})

    answer = await create(shop, campaign_body(await shop.make_list(), message=None, experienceFlowName="Suport"))

    assert fields(answer) == ["experienceFlowName"]
    assert answer.json()["errors"][0]["msg"] == "There is no experience flow Suport. There are: Support."


async def test_an_unknown_sender_says_which_ones_exist(shop):
    store, app = shop.server.runtime.store, shop.client.app
    (trunk,) = await store.apps.trunks(app.no)
    await store.senders.put(app.no, "+12125550111", trunk.no, {}, shop.server.runtime.clock.now())
    await change(store, "update trunk set takes_any_sender = 0 where no = :no", no=trunk.no)

    answer = await create(shop, campaign_body(await shop.make_list()))

    assert fields(answer) == ["dialingStrategy.callerId.phoneNumber"]
    assert answer.json()["errors"][0]["msg"] == f"There is no sender {SENDER}. There are: +12125550111."


async def test_a_refused_campaign_makes_no_sender_known(shop):
    await create(shop, campaign_body("No such list"))

    assert (await shop.v1("GET", "/senders")).json()["items"] == []


async def test_a_list_that_is_named_twice_is_refused(shop):
    name = await shop.make_list()

    assert await named(shop, contactLists=[name, name.upper()]) == ["contactLists[1]"]


async def test_a_second_campaign_of_the_same_name_is_refused_unless_the_app_allows_it(shop):
    name = unique("Twice")
    await shop.make_campaign(name=name)

    refused = await create(shop, campaign_body(await shop.make_list(), name=name.upper()))
    await shop.v1("PATCH", "/settings", {"unique_names": False})
    taken = await create(shop, campaign_body(await shop.make_list(), name=name))

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "name_taken")
    assert taken.status_code == 200


@pytest.mark.parametrize(
    ("query", "body", "right"),
    [
        ("sms", None, True),
        ("SMS", None, True),
        ("voice", "sms", True),
        ("", "sms", True),
        ("", None, False),
        ("web", None, False),
        ("sms", "web", False),
    ],
)
async def test_the_body_decides_what_kind_of_campaign_it_is(shop, query, body, right):
    made = await shop.compat(
        "POST",
        "/campaign",
        campaign_body(await shop.make_list(), campaignType=body),
        params={"campaignType": query} if query else {},
    )

    assert made.status_code == (200 if right else 400)
    assert right or fields(made) == ["campaignType"]


@pytest.mark.parametrize(
    "write",
    [
        lambda name, _: {"dncLists": {"name": name}},
        lambda name, _: {"dncLists": {"name": name.upper()}},
        lambda _, list_id: {"dncLists": {"id": list_id}},
        lambda _, list_id: {"dncLists": {"_id": list_id, "name": "whatever"}},
        lambda name, _: {"dncLists": name},
        lambda name, _: {"dncLists": [name]},
        lambda name, _: {"dncLists": [{"name": name}]},
        lambda name, _: {"data": {"dncLists": {"name": name}}},
        lambda name, _: {"data": {"dncLists": [name]}},
        lambda name, _: {"dncList": name},
        lambda name, _: {"dnclists": {"name": name}},
        lambda _, list_id: {"DNCLIST": [{"id": list_id}]},
        lambda name, _: {"dnc_list": name},
        lambda name, _: {"data": {"DncList": name}},
        lambda name, _: {"dncLists": "", "dncList": name},
        lambda name, _: {"dncLists": name, "dncList": {"name": name.upper()}},
    ],
)
async def test_the_people_on_a_dnc_list_are_spared_however_it_is_spelled(shop, write):
    name = unique("DNC")
    list_id = (await shop.v1("POST", "/dnc-lists", {"name": name})).json()["id"]

    made = await create(shop, campaign_body(await shop.make_list(), **write(name, list_id)))

    assert made.status_code == 200, made.text
    assert made.json()["data"]["dncLists"] == {"id": list_id, "name": name}


@pytest.mark.parametrize("nothing", [[], {}, "", {"data": {}}, {"data": {"dncLists": []}}])
async def test_an_empty_dnc_list_is_none(shop, nothing):
    changes = nothing if isinstance(nothing, dict) and nothing else {"dncLists": nothing}

    made = await create(shop, campaign_body(await shop.make_list(), **changes))

    assert made.status_code == 200, made.text
    assert "dncLists" not in made.json()["data"]


@pytest.mark.parametrize(("said", "answered"), [("3", "3"), (3, "3"), (3.0, "3"), (" 3 ", "3"), (None, "5"), ("", "5")])
async def test_a_priority_is_a_text_or_a_number(shop, said, answered):
    made = await create(shop, campaign_body(await shop.make_list(), priority=said))

    assert made.json()["data"]["priority"] == answered


ENCODED = base64.b64encode(LATIN.encode()).decode()


@pytest.mark.parametrize("received", [LATIN, ENCODED, quote(ENCODED, safe=""), ENCODED.rstrip("=") + "%"])
async def test_a_message_is_echoed_as_received_and_sent_as_meant(shop, received):
    campaign_id = await shop.make_campaign(*numbers("IN", 1), message={"message": received, "templateId": ""})

    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")

    shown = (await shop.compat("GET", f"/campaign/{campaign_id}")).json()["data"]
    assert shown["message"] == {"message": received}
    assert shown["totalMessagesSent"] == 1
    assert [message["text"] for message in await shop.outbox()] == [LATIN]


@pytest.mark.parametrize("key", ["template_name", "templateName", "templateId"])
async def test_a_template_is_named_by_either_key_and_its_own_text_wins(shop, key):
    name = unique("Template")
    template = (await shop.v1("POST", "/templates", {"name": name, "body": "<p>Dear <b>{{first_name}}</b></p>"})).json()
    said = template["id"] if key == "templateId" else name.upper()
    body = campaign_body(
        await shop.make_list(*numbers("IN", 1), firstName="Asha"), message={key: said, "message": "Something else"}
    )

    made = await create(shop, body)
    campaign_id = made.json()["data"]["_id"]
    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")

    assert made.json()["data"]["message"] == {
        "template_name": name,
        "message": quote(base64.b64encode(b"<p>Dear <b>{{first_name}}</b></p>").decode(), safe=""),
        "templateId": template["id"],
    }
    assert [message["text"] for message in await shop.outbox()] == ["Dear Asha"]


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"message": None, "experienceFlowName": "F", "format": "simple"}, "advanced"),
        ({"message": None, "experienceFlowName": "F", "format": None}, "advanced"),
        ({"message": {}, "experienceFlowName": "f"}, "advanced"),
        ({"experienceFlowName": "F", "format": "ADVANCED"}, "advanced"),
        ({"experienceFlowName": "F", "format": "simple"}, "simple"),
        ({"format": "advanced"}, "advanced"),
        ({"format": None}, "simple"),
    ],
)
async def test_a_flow_without_a_message_is_advanced_and_otherwise_the_format_decides(shop, changes, kept):
    flow_id = (await shop.v1("POST", "/flows", {"name": "F"})).json()["id"]

    made = await create(shop, campaign_body(await shop.make_list(), **changes))

    assert made.status_code == 200, made.text
    data = made.json()["data"]
    assert data["format"] == kept
    speaks = kept == "advanced" and "experienceFlowName" in changes
    assert data.get("experienceFlow") == (flow_id if speaks else None)
    assert ("message" in data) != speaks


async def test_hours_are_echoed_as_received_without_what_means_nothing(shop):
    given = {
        "timezone": "asia/kolkata",
        "frequency": "Weekly",
        "days": [{"end": "6 PM", "day": "Mon", "start": "9 am"}],
    }
    noise = {**given, "holidays": ["x"], "days": [{**given["days"][0], "note": "lunch"}]}

    made = await create(
        shop,
        campaign_body(
            await shop.make_list(), dialingStrategy={"callerId": {"phoneNumber": SENDER}, "callingHours": noise}
        ),
    )

    assert made.json()["data"]["dialingStrategy"]["callingHours"] == given


async def test_what_means_nothing_in_an_sms_campaign_is_passed_over(shop):
    made = await create(
        shop,
        campaign_body(
            await shop.make_list(), enableMachineDetect="no", queue_name="Q", maxSkips=2, anything={"x": [1]}
        ),
    )

    assert made.status_code == 200
    assert made.json()["data"]["enableMachineDetect"] is False
