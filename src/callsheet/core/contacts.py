"""Contacts: from a row of a file, or an object of the API, to somebody whom a campaign can reach.

A row is a mapping from the source's own headers to values. Which header means what is guessed from the headers or told
by the list's mapping; every column is kept as an attribute under the header it came with, the phone number's as a
blank one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from callsheet.core.errors import Invalid
from callsheet.core.phone import BadNumber, Number, candidate_zones
from callsheet.core.zones import zone_named

PHONE_NUMBER = "phoneNumber"
"""The documented key of a contact's number."""
MOST_COLUMNS = 150
LONGEST_VALUE = 300
"""Characters in one column, and in its name. Both limits are those of the documented CSV import."""
HIGHEST_PRIORITY = 10


class NoPhoneColumn(Invalid):
    """No column holds the phone number; name one of them phoneNumber."""

    code = "no_phone_column"

    def __init__(self) -> None:
        """Carry no field: the file as a whole is wrong."""
        super().__init__(())


class TooManyColumns(Invalid):
    """The list would have more than 150 columns; name them as those that it has, or begin another list."""

    code = "too_many_columns"

    def __init__(self) -> None:
        """Carry no field: the columns of all contacts together are too many."""
        super().__init__(())


class RowReason(StrEnum):
    """Why a row is rejected."""

    missing_number = "missing_number"
    not_a_number = "not_a_number"
    invalid_number = "invalid_number"
    no_region = "no_region"
    unknown_time_zone = "unknown_time_zone"
    bad_priority = "bad_priority"
    too_many_columns = "too_many_columns"
    value_too_long = "value_too_long"
    unreadable_character = "unreadable_character"
    unclosed_quote = "unclosed_quote"
    row_too_long = "row_too_long"
    more_cells_than_columns = "more_cells_than_columns"
    not_an_object = "not_an_object"


class RowError(NamedTuple):
    """A rejected row: the reason for programs, the sentence for people. Neither repeats the phone number."""

    reason: RowReason
    message: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Which source column holds what; None where no column does. The names are those of the documented mapping."""

    phone_number: str
    first_name: str | None = None
    last_name: str | None = None
    time_zone: str | None = None
    unique_id: str | None = None
    contact_priority: str | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """A person as a list knows them."""

    number: Number
    sent: str = field(repr=False)
    """The phone number as the source wrote it, for the echo."""
    zones: frozenset[str]
    """The zone of the contact's own time zone column, or empty."""
    candidate_zones: frozenset[str]
    """The zones in which the number's owner may be, or empty where nothing is known."""
    priority: int
    """0 to 10; higher goes first."""
    unique_id: str
    """The source's own key of the contact, or empty."""
    attributes: Mapping[str, str] = field(repr=False)
    """Every column under its source header, as the source wrote it; that of the phone number is there, and blank."""

    @property
    def own_zone(self) -> str | None:
        """Return the contact's own zone, or None."""
        return next(iter(self.zones), None)


# -- which column holds what -----------------------------------------------------------------------------------------

# Earlier names win over later ones, so that a vague header (`number`, `id`) counts only when nothing better is there.
_HEADERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "phone_number": (
            *("phonenumber", "phone", "mobilenumber", "mobile", "mobilephone", "msisdn", "cellphone", "cell"),
            *("telephonenumber", "telephone", "contactnumber", "phoneno", "mobileno", "e164", "tel", "number"),
        ),
        "first_name": ("firstname", "givenname", "forename", "first"),
        "last_name": ("lastname", "surname", "familyname", "last"),
        "time_zone": ("timezone", "tz", "timezonename", "ianatimezone"),
        "unique_id": ("uniqueid", "uniqueidentifier", "externalid", "contactid", "customerid", "id"),
        "contact_priority": ("contactpriority", "priority"),
    }
)
_WIRE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "firstName": "first_name",
        "lastName": "last_name",
        "phoneNumber": "phone_number",
        "timeZone": "time_zone",
        "uniqueId": "unique_id",
        "contactPriority": "contact_priority",
    }
)
_NOT_IN_A_NAME = re.compile(r"[\s_\-.\ufeff]+")


def guess_columns(headers: Iterable[str]) -> Columns:
    """Guess the columns from the headers, without regard to case, spaces, `_` and `-`; the first of equals wins.

    Raises `NoPhoneColumn`.
    """
    sources: dict[str, str] = {}
    for header in headers:
        sources.setdefault(_NOT_IN_A_NAME.sub("", header).casefold(), header)
    found: dict[str, str] = {}
    for column, names in _HEADERS.items():
        source = next((sources[name] for name in names if name in sources), None)
        if source is not None:
            found[column] = source
    if "phone_number" not in found:
        raise NoPhoneColumn
    return Columns(**found)


