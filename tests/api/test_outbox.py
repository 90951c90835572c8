"""Whoever looks for the messages of one campaign sees those, and no other campaign's."""

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

    nobody = await shop.v1("GET", "/sandbox/outbox", params={"campaign_id": "cd-0"})
    assert nobody.json() == {"items": [], "next": None}
