"""A webhook is told by itself, signed so that its receiver can believe it, and nobody else learns its secret."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from api.callers import Caller, fields, until
from callsheet.core.fence import Fence
from engine.receivers import receiver
from phone_numbers import numbers

PUBLIC = "https://example.com/hook"


class Ear:
    """Hears deliveries, and answers them all with one status."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.heard: list[tuple[dict[str, str], bytes]] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.heard.append((dict(request.headers), await request.read()))
        # Who is to come back does so long after the test, however slow the machine.
        later = {} if self.status == 200 else {"retry-after": "3600"}
        return web.Response(status=self.status, text="not for anybody's eyes", headers=later)

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.heard]


@asynccontextmanager
async def ear(status: int = 200) -> AsyncIterator[tuple[Ear, str]]:
    made = Ear(status)
    async with receiver(made.handle) as url:
        yield made, url


async def make(shop: Caller, url: str = PUBLIC, **more: object) -> dict[str, str]:
    made = await shop.v1("POST", "/webhooks", {"url": url, **more})
    assert made.status_code == 201, made.text
    return dict(made.json())


async def deliveries(shop: Caller, webhook_id: str) -> list[dict[str, str]]:
    return [item async for item in shop.pages(f"/webhooks/{webhook_id}/deliveries", limit=2)]


async def is_settled(shop: Caller, webhook_id: str, count: int, state: str) -> bool:
    found = await deliveries(shop, webhook_id)
    return len(found) == count and all(one["state"] == state for one in found)


async def test_a_campaign_is_told_from_its_start_to_its_end(shop):
    async with ear() as (told, url):
        made = await make(shop, url, kinds=["run.started", "run.completed"])
        person = numbers("IN", 1)[0]
        campaign_id = await shop.make_campaign(person)
        await shop.trigger(campaign_id, "play")
        await shop.until_status(campaign_id, "Completed")
        await until(lambda: is_settled(shop, made["id"], 2, "delivered"))

    assert sorted(told.types) == ["run.completed", "run.started"]
    for headers, body in told.heard:
        assert Webhook(made["secret"]).verify(body, headers)["data"]["campaign_id"] == campaign_id
        assert person[-8:].encode() not in body
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 43 + "=").verify(told.heard[0][1], told.heard[0][0])


async def test_imports_and_opt_outs_are_told(shop):
    async with ear() as (told, url):
        made = await make(shop, url, kinds=["import.done", "import.failed", "contact.opted_out"])
        listed = (await shop.v1("POST", "/contact-lists", {"name": "Fruit"})).json()["id"]
        dnc = (await shop.v1("POST", "/dnc-lists", {"name": "Fruit"})).json()["id"]
        await shop.v1("POST", f"/contact-lists/{listed}/imports", content=f"phone\n{numbers('IN', 1)[0]}\n".encode())
        await shop.v1("POST", f"/contact-lists/{listed}/imports", content=b"fruit\napple\n")
        await shop.v1("POST", f"/dnc-lists/{dnc}/imports", content=b"+12125550177\n")
        stopping = numbers("US-Eastern", 1, ending="9909")[0]
        campaign_id = await shop.make_campaign(stopping)
        await shop.trigger(campaign_id, "play")
        await until(lambda: is_settled(shop, made["id"], 4, "delivered"))

    by_type: dict[str, list[dict[str, str]]] = {}
    for _, body in told.heard:
        document = json.loads(body)
        by_type.setdefault(document["type"], []).append(document["data"])
        assert stopping[-8:].encode() not in body
    assert {(one.get("contact_list_id"), one.get("dnc_list_id")) for one in by_type["import.done"]} == {
        (listed, None),
        (None, dnc),
    }
    assert [one["contact_list_id"] for one in by_type["import.failed"]] == [listed]
    assert [set(one) for one in by_type["contact.opted_out"]] == [{"person_id", "channel", "source"}]


