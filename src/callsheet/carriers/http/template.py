"""Templates of requests: `{{to}}` and its kin, filled in so that no text breaks out of the place where it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

from pydantic import AfterValidator, StringConstraints

Value = str | int
Values = Mapping[str, Value]

NAMES: Final = (
    *("to", "to_digits", "from", "from_digits", "text", "encoding", "segments", "reference", "receipt_reference"),
    *("callback_url", "inbound_url", "valid_seconds", "valid_milliseconds"),
    *("campaign_id", "dlt_entity_id", "dlt_template_id"),
    *("key", "secret"),
)
"""What can be filled in, besides `secret.` and the name of one of the account's `secrets`."""
NUMBERS: Final = frozenset({"segments", "valid_seconds", "valid_milliseconds"})
"""What is a number in JSON, where it stands alone."""

_PLACEHOLDER: Final = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAMED_SECRET: Final = re.compile(r"secret\.[A-Za-z0-9_-]{1,40}")
_BRACES: Final = re.compile(r"\{\{|\}\}")


class RawType(StrEnum):
    """The content types of a body that is given as it goes out."""

    json = "application/json"
    xml = "application/xml"
    text_xml = "text/xml"
    form = "application/x-www-form-urlencoded"
    plain = "text/plain"


def check_template(text: str) -> str:
    """Return a template if all that it names can be filled in. Raises ValueError."""
    unknown = sorted({name for name in _PLACEHOLDER.findall(text) if not _is_known(name)})
    if unknown:
        raise ValueError(f"There is no {', '.join(unknown)[:80]}; there is {', '.join(NAMES)}, secret.<name>.")
    if _BRACES.search(without_names(text)):
        raise ValueError("Two braces stand around a name only: {{to}}.")
    return text


def _is_known(name: str) -> bool:
    return name in NAMES or _NAMED_SECRET.fullmatch(name) is not None


Template = Annotated[str, StringConstraints(max_length=2000), AfterValidator(check_template)]
"""A text in which placeholders may stand."""


def names_in(text: str) -> set[str]:
    """Return what a template names."""
    return set(_PLACEHOLDER.findall(text))


def without_names(text: str, instead: str = "") -> str:
    """Return a template with something else in place of all that it names."""
    return _PLACEHOLDER.sub(instead, text)


def fill(text: str, values: Values, encode: Callable[[str], str]) -> str:
    """Fill a template in. What was filled in is not looked at again, whatever it holds."""
    return _PLACEHOLDER.sub(lambda found: encode(str(values[found[1]])), text)


def fill_tree(tree: Any, values: Values) -> Any:
    """Fill in every text of a JSON value; a field that is one placeholder alone, with nothing to say, is left out."""
    match tree:
        case dict():
            return {name: fill_tree(value, values) for name, value in tree.items() if not _is_empty(value, values)}
        case list():
            return [fill_tree(value, values) for value in tree if not _is_empty(value, values)]
        case str():
            name = _alone(tree)
            return values[name] if name in NUMBERS else fill(tree, values, str)
        case _:
            return tree


def _alone(text: str) -> str:
    found = _PLACEHOLDER.fullmatch(text)
    return found[1] if found is not None and found[1] in NAMES else ""


def _is_empty(value: Any, values: Values) -> bool:
    name = _alone(value) if isinstance(value, str) else ""
    return bool(name) and values[name] == ""


def in_url(text: str) -> str:
    """Write a text as a part of a URL: no slash, no question mark is left of it."""
    return quote(text, safe="", errors="replace")


def in_header(text: str) -> str:
    """Write a text as a part of a header: it ends no line."""
    return quote(text, safe="".join(map(chr, range(0x20, 0x7F))).replace("%", ""), errors="replace")


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _in_xml(text: str) -> str:
    return escape(_NOT_XML.sub("", text), {'"': "&quot;", "'": "&apos;"})


RAW: Final[Mapping[RawType, Callable[[str], str]]] = {
    RawType.json: _in_json,
    RawType.xml: _in_xml,
    RawType.text_xml: _in_xml,
    RawType.form: lambda text: quote_plus(text, errors="replace"),
    RawType.plain: str,
}
"""How a text is written in a body of each type."""