def columns_of(headers: Sequence[str]) -> Columns:
    """Guess the columns from the headers; without a column for the phone number it is the documented one."""
    try:
        return guess_columns(headers)
    except NoPhoneColumn:
        return guess_columns([*headers, PHONE_NUMBER])


def mapping_of(columns: Columns) -> dict[str, str]:
    """Return the documented `mapping` of a list: always six keys, an empty string where no column is mapped."""
    return {wire: getattr(columns, name) or "" for wire, name in _WIRE_NAMES.items()}


def join_columns(known: Sequence[str], more: Iterable[str]) -> list[str]:
    """Return the columns of a list that gets these besides, in the order in which they came. Raises TooManyColumns."""
    joined = list(dict.fromkeys([*known, *more]))
    if len(joined) > max(MOST_COLUMNS, len(known)):
        raise TooManyColumns
    return joined


# -- reading a row ---------------------------------------------------------------------------------------------------


def read_contact(row: Mapping[str, object], columns: Columns, region: str | None) -> Contact | RowError:
    """Read one row; what is wrong with it is a value, because a list may have thousands of wrong rows.

    Values are texts in a file; from JSON they may be anything, and are kept as their JSON text. `region` is the
    default region of local numbers.
    """
    attributes = {header: value if isinstance(value, str) else _text(value) for header, value in row.items()}
    wrong = _limits(attributes)
    if wrong is not None:
        return wrong
    sent = attributes.get(columns.phone_number, "")
    zone = _zone(_cell(attributes, columns.time_zone))
    priority = _priority(_cell(attributes, columns.contact_priority))
    if isinstance(zone, RowError):
        return zone
    if isinstance(priority, RowError):
        return priority
    if not sent.strip():
        return RowError(RowReason.missing_number, "The row has no phone number.")
    try:
        number = Number.parse(sent, region)
    except BadNumber as error:
        return RowError(RowReason(error.reason), error.fields[0].message)
    # The number is sealed and kept apart; its column keeps its place, so that a message can name it.
    attributes[columns.phone_number] = ""
    return Contact(
        number=number,
        sent=sent,
        zones=zone,
        candidate_zones=candidate_zones(number),
        priority=priority,
        unique_id=_cell(attributes, columns.unique_id),
        attributes=attributes,
    )


def _text(value: object) -> str:
    """Return a value of JSON as text; a number that is whole loses the point that a spreadsheet gave it."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False, default=str)


def _limits(attributes: Mapping[str, str]) -> RowError | None:
    if len(attributes) > MOST_COLUMNS:
        return RowError(RowReason.too_many_columns, f"The row has more than {MOST_COLUMNS} columns.")
    for header, value in attributes.items():
        if len(header) > LONGEST_VALUE:
            message = f"The name of the column {header[:48]!r} is longer than {LONGEST_VALUE} characters."
            return RowError(RowReason.value_too_long, message)
        if len(value) > LONGEST_VALUE:
            message = f"The column {header[:48]!r} is longer than {LONGEST_VALUE} characters."
            return RowError(RowReason.value_too_long, message)
        if not _storable(value) or not _storable(header):
            message = f"The column {header[:48]!r} has a character that is no text (NUL, or half of a pair)."
            return RowError(RowReason.unreadable_character, message)
    return None


def _storable(text: str) -> bool:
    """Tell whether a database can keep the text: NUL cannot be stored, lone surrogates cannot be encoded."""
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cell(attributes: Mapping[str, str], header: str | None) -> str:
    return attributes.get(header, "").strip() if header is not None else ""


def _zone(text: str) -> frozenset[str] | RowError:
    if not text:
        return frozenset()
    zone = zone_named(text)
    if zone is None:
        return RowError(RowReason.unknown_time_zone, "The time zone is not the IANA name of one, such as Asia/Kolkata.")
    return frozenset((zone,))


_WHOLE_NUMBER = re.compile(r"([0-9]{1,3})(?:\.0+)?")


def _priority(text: str) -> int | RowError:
    if not text:
        return 0
    match = _WHOLE_NUMBER.fullmatch(text)
    if match is None or int(match[1]) > HIGHEST_PRIORITY:
        return RowError(RowReason.bad_priority, f"The contact priority is a whole number from 0 to {HIGHEST_PRIORITY}.")
    return int(match[1])
