"""One of everything that an app can own, and what a request to any route needs: ids, and a body that fits."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from api.callers import Caller, campaign_body, unique, until
from callsheet.api.compat.contract import write_contract as write_compat_contract
from callsheet.core.ids import decode_attempt, encode_attempt
from callsheet.store.calls import CallRow
from callsheet.store.recordings import Purpose, new_recording_id
from callsheet.voice.audio.wave import write_wav
from client.flow import FLOW, handed_over
from contracts import our_contract
from phone_numbers import numbers

PARAMETER = re.compile(r"\{(\w+)\}")
ABOVE = frozenset({"app", "appId", "accountId", "account_id", "kind", "version", "starter"})
"""Parameters of paths that name the tenant itself, or nothing of anybody's: each flow has a version 1, and each app the
starters."""

PASSWORD = "a long enough password"
NOWHERE = "http://127.0.0.1:1"
"""An address that refuses at once, without a question to anybody outside."""
SPOKEN_BY = {"url": f"{NOWHERE}/say", "body": '{"text": "{{text}}"}'}
A_SOUND = write_wav(b"\x01\x02" * 800)
_PERSON = numbers("IN", 1, seed=7)[0]
_MEANT: Mapping[str, Any] = {
    "number": _PERSON,
    "password": PASSWORD,
    "carrier": "sandbox",
    "numbers": [_PERSON],
    "contacts": [{"phoneNumber": _PERSON}],
    "url": "https://example.com/hook",
    "base_url": "https://example.com/v1",
    "document": FLOW,
    "settings": SPOKEN_BY,
}
"""Values of fields that a schema alone cannot know."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of either contract."""

    method: str
    path: str
    body: Mapping[str, Any] | None
    """The schema of its body, whole."""
    query: Sequence[str]
    """The names of what it takes in its query."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def parameters(self) -> list[str]:
        """Return the parameters that name something that somebody owns."""
        return [name for name in PARAMETER.findall(self.path) if name not in ABOVE]


@cache
def operations() -> tuple[Operation, ...]:
    """Return every call of both contracts."""
    return tuple(_operations(write_compat_contract(), our_contract()))


def _operations(*contracts: Mapping[str, Any]) -> Iterator[Operation]:
    for contract in contracts:
        for path, methods in contract["paths"].items():
            for method, operation in methods.items():
                content = operation.get("requestBody", {}).get("content", {})
                schema = next((one.get("schema") for one in content.values()), None)
                for kind in ("contact-lists", "dnc-lists") if "{kind}" in path else ("",):
                    body = None if schema is None else {"schema": schema, "all": contract["components"]["schemas"]}
                    query = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
                    yield Operation(method.upper(), path.replace("{kind}", kind), body, query)


def example(operation: Operation) -> Any:
    """Return a body that fits an operation's schema; a file where it takes one."""
    if operation.body is None:
        return None
    if operation.body["schema"].get("format") == "binary" or operation.path.endswith("/imports"):
        return A_SOUND if "/sounds" in operation.path else b"phone\n" + numbers("IN", 1)[0].encode()
    if operation.method != "DELETE" and operation.path.endswith(("/campaign", "/campaign/{campaignId}")):
        return campaign_body("March buyers")
    if operation.path.endswith("/contacts/history"):
        return {"number": _PERSON}
    if "/analytics/" in operation.path:
        start, end = (f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}" for days in (-1, 1))
        return {"startDate": start, "endDate": end, "timeZoneOffset": 0, "selectedFields": ["campaigninfo"]}
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


def placings(operation: Operation, value: str) -> Iterator[Any]:
    """Yield bodies that fit but for one text each, which is this value: once for every place of a text."""
    if operation.body is not None and not isinstance(example(operation), bytes):
        yield from _placings(operation.body["schema"], operation.body["all"], value)


def _placings(
    schema: Mapping[str, Any], known: Mapping[str, Any], value: str, above: tuple[str, ...] = ()
) -> Iterator[Any]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        # What holds more of its own kind is followed once.
        if name not in above:
            yield from _placings(known[name], known, value, (*above, name))
    for choice in ("anyOf", "oneOf", "allOf"):
        for one in schema.get(choice, ()):
            yield from _placings(one, known, value, above)
    if schema.get("type") == "string" and not {"const", "enum"} & schema.keys():
        yield value
    for one in _placings(schema.get("items", {}), known, value, above) if "items" in schema else ():
        yield [one]
    for name, inner in schema.get("properties", {}).items():
        for one in _placings(inner, known, value, above):
            yield {**_example(schema, known), name: one}


@dataclass(frozen=True, slots=True)
class Taste:
    """What tells the things of one owner from those of another."""

    word: str = "x"
    """A word of every name and text."""
    person: str = _PERSON
    sender: str = "+12025550177"
    list_name: str = "March buyers"
    """The list that the contract's example of a campaign names."""


