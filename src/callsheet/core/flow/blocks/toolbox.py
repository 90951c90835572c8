"""The tools of an AI agent: webhooks that a document declares, and two that every agent has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from callsheet.core.flow.blocks.address import find_address, read_address, write_address
from callsheet.core.flow.blocks.kind import Finding, Look, Turn
from callsheet.core.flow.blocks.request_body import MOST_KEPT_BYTES, checked, size_of, usual_body
from callsheet.core.flow.blocks.webhook import BODILESS, USUAL_SECONDS, find_method
from callsheet.core.flow.document import Json, as_list, objects, text_of
from callsheet.core.flow.effects import CallWebhook, Tool
from callsheet.core.flow.expression.scope import Text
from callsheet.core.flow.names import plain
from callsheet.core.flow.session import Plain

HAND_OVER: Final = "hand_over"
FINISH: Final = "finish"
MOST_TOOLS: Final = 16
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LONGEST_DESCRIPTION: Final = 1000


def _built_in(name: str, description: str, argument: str, meaning: str) -> Tool:
    text = {"type": "string", "description": meaning}
    return Tool(name, description, {"type": "object", "properties": {argument: text}, "required": [argument]})


BUILT_IN: Final = (
    _built_in(
        HAND_OVER,
        "Hand the conversation over to a person. Call this when you are not sure what to answer or to do, when you"
        " cannot help, or when the contact asks for a human.",
        "reason",
        "Why, in one sentence.",
    ),
    _built_in(
        FINISH,
        "End the conversation. Call this when the contact has what they need, or wants nothing more.",
        "outcome",
        "What came of the conversation, in one sentence.",
    ),
)
"""Offered to every model, whatever a document declares."""


@dataclass(frozen=True, slots=True)
class WebhookTool:
    """A tool that is a webhook."""

    tool: Tool
    method: str
    url: Text


def read_tools(config: Json) -> dict[str, WebhookTool]:
    """Return the tools of a config by their names. Raises BadExpression."""
    return {text_of(each, "name"): _read(each) for each in objects(config.get("tools"))}


def _read(each: Json) -> WebhookTool:
    parameters = each.get("parameters")
    schema = {str(key): plain(value) for key, value in parameters.items()} if isinstance(parameters, Mapping) else {}
    tool = Tool(text_of(each, "name"), text_of(each, "description"), schema or {"type": "object", "properties": {}})
    return WebhookTool(tool, text_of(each, "method", "POST").upper(), read_address(each.get("url")))


def call_tool(turn: Turn, block: str, tool: WebhookTool, arguments: Mapping[str, Plain]) -> CallWebhook:
    """Return the call of a tool. Raises Amiss."""
    url = write_address(tool.url, turn.scope())
    if tool.method in BODILESS:
        query = urlencode({name: value for name, value in arguments.items() if isinstance(value, str | int | float)})
        return CallWebhook(block, tool.method, f"{url}{'&' if '?' in url else '?'}{query}", {}, None, USUAL_SECONDS)
    body = checked({"tool": tool.tool.name, "arguments": dict(arguments), **usual_body(turn)})
    return CallWebhook(block, tool.method, url, {}, body, USUAL_SECONDS)


def find_tools(config: Json, at: str, look: Look) -> Iterator[Finding]:
    """Find what is wrong with the tools of a config."""
    said = config.get("tools")
    if said is not None and not isinstance(said, list):
        yield Finding(f"{at}.tools", "Tools are a list.")
        return
    listed = as_list(said)
    if len(listed) > MOST_TOOLS:
        yield Finding(f"{at}.tools", f"An agent has at most {MOST_TOOLS} tools.")
    seen = {tool.name for tool in BUILT_IN}
    for number, each in enumerate(listed):
        path = f"{at}.tools[{number}]"
        if not isinstance(each, Mapping):
            yield Finding(path, "A tool is an object.")
            continue
        yield from _find_name(each.get("name"), f"{path}.name", seen)
        yield from _find_rest(each, path, look)


def _find_name(name: object, at: str, seen: set[str]) -> Iterator[Finding]:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield Finding(at, "A tool's name has 1 to 64 letters of ASCII, digits, _ or -.")
    elif name in seen:
        yield Finding(at, f"A tool with the name {name} is there already.")
    else:
        seen.add(name)


def _find_rest(each: Json, at: str, look: Look) -> Iterator[Finding]:
    description, parameters = each.get("description"), each.get("parameters", {})
    if not isinstance(description, str) or not 1 <= len(description) <= _LONGEST_DESCRIPTION:
        yield Finding(f"{at}.description", f"Say in 1 to {_LONGEST_DESCRIPTION} characters what the tool does.")
    if not isinstance(parameters, Mapping) or parameters.get("type", "object") != "object":
        yield Finding(f"{at}.parameters", "Parameters are a JSON Schema of the type object.")
    elif size_of(parameters) > MOST_KEPT_BYTES:
        yield Finding(f"{at}.parameters", f"A schema takes at most {MOST_KEPT_BYTES // 1024} KiB.")
    yield from find_address(each.get("url"), f"{at}.url", look)
    yield from find_method(each, at)
