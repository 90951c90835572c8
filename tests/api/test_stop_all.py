"""Everything stops by one call, nothing begins meanwhile, and whoever asks learns who stopped it and why."""

import pytest

from api.callers import fields
from phone_numbers import numbers


async def test_everything_stops_and_goes_on_when_it_is_allowed_again(shop, stranger):
    await shop.pace(1)
    running, ready = [await shop.make_campaign(*numbers("IN", 40)) for _ in range(2)]
    theirs = await stranger.make_campaign(*numbers("IN", 2))
    instance = (await shop.trigger(running, "play")).json()["campaignInstanceId"]

    stopped = await shop.v1("POST", "/stop-all", {"reason": " Wrong text "})
    sent = len(await shop.outbox())
    refused = [await shop.trigger(running, "resume"), await shop.trigger(running, "play")]
    refused += [await shop.trigger(ready, word) for word in ("play", "rerun")]
    refused.append(await shop.compat("POST", f"/campaign/{ready}", {"reason": "Fire"}, params={"trigger": "emergency"}))
    later = len(await shop.outbox())
    shown = (await shop.v1("GET", "/stop-all")).json()
    untouched = await stranger.trigger(theirs, "play")
    allowed = await shop.v1("POST", "/allow-sending")
    paused = await shop.status(running)
    resumed = (await shop.trigger(running, "resume")).json()
    await shop.trigger(running, "stop")

    assert stopped.status_code == 200, stopped.text
    assert stopped.json()["paused"] == 1
    assert sent == later
    assert {answer.status_code for answer in refused} == {409}
    assert {answer.json()["errors"][0]["code"] for answer in refused} == {"sending_stopped"}
    assert "Wrong text" in refused[0].json()["message"]
    assert (shown["stopped"], shown["reason"], shown["by"]) == (True, "Wrong text", shop.client.id)
    assert shown["since"] == stopped.json()["since"]
    assert untouched.status_code == 200
    assert allowed.json() == {"stopped": False, "reason": None, "by": None, "since": None, "paused": 0}
    assert paused == "Paused"
    assert (resumed["status"], resumed["campaignInstanceId"]) == ("Active", instance)


async def test_a_second_stop_keeps_the_first_reason_and_a_second_allowing_is_nothing(shop):
    await shop.v1("POST", "/stop-all", {"reason": "First"})

    second = await shop.v1("POST", "/stop-all", {"reason": "Second"})
    allowed = [await shop.v1("POST", "/allow-sending") for _ in range(2)]

    assert second.json()["reason"] == "First"
    assert [answer.status_code for answer in allowed] == [200, 200]
    assert (await shop.v1("GET", "/stop-all")).json()["stopped"] is False


async def test_an_emergency_stops_too(shop):
    await shop.pace(0.01)
    campaign_id = await shop.make_campaign(*numbers("IN", 5))
    await shop.compat("POST", f"/campaign/{campaign_id}", {"reason": "Fire"}, params={"trigger": "emergency"})

    await shop.v1("POST", "/stop-all", {"reason": "False alarm"})

    assert await shop.status(campaign_id) == "Paused"
    assert (await shop.trigger(campaign_id, "stop")).status_code == 200


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " "}, {"reason": "x" * 257}, {"reason": 5}])
async def test_a_stop_has_a_reason(shop, body):
    answer = await shop.v1("POST", "/stop-all", body)

    assert (answer.status_code, fields(answer)) == (400, ["reason"])
