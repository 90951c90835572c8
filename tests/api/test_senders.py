"""Senders and trunks, and single messages through a sender."""

import asyncio

from api.callers import ALWAYS, campaign_body, unique, until
from databases import rows
from phone_numbers import numbers

ANSWER = {"message": "Triggered the configured Experience flow to deliver message via SMS channel"}
LABEL = "+12125550177"


def flow_document(text: str):
    """Write a flow that sends one message."""
    exits = [{"uuid": "22222222-2222-4222-8222-222222222222", "default": True}]
    uuid = "11111111-1111-4111-8111-111111111111"
    block = {"uuid": uuid, "type": "MobilePrimitives.Message", "config": {"prompt": text}, "exits": exits}
    return {"blocks": [block], "first_block_id": uuid}


NO_LIMITS = {
    "segments_per_second": None, "segments_per_day": None, "reset_zone": "UTC", "classes": [],
    "used_today": None, "left_today": None,
}  # fmt: skip


async def make_flow(shop, text="Hello from the flow"):
    body = {"name": unique("Flow"), "document": flow_document(text)}
    return (await shop.v1("POST", "/flows", body)).json()["id"]


async def make_sender(shop, label=LABEL, **changes):
    made = (await shop.v1("POST", "/senders", {"number": label})).json()
    changed = await shop.v1("PATCH", f"/senders/{made['id']}", changes)
    assert changed.status_code == 200, changed.text
    return changed.json()


async def call(shop, to, label=LABEL):
    path = f"/api/public/bot/{shop.app_id}/outboundsms"
    return await shop.server.http.post(path, headers={"auth": shop.token()}, json={"fromNo": label, "toNo": to})


def faults(answer) -> set[str]:
    assert answer.status_code == 400, answer.text
    return {error["field"] for error in answer.json()["errors"]}


# -- senders ---------------------------------------------------------------------------------------------------------


async def test_a_sender_is_changed_field_by_field(shop):
    flow_id = await make_flow(shop)
    other = (await shop.v1("POST", "/trunks", {"name": "Second", "carrier": "sandbox"})).json()
    made = await make_sender(shop, segments_per_second=3.0)
    assert (await shop.v1("POST", "/senders", {"number": LABEL, "reset_zone": "UTC"})).json() == made

    bound = await shop.v1("PATCH", f"/senders/{made['id']}", {"flow_id": flow_id, "trunk_id": other["id"]})
    unbound = await shop.v1("PATCH", f"/senders/{made['id']}", {"flow_id": None, "segments_per_second": None})
    shown = await shop.v1("GET", f"/senders/{made['id']}")

    assert bound.json() == {**made, "flow_id": flow_id, "trunk_id": other["id"]}
    assert unbound.json() == {**bound.json(), "flow_id": None, "segments_per_second": None}
    assert shown.json() == unbound.json()


async def test_a_wrong_change_of_a_sender_names_its_fields(shop, stranger):
    made = await make_sender(shop)
    theirs = {
        "flow_id": await make_flow(stranger),
        "trunk_id": (await stranger.v1("GET", "/trunks")).json()["items"][0]["id"],
    }

    foreign = await shop.v1("PATCH", f"/senders/{made['id']}", theirs)
    wrong = await shop.v1("PATCH", f"/senders/{made['id']}", {"segments_per_second": 0, "number": "+1"})

    assert [faults(answer) for answer in (foreign, wrong)] == [set(theirs), {"segments_per_second", "number"}]


async def test_a_sender_goes_when_no_campaign_waits_for_it_and_comes_back_as_itself(shop):
    made = await make_sender(shop, segments_per_second=3.0)
    strategy = campaign_body()["dialingStrategy"] | {"callerId": {"phoneNumber": LABEL}}
    campaign_id = await shop.make_campaign(*numbers("IN", 1), dialingStrategy=strategy)

    kept = await shop.v1("DELETE", f"/senders/{made['id']}")
    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")
    deleted = await shop.v1("DELETE", f"/senders/{made['id']}")
    gone = [await shop.v1("GET", f"/senders/{made['id']}"), await shop.v1("DELETE", f"/senders/{made['id']}")]
    left = (await shop.v1("GET", "/senders")).json()["items"]
    runs = (await shop.v1("GET", "/runs")).json()["items"]
    back = await shop.v1("POST", "/senders", {"number": LABEL})

    assert (kept.status_code, kept.json()["code"]) == (409, "in_use")
    assert deleted.status_code == 204
    assert [answer.json()["code"] for answer in gone] == ["sender_not_found"] * 2
    assert (left, len(runs)) == ([], 1)
    assert (back.status_code, back.json()) == (201, {**made, "segments_per_second": None})


