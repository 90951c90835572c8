"""The documented voice campaign, each field of its page sent, runs to its end; its results are as the pages say."""

from datetime import UTC, datetime, timedelta
from typing import Any

from api.callers import PREFIXES, SENDER, V1, V2, Caller, unique, until
from flow_documents import block, document, way
from phone_numbers import numbers

TRIGGER = PREFIXES[1]
RESULT = {
    "phoneNumber", "uniqueId", "dialerOutcome", "numberOfAttemptsSoFar", "botSessionId", "agentDispositionCodes",
    "botOutboundStatus", "botOutboundStatusDetail",
}  # fmt: skip
DAYS = [{"day": day, "start": "12:00 AM", "end": "11:59 PM"} for day in ("MO", "TU", "WE", "TH", "FR", "SA", "SU")]


def as_on_the_page(people: str, flow: str, **changes: Any) -> dict[str, Any]:
    """Return the body of the page: every field that it documents."""
    return {
        "name": unique("Spring survey"),
        "description": "Two questions after delivery",
        "contactLists": [people],
        "priority": "5",
        "dialingMode": "Agentless",
        "dialingStrategy": {
            "callerId": {"phoneNumber": SENDER},
            "callingHours": {"frequency": "WEEKLY", "timezone": "Asia/Kolkata", "days": DAYS},
            "dialingOrder": "FIFO",
            "maxAttemptsPerRecord": 2,
            "defaultRetryPeriod": 10,
            "maxRingTime": 30,
        },
        "queue_name": "Default Queue",
        "enableMachineDetect": True,
        "campaignType": "voice",
        "experienceFlowName": flow,
        **changes,
    }


async def survey(shop: Caller) -> str:
    """Make the flow, and return its name."""
    ask = block(
        "ask", "MobilePrimitives.NumericResponse", way("done", default=True), prompt="One?", IVR={"max_digits": 1}
    )
    how = block("done", "Callsheet.SetDisposition", way(None, default=True), disposition="Answered")
    flow, name = document(ask, how), unique("Survey entry flow")
    flow["flows"][0]["supported_modes"] = ["IVR"]
    made = await shop.v1("POST", "/flows", {"name": name, "document": flow})
    assert made.status_code == 201, made.text
    return name


async def results(shop: Caller, campaign_id: str, prefix: str = V1) -> dict[str, dict[str, Any]]:
    body, view = {"page": 1, "limit": 100}, {"view": "contacts"}
    answer = await shop.compat("POST", f"/campaign/{campaign_id}/status", body, prefix=prefix, params=view)
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert (data["page"], data["limit"], data["totalPages"]) == (1, 100, min(1, len(data["results"])))
    return {f"+{one['phoneNumber']}": one for one in data["results"]}


async def test_the_documented_campaign_runs_to_its_end_with_callbacks_at_a_time(shop):
    person, busy, unknown, machine = (
        numbers("IN", 1, ending=end, seed=77)[0] for end in ("0001", "9921", "9905", "9924")
    )
    people = await shop.make_list(person, busy, unknown, machine, uniqueId="c-7")
    body = as_on_the_page(people, await survey(shop))
    made = await shop.compat("POST", "/campaign", body, prefix=V1, params={"campaignType": "voice"})
    assert made.status_code == 200, made.text
    data = made.json()["data"]
    assert made.json()["message"] == f"Campaign {body['name']} creation in progress"
    assert (data["status"], data["enableMachineDetect"]) == ("Preparing", True)
    assert data["dialingStrategy"].items() >= body["dialingStrategy"].items()
    campaign_id = data["id"]
    await shop.until_status(campaign_id, "Ready")

    path, play = f"/campaign/{campaign_id}", {"campaignType": "voice", "trigger": "play"}
    started = await shop.compat("POST", path, {}, prefix=TRIGGER, params=play)
    assert (started.status_code, started.json()["status"]) == (200, "Active")
    await until(lambda: _attempted(shop, campaign_id, {person: 1, busy: 1, unknown: 1, machine: 1}))
    found = await results(shop, campaign_id)
    run_id = started.json()["campaignInstanceId"]
    for one in (busy, machine):
        await until(lambda entry=found[one]["campaignDialingListId"]: _is_asked(shop, run_id, entry))
    await shop.until_status(campaign_id, "Completed")

    await until(lambda: _attempted(shop, campaign_id, {person: 1, busy: 2, unknown: 1, machine: 2}))
    for prefix in (V1, V2):
        found = await results(shop, campaign_id, prefix)
        assert all(one.keys() >= RESULT for one in found.values())
        assert {one["uniqueId"] for one in found.values()} == {"c-7"}
        assert found[person]["dialerOutcome"] == "completed"
        assert [found[one]["dialerDisposition"] for one in (person, busy, unknown, machine)] == [
            "Connected", "Busy", "Failed", "Answering Machine",
        ]  # fmt: skip


async def _is_asked(shop: Caller, run_id: str, entry: str) -> bool:
    """Ask for a callback in a moment; false: that moment is over already."""
    at = (datetime.now(UTC) + timedelta(seconds=0.5)).isoformat().replace("+00:00", "Z")
    wanted = [{"campaignDialingListId": entry, "timeToContact": at}]
    asked = await shop.compat("POST", f"/campaign/{run_id}/callContactAt", wanted, prefix=V2)
    (said,) = asked.json()["data"]
    assert (said["status"], said.get("reason")) in (("success", None), ("failed", "time_in_past"))
    return bool(said["status"] == "success")


async def _attempted(shop: Caller, campaign_id: str, wanted: dict[str, int]) -> bool:
    """Tell whether contacts were tried so often, and each try is over."""
    found = await results(shop, campaign_id)
    tried = {number: one["numberOfAttemptsSoFar"] for number, one in found.items()}
    calls = (await shop.v1("GET", "/calls")).json()["items"]
    return tried == wanted and all(one["outcome"] for one in calls) and len(calls) == sum(wanted.values())
