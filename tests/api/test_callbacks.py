"""The documented callback call: an array in, and for each item whether it was taken."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.callers import Caller, until
from api.days import live
from callsheet.engine.virtual_time import VirtualClock
from factories import MONDAY_NOON
from phone_numbers import numbers


def later(seconds: float) -> str:
    return written(datetime.now(UTC) + timedelta(seconds=seconds))


def written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


@pytest.fixture
def person() -> str:
    return numbers("IN", 1)[0]


async def running(shop, person):
    """Start a campaign that stays Active, and return it with its run and the entry of the person."""
    # After the first contact this sender is silent for a quarter of an hour.
    await shop.pace(0.001)
    return await begin(shop, person, numbers("IN", 2)[1])


async def begin(shop, person, other):
    """Start a campaign for two, and return it with its run and the entry of the first."""
    campaign_id = await shop.make_campaign(person, other)
    run_id = (await shop.trigger(campaign_id, "play")).json()["campaignInstanceId"]

    async def results():
        answer = await shop.compat("POST", f"/campaign/{campaign_id}/status", {}, params={"view": "contacts"})
        return {one["phoneNumber"]: one for one in answer.json()["data"]["results"]}

    await until(lambda: _has(results, person))
    entry = (await results())[person.removeprefix("+")]["campaignDialingListId"]
    return campaign_id, run_id, entry


async def _has(results, person):
    return person.removeprefix("+") in await results()


def test_discrepancy_35_a_callback_takes_the_ids_that_we_issued_and_says_status(
    database: str, tmp_path: Path, person: str
):
    async def scenario(shop: Caller, clock: VirtualClock) -> None:
        # Contacts ending in 9906 are throttled twice, which is time enough to ask while the run is on.
        campaign_id, run_id, entry = await begin(shop, person, numbers("IN", 1, ending="9906")[0])
        assert entry.startswith("cdl-")
        body = [{"campaignDialingListId": entry, "timeToContact": written(clock.now() + timedelta(seconds=0.3))}]

        answer = await shop.compat("POST", f"/campaign/{run_id}/callContactAt", body)

        assert answer.status_code == 200
        assert answer.json() == {"status": "success", "data": [{"campaignDialingListId": entry, "status": "success"}]}
        await clock.sleep(120)
        assert await shop.status(campaign_id) == "Completed"
        got = [message["to"] for message in await shop.outbox()]
        assert got.count(person) == 2
        run = (await shop.v1("GET", f"/runs/{run_id}")).json()
        stand = [value for value in run["outcome"].values() if isinstance(value, int)]
        assert (sum(stand), run["contacts"]) == (2, 2), "contacts that came again are counted once"

    live(database, tmp_path, MONDAY_NOON, scenario)


async def test_items_that_cannot_be_say_why_and_the_others_are_taken(shop, person):
    campaign_id, run_id, entry = await running(shop, person)
    items = [
        {"campaignDialingListId": entry, "timeToContact": later(3600)},
        {"campaignDialingListId": entry, "timeToContact": later(-3600)},
        {"campaignDialingListId": entry, "timeToContact": "tomorrow"},
        {"campaignDialingListId": entry},
        {"campaignDialingListId": "cdl-nobody", "timeToContact": later(3600)},
        {"campaignDialingListId": entry, "timeToContact": "9999-12-31T23:59:59-23:59"},
        "nonsense",
    ]

    answer = await shop.compat("POST", f"/campaign/{run_id}/callContactAt", items)

    told = [(item["status"], item.get("reason")) for item in answer.json()["data"]]
    assert told == [
        ("success", None),
        ("failed", "time_in_past"),
        ("failed", "invalid_time"),
        ("failed", "invalid_time"),
        ("failed", "not_found"),
        ("failed", "invalid_time"),
        ("failed", "not_found"),
    ]
    # The campaign waits for the callback, and goes when it is stopped.
    await shop.trigger(campaign_id, "stop")
    answer = await shop.compat("POST", f"/campaign/{run_id}/callContactAt", items[:1])
    assert answer.json()["data"][0]["reason"] == "campaign_not_active"


@pytest.mark.parametrize("body", [{}, [], "x", 5, [{}] * 1001])
async def test_a_body_that_is_no_list_of_callbacks_is_refused(shop, person, body):
    campaign_id = await shop.make_campaign(person)
    run_id = (await shop.trigger(campaign_id, "play")).json()["campaignInstanceId"]
    answer = await shop.compat("POST", f"/campaign/{run_id}/callContactAt", body)
    assert answer.status_code == 400


async def test_a_callback_of_a_run_that_is_not_there_is_not_found(shop, stranger, person):
    _, run_id, entry = await running(stranger, person)
    body = [{"campaignDialingListId": entry, "timeToContact": later(60)}]
    assert (await shop.compat("POST", f"/campaign/{run_id}/callContactAt", body)).status_code == 404
    assert (await shop.compat("POST", "/campaign/cid-none/callContactAt", body)).status_code == 404
