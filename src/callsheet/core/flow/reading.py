"""Reading a flow's document: from JSON to `document.py`.

`read` takes what `check.py` found nothing wrong with, and is forgiving about drafts of the specification: a bare flow
with its resources inside, resources keyed by uuid, namespaces written with a backslash, languages as bare codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from callsheet.core.flow.amiss import BadExpression
from callsheet.core.flow.blocks.kinds import kind_named
from callsheet.core.flow.document import (
    TOO_DEEP,
    Block,
    Container,
    Content,
    Exit,
    Flow,
    Json,
    Language,
    Reader,
    Resource,
    Setting,
    as_list,
    is_too_deep,
    kind_of,
    objects,
    settings_of,
    text_of,
    timeout_of,
)
from callsheet.core.flow.wording import read_wording


def read(document: object) -> Container:
    """Return what a document says. It was checked before, if perhaps by an earlier release. Raises BadExpression."""
    if is_too_deep(document):
        raise BadExpression(TOO_DEEP)
    holder = document if isinstance(document, Mapping) else {}
    said = objects(holder["flows"]) if "flows" in holder else [holder]
    flows = [flow for flow in said if objects(flow.get("blocks"))]
    if not flows:
        raise BadExpression("There is no flow with blocks in the document.")
    resources = {resource.uuid: resource for resource in _resources(holder, flows)}
    reader = Reader(resources)
    found = {flow.uuid: flow for flow in (_flow(number, flow, reader) for number, flow in enumerate(flows))}
    first = next(iter(found))
    return Container(text_of(holder, "uuid"), text_of(holder, "name"), found, first, resources)


def _resources(holder: Json, flows: Sequence[Json]) -> Iterator[Resource]:
    for place in (holder, *flows):
        listed = place.get("resources")
        if isinstance(listed, Mapping):
            listed = [{"uuid": uuid, **item} for uuid, item in listed.items() if isinstance(item, Mapping)]
        for item in objects(listed):
            contents = (_content(value) for value in objects(item.get("values")))
            yield Resource(text_of(item, "uuid"), tuple(content for content in contents if content is not None))


def _content(value: Json) -> Content | None:
    """Return a text or a recording; None: it is an image or what else nobody can say."""
    modes = frozenset(str(mode).upper() for mode in as_list(value.get("modes")))
    said = text_of(value, "value")
    language = text_of(value, "language_id")
    match text_of(value, "content_type", "TEXT").upper():
        case "TEXT":
            return Content(language, modes, read_wording(said), source=said)
        case "AUDIO":
            return Content(language, modes, None, audio=said)
    return None


def _flow(number: int, flow: Json, reader: Reader) -> Flow:
    blocks = [_block(block, reader) for block in objects(flow.get("blocks"))]
    return Flow(
        text_of(flow, "uuid") or f"flow-{number}",
        text_of(flow, "name"),
        text_of(flow, "label"),
        timeout_of(flow.get("interaction_timeout")),
        tuple(str(mode).upper() for mode in as_list(flow.get("supported_modes"))),
        tuple(_language(each) for each in as_list(flow.get("languages"))),
        {block.uuid: block for block in blocks},
        text_of(flow, "first_block_id") or blocks[0].uuid,
        text_of(flow, "exit_block_id") or None,
    )


def _language(named: object) -> Language:
    if not isinstance(named, Mapping):
        return Language(str(named), str(named), "")
    code = text_of(named, "iso_639_3")
    return Language(text_of(named, "id") or code, code, text_of(named, "label"), text_of(named, "bcp_47"))


def _block(block: Json, reader: Reader) -> Block:
    kind = kind_of(block)
    config = block.get("config")
    given = config if isinstance(config, Mapping) else {}
    exits = tuple(_exit(way, reader) for way in objects(block.get("exits")))
    return Block(
        text_of(block, "uuid"),
        text_of(block, "name"),
        text_of(block, "label"),
        kind,
        kind_named(kind).read(given, reader),
        exits,
        next((way for way in exits if way.is_default), None),
        tuple(
            Setting(text_of(each, "property_key"), reader.text(each.get("property_value")))
            for each in settings_of(given)
        ),
    )


def _exit(way: Json, reader: Reader) -> Exit:
    test = way.get("test")
    to = way.get("destination_block")
    return Exit(
        text_of(way, "uuid"),
        text_of(way, "name") or text_of(way, "tag"),
        to if isinstance(to, str) and to else None,
        None if test is None or test == "" else reader.expression(test),
        way.get("default") is True,
    )
