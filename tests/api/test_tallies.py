"""Reports on runs and campaigns: their sums are those of the attempts, and what cannot be shown is refused."""

from collections import Counter
from datetime import timedelta

import pytest

from api.callers import fields, until
from callsheet.api.v1 import tallies
from phone_numbers import numbers

REPORTS = ("/timeline", "/dispositions", "/codes")


async def begin(shop, *people: str) -> tuple[str, str]:
    campaign_id = await shop.make_campaign(*people)
    run_id = (await shop.trigger(campaign_id, "play")).json()["campaignInstanceId"]
    return campaign_id, run_id


async def report(shop, path: str, **query) -> dict:
    answer = await shop.v1("GET", path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_sums_of_every_report_are_those_of_the_attempts(shop):
    people = [*numbers("IN", 6, ending="1111"), *numbers("IN", 2, ending="9904"), *numbers("IN", 1, ending="9905")]
    campaign_id, run_id = await begin(shop, *people)
    await shop.until_status(campaign_id, "Completed")

    async def settled() -> bool:
        return (await report(shop, f"/runs/{run_id}"))["outcome"]["accepted"] == 0

    await until(settled)
    attempts = [one async for one in shop.pages(f"/runs/{run_id}/attempts")]
    points = (await report(shop, f"/runs/{run_id}/timeline", step="minute"))["points"]
    rows = (await report(shop, f"/runs/{run_id}/dispositions"))["rows"]
    codes = (await report(shop, f"/runs/{run_id}/codes"))["items"]
    totals = await report(shop, f"/campaigns/{campaign_id}/totals")

    events = Counter(event["kind"] for one in attempts for event in one["events"])
    for kind in ("accepted", "delivered", "undelivered", "rejected"):
        assert sum(point[kind] for point in points) == events[kind]
    assert {row["disposition"]: row["by_attempts"] for row in rows} == {
        "delivered": {"1": 6}, "undelivered": {"1": 2}, "rejected": {"1": 1},
    }  # fmt: skip
    assert Counter({one["kind"]: one["attempts"] for one in codes}) == Counter(undelivered=2, rejected=1)
    assert all(one["code"] for one in codes)
    assert (totals["runs"], totals["sent"], totals["delivered"], totals["delivery_rate"]) == (1, 8, 6, 0.75)
    assert [totals[f"delivered_{period}"] for period in ("24_hours", "7_days", "30_days")] == [6, 6, 6]


async def test_a_campaign_that_never_ran_has_no_rate(shop):
    totals = await report(shop, f"/campaigns/{await shop.make_campaign()}/totals")

    assert (totals["runs"], totals["sent"], totals["delivery_rate"]) == (0, 0, None)


async def test_a_timeline_of_too_many_points_is_refused_and_can_be_narrowed(shop, monkeypatch):
    monkeypatch.setattr(tallies, "MOST_POINTS", 0)
    campaign_id, run_id = await begin(shop, *numbers("IN", 1))
    await shop.until_status(campaign_id, "Completed")
    now = shop.server.runtime.clock.now()

    refused = await shop.v1("GET", f"/runs/{run_id}/timeline")
    narrow = await shop.v1("GET", f"/runs/{run_id}/timeline", params={"since": (now + timedelta(days=1)).isoformat()})

    assert (refused.status_code, fields(refused)) == (400, ["step"])
    assert narrow.json() == {"step": "hour", "points": []}


async def test_runs_are_found_by_their_state_and_their_beginning(shop):
    done, first = await begin(shop)
    await shop.until_status(done, "Completed")
    began = (await report(shop, f"/runs/{first}"))["started_at"]
    _, second = await begin(shop, *numbers("IN", 1))

    async def found(**query) -> list[str]:
        return [run["id"] async for run in shop.pages("/runs", **query)]

    assert first in await found(status="Completed")
    assert await found(status="Stopped") == []
    assert await found(started_before=began) == []
    assert await found(started_after="2020-01-01T00:00:00Z") == [second, first]
    assert (await shop.v1("GET", "/runs", params={"status": "Ready"})).status_code == 400
    assert fields(await shop.v1("GET", "/runs", params={"started_after": "2020-01-01T00:00:00"})) == ["started_after"]


@pytest.mark.parametrize("path", REPORTS)
async def test_the_reports_of_another_app_are_not_there(shop, stranger, path):
    campaign_id, run_id = await begin(stranger, *numbers("IN", 1))

    answer = await shop.v1("GET", f"/runs/{run_id}{path}")
    totals = await shop.v1("GET", f"/campaigns/{campaign_id}/totals")

    assert (answer.status_code, answer.json()["code"]) == (404, "run_not_found")
    assert (totals.status_code, totals.json()["code"]) == (404, "campaign_not_found")
