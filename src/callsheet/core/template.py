"""Personalisation: a message text that names contact columns, compiled once and rendered for each contact.

A name stands in the text as `<First Name>`, `{{First Name}}`, `{{first_name}}` or `{{ contact.firstName }}`, and
finds its column whatever the case, spaces, `_` and `-` of either. A text with nothing but such tags, with or
without a literal default, is filled in about a microsecond; anything more is Liquid (`fenced_liquid.py`). HTML is
gone before (`message.py`): `<b>` never gets here. What a column contains is a value and is never parsed.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Final

from callsheet.core.errors import CallsheetError, FieldError, Invalid
from callsheet.core.fenced_liquid import Program, Refused, parse

NAME_LENGTH: Final = 48
TEXT_LENGTH: Final = 10_000  # ample, and little enough for the patterns of the language
PLACEHOLDERS: Final = 500

# Words before a dot that mean the contact as a whole, and the words that may follow them. A flow of the compatible
# system finds a column at `context.session.UserSession.campaignUserInfo.firstName`.
_CONTACT: Final = frozenset({"contact", "campaignuserinfo"})
_CONTEXT: Final = frozenset({"session", "usersession", *_CONTACT})
_TOP: Final = frozenset({"context", *_CONTACT})
_AFTER: Final = {
    **dict.fromkeys(_CONTACT, frozenset[str]()),
    **dict.fromkeys(("context", *_CONTEXT - _CONTACT), _CONTEXT),
}
_WORDS_OF_LIQUID: Final = frozenset({"true", "false", "nil", "null", "empty", "blank"})

_TOKEN = re.compile(
    r"(?P<raw>\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\})"
    r"|(?P<logic>\{%.*?%\})"
    r"|\{\{(?P<output>.*?)\}\}"
    r"|<(?P<bare>[^<>{}\n]{1,48})>",
    re.DOTALL,
)
_OPENING = re.compile(r"\{[{%]")
_PATH = r"(?P<path>[^|\"'\[\]{}]*?)"
_OUTPUT = re.compile(
    rf"""\s*{_PATH}\s*(?:\|\s*default\s*:\s*(?:"(?P<double>[^"\\]*)"|'(?P<single>[^'\\]*)')\s*)?""", re.DOTALL
)
_HEAD = re.compile(rf"(?P<before>-?\s*){_PATH}(?P<after>\s*(?:-?|\|.*))", re.DOTALL)

# One list of contacts has one row of headers; contacts added one by one may each bring their own.
_PLANS: Final = 64


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


