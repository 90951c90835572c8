"""One app never sees another's things: with a right token for the own app, a foreign id is not there."""

import pytest

from api.callers import campaign_body, unique
from phone_numbers import numbers


@pytest.fixture
def person() -> str:
    return numbers("IN", 1)[0]


async def belongings(stranger, person):
    """Make one of everything for the other app, and return the ids."""
    name = await stranger.make_list(person)
    campaign_id = (await stranger.compat("POST", "/campaign", campaign_body(name))).json()["data"]["_id"]
    run_id = (await stranger.trigger(campaign_id, "play")).json()["campaignInstanceId"]
    await stranger.until_status(campaign_id, "Completed")
    (attempt,) = (await stranger.v1("GET", f"/runs/{run_id}/attempts")).json()["items"]
    list_id = (await stranger.compat("GET", f"/campaign/contactList/{name}")).json()["data"]["_id"]
    dnc_id = (await stranger.v1("POST", "/dnc-lists", {"name": unique("DNC")})).json()["id"]
    job = await stranger.v1("POST", f"/contact-lists/{list_id}/imports", content=f"phone\n{person}\n")
    return {
        "campaign": campaign_id,
        "name": name,
        "run": run_id,
        "attempt": attempt["id"],
        "list": list_id,
        "dnc": dnc_id,
        "import": job.json()["id"],
        "template": (await stranger.v1("POST", "/templates", {"name": "T", "body": "B"})).json()["id"],
        "flow": (await stranger.v1("POST", "/flows", {"name": "F"})).json()["id"],
    }


async def test_no_call_reaches_into_another_app(shop, stranger, person):
    theirs = await belongings(stranger, person)
    before = await stranger.status(theirs["campaign"])
    body = campaign_body(await shop.make_list())
    mine = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]
    await shop.trigger(mine, "play")
    run_id = (await shop.v1("GET", "/runs")).json()["items"][0]["id"]
    flow = {"document": {"first_block_id": "", "blocks": []}}

    answers = {
        "get": await shop.compat("GET", f"/campaign/{theirs['campaign']}"),
        "update": await shop.compat("PUT", f"/campaign/{theirs['campaign']}", body),
        "delete": await shop.compat("DELETE", f"/campaign/{theirs['campaign']}"),
        "play": await shop.trigger(theirs["campaign"], "play"),
        "stop": await shop.trigger(theirs["campaign"], "stop"),
        "status": await shop.compat("POST", f"/campaign/{theirs['campaign']}/status", params={"view": "contacts"}),
        "list": await shop.compat("GET", f"/campaign/contactList/{theirs['list']}"),
        "list of ours": await shop.v1("GET", f"/contact-lists/{theirs['list']}"),
        "dnc": await shop.v1("GET", f"/dnc-lists/{theirs['dnc']}"),
        "numbers": await shop.v1("POST", f"/dnc-lists/{theirs['dnc']}/numbers", {"numbers": [person]}),
        "import": await shop.v1("POST", f"/contact-lists/{theirs['list']}/imports", content=b"phone\n"),
        "imported": await shop.v1("GET", f"/contact-lists/{theirs['list']}/imports/{theirs['import']}"),
        "rejects": await shop.v1("GET", f"/dnc-lists/{theirs['dnc']}/imports/{theirs['import']}/rejects"),
        "template": await shop.v1("GET", f"/templates/{theirs['template']}"),
        "flow": await shop.v1("GET", f"/flows/{theirs['flow']}"),
        "run": await shop.v1("GET", f"/runs/{theirs['run']}"),
        "attempts": await shop.v1("GET", f"/runs/{theirs['run']}/attempts"),
        "suppressions": await shop.v1("GET", f"/runs/{theirs['run']}/suppressions"),
        "runs": await shop.v1("GET", "/runs", params={"campaign_id": theirs["campaign"]}),
    }
    cursors = [
        await shop.v1("GET", "/runs", params={"after": theirs["run"]}),
        await shop.v1("GET", "/dnc-lists", params={"after": theirs["dnc"]}),
        await shop.v1("GET", f"/runs/{run_id}/attempts", params={"after": theirs["attempt"]}),
        await shop.v1("PUT", f"/flows/{theirs['flow']}", flow),
    ]

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 404)
    assert all(answer.status_code in (400, 404) for answer in cursors)
    assert await stranger.status(theirs["campaign"]) == before
    assert await shop.outbox() == []


async def test_names_of_another_app_are_neither_taken_nor_told(shop, stranger, person):
    theirs = await belongings(stranger, person)

    same = await shop.make_list(name=theirs["name"])
    unknown = await shop.compat("POST", "/campaign", campaign_body("Nowhere"))
    campaign = await shop.compat("POST", "/campaign", campaign_body(same, dncLists={"id": theirs["dnc"]}))

    assert unknown.json()["errors"][0]["msg"] == f"There is no contact list Nowhere. There are: {same}."
    assert (campaign.status_code, len(campaign.json()["errors"])) == (400, 1)
    assert "There are none yet." in campaign.json()["message"]


@pytest.mark.parametrize("path", ["/settings", "/senders", "/runs", "/sandbox/outbox", "/dnc-lists"])
async def test_a_collection_of_another_app_cannot_be_asked_for(shop, stranger, path):
    answer = await shop.server.http.get(f"/v1/apps/{stranger.app_id}{path}", headers={"auth": shop.token()})

    assert answer.status_code == 403
    assert stranger.app_id not in answer.text
