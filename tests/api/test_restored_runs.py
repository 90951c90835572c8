"""A run that came out of a backup goes on when somebody who knows what is missing says so, and not before."""

from datetime import timedelta

import pytest_asyncio

from api.callers import ALWAYS, campaign_body
from phone_numbers import numbers


async def restored_run(shop, people) -> tuple[str, str]:
    """Start a run that contacts nobody yet, and restore the store a minute later."""
    body = campaign_body(await shop.make_list(*people), dialingStrategy=slow())
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]
    runtime = shop.server.runtime
    run_id = (await shop.trigger(campaign_id, "play")).json()["campaignInstanceId"]
    now = runtime.clock.now()
    await runtime.store.restoring.mark(now - timedelta(minutes=1), now)
    return campaign_id, run_id


def slow() -> dict:
    return {"callerId": {"phoneNumber": "+12125550177"}, "callingHours": ALWAYS}


@pytest_asyncio.fixture(loop_scope="session")
async def people(shop):
    await shop.v1("POST", "/senders", {"number": "+12125550177", "segments_per_second": 0.001})
    return numbers("IN", 5, ending="1111")


async def test_it_cannot_be_resumed_by_either_dialect_and_both_say_why(shop, people):
    campaign_id, run_id = await restored_run(shop, people)
    for trigger in ("play", "resume"):
        refused = await shop.trigger(campaign_id, trigger)
        assert refused.status_code == 409, refused.text
        assert "acknowledge-restore" in refused.text
    shown = (await shop.v1("GET", f"/runs/{run_id}")).json()

    assert (shown["status"], shown["restored"]["acknowledged_at"]) == ("Paused", None)
    assert shown["restored"]["backup_at"] < shown["restored"]["restored_at"]


async def test_resume_lets_it_go_on_and_skip_ends_it_and_each_is_said_once(shop, people):
    _, goes_on = await restored_run(shop, people)
    answer = await shop.v1("POST", f"/runs/{goes_on}/acknowledge-restore", {"choice": "resume"})
    again = await shop.v1("POST", f"/runs/{goes_on}/acknowledge-restore", {"choice": "resume"})

    assert (answer.status_code, answer.json()["status"]) == (200, "Active"), answer.text
    assert answer.json()["restored"]["acknowledged_at"] is not None
    assert again.status_code == 409

    campaign_id, ends = await restored_run(shop, people)
    answer = await shop.v1("POST", f"/runs/{ends}/acknowledge-restore", {"choice": "skip"})
    assert (answer.status_code, answer.json()["status"]) == (200, "Stopped")
    assert await shop.status(campaign_id) == "Stopped"


async def test_nobody_acknowledges_the_run_of_another_tenant_or_without_a_choice(shop, stranger, people):
    _, run_id = await restored_run(shop, people)
    path = f"/runs/{run_id}/acknowledge-restore"

    assert (await stranger.v1("POST", path, {"choice": "resume"})).status_code == 404
    for body in ({}, {"choice": "perhaps"}, {"choice": "skip", "all": True}):
        assert (await shop.v1("POST", path, body)).status_code == 400


async def test_an_ordinary_run_has_nothing_to_acknowledge(shop, people):
    body = campaign_body(await shop.make_list(*people), dialingStrategy=slow())
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]
    run_id = (await shop.trigger(campaign_id, "play")).json()["campaignInstanceId"]
    refused = await shop.v1("POST", f"/runs/{run_id}/acknowledge-restore", {"choice": "resume"})

    assert refused.status_code == 409
    assert (await shop.v1("GET", f"/runs/{run_id}")).json()["restored"] is None
