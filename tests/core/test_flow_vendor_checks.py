"""What is wrong with blocks of ours is found when a document is checked, with the path."""

from typing import Any

import pytest

from callsheet.core.fence import Fence
from callsheet.core.flow.blocks.kinds import KINDS
from callsheet.core.flow.check import check
from flow_documents import block, document, way


class Looked:
    """Looks at texts and prompts, and finds nothing."""

    def prompt(self, *_: object, **__: object) -> Any:
        yield from ()

    expression = text = prompt

    def has_flow(self, _: str) -> bool:
        return True

    def has_mode(self, _: object) -> bool:
        return True

    def shut(self, _: str) -> None:
        return None

    def has_endpoint(self, _: str) -> bool:
        return True

    has_queue = has_endpoint


HOOK = {"url": "https://shop.example/"}
TOOL = {"name": "look", "description": "Looks.", "url": "https://shop.example/"}
AGENT = {"endpoint": "house", "system_prompt": "Help."}


def found(kind: str, config: dict[str, Any]) -> list[str]:
    return [one.path for one in KINDS[f"Callsheet.{kind}"].find(config, "c", Looked())]


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("Webhook", HOOK),
        ("Webhook", {"url": "http://shop.example:81/@contact.id?a=@(1 + 1)", "method": "get", "timeout_seconds": 30}),
        ("Webhook", {**HOOK, "headers": {"x-a": "@contact.id"}, "body": {"a": ["@contact.id", 1, None]}}),
        ("AiAgent", AGENT),
        ("AiAgent", {**AGENT, "tools": [TOOL], "max_turns": 1, "max_tokens": 1, "max_cost": 0.01, "temperature": 2}),
        ("HandOver", {}),
        ("HandOver", {"queue": "Help", "note": "@results.agent.outcome"}),
        ("SetDisposition", {"disposition": "paid"}),
        ("EndCall", {}),
    ],
)
def test_what_is_right_is_right(kind: str, config: dict[str, Any]):
    assert found(kind, config) == []


@pytest.mark.parametrize(
    ("kind", "config", "path"),
    [
        ("Webhook", {}, "c.url"),
        *(
            ("Webhook", {"url": url}, "c.url")
            for url in (
                "ftp://shop.example/", "shop.example", "@contact.url", "https://@contact.host/", "https://shop.@contact.tld/",
                "https://shop.example@evil.example/", "https://shop.example:@contact.port/", "https://", 7,
                "https://a b/",
                "https://shop.example:99999/", "https://shop.example/" + "x" * 2000,
            )
        ),
        ("Webhook", {**HOOK, "method": "TRACE"}, "c.method"),
        ("Webhook", {**HOOK, "method": "GET", "body": {}}, "c.body"),
        ("Webhook", {**HOOK, "body": "text"}, "c.body"),
        ("Webhook", {**HOOK, "body": {"a": "x" * 20_000}}, "c.body"),
        ("Webhook", {**HOOK, "headers": ["a"]}, "c.headers"),
        ("Webhook", {**HOOK, "headers": {"Host": "x"}}, "c.headers.Host"),
        ("Webhook", {**HOOK, "headers": {"webhook-id": "x"}}, "c.headers.webhook-id"),
        ("Webhook", {**HOOK, "headers": {"a b": "x"}}, "c.headers.a b"),
        ("Webhook", {**HOOK, "headers": {"x": 1}}, "c.headers.x"),
        ("Webhook", {**HOOK, "headers": {"Authorization": "Bearer x"}}, "c.headers.Authorization"),
        *(("Webhook", {**HOOK, "timeout_seconds": said}, "c.timeout_seconds") for said in (0, 31, "5", True, None)),
        ("AiAgent", {**AGENT, "endpoint": ""}, "c.endpoint"),
        ("AiAgent", {**AGENT, "model": 7}, "c.model"),
        *(("AiAgent", {**AGENT, "max_turns": said}, "c.max_turns") for said in (0, 101, 1.5, "1", True)),
        ("AiAgent", {**AGENT, "max_cost": 0}, "c.max_cost"),
        ("AiAgent", {**AGENT, "temperature": 3}, "c.temperature"),
        ("AiAgent", {**AGENT, "tools": {}}, "c.tools"),
        ("AiAgent", {**AGENT, "tools": [7]}, "c.tools[0]"),
        ("AiAgent", {**AGENT, "tools": [{**TOOL, "name": "finish"}]}, "c.tools[0].name"),
        ("AiAgent", {**AGENT, "tools": [TOOL, TOOL]}, "c.tools[1].name"),
        ("AiAgent", {**AGENT, "tools": [{**TOOL, "name": "a b"}]}, "c.tools[0].name"),
        ("AiAgent", {**AGENT, "tools": [{**TOOL, "description": ""}]}, "c.tools[0].description"),
        ("AiAgent", {**AGENT, "tools": [{**TOOL, "parameters": []}]}, "c.tools[0].parameters"),
        ("AiAgent", {**AGENT, "tools": [{**TOOL, "url": "x"}]}, "c.tools[0].url"),
        ("HandOver", {"queue": 7}, "c.queue"),
        ("HandOver", {"note": "x" * 3000}, "c.note"),
        ("SetDisposition", {}, "c.disposition"),
        ("SetDisposition", {"disposition": " "}, "c.disposition"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(kind: str, config: dict[str, Any], path: str):
    assert path in found(kind, config)


def test_a_body_that_is_too_deep_is_found():
    body: Any = {}
    for _ in range(40):
        body = [body]
    assert any(path.startswith("c.body") for path in found("Webhook", {**HOOK, "body": body}))


def test_what_this_server_does_not_call_is_a_warning():
    shut = {"url": "http://169.254.169.254/orders/@contact.id"}
    hook = block("hook", "Callsheet.Webhook", way("agent", default=True), **shut)
    agent = block("agent", "Callsheet.AiAgent", way(None, default=True), **{**AGENT, "tools": [{**TOOL, **shut}]})
    made = document(hook, agent)

    warned = check(made, Fence())

    assert [one.path for one in warned if one.is_warning and "private network" in one.message] == [
        "document.flows[0].blocks[0].config.url",
        "document.flows[0].blocks[1].config.tools[0].url",
    ]
    assert not any("private" in one.message for one in (*check(made), *check(made, Fence(allow_private=True))))
