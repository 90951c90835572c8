"""One of everything that an app can own, and what a request to any route needs: ids, and a body that fits."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from api.callers import Caller, campaign_body, unique
from callsheet.api.compat.contract import write_contract as write_compat_contract
from callsheet.api.v1.app import build
from phone_numbers import numbers

PARAMETER = re.compile(r"\{(\w+)\}")
ABOVE = frozenset({"app", "appId", "accountId", "account_id", "kind"})
"""Parameters of paths that name the tenant itself, or nothing of anybody's."""

PASSWORD = "a long enough password"
_PERSON = numbers("IN", 1, seed=7)[0]
_MEANT: Mapping[str, Any] = {
    "number": _PERSON,
    "numbers": [_PERSON],
    "contacts": [{"phoneNumber": _PERSON}],
    "url": "https://example.com/hook",
    "document": {"blocks": [{"uuid": "b", "name": "b", "type": "Core.Log", "exits": []}], "first_block_id": "b"},
}
"""Values of fields that a schema alone cannot know."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of either contract."""

    method: str
    path: str
    body: Mapping[str, Any] | None
    """The schema of its body, whole."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def parameters(self) -> list[str]:
        """Return the parameters that name something that somebody owns."""
        return [name for name in PARAMETER.findall(self.path) if name not in ABOVE]


def operations(caller: Caller) -> Iterator[Operation]:
    """Yield every call of both contracts."""
    for contract in (write_compat_contract(), build(caller.server.runtime).openapi()):
        for path, methods in contract["paths"].items():
            for method, operation in methods.items():
                content = operation.get("requestBody", {}).get("content", {})
                schema = next((one.get("schema") for one in content.values()), None)
                for kind in ("contact-lists", "dnc-lists") if "{kind}" in path else ("",):
                    body = None if schema is None else {"schema": schema, "all": contract["components"]["schemas"]}
                    yield Operation(method.upper(), path.replace("{kind}", kind), body)


def example(operation: Operation) -> Any:
    """Return a body that fits an operation's schema; a file where it takes one."""
    if operation.path.endswith("/imports"):
        return b"phone\n" + numbers("IN", 1)[0].encode()
    if operation.body is None:
        return None
    return _example(operation.body["schema"], operation.body["all"])


def _example(schema: Mapping[str, Any], known: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _example(known[schema["$ref"].rpartition("/")[2]], known)
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return _example(schema[choice][0], known)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    for given in ("examples", "default"):
        if schema.get(given):
            return schema[given][0] if given == "examples" else schema[given]
    kinds = {
        "object": lambda: {
            name: _MEANT.get(name) or _example(schema["properties"][name], known)
            for name in schema.get("properties", {})
            if name in schema.get("required", ())
        },
        "array": lambda: [_example(schema["items"], known)] * max(1, schema.get("minItems", 1)),
        "integer": lambda: int(schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)),
        "number": lambda: schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1),
        "boolean": lambda: True,
        "string": lambda: _text(schema),
    }
    kind = schema.get("type", "object")
    return kinds[kind[0] if isinstance(kind, list) else kind]()


def _text(schema: Mapping[str, Any]) -> str:
    if schema.get("format") == "date-time":
        return "2030-01-31T10:00:00Z"
    return unique("x").ljust(schema.get("minLength", 1), "x")


async def own_everything(caller: Caller) -> dict[str, str]:
    """Make one of everything for a caller, and return the ids by the names of path parameters."""
    # The list that the contract's example of a campaign names.
    name = await caller.make_list(_PERSON, name="March buyers")
    campaign_id = (await caller.compat("POST", "/campaign", campaign_body(name))).json()["data"]["_id"]
    run_id = (await caller.trigger(campaign_id, "play")).json()["campaignInstanceId"]
    await caller.until_status(campaign_id, "Completed")
    list_id = (await caller.compat("GET", f"/campaign/contactList/{name}")).json()["data"]["_id"]
    dnc_id = (await _made(caller, "/dnc-lists", name=unique("DNC")))["id"]
    (attempt,) = (await caller.v1("GET", f"/runs/{run_id}/attempts")).json()["items"]
    (contact,) = (await caller.v1("GET", f"/contact-lists/{list_id}/contacts")).json()["items"]
    imported = await caller.v1("POST", f"/contact-lists/{list_id}/imports", content=f"phone\n{_PERSON}\n")
    forbidden = await caller.v1("POST", f"/dnc-lists/{dnc_id}/imports", content=f"phone\n{_PERSON}\n")
    pull = await caller.v1("PUT", f"/contact-lists/{list_id}/pull", {"url": "https://example.com/people.json"})
    assert pull.status_code in (200, 201), pull.text
    webhook = await _made(caller, "/webhooks", url="https://example.com/hook")
    await caller.v1("POST", f"/webhooks/{webhook['id']}/test")
    delivery, *_ = (await caller.v1("GET", f"/webhooks/{webhook['id']}/deliveries")).json()["items"]
    await caller.v1("PUT", f"/campaigns/{campaign_id}/schedule", {"zone": "UTC", "start": "2099-01-05T09:00"})
    return {
        "campaignId": campaign_id,
        "campaign_id": campaign_id,
        "campaignInstanceId": run_id,
        "run_id": run_id,
        "attempt_id": attempt["id"],
        "contact_id": contact["id"],
        "contactListId": list_id,
        "list_id": list_id,
        "dnc_list_id": dnc_id,
        "import_id": imported.json()["id"],
        "dnc_import_id": forbidden.json()["id"],
        "webhook_id": webhook["id"],
        "delivery_id": delivery["id"],
        "template_id": (await _made(caller, "/templates", name=unique("T"), body="B"))["id"],
        "flow_id": (await _made(caller, "/flows", name=unique("F")))["id"],
        "queue_id": (await _made(caller, "/queues", name=unique("Q")))["id"],
        "sender_id": (await _made(caller, "/senders", number="+12025550177"))["id"],
        "trunk_id": (await caller.v1("GET", "/trunks")).json()["items"][0]["id"],
        "client_id": caller.client.id,
        "user_id": (await _made(caller, "/users", login=unique("ada"), password=PASSWORD, role="viewer"))["id"],
    }


async def _made(caller: Caller, path: str, **body: Any) -> Any:
    answer = await caller.v1("POST", path, body)
    assert answer.status_code in (200, 201, 202), (path, answer.text)
    return answer.json()


def fill(operation: Operation, caller: Caller, ids: Mapping[str, str]) -> str:
    """Return the path of an operation for a caller, with these ids."""
    mine = {"app": caller.app_id, "appId": caller.app_id, "accountId": caller.account_id}
    mine["account_id"] = caller.account_id
    named = {**mine, **ids}
    if "/dnc-lists/" in operation.path:
        named |= {"list_id": ids["dnc_list_id"], "import_id": ids["dnc_import_id"]}
    return PARAMETER.sub(lambda found: named[found[1]], operation.path)


async def send(caller: Caller, operation: Operation, path: str, *, query: Mapping[str, str] | None = None) -> Any:
    """Send a request with a body that fits."""
    body = example(operation)
    more: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
    headers = caller.headers
    return await caller.server.http.request(operation.method, path, headers=headers, params=query or {}, **more)
