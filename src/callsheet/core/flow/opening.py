"""An experience flow: a document of the Flow Interoperability Specification 1.0 (FLOIP, floip.gitbook.io).

A container holds `flows` and `resources`; a flow holds `blocks`, each with `exits` that name a `destination_block`, and
begins at its `first_block_id`. Here is what an SMS campaign needs before flows run as conversations: whether a document
holds together, and the first message that it sends. A bare flow, with its resources inside, is taken as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from callsheet.core.errors import FieldError, Invalid
from callsheet.core.template import compile_text

MESSAGE: Final = "MobilePrimitives.Message"
MODES: Final = ("SMS", "TEXT")  # the modes that an SMS can show, the more exact one first

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# `@contact.first_name`, `@(contact.first_name)`, and `@@` for an `@`. After a letter it is an e-mail address.
_EXPRESSION = re.compile(
    r"@@|(?<![\w.+-])@(?P<open>\()?contact\.(?:properties\.)?(?P<name>[a-z]\w*)(?(open)\))", re.IGNORECASE
)

Json = Mapping[str, object]


def first_message(document: object) -> str | None:
    """Return the text that the flow sends first, as a message template (`template.py`), or None if it sends none.

    It is the prompt of the first `MobilePrimitives.Message` that has a text, on the way from the first block along the
    default exits; other blocks are passed over. Of a container, the first flow counts.
    """
    for flow, _ in _flows(document):
        resources = _resources(document, flow)
        said = (_text(_prompt(block), resources, _language(flow)) for block in _path(flow) if _type(block) == MESSAGE)
        text = next((text for text in said if text and not text.isspace()), None)
        return None if text is None else with_merge_tags(text)
    return None


def with_merge_tags(text: str) -> str:
    """Rewrite the simple expressions of a flow, `@contact.first_name`, as merge tags; all other text stays."""
    return _EXPRESSION.sub(lambda found: f"{{{{ contact.{found['name']} }}}}" if found["name"] else "@", text)


def check(document: object) -> tuple[FieldError, ...]:
    """Name everything in a document that a flow cannot run with; empty if there is nothing."""
    return tuple(_faults(document)) or tuple(_faults_of_text(first_message(document)))


def _faults(document: object) -> Iterator[FieldError]:
    if not isinstance(document, Mapping):
        yield FieldError("document", "A flow's document is an object.")
        return
    if "flows" in document and not _objects(document["flows"]):
        yield FieldError("document.flows", "Give a list with at least one flow.")
        return
    if "flows" not in document and "blocks" not in document:
        yield FieldError("document", "Give flows, or one flow with its blocks; there are neither.")
        return
    for number, flow in enumerate(_list(document.get("flows"))):
        if not isinstance(flow, Mapping):
            yield FieldError(f"document.flows[{number}]", "A flow is an object with blocks.")
    for flow, at in _flows(document):
        yield from _faults_of_flow(flow, at, _resources(document, flow))


def _faults_of_text(text: str | None) -> Iterator[FieldError]:
    try:
        compile_text(text or "")
    except Invalid as error:
        for fault in error.fields:
            yield FieldError("document", f"The first message of the flow cannot be sent. {fault.message}")


def _faults_of_flow(flow: Json, at: str, resources: Mapping[str, Json]) -> Iterator[FieldError]:
    blocks = flow.get("blocks")
    if not isinstance(blocks, list) or not blocks:
        yield FieldError(f"{at}.blocks", "Give a list with at least one block.")
        return
    known: set[str] = set()
    for number, block in enumerate(blocks):
        place = f"{at}.blocks[{number}]"
        if not isinstance(block, Mapping):
            yield FieldError(place, "A block is an object with uuid, type and exits.")
            continue
        uuid = block.get("uuid")
        if not isinstance(uuid, str) or not uuid:
            yield FieldError(f"{place}.uuid", "Give the block a uuid, by which exits name it.")
        elif uuid in known:
            yield FieldError(f"{place}.uuid", f"Another block has the uuid {uuid} already; give each its own.")
        else:
            known.add(uuid)
    for key in ("first_block_id", "exit_block_id"):
        yield from _dangling(flow.get(key), f"{at}.{key}", known)
    for number, block in enumerate(blocks):
        if isinstance(block, Mapping):
            yield from _faults_of_block(block, f"{at}.blocks[{number}]", known, resources)


def _faults_of_block(block: Json, at: str, known: set[str], resources: Mapping[str, Json]) -> Iterator[FieldError]:
    if not isinstance(block.get("type"), str):
        yield FieldError(f"{at}.type", f"Say what the block does, such as {MESSAGE}.")
    if _type(block) == MESSAGE:
        prompt = _prompt(block)
        if not prompt:
            yield FieldError(f"{at}.config.prompt", "Give the text of the message, or the uuid of a resource with it.")
        elif prompt not in resources and _UUID.fullmatch(prompt):
            yield FieldError(f"{at}.config.prompt", f"There is no resource {prompt} in the document.")
    exits = block.get("exits")
    if not isinstance(exits, list):
        yield FieldError(f"{at}.exits", "Give a list of exits; where the flow ends it is empty.")
        return
    for number, way in enumerate(exits):
        if not isinstance(way, Mapping):
            yield FieldError(f"{at}.exits[{number}]", "An exit is an object; destination_block says where it leads.")
        else:
            yield from _dangling(way.get("destination_block"), f"{at}.exits[{number}].destination_block", known)
    if sum(way.get("default") is True for way in _objects(exits)) > 1:
        yield FieldError(f"{at}.exits", "Only one exit can be the default.")


def _dangling(target: object, at: str, known: set[str]) -> Iterator[FieldError]:
    if target is not None and not (isinstance(target, str) and target in known):
        yield FieldError(at, f"There is no block {target} in this flow.")


def _flows(document: object) -> Iterator[tuple[Json, str]]:
    """Yield each flow of a container, or the bare flow, and where it stands."""
    if isinstance(document, Mapping):
        if "flows" in document:
            for number, flow in enumerate(_list(document["flows"])):
                if isinstance(flow, Mapping):
                    yield flow, f"document.flows[{number}]"
        else:
            yield document, "document"


def _resources(document: object, flow: Json) -> dict[str, Json]:
    """Index the resources of container and flow by uuid; drafts of the specification keyed them so themselves."""
    index: dict[str, Json] = {}
    for holder in (document, flow):
        listed = holder.get("resources") if isinstance(holder, Mapping) else None
        if isinstance(listed, Mapping):
            index.update({uuid: item for uuid, item in listed.items() if isinstance(item, Mapping)})
        for item in _objects(listed):
            uuid = item.get("uuid")
            if isinstance(uuid, str):
                index[uuid] = item
    return index


def _path(flow: Json) -> Iterator[Json]:
    """Yield the blocks from the first one along the default exits, each once."""
    blocks = _objects(flow.get("blocks"))
    by_uuid = {block["uuid"]: block for block in reversed(blocks) if isinstance(block.get("uuid"), str)}
    # Drafts of the specification had no `first_block_id`: the first in the list began.
    first = flow.get("first_block_id")
    block = (blocks[0] if blocks else None) if first is None else _found(by_uuid, first)
    seen: set[int] = set()
    while block is not None and id(block) not in seen:
        yield block
        seen.add(id(block))
        block = _found(by_uuid, _next(block))


def _next(block: Json) -> object:
    """Return where the default exit leads, else the only exit that leads anywhere, else None."""
    exits = _objects(block.get("exits"))
    for way in exits:
        if way.get("default") is True:
            return way.get("destination_block")
    targets = [way["destination_block"] for way in exits if way.get("destination_block") is not None]
    return targets[0] if len(targets) == 1 else None


def _found(by_uuid: Mapping[object, Json], uuid: object) -> Json | None:
    return by_uuid.get(uuid) if isinstance(uuid, str) else None


def _type(block: Json) -> str:
    """Return the type of a block; drafts of the specification wrote the namespace with a backslash."""
    return str(block.get("type")).replace("\\", ".")


def _prompt(block: Json) -> str:
    """Return what a block says: the uuid of a resource, or a text. The specification's own example has `message`."""
    config = block.get("config")
    said = (config.get("prompt") or config.get("message")) if isinstance(config, Mapping) else None
    return said if isinstance(said, str) else ""


