"""Templates and flows: changed by versions, kept while they are used, and shown as they would leave."""

import pytest

from api.callers import campaign_body, unique
from phone_numbers import numbers

HTML = "<p>Dear {{first_name}},</p><p>pay <b>{{amount}}</b> by {{day | default: 'Friday'}}</p>"
FLOW = {
    "blocks": [
        {
            "uuid": "11111111-1111-4111-8111-111111111111",
            "type": "MobilePrimitives.Message",
            "config": {"prompt": "Hello"},
            "exits": [{"uuid": "22222222-2222-4222-8222-222222222222", "default": True}],
        }
    ],
    "first_block_id": "11111111-1111-4111-8111-111111111111",
}


async def make(shop, body=HTML, name=None):
    made = await shop.v1("POST", "/templates", {"name": name or unique("Template"), "body": body})
    assert made.status_code == 201, made.text
    return made.json()


async def preview(shop, path="/templates/preview", **asked):
    shown = await shop.v1("POST", path, asked)
    assert shown.status_code == 200, shown.text
    return shown.json()


async def first_of(shop, name) -> str:
    """Return the id of the first contact of a list."""
    store = shop.server.runtime.store
    found = await store.lists.find(shop.client.app.no, name=name)
    (contact,) = await store.contacts.page(found, after=0, limit=1)
    return contact.id


async def test_a_template_shows_what_it_comes_to(shop):
    made = await make(shop)

    shown = (await shop.v1("GET", f"/templates/{made['id']}")).json()

    assert shown == {
        **made,
        "version": 1,
        "dlt_template_id": "",
        "text": "Dear {{first_name}},\npay {{amount}} by {{day | default: 'Friday'}}",
        "placeholders": ["first_name", "amount", "day"],
        "segments_estimate": 1,
        "used_by": [],
    }


async def test_a_changed_template_has_a_new_version_and_runs_keep_theirs(shop):
    made = await make(shop, "Old text")
    (person,) = numbers("IN", 1)
    campaign_id = await shop.make_campaign(person, message={"templateId": made["id"]})
    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")

    renamed = await shop.v1("PATCH", f"/templates/{made['id']}", {"name": "Renamed"})
    changed = await shop.v1("PATCH", f"/templates/{made['id']}", {"body": "New text"})
    (sent,) = await shop.outbox()

    assert (renamed.json()["version"], renamed.json()["name"], renamed.json()["body"]) == (1, "Renamed", "Old text")
    assert (changed.json()["version"], changed.json()["body"]) == (2, "New text")
    assert sent["text"] == "Old text"


@pytest.mark.parametrize("body", [{"name": " "}, {"body": ""}, {"body": "{{"}, {"body": "<p></p>"}, {"colour": 1}])
async def test_a_wrong_change_changes_nothing(shop, body):
    made = await make(shop)

    answer = await shop.v1("PATCH", f"/templates/{made['id']}", body)

    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == list(body)
    assert (await shop.v1("GET", f"/templates/{made['id']}")).json()["body"] == HTML


async def test_a_name_that_is_taken_is_refused(shop):
    first, second = await make(shop), await make(shop)

    changed = await shop.v1("PATCH", f"/templates/{second['id']}", {"name": first["name"].upper()})
    own = await shop.v1("PATCH", f"/templates/{second['id']}", {"name": second["name"].upper()})

    assert (changed.status_code, changed.json()["code"]) == (409, "name_taken")
    assert own.status_code == 200


