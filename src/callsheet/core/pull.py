"""Pulls: contacts that a list fetches from a URL; what is asked, which value is which column, and when next."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from callsheet.core.contacts import RowError, RowReason

SHORTEST_MINUTES, LONGEST_MINUTES = 5, 24 * 60
MOST_BYTES = 50 * 1024 * 1024
LONGEST_PATH = 300
_MOST_STEPS = 20

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")  # RFC 9110, section 5.6.2
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?")
_OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect", "content-type"}
)


class Method(StrEnum):
    """How the URL is asked."""

    get = "GET"
    post = "POST"


class Mode(StrEnum):
    """What becomes of somebody who is in the list already."""

    append = "append"
    """They stay as they are."""
    replace_duplicates = "replace_duplicates"
    """Their row stays where it is, and gets the new values."""
    allow_duplicates = "allow_duplicates"
    """They get one more row."""


@dataclass(frozen=True, slots=True)
class PullPlan:
    """Where contacts come from, and how they are read."""

    url: str
    method: Method = Method.get
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: str = field(default="", repr=False)
    content_type: str = ""
    items_path: str = ""
    """Where in the answer the array of contacts is; empty: the answer is the array."""
    mapping: Mapping[str, str] = field(default_factory=dict)
    """By column: where in a contact its value is. Empty: each key is a column."""
    interval_minutes: int | None = None
    """None: it is pulled by hand only."""
    mode: Mode = Mode.append


def fault_of_header(name: str, value: str) -> str | None:
    """Say what is wrong with a header of a request, or None. The sentence does not repeat the value."""
    if not _TOKEN.fullmatch(name):
        return "This is not the name of a header."
    if name.lower() in _OURS:
        return "This header is ours to write."
    if value and not _HEADER_VALUE.fullmatch(value):
        return "The value of a header is one line of ASCII, without blanks at its ends."
    return None


def fault_of_path(path: str) -> str | None:
    """Say what is wrong with a path such as `contact.name.first`, or None."""
    if len(path) > LONGEST_PATH:
        return f"A path has at most {LONGEST_PATH} characters."
    steps = path.split(".")
    if len(steps) > _MOST_STEPS:
        return f"A path has at most {_MOST_STEPS} steps."
    return None if all(steps) else "Give a path of names with dots between, such as contact.name.first."


def at_path(document: object, path: str) -> object:
    """Return what lies at a path, or None: a name enters an object, a number an array. A key with dots is itself."""
    if isinstance(document, Mapping) and path in document:
        return document[path]
    found = document
    for step in path.split("."):
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, Sequence) and not isinstance(found, str) and step.isdecimal() and step.isascii():
            index = int(step[:9])
            found = found[index] if index < len(found) else None
        else:
            return None
    return found


def row_of(item: object, mapping: Mapping[str, str]) -> Mapping[str, object] | RowError:
    """Make a row of columns of one contact of an answer."""
    if not isinstance(item, Mapping):
        return RowError(RowReason.not_an_object, "This is not an object with keys and values.")
    if mapping:
        return {column: at_path(item, path) for column, path in mapping.items()}
    return {key: value for key, value in item.items() if key.strip()}


def next_pull(anchor_at: datetime, interval_minutes: int | None, now: datetime) -> datetime | None:
    """Return the first instant of a schedule after `now`, or None when there is none. `anchor_at` is its beginning."""
    if interval_minutes is None:
        return None
    interval = timedelta(minutes=interval_minutes)
    passed = max(0, (now - anchor_at) // interval + 1)
    return anchor_at + passed * interval


def pull_again(scheduled_at: datetime | None, failures: int, now: datetime) -> datetime | None:
    """Return when a pull that failed so often in a row is tried again: 1, 2, 4 ... minutes later.

    Never later than the schedule says; without a schedule not by itself.
    """
    if scheduled_at is None:
        return None
    return min(scheduled_at, now + timedelta(minutes=2 ** min(failures - 1, 11)))
