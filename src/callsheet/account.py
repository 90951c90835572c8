"""An account with a carrier: what its room wants to know, what of it is secret, and what is wrong with it.

A room's account is a pydantic model that derives from `Account`. What must not be seen again is a `SecretStr`, at any
depth: so a document is split into settings, which are stored as they are, and secrets, which are sealed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from callsheet.core.errors import FieldError, Invalid
from callsheet.core.fence import SCHEMES
from callsheet.core.segments import USUAL, Writing
from callsheet.core.wording import AMISS, sentence

Document = Mapping[str, Any]
AccountT = TypeVar("AccountT", bound="Account")


class Place(NamedTuple):
    """Where something of an account is: whoever is there gets its secrets."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Written:
    """How a text is written, with the sentence for whoever writes it otherwise: `Annotated[str, Written(...)]`."""

    pattern: str
    said: str

    def __get_pydantic_core_schema__(self, *_: object) -> CoreSchema:
        """Return what pydantic checks: that a value is a text of this pattern, and one sentence if it is not."""
        text = core_schema.str_schema(pattern=self.pattern)
        said = {"said": self.said}
        return core_schema.custom_error_schema(text, AMISS, custom_error_message="{said}", custom_error_context=said)


class Section(BaseModel):
    """What every part of an account is."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)


class Account(Section):
    """What every account is."""

    def places(self) -> Mapping[str, Place]:
        """Return where its carrier is, by the field that says so."""
        return {}

    def writing(self) -> Writing:
        """Return how its carrier writes texts, as far as that decides into how many segments they go."""
        return USUAL


def place_of(url: str) -> Place:
    """Return where a URL leads, which has been checked."""
    parts = urlsplit(url)
    return Place(parts.scheme, (parts.hostname or "").removesuffix("."), parts.port or SCHEMES[parts.scheme])


def refuse(faults: Iterable[tuple[str, str]]) -> None:
    """Raise what a validator may raise, if there are faults: each a field, and the sentence on it."""
    details = [
        InitErrorDetails(type=PydanticCustomError(AMISS, "{said}", {"said": said}), loc=(name,), input=None)
        for name, said in faults
    ]
    if details:
        raise ValidationError.from_exception_data("account", details)


class Split(NamedTuple):
    """A document in two: both have the fields where they stood."""

    settings: dict[str, Any]
    secrets: dict[str, Any]


def read_account(model: type[AccountT], document: Document, *, where: str = "settings") -> AccountT:
    """Read an account from what a user wrote. Raises Invalid, which names every wrong field by its path."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        raise Invalid([FieldError(_path(where, fault["loc"]), sentence(fault)) for fault in faults]) from None


def read_places(model: type[Account], document: Document) -> Mapping[str, Place]:
    """Return where an account is that was stored; nowhere when it makes none any more."""
    try:
        return model.model_validate(document).places()
    except ValidationError:
        return {}


def split(account: Account) -> Split:
    """Return what of an account may be shown, and what is secret; a secret that is empty is not set."""
    # What is written in Python keeps its SecretStr; what is written as JSON is what is stored.
    shown = account.model_dump(mode="json")
    return Split(*_split(account.model_dump(), shown))


def merge(document: Document, changes: Document) -> dict[str, Any]:
    """Return a document with changes in it (RFC 7396): objects are merged, and null takes a field back to its default.

    In a list an object is not merged: a list is replaced.
    """
    merged = dict(document)
    for name, value in changes.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping):
            before = merged.get(name)
            merged[name] = merge(before if isinstance(before, Mapping) else {}, value)
        else:
            merged[name] = value
    return merged


def names_of(secrets: Document, before: str = "") -> Iterator[str]:
    """Yield the path of each secret: `password`, `headers.authorization`."""
    for name, value in secrets.items():
        if isinstance(value, Mapping):
            yield from names_of(value, f"{before}{name}.")
        else:
            yield f"{before}{name}"


def _split(plain: Document, shown: Document) -> tuple[dict[str, Any], dict[str, Any]]:
    settings: dict[str, Any] = {}
    secrets: dict[str, Any] = {}
    for (key, value), (name, written) in zip(plain.items(), shown.items(), strict=True):
        if isinstance(value, SecretStr):
            if value.get_secret_value():
                secrets[str(key)] = value.get_secret_value()
        elif isinstance(value, Mapping):
            settings[name], inner = _split(value, written)
            if inner:
                secrets[name] = inner
        else:
            settings[name] = written
    return settings, secrets


def _path(where: str, loc: tuple[int | str, ...]) -> str:
    return where + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
