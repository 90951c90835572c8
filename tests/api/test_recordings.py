"""Recordings: asked for while a call goes on, listed, downloaded, and deleted before their time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from api.callers import Caller, fields, unique
from api.people import make_person
from api.test_calls import ANN, BOB, called, key_of
from callsheet.core.ids import encode_attempt
from callsheet.core.recording import Recorded
from callsheet.store.calls import CallRow
from callsheet.store.recordings import Purpose, new_recording_id


async def keep(shop: Caller, row: CallRow, purpose: Purpose = Purpose.campaign, days: int = 1) -> str:
    store, now = shop.server.runtime.store, shop.server.runtime.clock.now()
    until = now + timedelta(days=days)
    kept = new_recording_id()
    await store.recordings.keep(row.app, kept, row.key, purpose, b"RIFF", 1500, at=now, until=until)
    return kept


async def going_on(shop: Caller, number: str = ANN) -> str:
    """Write down a call that goes on, and return its id."""
    now = shop.server.runtime.clock.now()
    row = CallRow(shop.client.app.no, key_of(shop, number), 0, "node-1", now, answered_at=now)
    await shop.server.runtime.store.calls.write([row], 99, now + timedelta(hours=1))
    return encode_attempt(*row.key)


async def test_recordings_are_listed_the_latest_first_and_chosen(shop):
    ann, bob = await called(shop, ANN), await called(shop, BOB, after_seconds=60)
    made = [await keep(shop, ann), await keep(shop, ann, Purpose.answer), await keep(shop, bob)]

    async def listed(**query: str) -> list[str]:
        answer = await shop.v1("GET", "/recordings", params=query)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["items"]]

    assert [one["id"] async for one in shop.pages("/recordings", limit=2)] == made[::-1]
    assert await listed(person_id=ann.key.person.hex()) == [made[1], made[0]]
    assert await listed(purpose="campaign") == [made[2], made[0]]
    assert await listed(**{"from": bob.dialed_at.isoformat()}) == [made[2]]
    assert await listed(to=bob.dialed_at.isoformat()) == [made[1], made[0]]
    (first, *_) = (await shop.v1("GET", "/recordings")).json()["items"]
    assert (first["attempt_id"], first["seconds"]) == (encode_attempt(*bob.key), 1.5)
    assert (await shop.server.http.get(first["href"], headers=shop.headers)).content == b"RIFF"


async def test_a_recording_is_deleted_before_its_time_and_is_nobodys_after_it(shop):
    row = await called(shop, ANN)
    mine, old = await keep(shop, row), await keep(shop, row, days=0)

    assert [one["id"] for one in (await shop.v1("GET", "/recordings")).json()["items"]] == [mine]
    shown = (await shop.v1("GET", f"/calls/{encode_attempt(*row.key)}")).json()
    assert [one["id"] for one in shown["recordings"]] == [mine]
    assert (await shop.v1("GET", f"/recordings/{old}")).status_code == 404
    assert (await shop.v1("DELETE", f"/recordings/{mine}")).status_code == 204
    for method in ("GET", "DELETE"):
        assert (await shop.v1(method, f"/recordings/{mine}")).json()["code"] == "recording_not_found"


async def test_a_call_that_goes_on_is_recorded_when_somebody_asks(shop):
    attempt_id = await going_on(shop)
    begun = await shop.v1("POST", f"/calls/{attempt_id}/recording")
    assert (begun.status_code, begun.json()["recording"]) == (202, "asked")
    assert (await shop.v1("GET", f"/calls/{attempt_id}")).json()["recording"] == "asked"
    ended = await shop.v1("DELETE", f"/calls/{attempt_id}/recording")
    assert (ended.status_code, ended.json()["recording"]) == (202, "off")


async def test_a_call_that_is_over_or_is_not_there_cannot_be_recorded(shop):
    row = await called(shop, ANN)
    for method in ("POST", "DELETE"):
        over = await shop.v1(method, f"/calls/{encode_attempt(*row.key)}/recording")
        assert (over.status_code, over.json()["code"]) == (409, "call_over")
        for nobody in ("x", encode_attempt(8, row.key.person, 1)):
            gone = await shop.v1(method, f"/calls/{nobody}/recording")
            assert (gone.status_code, gone.json()["code"]) == (404, "call_not_found")


async def test_how_a_recording_stands_is_shown(shop):
    row = replace(await called(shop, ANN), recording=Recorded.failed)
    await shop.server.runtime.store.calls.write([row], 1, row.dialed_at)
    assert (await shop.v1("GET", f"/calls/{encode_attempt(*row.key)}")).json()["recording"] == "failed"


async def test_calls_that_go_on_are_told_from_those_that_are_over(shop):
    over, live = await called(shop, BOB), await going_on(shop)

    async def listed(said: str) -> list[str]:
        return [one["attempt_id"] for one in (await shop.v1("GET", "/calls", params={"live": said})).json()["items"]]

    assert await listed("true") == [live]
    assert await listed("false") == [encode_attempt(*over.key)]


@pytest.mark.parametrize("path", ["/calls", "/recordings"])
async def test_all_that_is_wrong_with_a_question_is_said_in_one_answer(shop, path: str):
    wrong = {"person_id": "x", "from": "yesterday", "to": "soon", "limit": "0", "colour": "red"}
    answer = await shop.v1("GET", path, params=wrong)
    assert (answer.status_code, sorted(fields(answer))) == (400, ["colour", "from", "limit", "person_id", "to"])
    backwards = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}
    assert fields(await shop.v1("GET", path, params=backwards)) == ["to"]
    assert fields(await shop.v1("GET", path, params={"after": "x"})) == ["after"]


async def test_who_only_looks_neither_records_nor_deletes(shop):
    viewer, attempt_id = await make_person(shop, "viewer"), await going_on(shop)
    for method, path in (("POST", f"/calls/{attempt_id}/recording"), ("DELETE", "/recordings/rc-1")):
        assert (await viewer.call(method, path)).status_code == 403


async def test_a_campaign_says_whether_its_calls_are_recorded(shop):
    flow = await shop.v1("POST", "/flows", {"name": unique("Pay")})
    lists = [await shop.make_list(ANN)]
    body = {
        "name": unique("Calls"), "channel": "voice", "contact_list_ids": lists, "sender": "+12125550100",
        "calling_hours": {"timezone": "UTC", "windows": [{"days": ["MO"], "start": "09:00", "end": "18:00"}]},
        "message": {"flow_id": flow.json()["id"]}, "voice": {"mode": "Agentless", "record_calls": True},
    }  # fmt: skip
    made = await shop.v1("POST", "/campaigns", body)
    assert (made.status_code, made.json()["voice"]["record_calls"]) == (201, True)
    body["voice"] = {"mode": "Agentless", "record_calls": "yes"}
    assert fields(await shop.v1("POST", "/campaigns", body)) == ["voice.record_calls"]
