"""The checklist of the documented system, point by point; each name begins with its number.

Where a point has a page of tests of its own, what is here is the shortest way through it, and point 2 is all of
`test_printed_calls.py`. Point 7 is ours: the global list applies to SMS unless the app says otherwise, and an edit of
a DNC list takes effect at once.
"""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import jwt
import pytest

from api.callers import (
    PREFIXES,
    SENDER,
    V1,
    V2,
    campaign_body,
    closed_strategy,
    fields,
    noon_hours,
    unique,
    until,
    zone_ahead,
)
from callsheet.core.errors import TooManyVoiceCampaigns
from databases import change
from phone_numbers import numbers

EMERGENCY = {"trigger": "emergency", "campaignType": "sms"}
HOURS = {
    "frequency": "WEEKLY",
    "timezone": "Asia/Kolkata",
    "days": [
        {"day": "MO", "start": "9:00 AM", "end": "12:00 PM"},
        {"day": "MO", "start": "2:00 PM", "end": "6:00 PM"},
    ],
}


async def voice_body(shop: Any, mode: str, **changes: Any) -> dict[str, Any]:
    """Return the body of the page on Progressive campaigns, or of another mode."""
    dnc = unique("DNC")
    await shop.v1("POST", "/dnc-lists", {"name": dnc})
    flow = unique("Flow")
    await shop.v1("POST", "/flows", {"name": flow})
    strategy = {
        "callerId": {"phoneNumber": SENDER},
        "callingHours": HOURS,
        "dialingOrder": "FIFO",
        "maxAttemptsPerRecord": 3,
        "defaultRetryPeriod": 10,
        "maxRingTime": 30,
    }
    body = {
        "name": unique("Voice"),
        "description": "As the page says",
        "contactLists": [await shop.make_list(*numbers("IN", 2))],
        "dncLists": {"name": dnc},
        "priority": "5",
        "dialingMode": mode,
        "dialingStrategy": strategy,
        "queue_name": "Default Queue",
        "enableMachineDetect": False,
        "campaignType": "voice",
        **({"experienceFlowName": flow} if mode == "Agentless" else {}),
        **({"maxSkips": 3} if mode == "Preview" else {}),
        **changes,
    }
    await shop.v1("POST", "/queues", {"name": "Default Queue"})
    return body


async def test_01_the_page_on_progressive_campaigns_gets_its_documented_answer(shop):
    body = await voice_body(shop, "Progressive")
    answer = await shop.compat("POST", "/campaign", body, prefix=V1, params={"campaignType": "sms"})

    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["status"], told["message"]) == ("success", f"Campaign {body['name']} creation in progress")
    data = told["data"]
    documented = {
        "name", "lname", "description", "priority", "dialingMode", "dialingStrategy", "status", "createdAt",
        "updatedAt", "id", "contactLists", "enableMachineDetect",
    }  # fmt: skip
    assert documented <= data.keys()
    assert (data["status"], data["dialingMode"], data["lname"]) == ("Preparing", "Progressive", body["name"].lower())
    assert {key: data["dialingStrategy"][key] for key in body["dialingStrategy"]} == body["dialingStrategy"]


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_03_every_way_to_say_who_calls_and_what_is_understood(shop, prefix):
    campaign_id = await shop.make_campaign()
    path = f"{prefix}/{shop.app_id}/campaign/{campaign_id}"
    token, account = shop.token(), shop.account_id
    requests: list[tuple[dict[str, str], str]] = [
        ({"auth": token, "accountid": account}, ""),
        ({"auth": token}, f"?accountId={account}"),
        ({"auth": token}, rf"?accountId={account}\&campaignType=sms"),
        ({"Auth": f"Bearer {token}", "IId": shop.app_id}, ""),
        ({"Authorization": f"Bearer {token}"}, ""),
    ]
    for headers, query in requests:
        answer = await shop.server.http.get(path + query, headers=headers)
        assert answer.status_code == 200, (headers.keys(), query, answer.text)
    plain = await shop.server.http.put(
        path, headers={**shop.headers, "content-type": "text/plain"}, json=campaign_body(await shop.make_list())
    )
    assert plain.status_code == 200


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_04_only_a_right_token_passes(shop, stranger):
    async def status(token: str, app_id: str = shop.app_id) -> int:
        answer = await shop.server.http.get(f"{V2}/{app_id}/campaign/none", headers={"auth": token})
        return int(answer.status_code)

    claims = {"sub": "tests", "appId": shop.client.id}
    secret = shop.client.secret
    assert await status(shop.token(claims)) == 404
    assert await status(jwt.encode(claims, secret + "x", "HS256")) == 401
    assert await status(jwt.encode({"sub": "tests", "appid": shop.client.id}, secret, "HS256")) == 401
    assert await status(jwt.encode(claims, "", "none")) == 401
    assert await status(jwt.encode(claims, secret, "HS512")) == 401
    assert await status(stranger.token()) == 403
    foreign = {**shop.headers, "accountId": stranger.account_id}
    assert (await shop.server.http.get(f"{V2}/{shop.app_id}/campaign/x", headers=foreign)).status_code == 403
    await shop.server.runtime.store.clients.change(shop.client.app.no, shop.client.id, scopes=set())
    assert await status(shop.token(claims)) == 403


