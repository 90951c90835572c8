"""Where something stands in a JSON document: `messages[0].status`, `messages[*].message-id`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, StringConstraints

from callsheet.carriers.document import as_text

_NAME: Final = r"[^.\[\]{}\s]+"
_PLACE: Final = r"\[(\d{1,4}|\*)\]"
_PATH: Final = re.compile(rf"({_NAME}({_PLACE})*|({_PLACE})+)(\.{_NAME}({_PLACE})*)*")
_STEP: Final = re.compile(rf"\[(?P<place>\d+|\*)\]|(?P<name>{_NAME})")


def _check(text: str) -> str:
    if text and not _PATH.fullmatch(text):
        raise ValueError("Give names with dots between, [0] or [*] behind one that holds a list: messages[0].status.")
    return text


JsonPath = Annotated[str, StringConstraints(max_length=200), AfterValidator(_check)]
"""A path; empty: nowhere."""


def find(document: Any, path: str) -> list[Any]:
    """Return everything that stands at a path, in its order; nothing for an empty path."""
    if not path:
        return []
    # A form has names with dots in them, and no depth.
    if isinstance(document, Mapping) and path in document:
        return [document[path]]
    found = [document]
    for step in _STEP.finditer(path):
        place, name = step["place"], step["name"]
        found = [inner for value in found for inner in _inside(value, place, name)]
    return found


def find_text(document: Any, path: str) -> str:
    """Return the first text or number at a path, as text; empty when there is none."""
    return next((text for value in find(document, path) if (text := as_text(value))), "")


def _inside(value: Any, place: str | None, name: str | None) -> list[Any]:
    if name is not None:
        return [value[name]] if isinstance(value, Mapping) and name in value else []
    if not isinstance(value, list):
        return []
    if place == "*":
        return value
    index = int(place or 0)
    return value[index : index + 1]
