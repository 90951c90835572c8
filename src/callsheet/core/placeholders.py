"""Placeholders: where a message text names columns of a contact, and how it may spell them.

A name stands in the text as `<First Name>`, `{{First Name}}`, `{{first_name}}` or `{{ contact.firstName }}`, and
finds its column whatever the case, spaces, `_` and `-` of either. HTML is gone before (`message.py`): `<b>` never
gets here. Columns may have any name: what stands between the braces, up to a `|`, is a column if one is called so
(`{{ 2nd name }}`, `{{ E-mail (work) }}`, `{{ true }}`), and only then whatever else it may mean.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple

from callsheet.core.contacts import LONGEST_VALUE, columns_of, mapping_of
from callsheet.core.fenced_liquid import is_expression

NAME_LENGTH: Final = 48

# Words before a dot that mean the contact as a whole, and the words that may follow them. A flow of the compatible
# system finds a column at `context.session.UserSession.campaignUserInfo.firstName`.
_CONTACT: Final = frozenset({"contact", "campaignuserinfo"})
_CONTEXT: Final = frozenset({"session", "usersession", *_CONTACT})
TOP: Final = frozenset({"context", *_CONTACT})
AFTER: Final = {
    **dict.fromkeys(_CONTACT, frozenset[str]()),
    **dict.fromkeys(("context", *_CONTEXT - _CONTACT), _CONTEXT),
}
_WORDS_OF_LIQUID: Final = frozenset({"true", "false", "nil", "null", "empty", "blank"})

_TOKEN = re.compile(
    r"(?P<raw>\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\})"
    r"|(?P<logic>\{%.*?%\})"
    r"|\{\{(?P<output>.*?)\}\}"
    rf'|<(?P<bare>[^<>{{}}\n"]{{1,{LONGEST_VALUE}}})>',
    re.DOTALL,
)
_DEFAULT = re.compile(r"""\s*default\s*:\s*(?:"(?P<double>[^"\\]*)"|'(?P<single>[^'\\]*)')\s*""")
_ANY_DEFAULT = re.compile(r"\|\s*default\s*:")
_WORD = re.compile(r"[^\W\d][\w-]*")
# What Liquid cannot read is a name if it looks like one; marks of Liquid in it are rather a slip of the pen.
_ODD_NAME = re.compile(r"""(?:[^|"'“”\[\]{}<>=:]|(?<=\w)'(?=\w))+""")