@pytest.mark.parametrize("encoded", ["plain", "base64", "percent", "percent_plus"])
async def test_05_a_text_is_read_in_every_encoding_and_a_template_is_answered_as_stored(shop, encoded):
    words = "Pay >> now, caf\u00e9 ~ \u00fb\u00fb" if encoded == "percent_plus" else "Pay now, please do it"
    text = f"<p>{words}</p>"
    packed = base64.b64encode(text.encode()).decode()
    said = {"plain": text, "base64": packed}.get(encoded, quote(packed, safe=""))
    assert "%2B" in said or encoded != "percent_plus"
    person = numbers("IN", 1)[0]
    campaign_id = await shop.make_campaign(person, message={"message": said})
    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")
    (got,) = await shop.outbox()
    assert got["text"] == words

    template = (await shop.v1("POST", "/templates", {"name": unique("T"), "body": text})).json()
    named = {"template_name": template["name"], "message": "c29tZXRoaW5nIGVsc2UgZW50aXJlbHk%3D"}
    made = await shop.compat("POST", "/campaign", campaign_body(await shop.make_list(), message=named))
    told = made.json()["data"]["message"]
    assert told["templateId"] == template["id"]
    assert told["message"] == quote(packed, safe="")


@pytest.mark.parametrize("mode", ["Agentless", "Progressive", "Preview"])
async def test_06_a_voice_campaign_prepares_itself_and_waits_for_what_its_calls_go_to(shop, mode):
    made = (await shop.compat("POST", "/campaign", await voice_body(shop, mode))).json()
    assert made["data"]["status"] == "Preparing"
    await shop.until_status(made["id"], "Ready")
    started = await shop.trigger(made["id"], "play")
    lacking = "flow_is_empty" if mode == "Agentless" else "wrong_state"
    assert (started.status_code, started.json()["errors"][0]["code"]) == (409, lacking)


async def test_06_a_start_before_ready_is_refused(shop):
    made = (await shop.compat("POST", "/campaign", await voice_body(shop, "Agentless"))).json()
    await shop.until_status(made["id"], "Ready")
    # As long as nobody looks: it is not among those that are to be prepared.
    again = "update campaign set status = 'Preparing' where id = :id"
    assert await change(shop.server.runtime.store, again, id=made["id"]) == 1

    for trigger in ("play", "rerun", "resume"):
        early = await shop.trigger(made["id"], trigger)
        assert (early.status_code, early.json()["errors"][0]["code"]) == (409, "wrong_state"), trigger
    assert await shop.status(made["id"]) == "Preparing"


async def test_06_each_start_is_a_run_of_its_own_and_a_pause_is_not(shop):
    # A closed door keeps the runs from ending.
    campaign_id = await shop.make_campaign(numbers("IN", 1)[0], dialingStrategy=closed_strategy())

    async def run(trigger: str) -> str:
        answer = await shop.trigger(campaign_id, trigger)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["campaignInstanceId"])

    first = await run("play")
    assert first.startswith("cid-")
    assert await run("pause") == first
    assert await run("resume") == first
    assert await run("stop") == first
    second = await run("play")
    assert second != first


@pytest.mark.parametrize("applies", [True, False])
async def test_07_the_global_list_scrubs_texts_unless_the_app_says_otherwise(shop, applies):
    # The documented system scrubs voice only: a person who must not be reached is not reached here by text either.
    assert (await shop.v1("PATCH", "/settings", {"dnc_for_sms": applies})).status_code == 200
    spared, other = numbers("IN", 2)
    everywhere = (await shop.v1("POST", "/dnc-lists", {"name": unique("Global")})).json()
    assert (await shop.v1("POST", f"/dnc-lists/{everywhere['id']}/make-global")).status_code == 200
    await _forbid(shop, everywhere["id"], spared)
    campaign_id = await shop.make_campaign(spared, other)
    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")
    assert {message["to"] for message in await shop.outbox()} == ({other} if applies else {spared, other})