# -- trunks ----------------------------------------------------------------------------------------------------------


async def test_a_trunk_is_made_changed_and_deleted(shop):
    (first,) = (await shop.v1("GET", "/trunks")).json()["items"]
    made = (await shop.v1("POST", "/trunks", {"name": "Second", "carrier": "sandbox"})).json()
    path = f"/trunks/{made['id']}"

    changed = await shop.v1("PATCH", path, {"name": "Renamed", "takes_any_sender": True})
    sender = await make_sender(shop, trunk_id=made["id"])
    kept = await shop.v1("DELETE", path)
    await shop.v1("PATCH", f"/senders/{sender['id']}", {"trunk_id": first["id"]})
    deleted = await shop.v1("DELETE", path)
    gone = await shop.v1("GET", path)

    assert made == {
        "id": made["id"],
        "name": "Second",
        "carrier": "sandbox",
        "settings": {},
        "secrets_set": [],
        "takes_any_sender": False,
        "carrier_answers_stop": False,
        **NO_LIMITS,
        "condition": made["condition"],
        "breaker": {"state": "closed", "why": "", "since": None, "next_try_at": None},
        "findings": [],
    }
    assert changed.json() | {"condition": None} == {
        **made,
        "name": "Renamed",
        "takes_any_sender": True,
        "condition": None,
    }
    assert (kept.status_code, kept.json()["code"]) == (409, "in_use")
    assert LABEL in kept.json()["detail"]
    assert deleted.status_code == 204
    assert (gone.status_code, gone.json()["code"]) == (404, "trunk_not_found")


async def test_a_trunk_that_was_made_is_opened_without_a_run(shop):
    made = (await shop.v1("POST", "/trunks", {"name": "Second", "carrier": "sandbox"})).json()

    async def is_open() -> bool:
        found = (await shop.v1("GET", f"/trunks/{made['id']}")).json()
        return found["condition"]["state"] == "open" and found["condition"]["since"] is not None

    await until(is_open)


async def test_a_sender_is_made_on_the_trunk_that_is_named(shop):
    other = (await shop.v1("POST", "/trunks", {"name": "Second", "carrier": "sandbox"})).json()["id"]
    made = await shop.v1("POST", "/senders", {"number": LABEL, "trunk_id": other})
    again = await shop.v1("POST", "/senders", {"number": LABEL, "segments_per_day": 5})
    wrong = await shop.v1("POST", "/senders", {"number": "Pool", "trunk_id": "tr-1", "pool": []})

    assert (made.status_code, made.json()["trunk_id"], again.json()["trunk_id"]) == (201, other, other)
    assert faults(wrong) == {"trunk_id", "pool"}


async def test_a_carrier_that_we_do_not_have_is_refused_by_name(shop):
    answer = await shop.v1("POST", "/trunks", {"name": "Big", "carrier": "pigeon"})

    assert faults(answer) == {"carrier"}
    assert "sandbox" in answer.json()["errors"][0]["message"]


async def test_senders_and_trunks_of_another_app_are_not_there(shop, stranger):
    sender = await make_sender(stranger)
    (trunk,) = (await stranger.v1("GET", "/trunks")).json()["items"]

    answers = [
        await shop.v1(method, path, body)
        for path in (f"/senders/{sender['id']}", f"/trunks/{trunk['id']}")
        for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None))
    ]

    assert [answer.status_code for answer in answers] == [404] * 6
    assert (await stranger.v1("GET", f"/senders/{sender['id']}")).json() == sender


# -- single messages -------------------------------------------------------------------------------------------------


async def sent_texts(shop, count):
    async def all_there() -> bool:
        return len(await shop.outbox()) >= count

    await until(all_there)
    return [(item["to"], item["from"], item["text"]) for item in await shop.outbox()]


async def test_a_single_message_starts_the_flow_of_its_sender(shop):
    await make_sender(shop, flow_id=await make_flow(shop))
    (person,) = numbers("IN", 1)

    answers = [await call(shop, to) for to in (person, person, person.removeprefix("+"))]

    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, ANSWER)] * 3
    assert await sent_texts(shop, 3) == [(person, LABEL, "Hello from the flow")] * 3


