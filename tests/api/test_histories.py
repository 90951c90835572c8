"""Everything about one person can be asked for, and no number stands in a URL."""

import pytest

from api.callers import ALWAYS, SENDER, campaign_body, fields, unique, until
from phone_numbers import numbers


async def history(shop, **body) -> dict:
    answer = await shop.v1("POST", "/contacts/history", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def run_to_end(shop, *people: str, **changes) -> str:
    name = await shop.make_list(*people)
    campaign_id = (await shop.compat("POST", "/campaign", campaign_body(name, **changes))).json()["data"]["_id"]
    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")
    return campaign_id


async def test_a_history_tells_everything_newest_first_and_in_pages(shop):
    person = numbers("IN", 1, ending="9909")[0]
    first = await run_to_end(shop, person, message={"message": "First"})

    async def opted_out() -> bool:
        return bool((await history(shop, number=person))["opt_outs"])

    await until(opted_out)

    async def confirmed() -> bool:
        # This handset answers the confirmation of its STOP with another one.
        items = (await history(shop, number=person))["items"]
        return [item["state"] for item in items if item["kind"] != "attempt"] == ["", "accepted", ""]

    await until(confirmed)
    second = await run_to_end(shop, person)
    dnc = (await shop.v1("POST", "/dnc-lists", {"name": unique("DNC")})).json()
    await shop.v1("POST", f"/dnc-lists/{dnc['id']}/numbers", {"numbers": [person]})

    whole = await history(shop, number=person.removeprefix("+"))
    pages, after = [], None
    while True:
        page = await history(shop, number=person, limit=1, **({"after": after} if after else {}))
        pages += page["items"]
        after = page["next"]
        if after is None:
            break

    assert whole["number"] == person
    assert [item["kind"] for item in whole["items"]] == ["suppression", "reply", "answer", "reply", "attempt"]
    suppression, _, answer, reply, attempt = whole["items"]
    assert (suppression["reason"], suppression["run"]["campaign_id"]) == ("opted_out", second)
    assert (reply["text"], reply["run"], reply["word"]) == ("STOP", None, "stop")
    assert reply["sender"] == answer["sender"] != ""
    assert (answer["word"], answer["run"]) == ("stop", None)
    assert "START" in answer["text"]
    assert (attempt["state"], attempt["n"], attempt["run"]["campaign_id"]) == ("delivered", 1, first)
    assert {event["kind"] for event in attempt["events"]} == {"accepted", "delivered"}
    assert pages == whole["items"]
    assert [(one["channel"], one["source"]) for one in whole["opt_outs"]] == [("sms", "reply")]
    assert [(one["list_id"], one["source"]) for one in whole["dnc_lists"]] == [(dnc["id"], "api")]
    assert len(whole["contact_lists"]) == 2
    assert whole["waiting"] == []


async def test_a_contact_names_its_person(shop):
    person = numbers("IN", 1)[0]
    campaign_id = await run_to_end(shop, person)
    (attempt,) = (await history(shop, number=person))["items"]
    await shop.compat("DELETE", f"/campaign/{campaign_id}")

    found = await history(shop, contact_id=attempt["contact_id"])

    assert found["number"] == person
    assert found["items"][0]["attempt_id"] == attempt["attempt_id"]
    assert (found["items"][0]["run"]["campaign_id"], bool(found["items"][0]["run"]["campaign_name"])) == ("", True)


async def test_what_waits_is_told_with_its_moment(shop):
    await shop.v1("PATCH", "/settings", {"cap": {"attempts": 1, "hours": 24}, "one_run_per_list": False})
    person = numbers("IN", 1)[0]
    await run_to_end(shop, person)
    campaign_id = await shop.make_campaign(person)
    run_id = (await shop.trigger(campaign_id, "play")).json()["campaignInstanceId"]

    async def waits() -> bool:
        return bool((await history(shop, number=person))["waiting"])

    await until(waits)
    (waiting,) = (await history(shop, number=person))["waiting"]
    why = (await shop.v1("POST", f"/campaigns/{campaign_id}/why", {"number": person})).json()
    await shop.trigger(campaign_id, "stop")

    assert (waiting["reason"], waiting["run"]["run_id"]) == ("cap", run_id)
    gates = {gate["gate"]: gate for gate in why["gates"]}
    assert (gates["cap"]["ruling"], gates["duplicate"]["reason"]) == ("waits", "cap")
    assert why["next_at"] == gates["cap"]["until"] == waiting["due_at"]
    assert why["latest_run"]["attempts"] == 0
    assert (await history(shop, number=person))["waiting"] == []


async def test_a_person_nobody_knows_has_an_empty_history(shop, stranger):
    person = numbers("IN", 1)[0]
    campaign_id = await run_to_end(stranger, person)
    (theirs,) = (await history(stranger, number=person))["items"]

    found = await history(shop, number=person)
    contact = await shop.v1("POST", "/contacts/history", {"contact_id": theirs["contact_id"]})
    why = await shop.v1("POST", f"/campaigns/{campaign_id}/why", {"number": person})

    assert {key: found[key] for key in ("items", "opt_outs", "dnc_lists", "contact_lists", "waiting")} == {
        "items": [], "opt_outs": [], "dnc_lists": [], "contact_lists": [], "waiting": [],
    }  # fmt: skip
    assert (contact.status_code, contact.json()["code"]) == (404, "contact_not_found")
    assert (why.status_code, why.json()["code"]) == (404, "campaign_not_found")


async def test_why_names_the_list_that_forbids_and_says_so_before_any_run(shop):
    person, other = numbers("IN", 2)
    dnc = (await shop.v1("POST", "/dnc-lists", {"name": unique("DNC")})).json()
    elsewhere = (await shop.v1("POST", "/dnc-lists", {"name": unique("DNC")})).json()
    for one in (dnc, elsewhere):
        await shop.v1("POST", f"/dnc-lists/{one['id']}/numbers", {"numbers": [person]})
    campaign_id = await shop.make_campaign(person, dncLists={"id": dnc["id"]})

    why = (await shop.v1("POST", f"/campaigns/{campaign_id}/why", {"number": person})).json()
    nowhere = (await shop.v1("POST", f"/campaigns/{campaign_id}/why", {"number": other})).json()

    gates = {gate["gate"]: gate["ruling"] for gate in why["gates"]}
    assert gates["dnc"] == "stops"
    assert gates["campaign"] == "waits"
    assert [one["list_id"] for one in why["dnc_lists"]] == [dnc["id"]]
    assert (why["next_at"], why["latest_run"], len(why["places"])) == (None, None, 1)
    assert {gate["gate"]: gate["ruling"] for gate in nowhere["gates"]}["contact_list"] == "stops"
    assert nowhere["places"] == []


async def test_why_shows_the_zones_that_were_judged(shop):
    person = numbers("IN", 1)[0]
    hours = {**ALWAYS, "days": [{"start": "9:00 AM", "end": "6:00 PM"}]}
    name = await shop.make_list(person, timeZone="Asia/Kolkata", contactPriority="3")
    strategy = {"callerId": {"phoneNumber": SENDER}, "callingHours": hours}
    body = campaign_body(name, dialingStrategy=strategy)
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]

    (place,) = (await shop.v1("POST", f"/campaigns/{campaign_id}/why", {"number": person})).json()["places"]

    assert (place["list_name"], place["zones"], place["priority"]) == (name, ["Asia/Kolkata"], 3)
    assert place["next_at"] is not None


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["number", "contact_id"]),
        ({"number": "+919876543210", "contact_id": "cc-1"}, ["number", "contact_id"]),
        ({"number": "call me"}, ["number"]),
        ({"number": "+919876543210", "limit": 0}, ["limit"]),
        ({"number": "+919876543210", "after": "1.2"}, ["after"]),
        ({"number": "+919876543210", "after": "[1,0,[1]]"}, ["after"]),
        ({"number": "+919876543210", "after": '[1,0,["x",1]]'}, ["after"]),
        ({"number": "+919876543210", "after": "[99999999999999999999,0,[1,1]]"}, ["after"]),
        ({"number": "+919876543210", "after": "[1,2,[1]]"}, ["after"]),
        ({"number": "+919876543210", "from": 1}, ["from"]),
    ],
)
async def test_a_question_that_cannot_be_answered_names_its_fields(shop, body, wrong):
    answer = await shop.v1("POST", "/contacts/history", body)

    assert (answer.status_code, fields(answer)) == (400, wrong)
