"""What a change of a sender names when it is wrong, and that nothing of it is half stored."""

from api.callers import ALWAYS
from phone_numbers import numbers

LABEL = "+12125550177"


async def make_sender(shop, label=LABEL, **limits):
    made = await shop.v1("POST", "/senders", {"number": label, **limits})
    assert made.status_code == 201, made.text
    return made.json()


def faults(answer) -> set[str]:
    assert answer.status_code == 400, answer.text
    return {error["field"] for error in answer.json()["errors"]}


async def test_one_answer_names_what_is_wrong_with_a_senders_form_and_what_is_not_there(shop):
    members = [(await make_sender(shop, label))["id"] for label in ("+12125550171", "+12125550172")]
    pool = (await shop.v1("POST", "/senders", {"number": "Pool", "pool": members})).json()
    sender = await make_sender(shop, segments_per_second=3.0)
    wrong = {"segments_per_second": 0, "classes": [{"name": "a"}, {"name": "a"}], "trunk_id": "tr-no", "colour": 1}
    named = {"segments_per_second", "classes[1].name", "trunk_id", "colour"}

    of_sender = await shop.v1("PATCH", f"/senders/{sender['id']}", {**wrong, "flow_id": "cf-no", "dlt_entity_id": "x"})
    of_pool = await shop.v1("PATCH", f"/senders/{pool['id']}", {**wrong, "pool": [members[0], "sn-no"], "fail_over": 1})
    posted = await shop.v1("POST", "/senders", {"number": "Pool", **wrong, "pool": ["sn-no"]})
    new = await shop.v1("POST", "/senders", {"number": "New", **wrong, "pool": []})
    nothing = await shop.v1("POST", "/senders", {"number": " ", **wrong})

    assert faults(of_sender) == {*named, "flow_id", "dlt_entity_id"}
    assert faults(of_pool) == {*named, "pool[1]", "fail_over"}
    assert faults(posted) == {*named, "pool[0]"}
    assert faults(new) == {*named, "pool"}
    assert faults(nothing) == {*named, "number"} - {"trunk_id"}
    assert (await shop.v1("GET", "/senders")).json()["items"][2:] == [pool, sender]


async def test_a_sender_through_which_a_run_speaks_keeps_all_that_it_has_when_its_trunk_cannot_change(shop):
    sender = await make_sender(shop, segments_per_second=0.01)
    other = (await shop.v1("POST", "/trunks", {"name": "Second", "carrier": "sandbox"})).json()["id"]
    strategy = {"callerId": {"phoneNumber": LABEL}, "callingHours": ALWAYS}
    campaign_id = await shop.make_campaign(*numbers("IN", 3), dialingStrategy=strategy)
    await shop.trigger(campaign_id, "play")

    body = {"number": LABEL, "trunk_id": other, "segments_per_second": 7, "segments_per_day": 9}
    refused = await shop.v1("POST", "/senders", body)
    kept = (await shop.v1("GET", f"/senders/{sender['id']}")).json()
    await shop.trigger(campaign_id, "stop")
    taken = await shop.v1("POST", "/senders", body)

    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    assert kept == sender
    assert (taken.status_code, taken.json()["trunk_id"], taken.json()["segments_per_second"]) == (200, other, 7)


async def test_a_member_of_a_pool_changes_its_trunk_when_no_run_of_the_pool_goes_on(shop):
    member = await make_sender(shop, "+12125550171", segments_per_second=0.01)
    await shop.v1("POST", "/senders", {"number": "Pool", "pool": [member["id"]]})
    other = (await shop.v1("POST", "/trunks", {"name": "Second", "carrier": "sandbox"})).json()["id"]
    strategy = {"dialingStrategy": {"callerId": {"phoneNumber": "Pool"}, "callingHours": ALWAYS}}
    campaign_id = await shop.make_campaign(*numbers("IN", 3, seed=5), **strategy)
    path = f"/senders/{member['id']}"
    await shop.trigger(campaign_id, "play")

    refused = await shop.v1("PATCH", path, {"trunk_id": other, "segments_per_second": None})
    kept = (await shop.v1("GET", path)).json()
    await shop.trigger(campaign_id, "stop")
    before = len(await shop.outbox())
    moved = await shop.v1("PATCH", path, {"trunk_id": other, "segments_per_second": None})
    campaign_id = await shop.make_campaign(*numbers("IN", 3, seed=6), **strategy)
    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")
    (run,) = (await shop.v1("GET", "/runs", params={"campaign_id": campaign_id})).json()["items"]
    attempts = (await shop.v1("GET", f"/runs/{run['id']}/attempts")).json()["items"]

    assert (refused.status_code, refused.json()["code"], kept) == (409, "in_use", member)
    assert (moved.status_code, moved.json()["trunk_id"]) == (200, other)
    assert [one["sender"] for one in attempts] == ["+12125550171"] * 3
    # The outbox is that of the first trunk.
    assert len(await shop.outbox()) == before