async def test_single_messages_at_once_go_to_everyone_once(shop):
    await make_sender(shop, flow_id=await make_flow(shop))
    people = numbers("IN", 12)

    answers = await asyncio.gather(*(call(shop, to) for to in people))
    texts = await sent_texts(shop, 12)

    assert {answer.status_code for answer in answers} == {200}
    assert sorted(to for to, _, _ in texts) == sorted(people)


async def test_a_single_message_spares_whom_the_gate_spares(shop):
    await make_sender(shop, flow_id=await make_flow(shop))
    spared, other = numbers("IN", 2)
    dnc = (await shop.v1("POST", "/dnc-lists", {"name": unique("Never")})).json()["id"]
    await shop.v1("POST", f"/dnc-lists/{dnc}/make-global")
    await shop.v1("POST", f"/dnc-lists/{dnc}/numbers", {"numbers": [spared]})

    answers = [await call(shop, to) for to in (spared, other)]
    texts = await sent_texts(shop, 1)

    await until_ended(shop)
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [to for to, _, _ in texts] == [other]
    assert len(await shop.outbox()) == 1


async def test_who_says_stop_gets_no_further_single_message(shop):
    await make_sender(shop, flow_id=await make_flow(shop))
    (person,) = numbers("IN", 1)
    person = person[:-4] + "9909"
    await call(shop, person)

    async def opted_out() -> bool:
        app = shop.client.app.no
        return bool(await rows(shop.server.runtime.store, "select 1 from opt_out where app = :app", app=app))

    await until(opted_out)
    await call(shop, person)
    await until_ended(shop)

    async def confirmed() -> bool:
        return len(await shop.outbox()) == 2

    await until(confirmed)
    message, confirmation = await shop.outbox()
    assert (message["text"], confirmation["text"] == message["text"]) == ("Hello from the flow", False)


async def until_ended(shop):
    """Wait until no run of the app goes on."""

    async def ended() -> bool:
        return all(run["ended_at"] for run in (await shop.v1("GET", "/runs")).json()["items"])

    await until(ended)


async def test_a_changed_flow_is_what_the_next_single_message_says(shop):
    sender = await make_sender(shop, flow_id=await make_flow(shop, "First"))
    (person,) = numbers("IN", 1)
    await call(shop, person)
    await sent_texts(shop, 1)
    await shop.v1("PATCH", f"/senders/{sender['id']}", {"flow_id": await make_flow(shop, "Second")})

    await call(shop, person)

    assert [text for _, _, text in await sent_texts(shop, 2)] == ["First", "Second"]


async def test_a_start_call_on_the_campaign_of_single_messages_reaches_nobody(shop):
    await make_sender(shop, flow_id=await make_flow(shop))
    await call(shop, *numbers("IN", 1))
    await sent_texts(shop, 1)
    (run,) = (await shop.v1("GET", "/runs")).json()["items"]
    await shop.until_status(run["campaign_id"], "Completed")

    started = await shop.trigger(run["campaign_id"], "play")
    await shop.until_status(run["campaign_id"], "Completed")

    assert started.status_code == 200
    assert run["contacts"] == 1
    assert len(await shop.outbox()) == 1


async def test_a_campaign_of_that_name_with_lists_is_left_alone(shop):
    await make_sender(shop, flow_id=await make_flow(shop))
    await shop.make_campaign(*numbers("IN", 3), name=f"Outbound SMS {LABEL}")

    answer = await call(shop, *numbers("IN", 1))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "wrong_state")
    assert await shop.outbox() == []


async def test_a_single_message_that_cannot_be_names_its_fields(shop, stranger):
    await make_sender(shop, label="+12125550178")
    await make_sender(stranger, flow_id=await make_flow(stranger))
    path = f"/api/public/bot/{shop.app_id}/outboundsms"
    (person,) = numbers("IN", 1)

    async def post(body):
        return await shop.server.http.post(path, headers=shop.headers, json=body)

    assert faults(await post({})) == {"fromNo", "toNo"}
    assert faults(await post({"fromNo": LABEL, "toNo": "12"})) == {"fromNo", "toNo"}
    assert faults(await post({"fromNo": "+12125550178", "toNo": person})) == {"fromNo"}
    assert faults(await post({"fromNo": 5, "toNo": [person]})) == {"fromNo", "toNo"}
    foreign = await shop.server.http.post(
        f"/api/public/bot/{stranger.app_id}/outboundsms", headers={"auth": shop.token()}, json={}
    )
    assert foreign.status_code == 403


