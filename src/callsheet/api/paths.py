"""Where a request goes: which dialect, which app, and the path in the one spelling that the routes have.

The pages of the documented API print the same call under several prefixes, with doubled slashes, in other case, and
with a backslash before `&`. Clients copied that, so all of it is served (the router rules of the documentation).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from callsheet.core.errors import FieldError, Invalid, NotFound

# The service prefix differs from page to page, and one generation shows no service at all.
_PREFIXES: Mapping[tuple[str, ...], int] = {
    ("agentassist", "api", "v1", "public"): 1,
    ("campaign", "api", "v1", "public"): 1,
    ("campaign", "api", "v2", "public"): 2,
    ("api", "v2", "public"): 2,
    ("api", "1.1", "public"): 1,
    ("api", "v1", "public"): 1,
}
# Words of the routes. A campaign may bear one of them as its name: names are looked up without case anyway.
_WORDS = frozenset(
    {
        *("campaign", "trigger", "status", "schedule", "callcontactat", "getallcampaigndetails"),
        *("contactlist", "createcontactlist", "addcontacts", "getalllistdetails", "getallcontacts"),
        *("queues", "dynamicqueues", "priorities"),
    }
)
DOCS = "/docs"
"""Where the API's page of documentation is; what it needs lies below."""

_MOST_PARAMETERS = 50
_NUL = b"%00"

Query = Mapping[str, Sequence[str]]
"""The parameters of a query by their names in small letters."""


class Dialect(StrEnum):
    """How a request is answered: in the documented envelope, or as our own resources are."""

    compat = "compat"
    v1 = "v1"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request goes."""

    dialect: Dialect
    path: str
    """Of the documented API: what follows the app, percent-encoded, so that a slash in a name separates nothing."""
    app_id: str | None = None
    """None: the path belongs to no app, and nobody is asked who calls."""
    generation: int = 0
    """Of the documented API: 1 or 2, as the prefix says; else 0."""

    def takes_file(self, method: str) -> bool:
        """Tell whether the body is a file of any size, which is read as it comes."""
        return self.dialect is Dialect.v1 and method == "POST" and self.path.endswith("/imports")

    def is_ours(self) -> bool:
        """Tell whether the path belongs to the API at all, and not to the console beside it."""
        return self.app_id is not None or self.path.startswith(("/v1/", f"{DOCS}/")) or self.path in _OPEN


_OPEN = frozenset({"/healthz", "/readyz", "/metrics", "/openapi.json", DOCS, "/v1"})
"""Paths that are answered without a token."""


def find_address(raw_path: bytes, path: str) -> Address:
    """Find out where a request goes, from its path as it came and as the server decoded it."""
    segments = [segment for segment in raw_path.split(b"/") if segment]
    texts = [unquote_to_bytes(segment).decode("utf-8", "replace") for segment in segments]
    for length in (4, 3):
        generation = _PREFIXES.get(tuple(text.lower() for text in texts[:length]))
        if generation is not None and len(texts) > length:
            rest = [text.lower() if text.lower() in _WORDS else text for text in texts[length + 1 :]]
            spelled = "/".join(quote(text, safe="") for text in rest)
            return Address(Dialect.compat, "/" + spelled, texts[length], generation)
    is_of_app = len(texts) > 2 and path.startswith("/v1/apps/")
    return Address(Dialect.v1, path, texts[2] if is_of_app else None)


def refuse_nul(raw_path: bytes, raw_query: bytes) -> None:
    """Refuse a NUL, which no database takes and no name has. Raises NotFound, Invalid."""
    if _NUL in raw_path or b"\0" in raw_path:
        raise NotFound
    if _NUL in raw_query or b"\0" in raw_query:
        raise Invalid([FieldError("query", "No parameter can hold a NUL character.")])


def read_query(raw: bytes) -> Query:
    """Read the parameters of a query: names in any case, values without the backslash that pages print before `&`."""
    try:
        pairs = parse_qsl(
            raw.decode("utf-8", "replace"), keep_blank_values=True, errors="replace", max_num_fields=_MOST_PARAMETERS
        )
    except ValueError:
        raise Invalid([FieldError("query", f"Give at most {_MOST_PARAMETERS} parameters.")]) from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name.rstrip("\\").lower(), []).append(value.rstrip("\\").strip())
    return found