async def test_the_secret_is_shown_once_and_after_a_rotation_both_sign(shop):
    async with ear() as (told, url):
        made = await make(shop, url)
        shown = await shop.v1("GET", f"/webhooks/{made['id']}")
        listed = await shop.v1("GET", "/webhooks")
        rotated = (await shop.v1("POST", f"/webhooks/{made['id']}/rotate")).json()["secret"]
        ping = await shop.v1("POST", f"/webhooks/{made['id']}/test")
        await until(lambda: is_settled(shop, made["id"], 1, "delivered"))

    assert made["secret"].startswith("whsec_")
    assert made["secret"] != rotated
    assert "secret" not in shown.json()
    assert made["secret"] not in listed.text
    assert (ping.status_code, told.types) == (202, ["webhook.ping"])
    ((headers, body),) = told.heard
    assert {name.lower(): value for name, value in headers.items()}["webhook-id"] == ping.json()["id"]
    for secret in (made["secret"], rotated):
        Webhook(secret).verify(body, headers)


async def test_a_failure_is_shown_without_what_the_receiver_said_and_can_be_replayed(shop):
    async with ear(500) as (told, url):
        made = await make(shop, url)
        await shop.v1("POST", f"/webhooks/{made['id']}/test")
        await until(lambda: _tried(shop, made["id"]))
        (failed,) = await deliveries(shop, made["id"])
        assert (failed["state"], failed["tries"], failed["last_status"]) == ("waiting", 1, 500)
        assert failed["problem"] == "The receiver answered 500."
        assert failed["next_at"]
        assert (await shop.v1("GET", f"/webhooks/{made['id']}")).json()["failing_since"]

        told.status = 200
        again = await shop.v1("POST", f"/webhooks/{made['id']}/deliveries/{failed['id']}/replay")
        assert again.status_code == 202
        await until(lambda: is_settled(shop, made["id"], 1, "delivered"))

    assert len({headers["webhook-id"] for headers, _ in told.heard}) == 1
    assert (await shop.v1("GET", f"/webhooks/{made['id']}")).json()["failing_since"] is None


async def _tried(shop: Caller, webhook_id: str) -> bool:
    return any(one["last_status"] for one in await deliveries(shop, webhook_id))


async def test_gone_disables_and_says_so_until_its_owner_enables_it(shop):
    async with ear(410) as (told, url):
        made = await make(shop, url)
        await shop.v1("POST", f"/webhooks/{made['id']}/test")
        await until(lambda: is_settled(shop, made["id"], 1, "failed"))
        shown = (await shop.v1("GET", f"/webhooks/{made['id']}")).json()
        (failed,) = await deliveries(shop, made["id"])
        refused = [
            await shop.v1("POST", f"/webhooks/{made['id']}/test"),
            await shop.v1("POST", f"/webhooks/{made['id']}/deliveries/{failed['id']}/replay"),
        ]
        enabled = await shop.v1("PATCH", f"/webhooks/{made['id']}", {"enabled": True})

    assert (shown["enabled"], "410" in shown["problem"]) == (False, True)
    assert [(one.status_code, one.json()["code"]) for one in refused] == [(409, "webhook_disabled")] * 2
    assert (enabled.json()["enabled"], enabled.json()["problem"]) == (True, "")
    assert len(told.heard) == 1


async def test_what_is_changed_holds_and_what_is_not_named_stays(shop):
    made = await make(shop, kinds=["run.started"], description="Ours")
    changed = await shop.v1("PATCH", f"/webhooks/{made['id']}", {"kinds": None, "url": "https://example.com/new"})
    disabled = await shop.v1("PATCH", f"/webhooks/{made['id']}", {"enabled": False})

    assert changed.json() | {"updated_at": ""} == {
        **{key: value for key, value in made.items() if key != "secret"},
        "kinds": None,
        "url": "https://example.com/new",
        "updated_at": "",
    }
    assert (disabled.json()["enabled"], disabled.json()["description"]) == (False, "Ours")
    assert (await shop.v1("DELETE", f"/webhooks/{made['id']}")).status_code == 204
    assert (await shop.v1("GET", f"/webhooks/{made['id']}")).json()["code"] == "webhook_not_found"