async def test_a_flow_that_a_sender_starts_is_not_deleted(shop):
    flow_id = await make_flow(shop)
    sender = await make_sender(shop, flow_id=flow_id)

    kept = await shop.v1("DELETE", f"/flows/{flow_id}")
    await shop.v1("PATCH", f"/senders/{sender['id']}", {"flow_id": None})
    deleted = await shop.v1("DELETE", f"/flows/{flow_id}")

    assert (kept.status_code, kept.json()["code"]) == (409, "in_use")
    assert deleted.status_code == 204


async def test_a_flow_without_a_message_sends_nothing(shop):
    made = await shop.v1("POST", "/flows", {"name": unique("Empty")})
    await make_sender(shop, flow_id=made.json()["id"])

    answer = await call(shop, *numbers("IN", 1))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "flow_is_empty")


async def test_limits_are_kept_changed_one_by_one_and_refused_together(shop):
    att = {"name": "att", "prefixes": ["+1212"], "countries": ["us"], "segments_per_second": 4.5}
    sender = await make_sender(shop, segments_per_day=200, reset_zone="america/los_angeles", classes=[att])
    path = f"/senders/{sender['id']}"
    (trunk,) = (await shop.v1("GET", "/trunks")).json()["items"]

    faster = (await shop.v1("PATCH", path, {"segments_per_second": 9})).json()
    of_trunk = (await shop.v1("PATCH", f"/trunks/{trunk['id']}", {"segments_per_day": 7})).json()
    wrong = await shop.v1(
        "PATCH",
        path,
        {
            "segments_per_day": 0,
            "reset_zone": "PST",
            "classes": [{"name": "a b", "prefixes": ["12"], "countries": ["XX"]}],
        },
    )
    twice = await shop.v1("PATCH", path, {"classes": [{"name": "a"}, {"name": "a"}]})

    no_cap = {"segments_per_day": None, "used_today": None, "left_today": None}
    assert faster["classes"] == [{**att, "countries": ["US"], **no_cap}]
    assert (faster["segments_per_day"], faster["reset_zone"]) == (200, "America/Los_Angeles")
    assert (faster["segments_per_second"], of_trunk["segments_per_day"]) == (9, 7)
    assert wrong.status_code == twice.status_code == 400
    assert {error["field"] for error in wrong.json()["errors"]} == {
        "segments_per_day", "reset_zone", "classes[0].name", "classes[0].prefixes[0]", "classes[0].countries[0]",
    }  # fmt: skip
    assert twice.json()["errors"][0]["field"] == "classes[1].name"
    assert (await shop.v1("GET", path)).json() == faster


async def test_a_pool_is_a_sender_by_its_name_and_its_members_stay(shop):
    members = [await make_sender(shop, label) for label in ("+12125550171", "+12125550172")]
    ids = [one["id"] for one in members]
    made = await shop.v1("POST", "/senders", {"number": "Summer pool", "pool": ids})
    pool = made.json()
    campaign_id = await shop.make_campaign(
        *numbers("IN", 30, seed=71),
        dialingStrategy={"callerId": {"phoneNumber": "Summer pool"}, "callingHours": ALWAYS},
    )

    started = await shop.trigger(campaign_id, "start")
    assert started.status_code == 200, started.text
    await shop.until_status(campaign_id, "Completed")
    seen = {item["from"] for item in await shop.outbox()}
    kept = await shop.v1("DELETE", f"/senders/{ids[0]}")
    changed = await shop.v1("PATCH", f"/senders/{pool['id']}", {"pool": ids[1:], "fail_over": True})
    wrong = await shop.v1("PATCH", f"/senders/{pool['id']}", {"pool": [ids[0], ids[0], pool["id"], "sn-1"]})
    none = await shop.v1("PATCH", f"/senders/{pool['id']}", {"pool": []})
    of_a_caller_id = await shop.v1("PATCH", f"/senders/{ids[0]}", {"pool": ids[1:]})

    assert (made.status_code, pool["pool"], pool["fail_over"]) == (201, ids, False)
    assert seen == {"+12125550171", "+12125550172"}
    assert (kept.status_code, kept.json()["code"]) == (409, "in_use")
    assert (changed.json()["pool"], changed.json()["fail_over"]) == (ids[1:], True)
    assert [error["field"] for error in wrong.json()["errors"]] == ["pool[1]", "pool[2]", "pool[3]"]
    assert none.status_code == of_a_caller_id.status_code == 400
    assert (await shop.v1("GET", f"/senders/{ids[0]}")).json()["pool"] is None
