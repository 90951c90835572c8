"""Starters: flows that are ready to be used once it is said what only their owner knows.

A starter is a flow's document. What is to be said stands in its texts as `{{business}}`; of which kind that is, and
what the flow does without it, stands in its `vendor_metadata`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from callsheet.core.errors import FieldError
from callsheet.core.flow.document import Json, objects, text_of
from callsheet.core.names import is_one_line, key_of

LONGEST_TEXT: Final = 60
"""A word of the owner's stands in messages that are to stay short."""


_PLACE = re.compile(r"\{\{(\w+)\}\}")


class ParameterKind(StrEnum):
    """What a parameter of a starter is."""

    text = "text"
    """A name, or a few words, as they stand in messages."""
    url = "url"
    """Where a webhook of the flow leads."""
    queue = "queue"
    """The name of a queue; without it the app's default one is meant."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What is said when a starter is installed."""

    name: str
    kind: ParameterKind
    description: str
    is_required: bool
    example: str
    left_out: frozenset[str]
    """The blocks that the flow does not have without it, by their uuids."""
    instead: str
    """The block that what led to them leads to then."""


@dataclass(frozen=True, slots=True)
class Starter:
    """A flow that is ready to be used."""

    name: str
    """By which it is installed: `payment-reminder`."""
    title: str
    """What the flow is called, if nobody calls it something else."""
    description: str
    languages: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    document: Json

    @property
    def wants_nothing(self) -> bool:
        """Tell whether it can be installed with nothing said."""
        return not any(parameter.is_required for parameter in self.parameters)

    def is_called(self, name: str) -> bool:
        """Tell whether a flow of this name is this starter: case, and blanks at the ends, do not count."""
        return key_of(name) == key_of(self.title)


def read_starter(name: str, document: Json) -> Starter:
    """Return the starter that a document is."""
    (flow, *_) = objects(document["flows"])
    languages = tuple(text_of(language, "id") for language in objects(flow["languages"]))
    said = _inside(document, "vendor_metadata", "callsheet", "starter").get("parameters")
    parameters = tuple(_parameter(one) for one in objects(said))
    title, description = text_of(document, "name"), text_of(document, "description")
    return Starter(name, title, description, languages, parameters, document)


def find_faults(starter: Starter, said: Mapping[str, str]) -> Iterator[FieldError]:
    """Find what is wrong with the parameters for a starter; whether a URL may be called is not looked at."""
    known = {parameter.name: parameter for parameter in starter.parameters}
    for name in said:
        if name not in known:
            names = ", ".join(known) or "none"
            yield FieldError(f"parameters.{name}", f"This starter has no such parameter. It has: {names}.")
    for name, parameter in known.items():
        value = said.get(name, "")
        if not value.strip():
            if parameter.is_required or name in said:
                yield FieldError(f"parameters.{name}", f"Give this parameter: {parameter.description}")
        elif parameter.kind is ParameterKind.text and not (len(value) <= LONGEST_TEXT and is_one_line(value)):
            yield FieldError(f"parameters.{name}", f"Give one line of at most {LONGEST_TEXT} characters.")


def fill(starter: Starter, said: Mapping[str, str]) -> dict[str, Any]:
    """Return the document of a flow: a starter's, with its parameters in their places.

    They are what they are: an `@` in one begins no expression. Blocks that need one that was not said are left out.
    """
    left_out: dict[str, str] = {}
    for parameter in starter.parameters:
        if parameter.name not in said:
            left_out |= dict.fromkeys(parameter.left_out, parameter.instead)

    def placed(text: str) -> str:
        return _PLACE.sub(lambda found: said[found[1]].strip().replace("@", "@@") if found[1] in said else "", text)

    flows = [_without(flow, left_out) for flow in objects(starter.document["flows"])]
    document = {**starter.document, "flows": flows, "vendor_metadata": {"callsheet": {"starter": starter.name}}}
    filled: dict[str, Any] = _mapped(document, placed)
    return filled


def _parameter(said: Json) -> Parameter:
    without = _inside(said, "without")
    left_out = without.get("leave_out")
    return Parameter(
        text_of(said, "name"),
        ParameterKind(text_of(said, "kind")),
        text_of(said, "description"),
        said.get("required") is True,
        text_of(said, "example"),
        frozenset(map(str, left_out)) if isinstance(left_out, list) else frozenset(),
        text_of(without, "instead"),
    )


def _inside(holder: Json, *keys: str) -> Json:
    for key in keys:
        found = holder.get(key)
        holder = found if isinstance(found, Mapping) else {}
    return holder


def _without(flow: Json, left_out: Mapping[str, str]) -> dict[str, Any]:
    """Return a flow without some blocks: what led to one of them leads to another block."""

    def led(way: Json) -> dict[str, Any]:
        to = way.get("destination_block")
        return {**way, "destination_block": left_out.get(to, to) if isinstance(to, str) else to}

    kept = [block for block in objects(flow["blocks"]) if block["uuid"] not in left_out]
    return {**flow, "blocks": [{**block, "exits": [led(way) for way in objects(block["exits"])]} for block in kept]}


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """Return a value of JSON with every text in it changed."""
    match value:
        case str():
            return change(value)
        case Mapping():
            return {key: _mapped(each, change) for key, each in value.items()}
        case list():
            return [_mapped(each, change) for each in value]
    return value