async def test_a_run_tells_carriers_the_registered_ids_that_it_began_with(shop):
    sender = (await shop.v1("POST", "/senders", {"number": unique("DLT")})).json()
    made = await shop.v1("PATCH", f"/senders/{sender['id']}", {"dlt_entity_id": "1101456789012345678"})
    template = await shop.v1(
        "POST", "/templates", {"name": unique("Dlt"), "body": "Pay", "dlt_template_id": "1107161234567890123"}
    )
    path = f"/templates/{template.json()['id']}"
    wrong = await shop.v1("PATCH", path, {"dlt_template_id": "11-07"})
    name = await shop.make_list(numbers("IN", 1)[0])
    body = campaign_body(name, message={"templateId": template.json()["id"]})
    body["dialingStrategy"] = {**body["dialingStrategy"], "callerId": {"phoneNumber": sender["number"]}}
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]
    await shop.trigger(campaign_id, "play")
    changed = await shop.v1("PATCH", path, {"dlt_template_id": "1107169999999999999"})
    copied = await shop.v1("POST", f"{path}/clone", {})

    store = shop.server.runtime.store
    campaign = await store.campaigns.find(shop.client.app.no, campaign_id=campaign_id)
    run = await store.runs.find(shop.client.app.no, campaign.run_id)
    assert made.json()["dlt_entity_id"] == "1101456789012345678"
    assert wrong.status_code == 400
    assert dict(run.tags) == {"dlt_entity_id": "1101456789012345678", "dlt_template_id": "1107161234567890123"}
    assert changed.json()["dlt_template_id"] == "1107169999999999999"
    copy = await shop.v1("GET", f"/templates/{copied.json()['id']}")
    assert copy.json()["dlt_template_id"] == changed.json()["dlt_template_id"]


async def test_what_a_campaign_uses_is_not_deleted(shop):
    template = await make(shop)
    flow = (await shop.v1("POST", "/flows", {"name": unique("Flow"), "document": FLOW})).json()
    bodies = [
        {"message": {"templateId": template["id"]}},
        {"format": "advanced", "message": None, "experienceFlowName": flow["name"]},
    ]
    campaigns = [
        (await shop.compat("POST", "/campaign", campaign_body(await shop.make_list(), **body))).json()["data"]["id"]
        for body in bodies
    ]
    paths = [f"/templates/{template['id']}", f"/flows/{flow['id']}"]

    used = (await shop.v1("GET", paths[0])).json()["used_by"]
    kept = [await shop.v1("DELETE", path) for path in paths]
    for campaign_id in campaigns:
        assert (await shop.compat("DELETE", f"/campaign/{campaign_id}")).status_code == 200
    deleted = [await shop.v1("DELETE", path) for path in paths]
    gone = [await shop.v1("GET", path) for path in paths]

    assert len(used) == 1
    assert [(answer.status_code, answer.json()["code"]) for answer in kept] == [(409, "in_use")] * 2
    assert used[0] in kept[0].json()["detail"]
    assert [answer.status_code for answer in deleted] == [204] * 2
    assert [answer.status_code for answer in gone] == [404] * 2


async def test_an_id_in_a_text_is_no_use(shop):
    template = await make(shop)
    text = {"message": {"message": template["id"]}, "description": template["id"]}
    await shop.compat("POST", "/campaign", campaign_body(await shop.make_list(), **text))

    assert (await shop.v1("DELETE", f"/templates/{template['id']}")).status_code == 204


async def test_a_flow_is_renamed_and_gets_its_next_version(shop):
    flow = (await shop.v1("POST", "/flows", {"name": unique("Flow")})).json()
    path = f"/flows/{flow['id']}"

    renamed = await shop.v1("PATCH", path, {"name": "Renamed"})
    changed = await shop.v1("PATCH", path, {"document": FLOW})
    wrong = await shop.v1("PATCH", path, {"document": {"flows": []}})

    assert renamed.json() == {"id": flow["id"], "name": "Renamed", "version": 1, "document": None, "warnings": []}
    assert (changed.json()["version"], changed.json()["document"]) == (2, FLOW)
    assert [error["field"] for error in wrong.json()["errors"]] == ["document.flows"]


async def test_a_copy_is_a_template_of_its_own(shop):
    made = await make(shop)
    path = f"/templates/{made['id']}/clone"

    copy = await shop.v1("POST", path)
    named = await shop.v1("POST", path, {"name": unique("Mine")})
    again = await shop.v1("POST", path, {})

    assert (copy.status_code, copy.json()["name"], copy.json()["body"]) == (201, f"{made['name']} (Copy)", HTML)
    assert named.status_code == 201
    assert len({made["id"], copy.json()["id"], named.json()["id"]}) == 3
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")