@lru_cache(maxsize=4096)
def normalise(name: str) -> str:
    """Return what two spellings of a column's name have in common: no case, no spaces, no `_` and no `-`."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    joined = "".join(char for char in folded if not char.isspace() and char not in "_-")
    return unicodedata.normalize("NFKD", joined)  # accents that a space kept apart have an order once it is gone


@dataclass(frozen=True, slots=True)
class _Tag:
    """A merge tag: the column's name as the text writes it, and what stands in for a blank."""

    name: str
    default: str = ""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A message text, ready for any contact: `fields` are the column names it uses, as first written."""

    fields: tuple[str, ...]
    _pieces: tuple[str | _Tag, ...]
    _program: Program | None
    _plans: dict[tuple[str, ...], Callable[[Mapping[str, str]], str]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def render(self, attributes: Mapping[str, str]) -> str:
        """Return the message for a contact, given its columns by the headers of its list.

        A column that is missing or blank gives its default, else nothing. Where two headers are spellings of one
        name, the one that the text writes exactly wins, then the first. Raises Unrenderable, from Liquid only.
        """
        headers = tuple(attributes)
        plan = self._plans.get(headers)
        if plan is None:
            plan = self._plan(headers)
        return plan(attributes)

    def missing(self, headers: Iterable[str]) -> tuple[str, ...]:
        """Return the fields that no header of a list fits, to be shown before a run."""
        known = {normalise(header) for header in headers}
        return tuple(name for name in self.fields if normalise(name) not in known)

    def _plan(self, headers: tuple[str, ...]) -> Callable[[Mapping[str, str]], str]:
        if len(self._plans) >= _PLANS:
            self._plans.clear()
        if self._program is None:
            plan = _merge_plan(self._pieces, _Headers(headers))
        else:
            plan = _liquid_plan(self._program, _Headers(headers))
        self._plans[headers] = plan
        return plan


def compile_text(text: str) -> Compiled:
    """Read the placeholders of a text once, for every contact.

    Raises BadTemplate, with line and column, for what is neither a placeholder nor Liquid.
    """
    if len(text) > TEXT_LENGTH:
        raise BadTemplate(f"a message has at most {TEXT_LENGTH} characters")
    if text.count("{{") + text.count("{%") > PLACEHOLDERS:
        raise BadTemplate(f"a message has at most {PLACEHOLDERS} placeholders")
    tokens = list(_TOKEN.finditer(text))
    _refuse_unclosed(text, tokens)
    pieces = _read(text, tokens)
    if pieces is not None:
        return Compiled(_first_spellings(piece.name for piece in pieces if isinstance(piece, _Tag)), pieces, None)
    source, offsets = _as_liquid(text, tokens)
    try:
        program = parse(source)
    except Refused as refused:
        at = None if refused.at is None else _place_in_text(offsets, refused.at)
        raise BadTemplate(_complaint(text, at, refused.message)) from refused
    return Compiled(_first_spellings(_bare(path)[0] for path in program.paths), (), program)


def _first_spellings(names: Iterable[str]) -> tuple[str, ...]:
    spellings: dict[str, str] = {}
    for name in names:
        spellings.setdefault(normalise(name), name)
    return tuple(spellings.values())


def _is_name(name: str) -> bool:
    """Say whether this may name a column: a letter, then letters, digits, spaces, `_` and `-`; at most 48 of them."""
    if not name or len(name) > NAME_LENGTH or not name[0].isalpha() or name[-1] in " -":
        return False
    # Marks are parts of letters: without them no name in Hindi or Thai would be one.
    return all(char.isalnum() or char in " _-" or unicodedata.category(char)[0] == "M" for char in name)


def _bare(path: Sequence[str]) -> Sequence[str]:
    """Return a dotted path without `contact.` and what else means the contact as a whole."""
    words = _TOP
    while len(path) > 1 and (word := normalise(path[0])) in words:
        words = _AFTER[word]
        path = path[1:]
    return path


def _column_in(path: str) -> str | None:
    """Return the column that the path of an output tag names, or None where only Liquid knows what it means."""
    parts = [part.strip() for part in path.split(".")]
    if path in _WORDS_OF_LIQUID or not all(map(_is_name, parts)):
        return None
    bare = _bare(parts)
    return bare[0] if len(bare) == 1 else None


def _refuse_unclosed(text: str, tokens: Sequence[re.Match[str]]) -> None:
    starts = [token.start() for token in tokens]
    ends = [token.end() for token in tokens]
    for begin, end in zip([0, *ends], [*starts, len(text)], strict=True):
        unclosed = _OPENING.search(text, begin, end)
        if unclosed:
            raise BadTemplate(_complaint(text, unclosed.start(), f"`{unclosed[0]}` is never closed"))


def _read(text: str, tokens: Sequence[re.Match[str]]) -> tuple[str | _Tag, ...] | None:
    """Read a text with nothing but merge tags in it, or return None where it takes Liquid to understand it."""
    pieces: list[str | _Tag] = []
    at = 0
    for token in tokens:
        piece = _piece(token)
        if piece is None:
            return None
        pieces += text[at : token.start()], piece
        at = token.end()
    pieces.append(text[at:])
    return tuple(piece for piece in pieces if piece)


def _piece(token: re.Match[str]) -> str | _Tag | None:
    bare = token["bare"]
    if bare is not None:
        return _Tag(bare) if _is_name(bare) else token[0]
    output = None if token["output"] is None else _OUTPUT.fullmatch(token["output"])
    column = None if output is None else _column_in(output["path"])
    if output is None or column is None:
        return None
    return _Tag(column, output["double"] or output["single"] or "")


def _as_liquid(text: str, tokens: Sequence[re.Match[str]]) -> tuple[str, list[tuple[int, int]]]:
    """Rewrite the tags that Liquid cannot read; the pairs match offsets of the source and the text."""
    pieces: list[str] = []
    offsets = [(0, 0)]
    length = at = 0
    for token in tokens:
        before = text[at : token.start()]
        rewritten = _rewritten(token)
        pieces += before, rewritten
        offsets.append((length + len(before), token.start()))
        length += len(before) + len(rewritten)
        offsets.append((length, token.end()))
        at = token.end()
    pieces.append(text[at:])
    return "".join(pieces), offsets


def _rewritten(token: re.Match[str]) -> str:
    if token["bare"] is not None and _is_name(token["bare"]):
        return f'{{{{ contact["{token["bare"]}"] }}}}'
    head = None if token["output"] is None else _HEAD.fullmatch(token["output"])
    column = None if head is None or " " not in head["path"] else _column_in(head["path"])
    if head is None or column is None:
        return token[0]
    return f'{{{{{head["before"]}contact["{column}"]{head["after"]}}}}}'


def _place_in_text(offsets: list[tuple[int, int]], at: int) -> int:
    """Return where in the text the thing stands that Liquid found at this place of its source."""
    in_source, in_text = offsets[bisect_right(offsets, at, key=itemgetter(0)) - 1]
    return in_text + at - in_source


def _complaint(text: str, at: int | None, message: str) -> str:
    """Say what is wrong, and where in the text as it was written."""
    if at is None:
        return message
    at = min(at, len(text))
    line = text.count("\n", 0, at) + 1
    return f"line {line}, column {at - text.rfind(chr(10), 0, at)}: {message}"


class _Headers:
    """The headers of a list, found by any spelling."""

    __slots__ = ("_by_name", "_exact")

    def __init__(self, headers: tuple[str, ...]) -> None:
        self._exact = frozenset(headers)
        self._by_name: dict[str, str] = {}
        for header in headers:
            self._by_name.setdefault(normalise(header), header)

    def find(self, name: str) -> str | None:
        return name if name in self._exact else self._by_name.get(normalise(name))


def _merge_plan(pieces: tuple[str | _Tag, ...], headers: _Headers) -> Callable[[Mapping[str, str]], str]:
    """Make the function that fills merge tags, for one set of headers. It runs once for each message."""
    layout = ""
    found: list[str] = []
    defaults: list[str] = []
    for piece in pieces:
        header = None if isinstance(piece, str) else headers.find(piece.name)
        if header is None or isinstance(piece, str):
            layout += (piece if isinstance(piece, str) else piece.default).replace("%", "%%")
        else:
            layout += "%s"
            found.append(header)
            defaults.append(piece.default)
    if not found:
        constant = layout % ()
        return lambda _: constant
    # With a single key, itemgetter returns the value and no tuple.
    pick = itemgetter(*found) if len(found) > 1 else lambda attributes: (attributes[found[0]],)

    def fill(attributes: Mapping[str, str]) -> str:
        values = pick(attributes)
        if not all(values):
            values = tuple(value or default for value, default in zip(values, defaults, strict=True))
        return layout % values

    return fill


def _liquid_plan(program: Program, headers: _Headers) -> Callable[[Mapping[str, str]], str]:
    def fill(attributes: Mapping[str, str]) -> str:
        try:
            return program.render(_Columns(attributes, headers))
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

    def __init__(self, attributes: Mapping[str, str], headers: _Headers, words: frozenset[str] = _TOP) -> None:
        self._attributes = attributes
        self._headers = headers
        self._words = words

    def __getitem__(self, name: str) -> object:
        word = normalise(str(name))
        if word in self._words:
            return _Columns(self._attributes, self._headers, _AFTER[word])
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
