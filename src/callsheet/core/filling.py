"""Filling in: templates with `{{text}}` and its kin, filled so that no text breaks out of the place where it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

Value = str | int
Values = Mapping[str, Value]

PLACEHOLDER: Final = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class RawType(StrEnum):
    """The content types of a body that is given as it goes out."""

    json = "application/json"
    xml = "application/xml"
    text_xml = "text/xml"
    form = "application/x-www-form-urlencoded"
    plain = "text/plain"


def names_in(text: str) -> set[str]:
    """Return what a template names."""
    return set(PLACEHOLDER.findall(text))


def without_names(text: str, instead: str = "") -> str:
    """Return a template with something else in place of all that it names."""
    return PLACEHOLDER.sub(instead, text)


def fill(text: str, values: Values, encode: Callable[[str], str]) -> str:
    """Fill a template in. What was filled in is not looked at again, whatever it holds."""
    return PLACEHOLDER.sub(lambda found: encode(str(values[found[1]])), text)


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
