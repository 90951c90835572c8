"""A request that is sent again under its key does nothing more, and gets the answer that it got."""

import asyncio
from datetime import timedelta

import pytest

from api.callers import campaign_body, fields, unique
from callsheet.api import idempotency
from callsheet.store.answers import KEPT, PATIENCE, Key
from databases import change
from phone_numbers import numbers


def under(key: str) -> dict[str, dict[str, str]]:
    return {"headers": {"Idempotency-Key": key}}


async def test_a_campaign_that_is_created_twice_under_a_key_is_one(shop):
    body = campaign_body(await shop.make_list(), name=unique("Once"))
    key = under(unique("key"))

    first = await shop.compat("POST", "/campaign", body, **key)
    second = await shop.compat("POST", "/campaign", body, **key)

    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"


async def test_contacts_that_are_added_twice_under_a_key_are_added_once(shop):
    list_id = (await shop.v1("POST", "/contact-lists", {"name": unique("L"), "allow_duplicates": True})).json()["id"]
    body = {"contactListId": list_id, "data": [{"phoneNumber": number} for number in numbers("IN", 3)]}
    key = under(unique("key"))
    for _ in range(3):
        answer = await shop.compat("POST", "/campaign/contactList/addContacts", body, **key)
        assert answer.status_code == 200
    assert (await shop.v1("GET", f"/contact-lists/{list_id}")).json()["size"] == 3


async def test_the_same_key_with_another_body_path_or_query_is_422(shop):
    key = under(unique("key"))
    name = unique("T")
    assert (await shop.v1("POST", "/templates", {"name": name, "body": "B"}, **key)).status_code == 201

    other = await shop.v1("POST", "/templates", {"name": name, "body": "C"}, **key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert (await shop.v1("POST", "/flows", {"name": name}, **key)).status_code == 422
    again = await shop.v1("POST", "/templates", {"name": name, "body": "B"}, params={"x": "1"}, **key)
    assert again.status_code == 422


async def test_a_refused_request_may_be_corrected_under_its_key(shop):
    key = under(unique("key"))
    assert (await shop.v1("POST", "/templates", {"name": ""}, **key)).status_code == 400
    assert (await shop.compat("POST", "/campaign", {"name": ""}, **key)).status_code == 400
    made = await shop.v1("POST", "/templates", {"name": unique("T"), "body": "B"}, **key)
    assert made.status_code == 201


async def test_a_key_belongs_to_its_caller(shop, stranger):
    key = under(unique("key"))
    mine = await shop.v1("POST", "/templates", {"name": "T", "body": "B"}, **key)
    theirs = await stranger.v1("POST", "/templates", {"name": "T", "body": "B"}, **key)
    assert mine.status_code == theirs.status_code == 201
    assert mine.json()["id"] != theirs.json()["id"]


async def test_of_many_that_come_at_once_one_is_carried_out(shop):
    key = under(unique("key"))
    body = {"name": unique("T"), "body": "B"}
    answers = await asyncio.gather(*(shop.v1("POST", "/templates", body, **key) for _ in range(8)))
    codes = {answer.status_code for answer in answers}
    assert codes <= {201, 409}
    assert all(one.json()["code"] == "idempotency_key_in_use" for one in answers if one.status_code == 409)
    assert len({one.json()["id"] for one in answers if one.status_code == 201}) == 1


async def test_a_file_is_compared_too(shop):
    list_id = (await shop.v1("POST", "/contact-lists", {"name": unique("L")})).json()["id"]
    path = f"/contact-lists/{list_id}/imports"
    key = under(unique("key"))
    content = "phone\n" + "\n".join(numbers("IN", 50))

    first = await shop.v1("POST", path, content=content, **key)
    second = await shop.v1("POST", path, content=content, **key)
    other = await shop.v1("POST", path, content=content.replace("9", "8"), **key)

    assert first.status_code == second.status_code == 202
    assert first.json() == second.json()
    assert other.status_code == 422


async def test_a_request_that_broke_off_with_its_process_is_never_repeated_by_itself(shop):
    runtime = shop.server.runtime
    now = runtime.clock.now()
    text = unique("key")
    key = Key(shop.client.app.no, shop.client.id, text)
    await runtime.store.answers.begin(key, b"", now)
    body = {"name": unique("T"), "body": "B"}
    assert (await shop.v1("POST", "/templates", body, **under(text))).json()["code"] == "idempotency_key_in_use"

    await runtime.store.answers.forget(key)
    await runtime.store.answers.begin(key, b"", now - PATIENCE)
    broken = await shop.v1("POST", "/templates", body, **under(text))
    assert (broken.status_code, broken.json()["code"]) == (409, "idempotency_key_broken_off")


async def test_what_failed_for_a_reason_of_ours_is_not_carried_out_again(shop):
    store, body = shop.server.runtime.store, {"name": unique("T"), "body": "B"}
    campaigns, ours, documented = campaign_body(await shop.make_list()), under(unique("key")), under(unique("key"))
    await change(store, "alter table campaign_version rename to campaign_version_gone")
    await change(store, "alter table template_version rename to template_version_gone")
    failed = [
        await shop.v1("POST", "/templates", body, **ours),
        await shop.compat("POST", "/campaign", campaigns, **documented),
    ]
    await change(store, "alter table template_version_gone rename to template_version")
    await change(store, "alter table campaign_version_gone rename to campaign_version")

    assert [answer.status_code for answer in failed] == [500, 500]
    again = await shop.v1("POST", "/templates", body, **ours)
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_key_broken_off")
    again = await shop.compat("POST", "/campaign", campaigns, **documented)
    assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "idempotency_key_broken_off")


async def test_what_was_done_but_is_too_long_to_be_remembered_is_not_done_again(shop, monkeypatch):
    monkeypatch.setattr(idempotency, "_MOST_KEPT_BYTES", 10)
    key, look = under(unique("key")), under(unique("key"))
    body = {"name": unique("T"), "body": "B"}
    assert (await shop.v1("POST", "/templates", body, **key)).status_code == 201
    again = await shop.v1("POST", "/templates", body, **key)
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_key_broken_off")
    for _ in range(2):
        found = await shop.compat("POST", "/campaign/getAllCampaignDetails", {"type": "SMS"}, **look)
        assert found.status_code == 200


async def test_a_key_is_forgotten_after_a_day(shop):
    runtime = shop.server.runtime
    now = runtime.clock.now()
    key = Key(shop.client.app.no, shop.client.id, unique("key"))
    await runtime.store.answers.begin(key, b"one", now - KEPT - timedelta(seconds=1))
    assert await runtime.store.answers.begin(key, b"two", now) is None


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "caf\u00e9"])
async def test_what_cannot_be_a_key_is_refused(shop, key):
    headers = {"Idempotency-Key": key.encode("latin-1")}
    answer = await shop.v1("POST", "/templates", {"name": unique("T"), "body": "B"}, headers=headers)
    assert answer.status_code == 400
    assert fields(answer) == ["Idempotency-Key"]


async def test_reads_and_deletes_need_no_key_and_ignore_it(shop):
    key = under(unique("key"))
    for _ in range(2):
        answer = await shop.v1("GET", "/templates", **key)
        assert answer.status_code == 200
        assert "idempotent-replayed" not in answer.headers