@lru_cache(maxsize=4096)
def normalise(name: str) -> str:
    """Return what two spellings of a column's name have in common: no case, no spaces, no `_` and no `-`."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    joined = "".join(char for char in folded if not char.isspace() and char not in "_-")
    return unicodedata.normalize("NFKD", joined)  # accents that a space kept apart have an order once it is gone


class Headers:
    """The headers of a list, found by any spelling, and by the documented name of what they hold."""

    __slots__ = ("_by_name", "_exact", "phone_number")

    def __init__(self, headers: Sequence[str]) -> None:
        columns = columns_of(headers)
        self.phone_number = columns.phone_number
        """The header of the phone number; the documented one where the list has none."""
        self._exact = frozenset(headers)
        self._by_name: dict[str, str] = {}
        for header in headers:
            self._by_name.setdefault(normalise(header), header)
        for name, header in mapping_of(columns).items():
            if header:
                self._by_name.setdefault(normalise(name), header)

    def find(self, name: str) -> str | None:
        """Return the header that is spelled so, or else the first that fits, or None."""
        return name if name in self._exact else self._by_name.get(normalise(name))


@dataclass(frozen=True, slots=True)
class Tag:
    """A merge tag: the names that its column may have, the best first, and what stands in for a blank."""

    names: tuple[str, ...]
    default: str = ""
    literal: str = ""
    """The tag itself, where it is a part of the text when no column is called so: `<someone@example.com>`."""

    def find(self, headers: Headers) -> str | None:
        """Return the header of its column, or None."""
        return next((header for name in self.names if (header := headers.find(name)) is not None), None)


class _Output(NamedTuple):
    """What stands between two braces: a dash, a name or another expression, and filters or a dash."""

    before: str
    said: str
    after: str


def tokens_of(text: str) -> list[re.Match[str]]:
    """Find everything in a text that is no literal."""
    return list(_TOKEN.finditer(text))


def bare(path: Sequence[str]) -> str:
    """Return the column that a path names, without `contact.` and what else means the contact as a whole."""
    return _without_context(path)[0]


def read_tags(text: str, tokens: Sequence[re.Match[str]]) -> tuple[str | Tag, ...] | None:
    """Read a text with nothing but merge tags in it, or return None where it takes Liquid to understand it."""
    pieces: list[str | Tag] = []
    at = 0
    for token in tokens:
        piece = _tag(token)
        if piece is None:
            return None
        pieces += text[at : token.start()], piece
        at = token.end()
    pieces.append(text[at:])
    return tuple(piece for piece in pieces if piece)


def maybe_names(tokens: Sequence[re.Match[str]]) -> frozenset[str]:
    """Return what is the name of a column if one is called so, and reads otherwise if none is."""
    return frozenset(_maybe_names(tokens))


def defaulted(tokens: Sequence[re.Match[str]]) -> frozenset[str]:
    """Return the columns, normalised, that have a default."""
    found = (_output(token) for token in tokens)
    return frozenset(
        normalise(_column_in(output.said) or output.said)
        for output in found
        if output is not None and _ANY_DEFAULT.search(output.after)
    )


def as_liquid(text: str, tokens: Sequence[re.Match[str]], names: frozenset[str]) -> tuple[str, Callable[[int], int]]:
    """Rewrite the tags that Liquid cannot read, and those whose `names` are headers.

    The function that comes with the source tells where in the text a place of the source is.
    """
    pieces: list[str] = []
    offsets = [(0, 0)]
    length = at = 0
    for token in tokens:
        before = text[at : token.start()]
        rewritten = _rewritten(token, names)
        pieces += before, rewritten
        offsets.append((length + len(before), token.start()))
        length += len(before) + len(rewritten)
        offsets.append((length, token.end()))
        at = token.end()
    pieces.append(text[at:])

    def place(at: int) -> int:
        in_source, in_text = offsets[bisect_right(offsets, at, key=itemgetter(0)) - 1]
        return in_text + at - in_source

    return "".join(pieces), place


def _is_name(name: str) -> bool:
    """Say whether this may name a column: a letter, then letters, digits, spaces, `_` and `-`; at most 48 of them."""
    if not name or len(name) > NAME_LENGTH or not name[0].isalpha() or name[-1] in " -":
        return False
    # Marks are parts of letters: without them no name in Hindi or Thai would be one.
    return all(char.isalnum() or char in " _-" or unicodedata.category(char)[0] == "M" for char in name)


def _is_word(said: str) -> bool:
    """Say whether this may be a variable of the message's own, and so is Liquid's to read."""
    return said not in _WORDS_OF_LIQUID and _WORD.fullmatch(said) is not None


def _is_odd_name(said: str) -> bool:
    """Say whether this names a column, though it does not look it, because it means nothing else."""
    if len(said) > LONGEST_VALUE or not any(map(str.isalnum, said)):
        return False
    return _ODD_NAME.fullmatch(said) is not None and not is_expression(said)


def _without_context(path: Sequence[str]) -> Sequence[str]:
    words = TOP
    while len(path) > 1 and (word := normalise(path[0])) in words:
        words = AFTER[word]
        path = path[1:]
    return path


def _column_in(said: str) -> str | None:
    """Return the column that an output tag names, or None where only Liquid, or a header, knows what it means."""
    parts = [part.strip() for part in said.split(".")]
    if said not in _WORDS_OF_LIQUID and all(map(_is_name, parts)):
        path = _without_context(parts)
        return path[0] if len(path) == 1 else None
    return said if _is_odd_name(said) else None


def _output(token: re.Match[str]) -> _Output | None:
    inner = token["output"]
    if inner is None:
        return None
    said, bar, filters = inner.partition("|")
    before = "-" if said.startswith("-") else ""
    after = bar + filters if bar else "-" if said.endswith("-") else ""
    said = said.removeprefix("-") if bar else said.removeprefix("-").removesuffix("-")
    return _Output(before, said.strip(), after)


def _tag(token: re.Match[str]) -> str | Tag | None:
    name = token["bare"]
    if name is not None:
        return Tag((name,), literal="" if _is_name(name) else token[0]) if name.strip() == name else token[0]
    output = _output(token)
    if output is None or output.before or output.after == "-":
        return None
    default = _DEFAULT.fullmatch(output.after[1:]) if output.after else None
    column = _column_in(output.said)
    if column is None or (output.after and default is None):
        return None
    names = (output.said,) if column == output.said else (output.said, column)
    return Tag(names, (default["double"] or default["single"] or "") if default is not None else "")


def _maybe_names(tokens: Sequence[re.Match[str]]) -> Iterator[str]:
    for token in tokens:
        name, output = token["bare"], _output(token)
        if name is not None and not _is_name(name) and name.strip() == name:
            yield name
        elif output is not None and '"' not in output.said and not _is_word(output.said):
            yield output.said


def _rewritten(token: re.Match[str], names: frozenset[str]) -> str:
    name = token["bare"]
    if name is not None:
        return f'{{{{ contact["{name}"] }}}}' if _is_name(name) or name in names else token[0]
    output = _output(token)
    if output is None or _is_word(output.said):
        return token[0]
    column = output.said if output.said in names else _column_in(output.said)
    if column is None or (column != output.said and " " not in output.said):
        return token[0]
    return f'{{{{{output.before} contact["{column}"] {output.after}}}}}'
