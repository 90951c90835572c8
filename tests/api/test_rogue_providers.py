"""A provider that answers garbage, slowly, never or breaks off: nobody is texted twice, and other routes go on."""

import asyncio
from collections import Counter
from typing import Any

from aiohttp import web

from api.callers import ALWAYS, SENDER, Caller, unique, until
from engine.receivers import receiver
from phone_numbers import numbers
from ports import deaf_port

ANSWERS: dict[str, tuple[str, str]] = {
    "/taken": ("accepted", ""),
    "/slow": ("accepted", ""),
    "/error-inside": ("rejected", "17"),
    "/refused": ("rejected", "http_422"),
    "/garbage": ("uncertain", "unreadable_answer"),
    "/server-error": ("uncertain", "http_500"),
    "/breaks-off": ("uncertain", "no_answer"),
    "/half": ("uncertain", "no_answer"),
    "/endless": ("uncertain", "no_answer"),
    "/never": ("uncertain", "no_answer"),
}
"""What becomes of a message that is handed to each."""

ASKED: Counter[str] = Counter()


async def provider(request: web.Request) -> web.StreamResponse:
    said = await request.json()
    ASKED[f"{request.path} {said['to']}"] += 1
    assert request.transport is not None
    match request.path:
        case "/slow":
            await asyncio.sleep(1)
        case "/error-inside":
            return web.json_response({"status": "error", "code": 17})
        case "/refused":
            return web.Response(status=422)
        case "/garbage":
            return web.Response(body=b"\xff\x00<html>" * 50)
        case "/server-error":
            return web.Response(status=500, text="oops")
        case "/breaks-off":
            request.transport.abort()
        case "/half" | "/endless":
            response = web.StreamResponse(headers={"content-length": "90000"} if request.path == "/half" else {})
            await response.prepare(request)
            for _ in range(1 if request.path == "/half" else 100):
                await response.write(b" " * 1000)
            request.transport.close()
            return response
        case "/never":
            await asyncio.sleep(60)
    return web.json_response({"status": "ok", "id": unique("m")})


async def start(shop: Caller, url: str, path: str, number: str) -> str:
    """Start a campaign for one contact through a trunk of its own, and return the run."""
    document = {
        "url": url + path,
        "body": {"to": "{{to}}", "text": "{{text}}"},
        "success_path": "status",
        "success_values": ["ok"],
        "id_path": "id",
        "code_path": "code",
    }
    trunk = (await shop.v1("POST", "/trunks", {"name": path, "carrier": "http", "settings": document})).json()
    sender_number = f"+1212555{9000 + len(ASKED) + int(number[-3:]):04}"
    sender = (await shop.v1("POST", "/senders", {"number": sender_number})).json()
    await shop.v1("PATCH", f"/senders/{sender['id']}", {"trunk_id": trunk["id"]})
    return await play(shop, number, sender_number)


async def play(shop: Caller, number: str, sender_number: str) -> str:
    strategy = {"callerId": {"phoneNumber": sender_number}, "callingHours": ALWAYS}
    campaign_id = await shop.make_campaign(number, dialingStrategy=strategy)
    answer = await shop.trigger(campaign_id, "play")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["campaignInstanceId"])


async def attempts(shop: Caller, run: str) -> list[Any]:
    return list((await shop.v1("GET", f"/runs/{run}/attempts")).json()["items"])


async def is_asked_in_vain() -> bool:
    return any(asked.startswith("/never ") for asked in ASKED)


async def test_every_rogue_costs_its_own_contact_at_most_and_is_asked_once(shop):
    ASKED.clear()
    people = numbers("IN", len(ANSWERS) + 1)
    async with receiver(provider) as url:
        runs = {
            path: await start(shop, url, path, f"{person[:-3]}{place:03}")
            for place, (path, person) in enumerate(zip(ANSWERS, people, strict=False))
        }
        # Beside the one that never answers, and before it gives up.
        await until(is_asked_in_vain)
        other = await play(shop, numbers("IN", 1, ending="1111")[0], SENDER)

        async def delivered() -> bool:
            return [one["state"] for one in await attempts(shop, other)] == ["delivered"]

        await until(delivered)
        assert [one["state"] for one in await attempts(shop, runs["/never"])] == ["pending"]

        async def all_ended() -> bool:
            # The last one never answers: until it has ended, nobody else is asked about.
            for run in reversed(runs.values()):
                if not any(one["state"] != "pending" for one in await attempts(shop, run)):
                    return False
            return True

        await until(all_ended)
        found = {path: (await attempts(shop, run))[0] for path, run in runs.items()}

    assert {path: one["state"] for path, one in found.items()} == {path: state for path, (state, _) in ANSWERS.items()}
    told = {path: [event["code"] for event in one["events"] if event["code"]] for path, one in found.items()}
    assert told == {path: [code] if code else [] for path, (_, code) in ANSWERS.items()}
    assert set(ASKED.values()) == {1}
    assert len(ASKED) == len(ANSWERS)


async def test_nobody_is_lost_while_a_provider_cannot_be_reached(shop):
    async def refused() -> bool:
        return [one["state"] for one in await attempts(shop, run)][:1] == ["refused"]

    with deaf_port() as port:
        run = await start(shop, f"http://127.0.0.1:{port}", "/taken", numbers("IN", 1, ending="2222")[0])
        await until(refused)
    report = (await shop.v1("GET", f"/runs/{run}")).json()["outcome"]
    assert (report["uncertain"], report["rejected"]) == (0, 0)
