"""From the documented start call to messages on handsets, and everything that can be done in between."""

from phone_numbers import numbers


async def test_a_started_campaign_reaches_every_contact_once(shop):
    people = numbers("IN", 12)
    campaign_id = await shop.make_campaign(*people)

    started = await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")

    assert started.json()["status"] == "Active"
    assert sorted(message["to"] for message in await shop.outbox()) == sorted(people)
