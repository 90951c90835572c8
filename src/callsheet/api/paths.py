"""Where a request goes: which dialect, which app, and the path in the one spelling that the routes have.

The pages of the documented API print the same call under several prefixes, with doubled slashes, in other case, and
with a backslash before `&`. Clients copied that, so all of it is served (the router rules of the documentation).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, quote, unquote, unquote_to_bytes

from callsheet.core.errors import FieldError, Invalid, NotFound
from callsheet.core.permissions import Area

# The service prefix differs from page to page, and one generation shows no service at all.
_PREFIXES: Mapping[tuple[str, ...], int] = {
    ("agentassist", "api", "v1", "public"): 1,
    ("campaign", "api", "v1", "public"): 1,
    ("campaign", "api", "v2", "public"): 2,
    ("api", "v2", "public"): 2,
    ("api", "1.1", "public"): 1,
    ("api", "v1", "public"): 1,
    # Neighbours of the campaign calls: the word `bot` stands before the app's id.
    ("api", "public", "bot"): 1,
    ("api", "1.1", "public", "bot"): 1,
}
# Reports name the account in the path; the app is the one that the token is for.
_ACCOUNT_PREFIXES = frozenset({("agentassist", "api", "public", "analytics", "account")})
_LONGEST_PREFIX = 5
# The second generation of the neighbours is a word behind the app or the account, and answers as the first does.
_SECOND = "v2"
# Both names of one report are documented.
_ALIASES: Mapping[str, str] = {"calldetails": "interactiondetails"}
# Words of the routes. A campaign may bear one of them as its name: names are looked up without case anyway.
_WORDS = frozenset(
    {
        *("campaign", "trigger", "status", "schedule", "callcontactat", "getallcampaigndetails"),
        *("contactlist", "createcontactlist", "addcontacts", "getalllistdetails", "getallcontacts"),
        *("queues", "dynamicqueues", "priorities", "agentmappings"),
        *(_SECOND, "interactiondetails", *_ALIASES, "outboundsms", "smartassist", "dialout"),
    }
)
DOCS = "/docs"
"""Where the API's page of documentation is; what it needs lies below."""
COMPAT_DOCS = f"{DOCS}/compat"
"""The same for the documented API."""
COMPAT_CONTRACT = "/compat/openapi.json"

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
    """The app in the path."""
    generation: int = 0
    """Of the documented API: 1 or 2, as the prefix says; else 0."""
    account_id: str | None = None
    """The account in a path that names no app."""

    def has_caller(self) -> bool:
        """Tell whether somebody is asked who calls: the path belongs to an app, or to an account."""
        if self.app_id is not None or self.account_id is not None:
            return True
        return self.path.startswith("/v1/") and self.words[0] in _OF_ACCOUNTS

    @property
    def area(self) -> Area:
        """Where the path is, for those who ask what it needs."""
        if self.dialect is Dialect.compat:
            return Area.compat
        return Area.account if self.app_id is None else Area.app

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the path below its area, as the routes will read them."""
        parts = self.path.split("/")[1:]
        if self.dialect is Dialect.compat:
            return tuple(unquote(part) for part in parts)
        return tuple(parts[1:] if self.app_id is None else parts[3:])

    def takes_file(self, method: str) -> bool:
        """Tell whether the body is a file of any size, which is read as it comes."""
        if self.dialect is not Dialect.v1:
            return False
        is_sound = self.app_id is not None and self.words[:1] == ("sounds",)
        return (method == "POST" and (self.path.endswith("/imports") or (is_sound and len(self.words) == 1))) or (
            method == "PUT" and is_sound and self.words[2:] == ("audio",)
        )

    def takes_document(self) -> bool:
        """Tell whether the body may hold a flow's document, which is larger than other bodies."""
        return self.dialect is Dialect.v1 and self.app_id is not None and self.words[:1] == ("flows",)

    def is_ours(self) -> bool:
        """Tell whether the path belongs to the API at all, and not to the console beside it."""
        return self.has_caller() or self.path.startswith(("/v1/", f"{DOCS}/")) or self.path in _OPEN


_OPEN = frozenset({"/healthz", "/readyz", "/metrics", "/openapi.json", COMPAT_CONTRACT, DOCS, "/v1"})
"""Paths that are answered without a token."""
_OF_ACCOUNTS = frozenset({"accounts", "apps", "voice-nodes"})
"""What is below `/v1` for those who belong to an account."""


def find_address(raw_path: bytes, path: str) -> Address:
    """Find out where a request goes, from its path as it came and as the server decoded it."""
    segments = [segment for segment in raw_path.split(b"/") if segment]
    texts = [unquote_to_bytes(segment).decode("utf-8", "replace") for segment in segments]
    for length in range(min(_LONGEST_PREFIX, len(texts) - 1), 0, -1):
        prefix = tuple(text.lower() for text in texts[:length])
        if prefix in _ACCOUNT_PREFIXES:
            return Address(Dialect.compat, _spelled(texts[length + 1 :]), account_id=texts[length])
        if prefix in _PREFIXES:
            return Address(Dialect.compat, _spelled(texts[length + 1 :]), texts[length], _PREFIXES[prefix])
    # By the path as the routes will read it: an encoded slash must not make a difference between them and us.
    parts = path.split("/")
    is_of_app = parts[1:3] == ["v1", "apps"] and len(parts) > 3
    return Address(Dialect.v1, path, parts[3] if is_of_app else None)


def _spelled(texts: Sequence[str]) -> str:
    """Return what follows an app, or an account, in the one spelling that the routes have."""
    words = [text.lower() if text.lower() in _WORDS else text for text in texts]
    if words[:1] == [_SECOND]:
        del words[0]
    return "/" + "/".join(quote(_ALIASES.get(word, word), safe="") for word in words)


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
