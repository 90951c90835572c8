"""What was done is written down with who did it, before he hears that it is done; and nothing that it brought."""

import hashlib
import json

import httpx2
import pytest

from api.callers import V2, Caller, campaign_body, unique
from callsheet.api.app import build
from callsheet.core.errors import Unavailable
from databases import change, rows
from phone_numbers import numbers


async def lines(shop, **query):
    answer = await shop.v1("GET", "/audit", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def told(line):
    return line["action"], line["thing"], line["details"]


async def test_what_changes_something_is_written_down_and_what_looks_is_not(shop):
    made = (await shop.v1("POST", "/templates", {"name": "T", "body": "Hello"})).json()
    await shop.v1("GET", "/templates")
    await shop.v1("POST", "/templates", {"name": "T", "body": "twice"})
    await shop.v1("PATCH", f"/clients/{shop.client.id}", {"name": "Renamed"})

    found = await lines(shop)

    assert [told(line) for line in found] == [
        ("PATCH /v1/apps/{app}/clients/{client_id}", shop.client.id, {"status": 200}),
        ("POST /v1/apps/{app}/templates", "", {"status": 201}),
    ]
    assert {(line["actor"]["kind"], line["actor"]["id"]) for line in found} == {("client", shop.client.id)}
    assert [line["seq"] for line in found] == [2, 1]
    assert made["id"]


async def test_the_documented_calls_are_written_down_too_with_the_campaign_whatever_it_was_called_by(shop):
    name = await shop.make_list(numbers("IN", 1)[0])
    body = campaign_body(name, name=unique("Spring"))
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]
    await shop.compat("POST", f"/campaign/{campaign_id}/status")
    started = await shop.compat("POST", f"/campaign/{body['name']}", {}, params={"trigger": "play"})

    found = await lines(shop, limit=2)

    assert started.status_code == 200
    assert [told(line) for line in found] == [
        ("POST /{app}/campaign/{thing}", "", {"status": 200, "campaign": campaign_id, "trigger": "start"}),
        ("POST /{app}/campaign", "", {"status": 200, "campaign": campaign_id}),
    ]


async def test_no_line_holds_a_number_a_name_or_a_text(shop):
    (person,) = numbers("IN", 1)
    dnc = (await shop.v1("POST", "/dnc-lists", {"name": "Sssecret"})).json()["id"]
    await shop.v1("POST", f"/dnc-lists/{dnc}/numbers", {"numbers": [person]})
    await shop.v1("POST", "/templates", {"name": "Sssecret", "body": "Sssecret"})
    await shop.make_campaign(person, name=unique("Sssecret"))
    await shop.server.http.delete(f"/v1/apps/{shop.app_id}/clients/{person}", headers=shop.headers)
    await shop.compat("POST", f"/campaign/{person}", {}, params={"trigger": "play"})

    held = await rows(shop.server.runtime.store, "select * from audit where app = :app", app=shop.client.app.no)

    assert len(held) > 4
    for row in held:
        text = " ".join(str(value) for value in row)
        assert person.removeprefix("+") not in text
        assert "Sssecret" not in text


async def test_every_reason_is_kept_without_the_numbers_in_it(shop):
    (person,) = numbers("IN", 1)
    reason, kept = f"Überflutung, says {person} (since 2027-01-04)", "Überflutung, says [number] (since 2027-01-04)"
    first, second = await shop.make_campaign(person), await shop.make_campaign(person)
    await shop.compat("POST", f"/campaign/{first}", {"reason": reason}, params={"trigger": "emergency"})
    await shop.until_status(first, "Completed")
    await shop.v1("POST", f"/campaigns/{second}/emergency", {"reason": reason})
    await shop.v1("POST", "/stop-all", {"reason": reason})
    await shop.v1("POST", "/allow-sending")
    await shop.v1("POST", "/opt-outs/remove", {"numbers": [person], "reason": reason})

    removed, _allowed, stopped, *emergencies = (line["details"] for line in await lines(shop, limit=5))

    assert [one.get("reason") for one in (removed, stopped, *emergencies)] == [kept] * 4
    assert (await shop.v1("GET", "/audit/verify")).json()["intact"]


async def test_a_changed_setting_is_written_down_with_what_it_was(shop):
    await shop.v1("PATCH", "/settings", {"region": "IN", "zones": "campaign", "cap": {"attempts": 3, "hours": 24}})

    (line,) = await lines(shop)

    assert line["details"] == {
        "status": 200,
        "changed": {
            "region": {"from": None, "to": "IN"},
            "cap": {"from": None, "to": {"attempts": 3, "hours": 24}},
        },
    }


