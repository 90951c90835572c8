"""A day cap that is used up is told by the run, by the sender, and for each contact."""

from api.callers import ALWAYS, noon_hours, until, zone_ahead
from phone_numbers import numbers


async def make_sender(shop, label, **limits):
    zone = zone_ahead(noon_hours())
    made = await shop.v1("POST", "/senders", {"number": label, "reset_zone": zone, **limits})
    assert made.status_code == 201, made.text
    return made.json()


async def test_a_run_whose_day_is_used_up_says_so_everywhere(shop):
    label = "+12125550178"
    sender = await make_sender(shop, label, segments_per_day=3)
    people = numbers("IN", 8, seed=78)
    campaign_id = await shop.make_campaign(
        *people, dialingStrategy={"callerId": {"phoneNumber": label}, "callingHours": ALWAYS}
    )
    await shop.trigger(campaign_id, "play")

    async def listed():
        (run,) = (await shop.v1("GET", "/runs", params={"campaign_id": campaign_id})).json()["items"]
        return run

    async def went():
        return len({one["to"] for one in await shop.outbox()} & set(people)) == 3

    await until(went)
    run = await listed()
    held = run["held_by"]
    shown = (await shop.v1("GET", f"/senders/{sender['id']}")).json()
    reached = {one["to"] for one in await shop.outbox()}
    waits = next(to for to in people if to not in reached)
    why = (await shop.v1("POST", f"/campaigns/{campaign_id}/why", {"number": waits})).json()
    gate = next(gate for gate in why["gates"] if gate["gate"] == "daily_cap")
    await shop.v1("PATCH", f"/senders/{sender['id']}", {"segments_per_day": 100})
    raised = await listed()
    await shop.until_status(campaign_id, "Completed")

    assert (run["status"], held["reason"], held["what"]) == ("Active", "daily_cap", sender["id"])
    assert (shown["used_today"], shown["left_today"]) == (3, 0)
    assert (sender["used_today"], sender["left_today"]) == (0, 3)
    assert (gate["ruling"], gate["reason"], gate["until"]) == ("waits", "daily_cap", held["until"])
    assert (why["may_be_contacted"], why["next_at"]) == (False, held["until"])
    assert raised["held_by"] is None


async def test_a_class_whose_day_is_used_up_holds_only_its_own_contacts(shop):
    label = "+12125550179"
    france = {"name": "france", "countries": ["FR"], "segments_per_day": 1}
    sender = await make_sender(shop, label, classes=[france])
    held, other = numbers("FR", 2, seed=79), numbers("IN", 3, seed=79)
    campaign_id = await shop.make_campaign(
        *held, *other, dialingStrategy={"callerId": {"phoneNumber": label}, "callingHours": ALWAYS}
    )
    await shop.trigger(campaign_id, "play")

    async def went():
        reached = {one["to"] for one in await shop.outbox()}
        return reached >= set(other) and bool(reached & set(held))

    await until(went)
    (run,) = (await shop.v1("GET", "/runs", params={"campaign_id": campaign_id})).json()["items"]
    reached = {one["to"] for one in await shop.outbox()}
    (waits,) = set(held) - reached
    why = (await shop.v1("POST", f"/campaigns/{campaign_id}/why", {"number": waits})).json()
    gate = next(gate for gate in why["gates"] if gate["gate"] == "daily_cap")
    listed = (await shop.v1("GET", "/senders")).json()["items"]
    (of_class,) = next(one["classes"] for one in listed if one["id"] == sender["id"])
    await shop.trigger(campaign_id, "stop")

    assert run["held_by"] is None
    assert (gate["ruling"], why["may_be_contacted"]) == ("waits", False)
    assert f"{sender['id']}/france" in gate["sentence"]
    assert (of_class["used_today"], of_class["left_today"]) == (1, 0)
    assert [(one["used_today"], one["left_today"]) for one in sender["classes"]] == [(0, 1)]
