"""A preflight sees every message before anybody gets one, and a start that requires it is refused without."""

from api.callers import ALWAYS, campaign_body, unique, until
from phone_numbers import numbers


async def begin(shop, campaign_id):
    begun = await shop.v1("POST", f"/campaigns/{campaign_id}/preflight")
    assert begun.status_code == 202, begun.text
    return begun.json()


async def report(shop, campaign_id):
    answer = await shop.v1("GET", f"/campaigns/{campaign_id}/preflight")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def look(shop, campaign_id):
    await begin(shop, campaign_id)

    async def is_done():
        return (await report(shop, campaign_id))["state"] == "done"

    await until(is_done)
    return await report(shop, campaign_id)


async def make(shop, *lists, **changes):
    made = await shop.compat("POST", "/campaign", campaign_body(*lists, **changes))
    assert made.status_code == 200, made.text
    return made.json()["data"]["_id"]


def piles(shown):
    return {pile["name"]: pile["contacts"] for pile in shown}


def codes(found):
    return [(one["code"], one["severity"], one["contacts"]) for one in found["findings"]]


async def require(shop, campaign_id):
    return await shop.v1("POST", f"/campaigns/{campaign_id}/start", {"require_preflight": True})


async def test_every_message_is_looked_at_and_counted_once(shop):
    people = numbers("IN", 300)
    first = await shop.make_list(*people[:200], firstName="Asha")
    second = await shop.make_list(*people[150:], firstName="Łukasz")
    dnc = (await shop.v1("POST", "/dnc-lists", {"name": unique("Never")})).json()
    await shop.v1("POST", f"/dnc-lists/{dnc['id']}/numbers", {"numbers": people[:3]})
    await shop.v1("POST", "/opt-outs", {"channel": "sms", "numbers": [people[3]]})
    await shop.v1("PATCH", "/settings", {"segment_cost": "0.01", "currency": "EUR", "messages_per_minute": 60})
    campaign_id = await make(shop, first, second, dncLists={"name": dnc["name"]})

    found = await look(shop, campaign_id)

    assert (found["contacts"], found["looked_at"], found["messages"], found["segments"]) == (350, 350, 296, 296)
    assert piles(found["spared"]) == {"duplicate": 50, "dnc": 3, "opted_out": 1}
    assert piles(found["encodings"]) == {"GSM-7": 196, "UCS-2": 100}
    assert piles(found["characters"]) == {"Ł U+0141 LATIN CAPITAL LETTER L WITH STROKE": 100}
    assert piles(found["countries"]) == {"IN": 296}
    assert sum(piles(found["kinds"]).values()) == 296
    assert (found["cost"], found["currency"], found["seconds"]) == ("2.96", "EUR", 296)
    assert [(zone["zones"], zone["contacts"], zone["is_open"]) for zone in found["zones"]] == [(["UTC"], 350, True)]
    assert (found["blocks"], found["stale"]) == (False, [])
    assert ("forces_ucs2", "warning", 100) in codes(found)
    assert all(len(one["contact_ids"]) <= 5 for one in found["findings"])
    assert not any(number in str(found) for number in people)


async def test_a_start_that_requires_a_preflight_is_refused_until_one_holds(shop):
    name = await shop.make_list(*numbers("IN", 2, seed=1), firstName="Asha")
    campaign_id = await make(shop, name)

    none = await require(shop, campaign_id)
    await look(shop, campaign_id)
    await shop.compat(
        "POST",
        "/campaign/contactList/addContacts",
        {"contact_list_name": name, "data": [{"phoneNumber": numbers("IN", 3, seed=1)[2], "firstName": "Ravi"}]},
    )
    stale = await require(shop, campaign_id)
    assert (await report(shop, campaign_id))["stale"] == ["Contact lists have grown, or are others."]
    await look(shop, campaign_id)
    started = await require(shop, campaign_id)

    assert (none.status_code, none.json()["code"]) == (409, "preflight_required")
    assert (stale.status_code, stale.json()["code"]) == (409, "preflight_required")
    assert "have grown" in stale.json()["detail"]
    assert started.status_code == 200, started.text