def _language(flow: Json) -> str | None:
    """Return the id of the flow's first language, its primary one."""
    first = next(iter(_list(flow.get("languages"))), None)
    named = first.get("id") if isinstance(first, Mapping) else first
    return named if isinstance(named, str) else None


def _text(prompt: str, resources: Mapping[str, Json], language: str | None) -> str | None:
    """Return the text of a prompt: the resource's value for SMS in the flow's language, as near as there is one."""
    if prompt not in resources:
        return None if not prompt or _UUID.fullmatch(prompt) else prompt
    shown = [value for value in _objects(resources[prompt].get("values")) if _mode(value) is not None]
    best = min(shown, key=lambda value: (value.get("language_id") != language, _mode(value)), default=None)
    return None if best is None else str(best["value"])


def _mode(value: Json) -> int | None:
    """Return how well a value of a resource suits an SMS, 0 best, or None if it is no text for one."""
    content, modes = value.get("content_type", "TEXT"), value.get("modes", list(MODES))
    if str(content).upper() != "TEXT" or not isinstance(value.get("value"), str) or not isinstance(modes, list):
        return None
    written = [str(mode).upper() for mode in modes]
    return next((place for place, mode in enumerate(MODES) if mode in written), None)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _objects(listed: object) -> list[Json]:
    return [item for item in _list(listed) if isinstance(item, Mapping)]
