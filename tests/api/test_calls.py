"""Calls: lists of them, one with all that happened in it, and what was recorded."""

from datetime import timedelta
from typing import Any

import pytest

from api.callers import Caller, campaign_body, unique
from api.people import make_person
from callsheet.core.ids import AttemptKey, encode_attempt
from callsheet.store.calls import CallRow
from callsheet.store.recordings import Purpose, new_recording_id
from phone_numbers import numbers

ANN, BOB = numbers("IN", 2, seed=61)


def key_of(shop: Caller, number: str, n: int = 1, run_no: int = 7) -> AttemptKey:
    """Return the key of an attempt."""
    key = shop.server.runtime.store.vault.app(shop.client.app.no)
    assert key is not None
    return AttemptKey(run_no, key.person(number), n)


async def called(shop: Caller, number: str, n: int = 1, *, outcome: str = "human", after_seconds: float = 0) -> CallRow:
    """Write down a call: it rang after two seconds, was answered after five, and ended after fifteen."""
    dialed_at = shop.server.runtime.clock.now() + timedelta(seconds=after_seconds)
    answered_at = dialed_at + timedelta(seconds=5) if outcome == "human" else None
    row = CallRow(
        shop.client.app.no, key_of(shop, number, n), 0, "node-1", dialed_at, dialed_at + timedelta(seconds=2),
        answered_at, dialed_at + timedelta(seconds=15), 17 if outcome == "busy" else 16,
        486 if outcome == "busy" else 200, outcome, "them" if outcome == "human" else "network",
        {"verdict": outcome} if outcome == "human" else {},
        [(dialed_at, "dialed", {}), (dialed_at, "said", {"text": "Paid?"}), (dialed_at, "pressed", {"digit": "1"})],
    )  # fmt: skip
    await shop.server.runtime.store.calls.write([row], 1, dialed_at)
    return row


async def listed(shop: Caller, **query: Any) -> list[str]:
    answer = await shop.v1("GET", "/calls", params=query)
    assert answer.status_code == 200, answer.text
    return [one["attempt_id"] for one in answer.json()["items"]]


async def test_calls_are_listed_the_latest_first_page_by_page(shop):
    made = [await called(shop, number, n, after_seconds=n) for number in (ANN, BOB) for n in (1, 2, 3)]
    ids = [encode_attempt(*one.key) for one in sorted(made, key=lambda one: (one.dialed_at, one.key), reverse=True)]

    assert [one["attempt_id"] async for one in shop.pages("/calls", limit=2)] == ids
    person = key_of(shop, ANN).person.hex()
    assert await listed(shop, person_id=person) == [each for each in ids if person in each]
    found = await shop.v1("POST", "/calls/find", {"number": ANN})
    assert [one["attempt_id"] for one in found.json()["items"]] == await listed(shop, person_id=person)
    assert (await shop.v1("GET", "/calls", params={"after": "x"})).status_code == 400
    strange = encode_attempt(9, b"x" * 16, 1)
    assert (await shop.v1("GET", "/calls", params={"after": strange})).status_code == 400


async def test_calls_are_chosen_by_what_came_of_them_and_by_when(shop):
    first = await called(shop, ANN)
    second = await called(shop, BOB, outcome="busy", after_seconds=60)
    ids = [encode_attempt(*one.key) for one in (first, second)]

    assert await listed(shop, outcome="busy") == ids[1:]
    assert await listed(shop, **{"from": second.dialed_at.isoformat()}) == ids[1:]
    assert await listed(shop, to=second.dialed_at.isoformat()) == ids[:1]
    for nonsense in ({"outcome": "x"}, {"from": "yesterday"}, {"person_id": "x"}):
        assert (await shop.v1("GET", "/calls", params=nonsense)).status_code == 400
    assert (await shop.v1("GET", "/calls", params={"run": "cid-x"})).json()["code"] == "run_not_found"
    assert (await shop.v1("GET", "/calls", params={"campaign": "cd-x"})).json()["code"] == "campaign_not_found"


