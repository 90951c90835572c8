"""Every documented call as it is printed, query and all, does what it says and answers the documented words.

Point 2 of the checklist in `test_conformance.py`. Each is sent as its pages print it, and under every other prefix of
the documented API (in the quick suite under one of them, another one for each call); each time to things that are
there, with a body as its page shows.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from api.callers import PREFIXES, SENDER, Caller, campaign_body, closed_strategy, unique, until, voice_body
from api.documented import CAMPAIGNS, CONTACT_LISTS, ROWS
from api.everything import PARAMETER
from api.test_senders import ANSWER, make_flow, make_sender
from flow_documents import document, say
from phone_numbers import numbers

SUCCESS = {"status": "success"}


class Case(NamedTuple):
    """What a call is about, what is sent, and what it answers."""

    thing: str = ""
    body: Any = None
    told: Mapping[str, Any] = SUCCESS
    """Fields of the answer; one without `message` has none."""
    shows: str = ""
    """A text that the answer holds."""
    name: str = ""


Setting = Callable[[Caller], Awaitable[Case]]


def says(message: str, **changes: str | int) -> Mapping[str, str | int]:
    return {**SUCCESS, "message": message, **changes}


# -- campaigns --------------------------------------------------------------------------------------------------------


async def text_body(shop: Caller, **changes: Any) -> dict[str, Any]:
    return campaign_body(await shop.make_list(*numbers("IN", 2)), **changes)


async def calls_body(shop: Caller, mode: str) -> dict[str, Any]:
    (flow, dnc) = (unique("Flow"), unique("DNC"))
    await shop.v1("POST", "/flows", {"name": flow})
    await shop.v1("POST", "/dnc-lists", {"name": dnc})
    agents = {"experienceFlowName": flow} if mode == "Agentless" else {"queue_name": "Default Queue"}
    skips = {"maxSkips": 2} if mode == "Preview" else {}
    named = {**agents, **skips, "dncLists": {"name": dnc}}
    return voice_body(await shop.make_list(*numbers("IN", 2)), dialingMode=mode, **named)


async def create_text(shop: Caller) -> Case:
    return _created(await text_body(shop))


async def create_by_template(shop: Caller) -> Case:
    template = (await shop.v1("POST", "/templates", {"name": unique("T"), "body": "From a template"})).json()
    return _created(await text_body(shop, message={"template_name": template["name"], "message": "x"}))


async def create_advanced(shop: Caller) -> Case:
    flow = (await shop.v1("GET", f"/flows/{await make_flow(shop)}")).json()["name"]
    return _created(await text_body(shop, format="advanced", message=None, experienceFlowName=flow))


def create_calls(mode: str) -> Setting:
    async def create(shop: Caller) -> Case:
        return _created(await calls_body(shop, mode))

    return create


def _created(body: dict[str, Any]) -> Case:
    return Case("", body, says(f"Campaign {body['name']} creation in progress"), body["contactLists"][0])


async def text(shop: Caller, **changes: Any) -> tuple[str, dict[str, Any]]:
    return await _made(shop, await text_body(shop, **changes))


async def calls(shop: Caller) -> tuple[str, dict[str, Any]]:
    campaign_id, body = await _made(shop, await calls_body(shop, "Progressive"))
    await shop.until_status(campaign_id, "Ready")
    return campaign_id, body


async def _made(shop: Caller, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    made = await shop.compat("POST", "/campaign", body)
    assert made.status_code == 200, made.text
    return made.json()["data"]["_id"], body


def named(make: Callable[[Caller], Awaitable[tuple[str, dict[str, Any]]]], what: str, **changes: str) -> Setting:
    """Make a campaign, and expect what is said of it by its name."""

    async def about(shop: Caller) -> Case:
        campaign_id, body = await make(shop)
        sent = {**body, **changes} if changes else None
        return Case(campaign_id, sent, says(f"Campaign {body['name']} {what}"), changes.get("description", campaign_id))

    return about


async def start_text(shop: Caller) -> Case:
    return Case((await text(shop))[0], None, says("Campaign Started", status="Active"), "cid-")


async def stop_text(shop: Caller) -> Case:
    campaign_id, _ = await text(shop, dialingStrategy=closed_strategy())
    assert (await shop.trigger(campaign_id, "play")).status_code == 200
    return Case(campaign_id, None, says("Campaign Stopped", status="Stopped"), "cid-")


async def agentless(shop: Caller, **strategy: Any) -> str:
    """Make a campaign that can call, of a flow that has something to say, and return its id."""
    flow = document(say("hello", "Hello"))
    flow["flows"][0]["supported_modes"] = ["IVR"]
    name = unique("Entry flow")
    spoken = await shop.v1("POST", "/flows", {"name": name, "document": flow})
    assert spoken.status_code == 201, spoken.text
    body = {**await calls_body(shop, "Agentless"), "experienceFlowName": name}
    body["dialingStrategy"] |= strategy
    campaign_id, _ = await _made(shop, body)
    await shop.until_status(campaign_id, "Ready")
    return campaign_id


async def start_calls(shop: Caller) -> Case:
    return Case(await agentless(shop), None, says("Campaign Started", status="Active", totalCallsCompleted=0), "cid-")


async def stop_calls(shop: Caller) -> Case:
    campaign_id = await agentless(shop, callingHours=closed_strategy()["callingHours"])
    assert (await shop.trigger(campaign_id, "play")).status_code == 200
    return Case(campaign_id, None, says("Campaign Stopped", status="Stopped"), "cid-")


async def show_status(shop: Caller) -> Case:
    return Case((await text(shop))[0], None, SUCCESS, "Ready")


async def show_contacts(shop: Caller) -> Case:
    campaign_id = await agentless(shop)
    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")
    return Case(campaign_id, {"page": 1, "limit": 10}, SUCCESS, "botOutboundStatusDetail")


async def show_campaigns(shop: Caller) -> Case:
    _, body = await text(shop)
    return Case("", {"type": "SMS", "limit": 100}, says("Campaign  retrieved successfully"), body["name"])


async def schedule(shop: Caller) -> Case:
    campaign_id, body = await text(shop)
    start, end = (datetime.now(UTC) + timedelta(days=days) for days in (1, 11))
    daily = {"recurType": "Daily", "dailyDetails": {"onceEveryNdays": 1}}
    times = {"startDateTime": f"{start:%Y-%m-%d %H:%M:%S}", "endDateTime": f"{end:%Y-%m-%d %H:%M:%S}"}
    told = says(f"Campaign {body['name']} scheduled successfully", id=campaign_id)
    return Case("", {**times, "recurrenceObject": daily}, told, name=body["name"])


async def unschedule(shop: Caller) -> Case:
    case = await schedule(shop)
    query = {"enableSchedule": "true", "campaignName": case.name}
    assert (await shop.compat("POST", "/campaign/schedule", case.body, params=query)).status_code == 200
    said = f"Campaign {case.name} schedule has been disabled successfully"
    return Case("", {}, {**case.told, "message": said}, name=case.name)


async def call_back(shop: Caller) -> Case:
    # A slow sender keeps the run on while we ask.
    await shop.pace(10)
    campaign_id = await shop.make_campaign(*numbers("IN", 100))
    run_id = (await shop.trigger(campaign_id, "play")).json()["campaignInstanceId"]
    entries: list[str] = []

    async def are_there() -> bool:
        answer = await shop.compat("POST", f"/campaign/{campaign_id}/status", {}, params={"view": "contacts"})
        entries[:] = [one["campaignDialingListId"] for one in answer.json()["data"]["results"]]
        return bool(entries)

    await until(are_there)
    wanted = {
        "campaignDialingListId": entries[0],
        "timeToContact": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
    }
    return Case(run_id, [wanted], {**SUCCESS, "data": [{"campaignDialingListId": entries[0], "status": "success"}]})


# -- contact lists ----------------------------------------------------------------------------------------------------


async def create_list(_: Caller) -> Case:
    body = {"name": unique("List"), "description": "D", "source": "passiveApi", "allowDuplicates": False}
    return Case("", body, says(f"Contact list {body['name']} created successfully"), "cl-")


async def add_contacts(shop: Caller) -> Case:
    rows = [{"phoneNumber": number, "firstName": "Ada"} for number in numbers("IN", 3)]
    body = {"contact_list_name": await shop.make_list(), "data": rows}
    return Case("", body, {"message": "Adding contacts to public list is in progress"})


def about_list(what: str, body: Mapping[str, Any] | None = None, *, shows: str = "") -> Setting:
    """Make a list of one, and expect what is said of it: its name is inserted for a `{}`."""

    async def about(shop: Caller) -> Case:
        name = await shop.make_list(person := numbers("IN", 1)[0])
        list_id = (await shop.compat("GET", f"/campaign/contactList/{name}")).json()["data"]["_id"]
        holds = person.removeprefix("+") if shows == "person" else shows or list_id
        return Case(list_id, body, says(what.format(name)), holds)

    return about


# -- neighbours -------------------------------------------------------------------------------------------------------


async def report(shop: Caller) -> Case:
    campaign_id = await shop.make_campaign(numbers("IN", 1)[0])
    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")
    start, end = (f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}" for days in (-1, 1))
    body = {"startDate": start, "endDate": end, "timeZoneOffset": 0, "selectedFields": ["campaigninfo"]}
    return Case(shop.account_id, body, {}, campaign_id)


async def send_one(shop: Caller) -> Case:
    known = (await shop.v1("GET", "/senders")).json()["items"]
    if all(one["number"] != SENDER for one in known):
        await make_sender(shop, SENDER, flow_id=await make_flow(shop))
    return Case("", {"fromNo": SENDER, "toNo": numbers("IN", 1)[0]}, ANSWER)


async def call_one(_: Caller) -> Case:
    (person,) = numbers("IN", 1)
    return Case("", {"target": f"tel:{person}", "caller": SENDER}, {}, "callId")


async def show_queues(_: Caller) -> Case:
    return Case("", None, {"page": 1, "hasMore": False}, "Default Queue")


async def order_queues(shop: Caller) -> Case:
    (queue,) = (await shop.v1("GET", "/queues")).json()["items"]
    body = {"queuePriorityData": [{"queueId": queue["id"], "priority": 7}]}
    return Case("", body, {"updatedCount": 1, "updatedQueueIds": [queue["id"]]})


SETTINGS: Mapping[str, Setting] = {
    "1 create sms": create_text,
    "2 create sms by template": create_by_template,
    "3 create sms advanced": create_advanced,
    "4 create agentless": create_calls("Agentless"),
    "5 create progressive": create_calls("Progressive"),
    "6 create preview": create_calls("Preview"),
    "7 get sms": named(text, "retrieved successfully"),
    "8 get voice": named(calls, "retrieved successfully"),
    "9 update sms": named(text, "details updated successfully", description="Other"),
    "10 update voice": named(calls, "details updated successfully", description="Other"),
    "11 start sms": start_text,
    "12 start voice": start_calls,
    "13 stop sms": stop_text,
    "14 stop voice": stop_calls,
    "15 delete sms": named(text, "deleted successfully"),
    "16 delete voice": named(calls, "deleted successfully"),
    "17 status": show_status,
    "18 contacts of a run": show_contacts,
    "19 list": show_campaigns,
    "20 schedule on": schedule,
    "21 schedule off": unschedule,
    "22 callback": call_back,
    "23 create list": create_list,
    "24 add contacts": add_contacts,
    "25 get list": about_list(""),
    "26 all lists": about_list(""),
    "27 contacts": about_list("Contacts retrieved successfully", shows="person"),
    "28 update list": about_list("Contact list {} updated successfully", {"description": "Other"}, shows="Other"),
    "29 delete list": about_list("Contact list {} deleted successfully"),
    "interactionDetails": report,
    "outboundsms": send_one,
    "dialout": call_one,
    "queues": show_queues,
    "priorities": order_queues,
}


def spellings(name: str, prefixes: Sequence[str]) -> list[tuple[str, str]]:
    """Return the method and the path of a call as printed, and then under other prefixes."""
    spelled = dict.fromkeys(ROWS[name])
    if name in CAMPAIGNS or name in CONTACT_LISTS or name in ("queues", "priorities"):
        for method, path in ROWS[name]:
            rest = path.partition("/{a}")[2]
            spelled |= dict.fromkeys((method, f"{prefix}/{{a}}{rest}") for prefix in prefixes)
    return list(spelled)


def test_every_documented_call_is_here():
    assert SETTINGS.keys() == ROWS.keys()


@pytest.mark.parametrize(
    "at_once", [pytest.param(1, id="sample"), pytest.param(len(PREFIXES), id="whole", marks=pytest.mark.full)]
)
@pytest.mark.parametrize("name", ROWS)
async def test_02_a_call_does_what_its_page_says_as_printed_and_under_every_prefix(shop, name, at_once):
    turned = list(ROWS).index(name) % len(PREFIXES)
    prefixes = [*PREFIXES[turned:], *PREFIXES[:turned]][:at_once]
    for method, printed in spellings(name, prefixes):
        case = await SETTINGS[name](shop)
        meant = {"a": shop.app_id, "account": shop.account_id, "x": case.thing, "name": case.name}
        path = PARAMETER.sub(lambda found, meant=meant: meant[found[1]], printed)
        more = {} if case.body is None else {"json": case.body}
        # Without the headers of the account: the query says it where the page does.
        answer = await shop.server.http.request(method, path, headers={"auth": shop.token()}, **more)

        assert answer.status_code == 200, (method, path, answer.text)
        body = answer.json()
        assert {**body, **case.told} == body, (method, path, answer.text)
        assert ("message" in body) == ("message" in case.told), (method, path)
        assert case.shows in answer.text, (method, path, answer.text)
