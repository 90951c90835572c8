"""A conversation asks a webhook and a model, and goes on with what they answer, from the campaign to the end."""

import uuid
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

from api.callers import campaign_body, unique, until
from client.flow import asked
from engine.receivers import receiver
from model_server import model_server, says
from phone_numbers import numbers

KEY = "sk-of-this-test-only"
ONE = "9910"
"""Such a handset replies 1, which is a yes."""


def way(to: str | None, **more: Any) -> dict[str, Any]:
    return {"uuid": str(uuid.uuid4()), "name": "on", "destination_block": to, **more}


def block(name: str, kind: str, config: dict[str, Any], *exits: dict[str, Any], at: str) -> dict[str, Any]:
    return {"uuid": at, "name": name, "type": kind, "config": config, "exits": list(exits)}


def document(shop_url: str, endpoint: str) -> dict[str, Any]:
    """Return a flow that asks, looks an order up, and lets an agent talk that may look further."""
    order, agent, done, amiss = (str(uuid.uuid4()) for _ in range(4))
    asking = asked("May we look?")["blocks"][0]
    asking["exits"] = [way(order, default=True)]
    tool = {"name": "track", "description": "Says where a parcel is.", "url": f"{shop_url}/track"}
    config = {"endpoint": endpoint, "system_prompt": "State: @contact.phoneNumber.", "tools": [tool], "max_turns": 3}
    blocks = [
        asking,
        block(
            "order", "Callsheet.Webhook", {"url": f"{shop_url}/orders?of=@contact.phoneNumber"},
            way(agent, test='block.value.state = "sent"'), way(amiss, default=True), at=order,
        ),
        block(
            "agent", "Callsheet.AiAgent", config,
            way(done, test='block.value = "done"'), way(amiss, default=True), at=agent,
        ),
        block(
            "done", "MobilePrimitives.Message", {"prompt": "@results.order.value.carrier: @results.agent.outcome"},
            way(None, default=True), at=done,
        ),
        block("amiss", "MobilePrimitives.Message", {"prompt": "Sorry."}, way(None, default=True), at=amiss),
    ]  # fmt: skip
    return {"blocks": blocks, "first_block_id": asking["uuid"]}


async def test_a_conversation_goes_by_what_others_answer(shop):
    got: list[tuple[str, dict[str, str], bytes]] = []

    async def handle(request: web.Request) -> web.Response:
        got.append((request.path_qs, dict(request.headers), await request.read()))
        return web.json_response({"state": "sent", "carrier": "Dove Post"})

    person = f"{numbers('IN', 1, seed=21)[0][:-4]}{ONE}"
    script = says("", calls=[("track", {"parcel": 7})]), says("", calls=[("finish", {"outcome": "It comes today."})])
    async with receiver(handle) as url, model_server(*script) as model:
        endpoint = {"name": "House", "base_url": model.url, "model": "small", "api_key": KEY}
        assert (await shop.v1("POST", "/ai-endpoints", endpoint)).status_code == 201
        name = unique("Orders")
        flow = await shop.v1("POST", "/flows", {"name": name, "document": document(url, "house")})
        assert flow.status_code == 201, flow.text
        body = campaign_body(await shop.make_list(person), format="advanced", message=None, experienceFlowName=name)
        campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]
        assert (await shop.trigger(campaign_id, "play")).status_code == 200

        async def has_ended() -> list[dict[str, Any]]:
            return [one async for one in shop.pages("/conversations", state="ended", flow=flow.json()["id"])]

        (found,) = await until(has_ended)
    whole = (await shop.v1("GET", f"/conversations/{found['id']}")).json()
    assert [one["text"] for one in whole["messages"]] == ["May we look?", "1", "Dove Post: It comes today."]
    assert whole["ending"] == "done"

    secret = (await shop.v1("GET", f"/flows/{flow.json()['id']}/webhook-secret")).json()["secret"]
    said = [Webhook(secret).verify(sent, headers) for _, headers, sent in got]
    assert [path.partition("?")[0] for path, _, _ in got] == ["/orders", "/track"]
    assert got[0][0].endswith(f"of={person.replace('+', '%2B')}")
    assert (said[0]["number"], said[1]["tool"], said[1]["arguments"]) == (person, "track", {"parcel": 7})
    assert said[0]["contact"] == said[1]["contact"] == {"phoneNumber": person}
    assert len({headers["webhook-id"] for _, headers, _ in got}) == 2
    assert model.headers[0]["authorization"] == f"Bearer {KEY}"
    assert model.asked[1]["messages"][-1]["role"] == "tool"
    assert KEY not in str(whole)
