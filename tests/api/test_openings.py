"""Campaigns of flows: each contact gets what the flow says on its own way, in its language, to the first question."""

from typing import Any

from api.callers import campaign_body, unique, until
from core.flow.documents import HELLO, MESSAGE, ONE, block, container, flow, other, resource, value, way
from phone_numbers import numbers

BRANCHING = container(
    flow(
        "support",
        block("case", "Core.Case", way("gold", test="contact.plan = 'gold'"), other("hello")),
        block("gold", MESSAGE, other("ask"), prompt="Dear @contact.firstName"),
        block("hello", MESSAGE, other("ask"), prompt=HELLO),
        block("ask", ONE, other(), question_prompt="Which?", choices=[{"name": "Pay"}, {"name": "Call"}]),
        languages=["eng", "hin"],
        supported_modes=["SMS"],
    ),
    resources=[resource(HELLO, value("Hello @contact.firstName", "SMS"), value("नमस्ते", "SMS", language="hin"))],
)
LIST = "\nWhich?\n1. Pay\n2. Call"


async def test_each_contact_gets_the_opening_of_its_own_way(shop):
    name, people = unique("Flow"), numbers("IN", 3, seed=4)
    await shop.v1("POST", "/flows", {"name": name, "document": BRANCHING})
    listed = await shop.make_list(people[0], firstName="Asha", plan="gold", language="hi")
    rows = [
        {"phoneNumber": people[1], "firstName": "Bo", "plan": "", "language": "en"},
        {"phoneNumber": people[2], "firstName": "", "plan": "tin", "language": "hin"},
    ]
    await shop.compat("POST", "/campaign/contactList/addContacts", {"contact_list_name": listed, "data": rows})
    body = campaign_body(listed, format="advanced", message=None, experienceFlowName=name)
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]
    expected = {people[0]: f"Dear Asha{LIST}", people[1]: f"Hello Bo{LIST}", people[2]: f"नमस्ते{LIST}"}

    previewed = (await shop.v1("GET", f"/campaigns/{campaign_id}/preview")).json()
    assert [one["text"] for one in previewed["items"]] == list(expected.values())
    assert (await shop.trigger(campaign_id, "play")).status_code == 200

    async def are_sent() -> dict[str, Any]:
        sent = {one["to"]: one["text"] for one in await shop.outbox() if one["campaign_id"] == campaign_id}
        return sent if len(sent) == len(people) else {}

    assert await until(are_sent) == expected


async def test_a_flow_that_speaks_to_some_only_is_sent_to_those(shop):
    gold = block("case", "Core.Case", way("gold", test="contact.plan = 'gold'"), other())
    document = container(flow("f", gold, block("gold", MESSAGE, other(), prompt="Dear @contact.plan")))
    name, people = unique("Flow"), numbers("IN", 2, seed=5)
    await shop.v1("POST", "/flows", {"name": name, "document": document})
    listed = await shop.make_list(people[0], plan="tin")
    rows = [{"phoneNumber": people[1], "plan": "gold"}]
    await shop.compat("POST", "/campaign/contactList/addContacts", {"contact_list_name": listed, "data": rows})
    body = campaign_body(listed, format="advanced", message=None, experienceFlowName=name)
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]
    assert (await shop.trigger(campaign_id, "play")).status_code == 200

    async def are_sent() -> list[tuple[str, str]]:
        return [(one["to"], one["text"]) for one in await shop.outbox() if one["campaign_id"] == campaign_id]

    assert await until(are_sent) == [(people[1], "Dear gold")]


async def test_a_flow_for_calls_only_is_not_sent_as_messages(shop):
    spoken = resource(HELLO, value("Hello", "IVR"), value("Hello", "SMS"))
    says = flow("f", block("a", MESSAGE, other(), prompt=HELLO), languages=["eng"], supported_modes=["IVR"])
    name = unique("Flow")
    stored = await shop.v1("POST", "/flows", {"name": name, "document": container(says, resources=[spoken])})
    assert stored.status_code == 201, stored.text
    listed = await shop.make_list(*numbers("IN", 1, seed=6))
    body = campaign_body(listed, format="advanced", message=None, experienceFlowName=name)
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]

    found = (await shop.v1("GET", f"/campaigns/{campaign_id}")).json()["findings"]
    started = await shop.trigger(campaign_id, "play")

    what = "The flow is made for calls only: its supported_modes name neither SMS nor TEXT."
    assert {"field": "message", "message": what} in found
    assert (started.status_code, what in started.text) == (409, True)


async def test_a_document_with_a_warning_is_stored_and_one_with_an_error_is_not(shop):
    unreachable = block("lost", MESSAGE, other(), prompt="Nobody comes here")
    fine = container(flow("f", block("a", MESSAGE, other(), prompt="Hi"), unreachable))
    wrong = container(flow("f", block("a", MESSAGE, way("gone"), prompt="@(1 / 0)")))

    stored = await shop.v1("POST", "/flows", {"name": unique("Flow"), "document": fine})
    refused = await shop.v1("POST", "/flows", {"name": unique("Flow"), "document": wrong})

    assert stored.status_code == 201
    assert [fault["field"] for fault in refused.json()["errors"]] == [
        "document.flows[0].blocks[0].config.prompt",
        "document.flows[0].blocks[0].exits[0].destination_block",
    ]