async def test_calls_of_a_campaign_and_of_its_run(shop):
    campaign_id, run_id = await _ran(shop)
    store, now = shop.server.runtime.store, shop.server.runtime.clock.now()
    run = await store.runs.find(shop.client.app.no, run_id)
    await called(shop, ANN)
    row = CallRow(shop.client.app.no, key_of(shop, ANN, run_no=run.no), 0, "node-1", now)
    await store.calls.write([row], 1, now)

    (mine,) = await listed(shop, campaign=campaign_id)
    assert await listed(shop, run=run_id) == [mine]
    shown = (await shop.v1("GET", f"/calls/{mine}")).json()
    assert (shown["campaign_id"], shown["run_id"]) == (campaign_id, run_id)
    assert (shown["outcome"], shown["ended_at"], shown["timeline"], shown["ring_seconds"]) == (None, None, [], None)


async def _ran(shop: Caller) -> tuple[str, str]:
    body = campaign_body(await shop.make_list(ANN), name=unique("Calls"))
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]
    return campaign_id, (await shop.trigger(campaign_id, "play")).json()["campaignInstanceId"]


async def test_one_call_is_shown_with_its_times_its_cause_and_all_that_happened(shop):
    row, busy = await called(shop, ANN), await called(shop, BOB, outcome="busy")
    answer = await shop.v1("GET", f"/calls/{encode_attempt(*row.key)}")
    shown = answer.json()

    assert (shown["ring_seconds"], shown["talk_seconds"], shown["ended_by"]) == (5.0, 10.0, "them")
    assert (shown["outcome"], shown["detection"]) == ("human", {"verdict": "human"})
    assert [(one["what"], one["facts"]) for one in shown["timeline"]] == [
        ("dialed", {}), ("said", {"text": "Paid?"}), ("pressed", {"digit": "1"}),
    ]  # fmt: skip
    assert shown["timeline"][0]["at"] == shown["dialed_at"]
    other = (await shop.v1("GET", f"/calls/{encode_attempt(*busy.key)}")).json()
    assert (other["ring_seconds"], other["talk_seconds"]) == (15.0, None)
    assert other["clearing"] == {"cause": 17, "sip_status": 486, "words": "Busy"}
    for unknown in ("x", encode_attempt(8, row.key.person, 1)):
        assert (await shop.v1("GET", f"/calls/{unknown}")).json()["code"] == "call_not_found"


async def test_a_recording_is_a_wav_file_until_its_time_is_over(shop):
    row = await called(shop, ANN)
    store, now = shop.server.runtime.store, shop.server.runtime.clock.now()
    until = now + timedelta(days=1)
    kept = new_recording_id()
    await store.recordings.keep(row.app, kept, row.key, Purpose.answer, b"RIFF", 1500, at=now, until=until)

    (shown,) = (await shop.v1("GET", f"/calls/{encode_attempt(*row.key)}")).json()["recordings"]
    assert (shown["id"], shown["purpose"], shown["seconds"]) == (kept, "answer", 1.5)
    audio = await shop.server.http.get(shown["href"], headers=shop.headers)
    assert (audio.content, audio.headers["content-type"]) == (b"RIFF", "audio/wav")
    # Those of other tests are swept with it.
    while await store.recordings.sweep(until - timedelta(seconds=1), 10):
        continue
    assert (await shop.v1("GET", f"/recordings/{kept}")).status_code == 200
    while await store.recordings.sweep(until, 10):
        continue
    gone = await shop.v1("GET", f"/recordings/{kept}")
    assert (gone.status_code, gone.json()["code"]) == (404, "recording_not_found")


@pytest.mark.parametrize("path", ["/calls", "/recordings/rc-1"])
async def test_who_answers_conversations_sees_no_calls(shop, path: str):
    agent = await make_person(shop, "agent")
    answer = await agent.call("GET", path)
    assert answer.status_code == 403