async def test_what_was_forbidden_is_written_down_with_the_one_who_tried(shop, stranger):
    weak = (await shop.v1("POST", "/clients", {"name": "Weak", "scopes": ["analytics"]})).json()
    client = await shop.server.runtime.store.clients.find(weak["id"])
    caller = Caller(shop.server, client)
    for answer in (
        await caller.v1("GET", "/clients"),
        await caller.compat("POST", "/campaign", {}),
        await shop._send("GET", f"/v1/apps/{stranger.app_id}/+919876543210", None),
    ):
        assert answer.status_code == 403

    found = await lines(shop, limit=3)

    assert [(line["actor"]["id"], told(line)) for line in found] == [
        (shop.client.id, ("GET /v1/apps/{app}", "", {"status": 403})),
        (weak["id"], ("POST /{app}/campaign", "", {"status": 403})),
        (weak["id"], ("GET /v1/apps/{app}/clients", "", {"status": 403})),
    ]
    assert await lines(stranger) == []


async def test_what_is_done_to_the_account_is_in_the_log_of_the_account(shop, stranger):
    second = (await shop._send("POST", "/v1/apps", {"name": "Second"})).json()
    await shop._send("PATCH", f"/v1/accounts/{shop.account_id}", {"name": "Owner"})
    path = f"/v1/accounts/{shop.account_id}/audit"

    found = (await shop._send("GET", path, None)).json()["items"]

    assert [told(line) for line in found] == [
        ("PATCH /v1/accounts/{account_id}", shop.account_id, {"status": 200}),
        ("POST /v1/apps", "", {"status": 201, "app": second["id"]}),
    ]
    assert (await shop._send("GET", f"{path}/verify", None)).json()["intact"]
    for foreign in (path, f"{path}/verify"):
        assert (await stranger._send("GET", foreign, None)).status_code == 404


async def test_the_log_comes_in_pages_the_newest_first(shop):
    for _ in range(5):
        await shop.v1("POST", "/dnc-lists", {"name": unique("DNC")})

    assert [line["seq"] async for line in shop.pages("/audit", limit=2)] == [5, 4, 3, 2, 1]


async def test_anybody_can_compute_the_hashes_from_what_is_shown(shop):
    await shop.v1("PATCH", "/settings", {"region": "IN"})
    await shop.v1("POST", "/dnc-lists", {"name": unique("DNC")})

    before = bytes(32)
    for line in reversed(await lines(shop)):
        hashed = line.pop("hash")
        before = hashlib.sha256(before + json.dumps(line, sort_keys=True, separators=(",", ":")).encode()).digest()
        assert before.hex() == hashed


async def test_a_line_that_somebody_changed_is_named(shop):
    for _ in range(3):
        await shop.v1("POST", "/dnc-lists", {"name": unique("DNC")})
    whole = (await shop.v1("GET", "/audit/verify")).json()
    await change(
        shop.server.runtime.store,
        "update audit set actor_id = 'cs-other' where app = :app and seq = 2",
        app=shop.client.app.no,
    )

    assert whole == {
        "intact": True,
        "lines": 3,
        "hash": (await lines(shop, limit=1))[0]["hash"],
        "first_broken": None,
    }
    broken = (await shop.v1("GET", "/audit/verify")).json()
    assert (broken["intact"], broken["first_broken"]) == (False, 2)


async def test_a_request_that_is_sent_again_under_its_key_is_one_line(shop):
    for _ in range(3):
        answer = await shop.v1("POST", "/dnc-lists", {"name": "Once"}, headers={"Idempotency-Key": "k"})
        assert answer.status_code == 201

    assert len(await lines(shop)) == 1


@pytest.mark.parametrize("path", ["/v1/apps/{app}/dnc-lists", V2 + "/{app}/campaign/contactList/createContactList"])
async def test_nobody_is_told_of_a_success_that_is_not_written_down(shop, monkeypatch, path):
    async def away(*_):
        raise Unavailable

    monkeypatch.setattr(shop.server.runtime.store.audit, "add", away)
    transport = httpx2.ASGITransport(build(shop.server.runtime))
    async with httpx2.AsyncClient(transport=transport, base_url="http://callsheet.test") as http:
        answer = await http.post(path.format(app=shop.app_id), headers=shop.headers, json={"name": unique("X")})

    assert answer.status_code == 503
    assert "audit log" in answer.text