async def test_07_an_edit_of_a_dnc_list_holds_for_an_active_run_at_once(shop):
    # The documented system leaves Active runs alone.
    await shop.pace(4)
    people = numbers("IN", 60)
    dnc = (await shop.v1("POST", "/dnc-lists", {"name": unique("Own")})).json()
    campaign_id = await shop.make_campaign(*people, dncLists={"name": dnc["name"]})
    await shop.trigger(campaign_id, "play")

    async def some_came() -> bool:
        return bool(await shop.outbox())

    await until(some_came)
    await _forbid(shop, dnc["id"], *people[30:])
    before = {message["to"] for message in await shop.outbox()}
    assert not set(people[30:]) <= before
    await shop.pace(None)
    await shop.until_status(campaign_id, "Completed")
    assert {message["to"] for message in await shop.outbox()} == set(people[:30]) | before


async def _forbid(shop: Any, dnc_id: str, *people: str) -> None:
    answer = await shop.v1("POST", f"/dnc-lists/{dnc_id}/numbers", {"numbers": list(people)})
    assert answer.status_code < 300, answer.text


async def test_08_the_contacts_own_zone_goes_before_the_campaigns(shop):
    # Noon is now in the campaign's zone, and ten hours away in the contact's.
    here = noon_hours()
    there = here - 10 if here > 0 else here + 10
    hours = {"frequency": "DAILY", "timezone": zone_ahead(here), "days": [{"start": "9:00 AM", "end": "3:00 PM"}]}
    people = numbers("IN", 2)
    name = await shop.make_list(people[0])
    body = {"contact_list_name": name, "data": [{"phoneNumber": people[1], "timeZone": zone_ahead(there)}]}
    assert (await shop.compat("POST", "/campaign/contactList/addContacts", body)).status_code == 200
    strategy = {"callerId": {"phoneNumber": SENDER}, "callingHours": hours}
    made = await shop.compat("POST", "/campaign", campaign_body(name, dialingStrategy=strategy))
    await shop.trigger(made.json()["data"]["_id"], "play")

    async def one_came() -> bool:
        return bool(await shop.outbox())

    await until(one_came)
    assert [message["to"] for message in await shop.outbox()] == [people[0]]
    assert await shop.status(made.json()["data"]["_id"]) == "Active"


async def test_10_two_campaigns_do_not_run_on_one_list_and_of_emergencies_only_one(shop):
    name = await shop.make_list(*numbers("IN", 1))
    closed = closed_strategy()
    ids = []
    for _ in range(2):
        made = await shop.compat("POST", "/campaign", campaign_body(name, dialingStrategy=closed))
        ids.append(made.json()["data"]["_id"])
    assert (await shop.trigger(ids[0], "play")).status_code == 200
    second = await shop.trigger(ids[1], "play")
    assert (second.status_code, second.json()["errors"][0]["code"]) == (409, "list_in_use")

    await shop.pace(1)
    emergencies = []
    for i in range(2):
        slow = await shop.make_campaign(*numbers("IN", 300, seed=i), dialingStrategy=closed_strategy())
        emergencies.append(await shop.compat("POST", f"/campaign/{slow}", {"reason": "Flood"}, params=EMERGENCY))
    assert [answer.status_code for answer in emergencies] == [200, 409]


