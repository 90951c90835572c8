"""What a flow's document asks, as the Flow Results specification describes it (FLOIP, "Question Types")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from callsheet.core.flow.document import Json, kind_of, objects, text_of

_SELECTS: Final = {
    "MobilePrimitives.SelectOneResponse": "select_one",
    "MobilePrimitives.SelectManyResponse": "select_many",
    "MobilePrimitives.SelectManyResponses": "select_many",
}
_NUMERIC: Final = "MobilePrimitives.NumericResponse"
_OTHERS: Final = frozenset({"MobilePrimitives.OpenResponse", "Core.Output"})
_TEXT: Final = "TEXT"


@dataclass(frozen=True, slots=True)
class Outline:
    """A block as its document writes it."""

    flow: str
    """The uuid of its flow."""
    block: str
    name: str
    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class Question:
    """Something that a contact is asked."""

    block: str
    kind: str
    """`select_one`, `select_many`, `numeric` or `text`."""
    label: str
    options: Mapping[str, Any]


def outlines(document: object) -> Iterator[Outline]:
    """Yield the blocks of a document in its order."""
    for flow, block, _ in _blocks(document):
        kind = kind_of(block)
        yield Outline(flow, text_of(block, "uuid"), text_of(block, "name"), text_of(block, "label"), kind)


def questions(document: object) -> Iterator[Question]:
    """Yield what a document asks, in its order."""
    for _, block, texts in _blocks(document):
        kind, config = kind_of(block), block.get("config")
        config = config if isinstance(config, Mapping) else {}
        prompt = text_of(config, "question_prompt") or text_of(config, "prompt")
        label = text_of(block, "label") or texts.get(prompt, prompt) or text_of(block, "name")
        if kind in _SELECTS:
            yield Question(text_of(block, "uuid"), _SELECTS[kind], label, {"choices": _choices(config)})
        elif kind == _NUMERIC:
            yield Question(text_of(block, "uuid"), "numeric", label, _range(config))
        elif kind in _OTHERS:
            yield Question(text_of(block, "uuid"), "text", label, {})


def language(document: object) -> str:
    """Return the language in which the labels are, in ISO 639-3; empty where the document does not say."""
    for flow in _flows(document):
        languages = flow.get("languages")
        for said in languages if isinstance(languages, list) else ():
            return text_of(said, "iso_639_3") if isinstance(said, Mapping) else str(said)
    return ""


def _flows(document: object) -> list[Json]:
    holder = document if isinstance(document, Mapping) else {}
    return objects(holder["flows"]) if "flows" in holder else [holder]


def _blocks(document: object) -> Iterator[tuple[str, Json, Mapping[str, str]]]:
    """Yield each block with the uuid of its flow, and the texts of its document by the uuids of their resources."""
    holder = document if isinstance(document, Mapping) else {}
    flows = _flows(document)
    texts = {uuid: said for place in (holder, *flows) for uuid, said in _texts(place)}
    for number, flow in enumerate(flows):
        # As a flow without a uuid is read.
        uuid = text_of(flow, "uuid") or f"flow-{number}"
        for block in objects(flow.get("blocks")):
            yield uuid, block, texts


def _texts(holder: Json) -> Iterator[tuple[str, str]]:
    listed = holder.get("resources")
    if isinstance(listed, Mapping):
        listed = [{"uuid": uuid, **item} for uuid, item in listed.items() if isinstance(item, Mapping)]
    for resource in objects(listed):
        said = (
            text_of(value, "value")
            for value in objects(resource.get("values"))
            if text_of(value, "content_type", _TEXT).upper() == _TEXT
        )
        yield text_of(resource, "uuid"), next(said, "")


def _choices(config: Json) -> list[str]:
    said = config.get("choices")
    if isinstance(said, Mapping):
        return [str(name) for name in said]
    return [text_of(choice, "name") for choice in objects(said)]


def _range(config: Json) -> Mapping[str, Any]:
    bounds = [config.get(key) for key in ("validation_minimum", "validation_maximum")]
    return {"range": bounds} if all(isinstance(bound, int | float) for bound in bounds) else {}
