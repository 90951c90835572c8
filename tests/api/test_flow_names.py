"""What a flow names of its app: an AI endpoint or a queue that is not there is warned of, wherever it comes in."""

from typing import Any

from api.callers import unique
from client.flow import said
from flow_documents import block, document, way


def naming(endpoint: str, *queues: str) -> dict[str, Any]:
    """Return a document whose second flow names an endpoint and queues."""
    config = {"endpoint": endpoint, "system_prompt": "Help.", "prompt": "How?"}
    agent = block("agent", "Callsheet.AiAgent", way("q0", default=True), **config)
    handed = [
        block(f"q{place}", "Callsheet.HandOver", way(f"q{place + 1}" if queues[place + 1 :] else None), queue=queue)
        for place, queue in enumerate(queues)
    ]
    inner = {**document(agent, *handed)["flows"][0], "uuid": "inner"}
    outer = document(block("run", "Core.RunFlow", way(None, default=True), flow_id="inner"))
    return {**outer, "flows": [*outer["flows"], inner]}


def paths(warnings: list[dict[str, Any]]) -> list[str]:
    assert all(one["severity"] == "warning" for one in warnings)
    return [one["path"] for one in warnings if one["path"].endswith(("endpoint", "queue"))]


async def test_what_the_app_does_not_have_is_warned_of_and_stored_all_the_same(shop):
    odd = naming("nobody", "Nobody", "", "@contact.queue")
    wanted = [f"document.flows[1].blocks[{place}].config.{what}" for place, what in enumerate(("endpoint", "queue"))]

    found = (await shop.v1("POST", "/flows/validate", {"document": odd})).json()
    made = await shop.v1("POST", "/flows", {"name": unique("Flow"), "document": odd})
    flow = f"/flows/{made.json()['id']}"
    put = await shop.v1("PUT", flow, {"document": odd})
    patched = await shop.v1("PATCH", flow, {"document": odd})
    added = await shop.v1("POST", f"{flow}/versions", {"document": odd})

    assert (made.status_code, put.status_code, patched.status_code, added.status_code) == (201, 200, 200, 201)
    assert found["is_valid"]
    assert [
        paths(one) for one in (found["findings"], *(each.json()["warnings"] for each in (put, patched, added)))
    ] == [wanted] * 4


async def test_names_are_compared_as_a_conversation_compares_them(shop):
    name = unique("House")
    model = {"name": name, "base_url": "https://models.example.com/v1", "model": "small", "api_key": "k"}
    assert (await shop.v1("POST", "/ai-endpoints", model)).status_code == 201
    assert (await shop.v1("POST", "/queues", {"name": name})).status_code == 201

    there = naming(f" {name.upper()} ", f" {name.lower()} ")
    found = (await shop.v1("POST", "/flows/validate", {"document": there})).json()

    assert paths(found["findings"]) == []
    assert paths((await shop.v1("PUT", f"/flows/{await _made(shop)}", {"document": there})).json()["warnings"]) == []


async def _made(shop: Any) -> str:
    return str((await shop.v1("POST", "/flows", {"name": unique("Flow"), "document": said("Hi")})).json()["id"])