async def own_everything(caller: Caller, taste: Taste = Taste()) -> dict[str, str]:
    """Make one of everything for a caller, and return the ids by the names of path parameters."""
    called = {
        kind: f"{taste.word} {kind}"
        for kind in ("campaign", "dnc", "template", "flow", "queue", "login", "endpoint", "sound", "voice", "mapping")
    }
    name = await caller.make_list(taste.person, name=taste.list_name)
    body = campaign_body(name, name=called["campaign"], message={"message": f"{taste.word} text"})
    campaign_id = (await caller.compat("POST", "/campaign", body)).json()["data"]["_id"]
    run_id = (await caller.trigger(campaign_id, "play")).json()["campaignInstanceId"]
    await caller.until_status(campaign_id, "Completed")
    list_id = (await caller.compat("GET", f"/campaign/contactList/{name}")).json()["data"]["_id"]
    dnc_id = (await _made(caller, "/dnc-lists", name=called["dnc"]))["id"]
    attempt = await _delivered(caller, run_id)
    queue = await _made(caller, "/queues", name=called["queue"])
    group = f"{taste.word}-{queue['id']}"
    conversation = await see_handed_over(caller, name, handed_over(f"{taste.word} text", called["queue"], group))
    (contact,) = (await caller.v1("GET", f"/contact-lists/{list_id}/contacts")).json()["items"]
    imported = await _imported(caller, f"/contact-lists/{list_id}/imports", taste.person)
    forbidden = await _imported(caller, f"/dnc-lists/{dnc_id}/imports", taste.person)
    await caller.v1("POST", "/opt-outs", {"numbers": [taste.person], "channel": "sms"})
    pull = await caller.v1("PUT", f"/contact-lists/{list_id}/pull", {"url": f"{NOWHERE}/{taste.word}.json"})
    assert pull.status_code in (200, 201), pull.text
    webhook = await _made(caller, "/webhooks", url=f"{NOWHERE}/{taste.word}")
    delivery = await _tried(caller, webhook["id"])
    await caller.v1("PUT", f"/campaigns/{campaign_id}/schedule", {"zone": "UTC", "start": "2099-01-05T09:00"})
    await _looked_at(caller, f"/campaigns/{campaign_id}/preflight")
    return {
        **dict.fromkeys(("campaignId", "campaign_id"), campaign_id),
        "campaignInstanceId": run_id,
        "run_id": run_id,
        "attempt_id": attempt["id"],
        "recording_id": await _called(caller, attempt["id"]),
        "contact_id": contact["id"],
        "contactListId": list_id,
        "list_id": list_id,
        "dnc_list_id": dnc_id,
        "import_id": imported,
        "dnc_import_id": forbidden,
        "webhook_id": webhook["id"],
        "delivery_id": delivery["id"],
        "template_id": (await _made(caller, "/templates", name=called["template"], body=called["template"]))["id"],
        "flow_id": (await _made(caller, "/flows", name=called["flow"], document=FLOW))["id"],
        "queue_id": queue["id"],
        "mapping_id": await _mapped(caller, called["mapping"], taste),
        "conversation_id": conversation["id"],
        "group_key": group,
        "ai_endpoint_id": (
            await _made(caller, "/ai-endpoints", name=called["endpoint"], base_url=NOWHERE, model=taste.word)
        )["id"],
        "sound_id": await _uploaded(caller, called["sound"]),
        "speech_service_id": (await _made(caller, "/speech-services", name=called["voice"], settings=SPOKEN_BY))["id"],
        "sender_id": (await _made(caller, "/senders", number=taste.sender))["id"],
        "trunk_id": (await caller.v1("GET", "/trunks")).json()["items"][0]["id"],
        # Another one than the client that asks: its secret is changed, and then it is deleted.
        "client_id": (await _made(caller, "/clients", name=called["login"], scopes=["configuration"]))["id"],
        "user_id": (await _made(caller, "/users", login=unique(called["login"]), password=PASSWORD, role="viewer"))[
            "id"
        ],
    }


async def _mapped(caller: Caller, name: str, taste: Taste) -> str:
    """Make an agent mapping with one customer, and return its id."""
    mapping_id = str((await _made(caller, "/agent-mappings", name=name, description=taste.word))["id"])
    customers = [{"number": taste.person, "agent": taste.word}]
    put = await caller.v1("POST", f"/agent-mappings/{mapping_id}/customers", {"customers": customers})
    assert put.status_code == 200, put.text
    return mapping_id


async def _delivered(caller: Caller, run_id: str) -> dict[str, Any]:
    """Return the only attempt of a run, once its receipt is there and the handset shows its message as delivered."""

    async def told() -> list[dict[str, Any]]:
        attempts: list[dict[str, Any]] = (await caller.v1("GET", f"/runs/{run_id}/attempts")).json()["items"]
        shown = {one["status"] for one in await caller.outbox()}
        return attempts if {one["state"] for one in attempts} == shown == {"delivered"} else []

    (attempt,) = await until(told)
    return attempt