async def test_an_edit_of_the_template_or_of_the_campaign_makes_a_report_stale(shop):
    name = await shop.make_list(*numbers("IN", 1, seed=2), firstName="Asha")
    template = (await shop.v1("POST", "/templates", {"name": unique("T"), "body": "Hi"})).json()
    campaign_id = await make(shop, name, message={"templateId": template["id"]})
    assert (await look(shop, campaign_id))["text_version"] == 1

    await shop.v1("PATCH", f"/templates/{template['id']}", {"body": "Hello"})
    of_template = await report(shop, campaign_id)
    await shop.compat("PUT", f"/campaign/{campaign_id}", campaign_body(name, message={"message": "Hi"}))
    of_both = await report(shop, campaign_id)

    assert of_template["stale"] == ["The text is another one."]
    assert of_both["stale"] == ["The campaign was edited.", "The text is another one."]
    assert of_both["blocks"]


async def test_what_it_found_keeps_a_start_of_either_api_away_where_the_app_says_so(shop):
    name = await shop.make_list(*numbers("IN", 2, seed=3), city="Pune")
    campaign_id = await make(shop, name)
    await shop.v1("PATCH", "/settings", {"require_preflight": True})

    found = await look(shop, campaign_id)
    documented = await shop.trigger(campaign_id, "start")
    ours = await shop.v1("POST", f"/campaigns/{campaign_id}/start")

    assert codes(found) == [("blank", "error", 2), ("help_without_contact", "warning", 0)]
    assert documented.status_code == ours.status_code == 409
    assert "First Name stays blank for all contacts" in ours.json()["detail"]
    assert "First Name stays blank for all contacts" in documented.text


def spoken_by(label):
    return {"callerId": {"phoneNumber": label}, "callingHours": ALWAYS}


async def test_the_time_is_that_of_a_pools_members_and_of_their_classes(shop):
    indians = {"name": "in", "countries": ["IN"], "segments_per_second": 0.001}
    members = [
        (await shop.v1("POST", "/senders", {"number": label, "segments_per_second": 0.001})).json()["id"]
        for label in ("+12125550161", "+12125550162")
    ]
    for body in (
        {"number": "Shop", "pool": members},
        {"number": "+12125550163", "classes": [indians]},
    ):
        made = await shop.v1("POST", "/senders", body)
        assert made.status_code == 201, made.text
    name = await shop.make_list(*numbers("IN", 60, seed=6))

    pooled = await look(shop, await make(shop, name, dialingStrategy=spoken_by("Shop")))
    classed = await look(shop, await make(shop, name, dialingStrategy=spoken_by("+12125550163")))

    assert 30_000 <= pooled["seconds"] < 50_000
    assert classed["seconds"] == 60_000
    assert ("help_without_contact", "warning", 0) in codes(pooled)
    await shop.v1("PATCH", "/settings", {"help_reply": "{{brand}}: call +12125550100. STOP ends this."})
    assert "help_without_contact" not in {one["code"] for one in (await look(shop, await make(shop, name)))["findings"]}


async def test_a_campaign_without_a_text_has_a_report_that_says_so(shop):
    name = await shop.make_list(*numbers("IN", 1, seed=4))
    flow = (await shop.v1("POST", "/flows", {"name": unique("F")})).json()
    campaign_id = await make(shop, name, message=None, format="advanced", experienceFlowName=flow["name"])

    assert codes(await look(shop, campaign_id)) == [("no_text", "error", 0)]


async def test_nobody_sees_the_preflight_of_another_app_and_none_is_not_found(shop, stranger):
    campaign_id = await shop.make_campaign(*numbers("IN", 1, seed=5))

    none = await shop.v1("GET", f"/campaigns/{campaign_id}/preflight")
    await look(shop, campaign_id)
    theirs = await stranger.v1("GET", f"/campaigns/{campaign_id}/preflight")
    begun = await stranger.v1("POST", f"/campaigns/{campaign_id}/preflight")

    assert (none.status_code, none.json()["code"]) == (404, "preflight_not_found")
    assert theirs.status_code == begun.status_code == 404
    assert (await shop.v1("DELETE", f"/campaigns/{campaign_id}")).status_code == 204
