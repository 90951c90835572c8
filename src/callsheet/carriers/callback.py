"""Callbacks: what a carrier tells us by calling a URL of ours, before anybody has read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, quote, urlsplit

from callsheet.carriers.base import Heard

MOST_FIELDS: Final = 300
_REFERENCE = "reference"


class BadSignature(Exception):
    """The callback is not signed by the carrier."""

    def __str__(self) -> str:
        """Say so."""
        return "The signature is not the carrier's."


class Unreadable(Exception):
    """The callback cannot be understood: the sentence says what is missing, and quotes nothing."""


class What(StrEnum):
    """What a callback is about: the last word of its path."""

    status = "status"
    inbound = "inbound"


class Callback(NamedTuple):
    """One callback."""

    what: What
    method: str
    url: str
    """As the carrier was given it: the configured public URL, the path and the query, as they came."""
    headers: Mapping[str, str]
    """By their names in small letters."""
    body: bytes
    at: datetime
    """When it came."""

    def query(self) -> list[tuple[str, str]]:
        """Return the parameters of its URL. Raises Unreadable."""
        return _pairs(urlsplit(self.url).query)

    def form(self) -> list[tuple[str, str]]:
        """Return the fields of its body, read as a form. Raises Unreadable."""
        return _pairs(self.body.decode("utf-8", "replace"))

    def reference(self) -> str:
        """Return the reference of ours that stands in its URL; empty when there is none."""
        return next((value for name, value in self.query() if name == _REFERENCE), "")


class Acknowledgement(NamedTuple):
    """What a carrier wants to be answered once we have heard it."""

    content_type: str
    body: bytes


class Ears(NamedTuple):
    """How the callbacks of one account are understood."""

    read: Callable[[Callback], Sequence[Heard]]
    """Return what a callback tells; nothing when it tells nothing new. Raises BadSignature, Unreadable."""
    acknowledgement: Acknowledgement


class Doors(NamedTuple):
    """The URLs under which one trunk is called back."""

    base: str
    """The public URL with the trunk and its secret; empty: nobody can call us."""

    def status(self, reference: str) -> str:
        """Return where the carrier tells what became of a message, which the URL names; empty when nowhere."""
        return f"{self.base}/{What.status}?{_REFERENCE}={quote(reference, safe='')}" if self.base else ""

    def inbound(self) -> str:
        """Return where the carrier tells replies; empty when nowhere."""
        return f"{self.base}/{What.inbound}" if self.base else ""


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Unreadable(f"There are more than {MOST_FIELDS} fields.") from None