async def test_templates_are_searched_by_name(shop):
    names = ["Spring 50%", "spring sale", "Winter"]
    for name in names:
        await make(shop, name=name)

    found = [one["name"] async for one in shop.pages("/templates", search="SPRING", limit=1)]
    literal = [one["name"] async for one in shop.pages("/templates", search="50%")]

    assert (found, literal) == (names[:2], names[:1])


async def test_a_preview_for_columns(shop):
    columns = {"First Name": "Ada", "amount": "5"}

    shown = await preview(shop, body=HTML, contact=columns)

    assert shown == {
        "text": "Dear Ada,\npay 5 by Friday",
        "encoding": "GSM-7",
        "forcing_characters": [],
        "characters": 25,
        "segments": 1,
        "cost": None,
        "missing_columns": [],
    }


async def test_a_preview_for_a_contact_of_a_list(shop):
    (person,) = numbers("IN", 1)
    name = await shop.make_list(person, firstName="Grace")
    contact_id = await first_of(shop, name)
    made = await make(shop, "Hi {{first_name}} at {{phoneNumber}}, owing {{amount}}")

    shown = await preview(shop, f"/templates/{made['id']}/preview", contact_id=contact_id)

    assert shown["text"] == f"Hi Grace at {person}, owing "
    assert shown["missing_columns"] == ["amount"]


async def test_a_preview_for_nobody_shows_the_text_as_written(shop):
    made = await make(shop, "Hi {{first_name}}")

    shown = (await shop.v1("POST", f"/templates/{made['id']}/preview")).json()

    assert (shown["text"], shown["missing_columns"]) == ("Hi {{first_name}}", ["first_name"])


async def test_a_preview_names_what_makes_it_long_and_what_it_costs(shop):
    await shop.v1("PATCH", "/settings", {"segment_cost": "0.0075", "currency": "eur"})

    shown = await preview(shop, body="Zażółć gęślą jaźń " * 5, contact={})

    assert (shown["encoding"], shown["segments"]) == ("UCS-2", 2)
    assert shown["forcing_characters"] == list("żółćęśąźń")
    assert shown["cost"] == {"amount": "0.015", "currency": "EUR"}


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"body": "{{ name }}", "contact": {}}, 422, "empty_message"),
        ({"body": "x", "contact_id": "cc-nothing"}, 404, "not_found"),
        ({"body": "x", "contact_id": "cc-" + "0" * 24}, 404, "not_found"),
        ({"body": "x", "contact_id": "cc-1", "contact": {}}, 400, "invalid"),
        ({"body": "{{", "contact": {}}, 400, "invalid"),
        ({"body": "x", "contact": {"a": 1}}, 400, "invalid"),
        ({"contact": {}}, 400, "invalid"),
    ],
)
async def test_a_preview_that_cannot_be_says_why(shop, asked, status, code):
    answer = await shop.v1("POST", "/templates/preview", asked)

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


@pytest.mark.parametrize(
    "settings", [{"segment_cost": 0.5}, {"segment_cost": "-1"}, {"segment_cost": "1e3"}, {"currency": "EURO"}]
)
async def test_a_wrong_cost_is_refused(shop, settings):
    answer = await shop.v1("PATCH", "/settings", settings)

    assert [error["field"] for error in answer.json()["errors"]] == list(settings)


async def test_templates_and_flows_of_another_app_are_not_there(shop, stranger):
    template = await make(stranger)
    flow = (await stranger.v1("POST", "/flows", {"name": unique("Flow")})).json()
    (person,) = numbers("IN", 1)
    contact_id = await first_of(stranger, await stranger.make_list(person))

    answers = [
        await shop.v1("PATCH", f"/templates/{template['id']}", {"name": "Mine"}),
        await shop.v1("DELETE", f"/templates/{template['id']}"),
        await shop.v1("POST", f"/templates/{template['id']}/clone", {}),
        await shop.v1("POST", f"/templates/{template['id']}/preview", {}),
        await shop.v1("PATCH", f"/flows/{flow['id']}", {"name": "Mine"}),
        await shop.v1("DELETE", f"/flows/{flow['id']}"),
        await shop.v1("POST", "/templates/preview", {"body": "x", "contact_id": contact_id}),
    ]

    assert [answer.status_code for answer in answers] == [404] * len(answers)