async def test_pages_of_webhooks_and_of_deliveries_follow_each_other(shop):
    ids = [(await make(shop))["id"] for _ in range(3)]
    async with ear() as (_, url):
        told = await make(shop, url)
        sent = [(await shop.v1("POST", f"/webhooks/{told['id']}/test")).json()["id"] for _ in range(3)]
        await until(lambda: is_settled(shop, told["id"], 3, "delivered"))

    assert [one["id"] async for one in shop.pages("/webhooks", limit=2)] == [*ids, told["id"]]
    assert [one["id"] for one in await deliveries(shop, told["id"])] == sent[::-1]
    assert fields(await shop.v1("GET", "/webhooks", params={"after": "wh-0"})) == ["after"]
    assert fields(await shop.v1("GET", f"/webhooks/{told['id']}/deliveries", params={"after": "dl-0"})) == ["after"]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["url"]),
        ({"url": "ftp://example.com"}, ["url"]),
        ({"url": "https://user:secret@example.com"}, ["url"]),
        ({"url": 5, "kinds": ["run.exploded"], "enabled": "yes"}, ["url", "kinds[0]", "enabled"]),
        ({"url": PUBLIC, "kinds": []}, ["kinds"]),
        ({"url": PUBLIC, "secret": "mine"}, ["secret"]),
    ],
)
async def test_a_wrong_webhook_is_refused_with_every_wrong_field(shop, body, wrong):
    answer = await shop.v1("POST", "/webhooks", body)

    assert answer.status_code == 400
    assert fields(answer) == wrong
    assert (await shop.v1("GET", "/webhooks")).json()["items"] == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "https://localhost/",
        "http://2130706433/",
        "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/latest",
        "http://10.0.0.1/",
        "http://a:22/",
    ],
)
async def test_an_address_of_ours_is_refused_and_a_name_that_leads_there_gets_no_packet(shop, url, monkeypatch):
    monkeypatch.setattr(shop.server.runtime.outside, "fence", Fence(ports=frozenset({80, 443})))
    answer = await shop.v1("POST", "/webhooks", {"url": url})
    made = await make(shop)
    changed = await shop.v1("PATCH", f"/webhooks/{made['id']}", {"url": url})

    assert (answer.status_code, fields(answer)) == (400, ["url"])
    assert (changed.status_code, fields(changed)) == (400, ["url"])


async def test_a_name_that_leads_to_this_machine_is_not_called(shop, monkeypatch):
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda name, *rest, **more: real("127.0.0.1" if name == "leads.here.test" else name, *rest, **more),
    )
    async with ear() as (told, url):
        monkeypatch.setattr(shop.server.runtime.outside, "fence", Fence())
        made = await make(shop, f"http://leads.here.test:{url.rpartition(':')[2]}/")
        await shop.v1("POST", f"/webhooks/{made['id']}/test")
        await until(lambda: _has_problem(shop, made["id"]))

    assert told.heard == []


async def _has_problem(shop: Caller, webhook_id: str) -> bool:
    return any(one["problem"] for one in await deliveries(shop, webhook_id))


async def test_webhooks_of_another_app_are_not_there_and_hear_nothing(shop, stranger):
    async with ear() as (told, url):
        theirs = await make(stranger, url)
        campaign_id = await shop.make_campaign(numbers("IN", 1)[0])
        await shop.trigger(campaign_id, "play")
        await shop.until_status(campaign_id, "Completed")
        ping = (await stranger.v1("POST", f"/webhooks/{theirs['id']}/test")).json()["id"]
        await until(lambda: is_settled(stranger, theirs["id"], 1, "delivered"))
        mine = await make(shop)
        path = f"/webhooks/{theirs['id']}"
        answers = [
            await shop.v1("GET", path),
            await shop.v1("PATCH", path, {"enabled": False}),
            await shop.v1("DELETE", path),
            await shop.v1("POST", f"{path}/rotate"),
            await shop.v1("POST", f"{path}/test"),
            await shop.v1("GET", f"{path}/deliveries"),
            await shop.v1("POST", f"{path}/deliveries/{ping}/replay"),
            await shop.v1("POST", f"/webhooks/{mine['id']}/deliveries/{ping}/replay"),
        ]
        cursor = await shop.v1("GET", "/webhooks", params={"after": theirs["id"]})
        await asyncio.sleep(0.1)

    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert cursor.status_code == 400
    assert told.types == ["webhook.ping"]
