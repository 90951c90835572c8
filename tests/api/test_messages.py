"""What people replied is shown to those whose app it is, with what came of it."""

from api.callers import until
from phone_numbers import numbers


async def replied(shop, ending: str) -> tuple[str, dict]:
    """Have somebody reply to a campaign."""
    person = numbers("IN", 1, ending=ending)[0]
    campaign_id = await shop.make_campaign(person)
    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")

    async def heard() -> bool:
        return any(one["number"] == person for one in (await shop.v1("GET", "/messages")).json()["items"])

    await until(heard)
    return person, next(one for one in (await shop.v1("GET", "/messages")).json()["items"] if one["number"] == person)


async def test_a_reply_is_shown_with_what_it_says(shop, stranger):
    person, message = await replied(shop, "9909")

    assert (message["text"], message["word"], message["number"]) == ("STOP", "stop", person)
    assert message["sender"]
    of_them = (await shop.v1("GET", "/messages", params={"person_id": message["person_id"]})).json()
    assert {one["person_id"] for one in of_them["items"]} == {message["person_id"]}
    assert (await shop.v1("GET", "/messages", params={"word": "help"})).json() == {"items": [], "next": None}
    assert (await stranger.v1("GET", "/messages")).json()["items"] == []
    foreign = await stranger.v1("GET", "/messages", params={"after": message["id"]})
    assert foreign.status_code == 400


async def test_pages_of_messages_meet(shop):
    await replied(shop, "9909")

    async def twice() -> bool:
        # This handset answers the confirmation of its STOP with another one.
        return len((await shop.v1("GET", "/messages")).json()["items"]) >= 2

    await until(twice)
    whole = (await shop.v1("GET", "/messages")).json()["items"]

    paged = [one async for one in shop.pages("/messages", limit=1)]

    assert paged == whole


async def test_nonsense_is_named(shop):
    for field, value in (("word", "perhaps"), ("person_id", "xyz"), ("after", "ms-none")):
        answer = await shop.v1("GET", "/messages", params={field: value})
        assert answer.status_code == 400, field
        assert field in answer.text


async def test_answers_are_written_by_the_owner_within_bounds(shop):
    wrong = {"stop_reply": "Bye {{first_name}}", "help_reply": "x" * 480, "start_reply": None}
    refused = await shop.v1("PATCH", "/settings", wrong)
    taken = await shop.v1("PATCH", "/settings", {"stop_reply": "{{brand}} is silent now", "help_reply": ""})
    back = await shop.v1("PATCH", "/settings", {"stop_reply": None, "help_reply": None})

    assert refused.status_code == 400
    assert {fault["field"] for fault in refused.json()["errors"]} == {"stop_reply", "help_reply"}
    assert (taken.json()["stop_reply"], taken.json()["help_reply"]) == ("{{brand}} is silent now", "")
    assert back.json()["stop_reply"] is None


async def test_opt_outs_in_doubt_can_be_listed_by_themselves(shop):
    person, _ = await replied(shop, "9909")

    doubtful = (await shop.v1("GET", "/opt-outs", params={"source": "doubt"})).json()["items"]
    said = (await shop.v1("GET", "/opt-outs", params={"source": "reply"})).json()["items"]

    assert doubtful == []
    assert person in [one["number"] for one in said]
    assert (await shop.v1("GET", "/opt-outs", params={"source": "hearsay"})).status_code == 400


async def test_a_trunk_says_whether_its_carrier_confirms_a_stop(shop):
    made = (
        await shop.v1("POST", "/trunks", {"name": "Quiet", "carrier": "sandbox", "carrier_answers_stop": True})
    ).json()
    plain = (await shop.v1("POST", "/trunks", {"name": "Plain", "carrier": "sandbox"})).json()
    changed = (await shop.v1("PATCH", f"/trunks/{made['id']}", {"carrier_answers_stop": False})).json()

    assert (made["carrier_answers_stop"], plain["carrier_answers_stop"]) == (True, False)
    assert changed["carrier_answers_stop"] is False
    for trunk in (made, plain):
        await shop.v1("DELETE", f"/trunks/{trunk['id']}")