async def test_10_one_voice_campaign_more_than_the_app_allows_is_refused(shop):
    # 50 where nothing is set. Calls to agents do not run yet: two are made to, as if they did.
    settings = (await shop.v1("GET", "/settings")).json()
    assert settings["most_voice_campaigns"] == 50
    assert (await shop.v1("PATCH", "/settings", {"most_voice_campaigns": 2})).status_code == 200
    store, clock, app_no = shop.server.runtime.store, shop.server.runtime.clock, shop.client.app.no
    sender = await store.apps.find_sender(app_no, SENDER, clock.now())
    campaigns = []
    for _ in range(3):
        body = await voice_body(shop, "Progressive")
        # Behind a closed door, whatever the day: where the hours are open such a run soon ends.
        body["dialingStrategy"] |= {"callingHours": closed_strategy()["callingHours"]}
        made = (await shop.compat("POST", "/campaign", body)).json()
        await shop.until_status(made["id"], "Ready")
        campaigns.append(await store.campaigns.find(app_no, campaign_id=made["id"]))

    async def start(campaign: Any) -> None:
        most = (await store.clients.find(shop.client.id)).app.settings.most_voice_campaigns
        await store.campaigns.start(
            campaign, text="", sender_no=sender.no, one_run_per_list=True, now=clock.now(), most_voice_campaigns=most
        )

    await start(campaigns[0])
    await start(campaigns[1])
    assert [await shop.status(campaign.id) for campaign in campaigns] == ["Active", "Active", "Ready"]
    with pytest.raises(TooManyVoiceCampaigns, match="2 voice campaigns are running"):
        await start(campaigns[2])
    assert (await shop.trigger(campaigns[2].id, "play")).status_code == 409
    assert (await shop.trigger(campaigns[0].id, "stop")).json()["status"] == "Stopped"
    await start(campaigns[2])
    assert await shop.status(campaigns[2].id) == "Active"


async def test_11_what_is_in_use_is_neither_deleted_nor_edited(shop):
    name = await shop.make_list(*numbers("IN", 1))
    closed = closed_strategy()
    body = campaign_body(name, dialingStrategy=closed)
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]
    assert (await shop.compat("DELETE", f"/campaign/contactList/{name}")).status_code == 409
    await shop.trigger(campaign_id, "play")
    assert (await shop.compat("PUT", f"/campaign/{campaign_id}", body)).status_code == 409
    assert (await shop.compat("DELETE", f"/campaign/{campaign_id}")).status_code == 409
    await shop.trigger(campaign_id, "stop")
    later = datetime.now(UTC) + timedelta(days=1)
    schedule = {
        "startDateTime": later.strftime("%Y-%m-%d %H:%M:%S"),
        "endDateTime": (later + timedelta(days=9)).strftime("%Y-%m-%d %H:%M:%S"),
        "recurrenceObject": {"recurType": "Daily", "dailyDetails": {"onceEveryNdays": 1}},
    }
    params = {"enableSchedule": "true", "campaignName": body["name"]}
    on = await shop.compat("POST", "/campaign/schedule", schedule, params=params)
    assert on.json() == {
        "status": "success",
        "message": f"Campaign {body['name']} scheduled successfully",
        "id": campaign_id,
    }
    assert (await shop.trigger(campaign_id, "play")).status_code == 409


async def test_12_the_61st_call_in_a_minute_is_refused_with_the_documented_sentence(shop):
    assert (await shop.v1("PATCH", "/settings", {"requests_per_minute": 60})).status_code == 200
    campaign = "/campaign/none"
    for _ in range(60):
        assert (await shop.compat("GET", campaign)).status_code == 404
    refused = await shop.compat("GET", campaign)
    assert refused.status_code == 429
    sentence = "You've exceeded the per-minute rate limit. Please wait for sometime before retrying."
    assert refused.json()["message"] == sentence
    assert int(refused.headers["retry-after"]) > 0


async def test_13_a_call_adds_100_contacts_and_keeps_what_it_does_not_know(shop):
    people = numbers("IN", 101)
    name = await shop.make_list()
    rows = [{"phoneNumber": number, "favourite": "mango"} for number in people]
    path = "/campaign/contactList/addContacts"
    refused = await shop.compat("POST", path, {"contact_list_name": name, "data": rows})
    assert (refused.status_code, fields(refused)) == (400, ["data"])
    assert (await shop.compat("POST", path, {"contact_list_name": name, "data": rows[:100]})).status_code == 200
    body = campaign_body(name, message={"message": "You like {{ favourite }}"})
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]
    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")
    assert {message["text"] for message in await shop.outbox()} == {"You like mango"}


@pytest.mark.parametrize(
    "body", [{"limit": 0}, {"limit": 101}, {"limit": 1.5}, {"page": 0}, {"page": -1}, {"limit": "x"}, {"page": True}]
)
async def test_14_a_page_of_results_that_cannot_be_is_refused(shop, body):
    campaign_id = await shop.make_campaign()
    answer = await shop.compat("POST", f"/campaign/{campaign_id}/status", body, params={"view": "contacts"})
    assert (answer.status_code, fields(answer)) == (400, list(body))
