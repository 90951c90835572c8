"""A call of the API as a value: what is asked, and what its answer is read as. Nothing here opens a connection."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from msgspec import UNSET, UnsetType

from callsheet.client.upload import Upload

T = TypeVar("T")

Given: TypeAlias = T | UnsetType
"""What a change may leave out: UNSET leaves a field as it is, None empties it where the API allows that."""
JsonObject: TypeAlias = Mapping[str, Any]

REPEATED_UNDER_A_KEY = frozenset({"POST", "PUT"})
"""Methods that are sent with an idempotency key; the others can be repeated as they are."""

_NAME = re.compile(r"{(\w+)}")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One call. `path` is as the OpenAPI document writes it: the client knows `{app}`, `names` has the others."""

    method: str
    path: str
    answer: type[T]
    """What the answer is read as; None's type where it says nothing."""
    names: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, object] = field(default_factory=dict)
    """Parameters that are None or UNSET are left out."""
    body: JsonObject | Sequence[JsonObject] | None = field(default=None, repr=False)
    upload: Upload | None = None
    """A file as the body; then there is no other."""
    save_to: Path | BinaryIO | None = None
    """Where the answer is written, for one that is a file."""
    key: str | None = None
    """An idempotency key of the caller's own; without it a fresh one is made up."""

    def target(self, app_id: str) -> str:
        """Return path and query as they are sent. Raises ValueError for a name that is missing or empty."""
        names = {"app": app_id, **self.names}
        path = _NAME.sub(lambda match: _segment(match[1], names.get(match[1], "")), self.path)
        said = {key: _said(value) for key, value in self.query.items() if value is not None and value is not UNSET}
        return f"{path}?{urlencode(said)}" if said else path

    def content(self) -> bytes | None:
        """Return the JSON that is sent."""
        return None if self.body is None else msgspec.json.encode(self.body)

    def read(self, content: bytes) -> T:
        """Read an answer. Raises msgspec.DecodeError for one that is not as expected."""
        if not content or self.answer is type(None):
            return msgspec.convert(None, self.answer)
        return msgspec.json.decode(content, type=self.answer)


def given(**fields: object) -> dict[str, object]:
    """Return the fields of a body that are not UNSET."""
    return {name: value for name, value in fields.items() if value is not UNSET}


def _segment(name: str, value: str) -> str:
    """Write a name into a path as one segment, whatever is in it."""
    if not value:
        raise ValueError(f"{name} is empty: it would name another resource.")
    # Dots alone would be taken for the folder itself, or for the one above.
    return value.replace(".", "%2E") if not value.strip(".") else quote(value, safe="")


def _said(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.isoformat()
        case _:
            return str(value)
