"""Personalisation: a message text that names contact columns, compiled once and rendered for each contact.

How a text names columns is in `placeholders.py`. A text with nothing but merge tags, with or without a literal
default, is filled in about a microsecond; anything more is Liquid (`fenced_liquid.py`). What a column contains is a
value and is never parsed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Final, Protocol

from callsheet.core.errors import CallsheetError, FieldError, Invalid
from callsheet.core.fenced_liquid import Program, Refused, parse
from callsheet.core.placeholders import (
    AFTER,
    TOP,
    Headers,
    Tag,
    as_liquid,
    bare,
    defaulted,
    maybe_names,
    normalise,
    read_tags,
    tokens_of,
)

TEXT_LENGTH: Final = 10_000  # ample, and little enough for the patterns of the language
PLACEHOLDERS: Final = 500

_OPENING = re.compile(r"\{[{%]")
_UNCLOSED: Final = {
    "{{": "{{ is never closed: write }} behind the column's name.",
    "{%": "{% is never closed: write %} where the tag ends.",
}

# One list of contacts has one row of headers; contacts added one by one may each bring their own.
_PLANS: Final = 64

Fill = Callable[[Mapping[str, str], str], str]
"""How a message is made of a contact's columns and its number."""


class BadTemplate(Invalid):
    """The message's placeholders are not written correctly."""

    code = "bad_template"

    def __init__(self, message: str) -> None:
        """Say what is wrong with the text, and where."""
        super().__init__([FieldError("message.message", message)])


class Unrenderable(CallsheetError):
    """The message cannot be made from this contact's columns."""

    status = 422
    code = "unrenderable"


class EmptyMessage(Unrenderable):
    """Nothing is left of the message with this contact's columns."""

    code = "empty_message"