async def _called(caller: Caller, attempt_id: str) -> str:
    """Write down that a call was made for an attempt, and recorded; return the id of the recording."""
    store, now = caller.server.runtime.store, caller.server.runtime.clock.now()
    key = decode_attempt(attempt_id)
    assert key is not None
    call = CallRow(caller.client.app.no, key, 0, "node-1", now, ended_at=now, outcome="human", ended_by="them")
    await store.calls.write([call], 1, now)
    until = now + timedelta(days=30)
    kept = new_recording_id()
    await store.recordings.keep(call.app, kept, key, Purpose.answer, b"RIFF", 1000, at=now, until=until)
    return kept


async def call_on(caller: Caller, attempt_id: str) -> str:
    """Write down that the person of an attempt is on the line; return the id of that attempt."""
    runtime = caller.server.runtime
    key = decode_attempt(attempt_id)
    assert key is not None
    again, now = key._replace(n=key.n + 1), runtime.clock.now()
    talking = CallRow(caller.client.app.no, again, 0, "node-1", now, answered_at=now)
    await runtime.store.calls.write([talking], 1, now + timedelta(hours=1))
    return encode_attempt(*again)


async def see_handed_over(caller: Caller, list_name: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Have a flow hand over the only contact of a list, and return the conversation once nothing moves any more."""
    flow = await _made(caller, "/flows", name=unique("Handing over"), document=document)
    body = campaign_body(list_name, name=unique("x"), format="advanced", experienceFlowName=None, message=None)
    body["experienceFlowName"] = (await caller.v1("GET", f"/flows/{flow['id']}")).json()["name"]
    campaign_id = (await caller.compat("POST", "/campaign", body)).json()["data"]["_id"]
    started = await caller.trigger(campaign_id, "play")
    assert started.status_code == 200, started.text

    async def waits() -> list[dict[str, Any]]:
        asked = {"awaits": "person", "flow": flow["id"]}
        found = (await caller.v1("GET", "/conversations", params=asked)).json()["items"]
        whole = [(await caller.v1("GET", f"/conversations/{one['id']}")).json() for one in found]
        return whole if [line["state"] for one in whole for line in one["messages"]] == ["delivered"] else []

    (conversation,) = await until(waits)
    await caller.until_status(campaign_id, "Completed")
    return conversation


async def _tried(caller: Caller, webhook_id: str) -> dict[str, Any]:
    """Have a webhook tested, and return the delivery once it was tried: nobody is there, and the webhook says so."""
    await caller.v1("POST", f"/webhooks/{webhook_id}/test")

    async def failed() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await caller.v1("GET", f"/webhooks/{webhook_id}/deliveries")).json()["items"]
        return found if any(one["problem"] for one in found) else []

    delivery, *_ = await until(failed)
    return delivery


async def _imported(caller: Caller, path: str, number: str) -> str:
    """Import a number, and wait until nothing changes any more by itself."""
    job = (await caller.v1("POST", path, content=f"phone\n{number}\n")).json()

    async def is_done() -> bool:
        return (await caller.v1("GET", f"{path}/{job['id']}")).json()["state"] == "done"

    await until(is_done)
    return str(job["id"])


async def _uploaded(caller: Caller, name: str) -> str:
    made = await caller.v1("POST", "/sounds", params={"name": name}, content=A_SOUND)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def _looked_at(caller: Caller, path: str) -> None:
    """Let a preflight look at a campaign's messages, and wait until it has."""
    begun = await caller.v1("POST", path)
    assert begun.status_code == 202, begun.text

    async def is_done() -> bool:
        return (await caller.v1("GET", path)).json()["finished_at"] is not None

    await until(is_done)


async def _made(caller: Caller, path: str, **body: Any) -> Any:
    answer = await caller.v1("POST", path, body)
    assert answer.status_code in (200, 201, 202), (path, answer.text)
    return answer.json()


def fill(operation: Operation, caller: Caller, ids: Mapping[str, str]) -> str:
    """Return the path of an operation for a caller, with these ids."""
    mine = {"app": caller.app_id, "appId": caller.app_id, "accountId": caller.account_id}
    mine |= {"account_id": caller.account_id, "version": "1", "starter": "sms-support", "name": "local"}
    named = {**mine, **ids}
    if "/dnc-lists/" in operation.path:
        named |= {"list_id": ids["dnc_list_id"], "import_id": ids["dnc_import_id"]}
    path = PARAMETER.sub(lambda found: named[found[1]], operation.path)
    return f"{path}?name={unique('sound')}" if str(operation).startswith("POST") and path.endswith("/sounds") else path


async def send(
    caller: Caller, operation: Operation, path: str, *, query: Mapping[str, str] | None = None, body: Any = None
) -> Any:
    """Send a request with this body, or one that fits."""
    body = example(operation) if body is None else body
    more: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
    headers = caller.headers
    return await caller.server.http.request(operation.method, path, headers=headers, params=query or None, **more)
