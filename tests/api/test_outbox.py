"""Whoever looks for the messages of one campaign sees those, and no other campaign's."""

import pytest

from api.callers import unique
from phone_numbers import numbers


async def test_the_outbox_of_a_campaign_has_its_messages_alone(shop):
    people = numbers("IN", 5)
    campaigns = [await shop.make_campaign(*some, message={"message": "Hello"}) for some in (people[:2], people[2:])]
    for campaign_id in campaigns:
        await shop.trigger(campaign_id, "play")
    for campaign_id, some in zip(campaigns, (people[:2], people[2:]), strict=True):
        await shop.until_status(campaign_id, "Completed")
        page = (await shop.v1("GET", "/sandbox/outbox", params={"campaign_id": campaign_id})).json()
        assert sorted(message["to"] for message in page["items"]) == sorted(some)


@pytest.mark.parametrize("path", ["/sandbox/outbox", "/runs"])
async def test_what_belongs_to_a_campaign_is_found_by_its_name_too(shop, path):
    name = unique("Spring")
    campaign_id = await shop.make_campaign(*numbers("IN", 2), name=name)
    await shop.make_campaign(*numbers("IN", 2))
    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")

    by_id, by_name = [await shop.v1("GET", path, params={"campaign_id": said}) for said in (campaign_id, name.upper())]

    # Receipts may come between the two answers: only who is there is compared.
    named, meant = [[one["id"] for one in answer.json()["items"]] for answer in (by_name, by_id)]
    assert named == meant != []


async def test_the_messages_of_a_campaign_that_was_deleted_are_still_shown(shop):
    campaign_id = await shop.make_campaign(*numbers("IN", 2))
    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")
    before = (await shop.v1("GET", "/sandbox/outbox", params={"campaign_id": campaign_id})).json()
    deleted = await shop.compat("DELETE", f"/campaign/{campaign_id}")
    after = (await shop.v1("GET", "/sandbox/outbox", params={"campaign_id": campaign_id})).json()

    assert deleted.status_code == 200
    assert [one["id"] for one in after["items"]] == [one["id"] for one in before["items"]]
    assert len(after["items"]) == 2


async def test_nobody_got_a_message_of_a_campaign_that_never_was(shop):
    nobody = await shop.v1("GET", "/sandbox/outbox", params={"campaign_id": "cd-0"})
    missing = await shop.v1("GET", "/runs", params={"campaign_id": "cd-0"})

    assert nobody.json() == {"items": [], "next": None}
    assert (missing.status_code, missing.json()["code"]) == (404, "campaign_not_found")


async def test_messages_are_no_calls(shop):
    campaign_id = await shop.make_campaign(*numbers("IN", 1))
    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")
    of_campaign = await shop.v1("GET", "/sandbox/calls", params={"campaign_id": campaign_id})
    assert of_campaign.json() == {"items": [], "next": None}