class PersonalMessage(Protocol):
    """What a campaign sends, ready for any contact: a compiled text, or the opening of a flow."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the columns that it uses, as first written."""

    def render(self, attributes: Mapping[str, str], number: str, at: datetime | None = None, zone: str = "") -> str:
        """Return the message for a contact of these columns and this number.

        `at`: when it is made; None: now. `zone`: the contact's own, as its list has found it; empty: it has none.
        Raises EmptyMessage, Unrenderable.
        """

    def missing(self, headers: Sequence[str]) -> tuple[str, ...]:
        """Return the fields without a default that no header of a list fits."""

    def blanks(self, attributes: Mapping[str, str]) -> tuple[str, ...]:
        """Return the fields without a default that stay blank for a contact."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A message text, ready for any contact: `fields` are the column names it uses, as first written."""

    fields: tuple[str, ...]
    _pieces: tuple[str | Tag, ...]
    _source: _Source | None
    """The text where it takes Liquid to understand it."""
    _plans: dict[tuple[str, ...], Fill] = field(default_factory=dict, init=False, repr=False, compare=False)
    _needs: dict[tuple[str, ...], tuple[tuple[str, str | None], ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def render(
        self,
        attributes: Mapping[str, str],
        number: str,
        at: datetime | None = None,  # noqa: ARG002 (a text knows no clock)
        zone: str = "",  # noqa: ARG002
    ) -> str:
        """Return the message for a contact, given its columns by the headers of its list, and its number in E.164.

        The number stands in for the column that held it. A column that is missing or blank gives its default, else
        nothing. Where two headers are spellings of one name, the one that the text writes exactly wins, then the
        first. Raises EmptyMessage where nothing but white space would be sent, and Unrenderable, from Liquid only.
        """
        headers = tuple(attributes)
        fill = self._plans.get(headers)
        if fill is None:
            fill = self._plan(headers)
        text = fill(attributes, number)
        if not text or text.isspace():
            raise EmptyMessage
        return text

    def missing(self, headers: Sequence[str]) -> tuple[str, ...]:
        """Return the fields without a default that no header of a list fits, to be shown before a run."""
        known = Headers(headers)
        if self._source is not None:
            return tuple(name for name in self._source.needed(known) if known.find(name) is None)
        tags = (piece for piece in self._pieces if isinstance(piece, Tag) and not piece.default and not piece.literal)
        return _first_spellings(tag.names[-1] for tag in tags if tag.find(known) is None)

    def blanks(self, attributes: Mapping[str, str]) -> tuple[str, ...]:
        """Return the fields without a default that stay blank for a contact: it has no such column, or no value there.

        The column of the phone number is never blank.
        """
        headers = tuple(attributes)
        found = self._needs.get(headers)
        if found is None:
            if len(self._needs) >= _PLANS:
                self._needs.clear()
            found = self._needs[headers] = tuple(self._needed(Headers(headers)))
        return tuple(name for name, header in found if header is None or not attributes[header].strip())

    def _needed(self, known: Headers) -> Iterator[tuple[str, str | None]]:
        """Find the fields without a default, each with its header."""
        if self._source is not None:
            tags = {name: known.find(name) for name in self._source.needed(known)}
        else:
            pieces = (piece for piece in self._pieces if isinstance(piece, Tag) and not piece.default)
            tags = {tag.names[-1]: header for tag in pieces if (header := tag.find(known)) or not tag.literal}
        return ((name, header) for name, header in tags.items() if header is None or header != known.phone_number)

    def _plan(self, headers: tuple[str, ...]) -> Fill:
        if len(self._plans) >= _PLANS:
            self._plans.clear()
        known = Headers(headers)
        plan = _merge_plan(self._pieces, known) if self._source is None else _liquid_plan(self._source, known)
        self._plans[headers] = plan
        return plan


def compile_text(text: str) -> Compiled:
    """Read the placeholders of a text once, for every contact.

    Raises BadTemplate, with line and column, for what is neither a placeholder nor Liquid.
    """
    if len(text) > TEXT_LENGTH:
        raise BadTemplate(f"A message has at most {TEXT_LENGTH:,} characters; this one has {len(text):,}.")
    if text.count("{{") + text.count("{%") > PLACEHOLDERS:
        raise BadTemplate(f"A message has at most {PLACEHOLDERS} placeholders.")
    tokens = tokens_of(text)
    _refuse_unclosed(text, tokens)
    pieces = read_tags(text, tokens)
    if pieces is None:
        source = _Source(text, tokens)
        return Compiled(_first_spellings(source.fields(frozenset())), (), source)
    tags = (piece for piece in pieces if isinstance(piece, Tag) and not piece.literal)
    return Compiled(_first_spellings(tag.names[-1] for tag in tags), pieces, None)


class _Source:
    """A text for Liquid. What some of its placeholders mean depends on the headers, and there are programs for each."""

    __slots__ = ("_defaulted", "_maybe_names", "_programs", "_text", "_tokens")

    def __init__(self, text: str, tokens: Sequence[re.Match[str]]) -> None:
        """Raises BadTemplate."""
        self._text = text
        self._tokens = tokens
        self._maybe_names = maybe_names(tokens)
        self._defaulted = defaulted(tokens)
        self._programs: dict[frozenset[str], Program] = {}
        self._program(frozenset())

    def program(self, headers: Headers) -> Program:
        """Return the program for these headers."""
        return self._program(frozenset(name for name in self._maybe_names if headers.find(name) is not None))

    def fields(self, names: frozenset[str]) -> Iterable[str]:
        """Return the columns that the text uses, as it writes them, when some of its placeholders name headers."""
        return (bare(path) for path in self._program(names).paths)

    def needed(self, headers: Headers) -> Iterable[str]:
        """Return the columns without a default."""
        columns = _first_spellings(bare(path) for path in self.program(headers).paths)
        return (column for column in columns if normalise(column) not in self._defaulted)

    def _program(self, names: frozenset[str]) -> Program:
        found = self._programs.get(names)
        if found is None:
            if len(self._programs) >= _PLANS:
                self._programs.clear()
            found = self._programs[names] = self._parse(names)
        return found

    def _parse(self, names: frozenset[str]) -> Program:
        source, place = as_liquid(self._text, self._tokens, names)
        try:
            return parse(source)
        except Refused as refused:
            at = None if refused.at is None else place(refused.at)
            raise BadTemplate(_complaint(self._text, at, refused.message)) from refused


def _first_spellings(names: Iterable[str]) -> tuple[str, ...]:
    spellings: dict[str, str] = {}
    for name in names:
        spellings.setdefault(normalise(name), name)
    return tuple(spellings.values())


def _refuse_unclosed(text: str, tokens: Sequence[re.Match[str]]) -> None:
    starts = [token.start() for token in tokens]
    ends = [token.end() for token in tokens]
    for begin, end in zip([0, *ends], [*starts, len(text)], strict=True):
        unclosed = _OPENING.search(text, begin, end)
        if unclosed:
            raise BadTemplate(_complaint(text, unclosed.start(), _UNCLOSED[unclosed[0]]))


def _complaint(text: str, at: int | None, message: str) -> str:
    """Say what is wrong, and where in the text as it was written."""
    if at is None:
        return message
    at = min(at, len(text))
    line = text.count("\n", 0, at) + 1
    return f"Line {line}, column {at - text.rfind(chr(10), 0, at)}: {message}"


def _merge_plan(pieces: tuple[str | Tag, ...], headers: Headers) -> Fill:
    """Make the function that fills merge tags, for one set of headers. It runs once for each message."""
    layout = ""
    found: list[str] = []
    defaults: list[str] = []
    for piece in pieces:
        header = None if isinstance(piece, str) else piece.find(headers)
        if isinstance(piece, str) or header is None:
            layout += (piece if isinstance(piece, str) else piece.literal or piece.default).replace("%", "%%")
        else:
            layout += "%s"
            found.append(header)
            defaults.append(piece.default)
    if not found:
        constant = layout % ()
        return lambda *_: constant
    # With a single key, itemgetter returns the value and no tuple.
    pick = itemgetter(*found) if len(found) > 1 else lambda attributes: (attributes[found[0]],)

    def fill(attributes: Mapping[str, str], _: str) -> str:
        values = pick(attributes)
        if not all(values):
            values = tuple(value or default for value, default in zip(values, defaults, strict=True))
        return layout % values

    phone_number = headers.phone_number
    if phone_number not in found:
        return fill
    return lambda attributes, number: fill({**attributes, phone_number: number}, number)


def _liquid_plan(source: _Source, headers: Headers) -> Fill:
    program = source.program(headers)

    def fill(attributes: Mapping[str, str], number: str) -> str:
        try:
            return program.render(_Columns({**attributes, headers.phone_number: number}, headers))
        except Exception as error:  # noqa: BLE001 - a filter may stumble over a value in any way
            # The cause is dropped: it may quote what the contact's columns contain.
            raise Unrenderable(_where(error)) from None

    return fill


def _where(error: Exception) -> str | None:
    token = getattr(error, "token", None)
    if token is None or token.start_index < 0:
        return None
    line = token.source.count("\n", 0, token.start_index) + 1
    return f"The message cannot be made from this contact's columns (line {line})."


class _Columns(Mapping[str, object]):
    """A contact as Liquid sees it: any column by any spelling, nothing for any other name, and itself as `contact`.

    It has an answer to every name, so Liquid never falls back to its own `now` and `today`.
    """

    __slots__ = ("_attributes", "_headers", "_words")

    def __init__(self, attributes: Mapping[str, str], headers: Headers, words: frozenset[str] = TOP) -> None:
        self._attributes = attributes
        self._headers = headers
        self._words = words

    def __getitem__(self, name: str) -> object:
        word = normalise(str(name))
        if word in self._words:
            return _Columns(self._attributes, self._headers, AFTER[word])
        header = self._headers.find(str(name))
        return None if header is None else self._attributes[header] or None

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes)

    def __len__(self) -> int:
        return len(self._attributes)

    def __str__(self) -> str:
        """Show the column that is called `contact` itself."""
        header = self._headers.find("contact")
        return "" if header is None else str(self._attributes[header])
