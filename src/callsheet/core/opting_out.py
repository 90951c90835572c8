# ruff: noqa: RUF001, SIM905 (letters of many scripts; lists of words read better as text)
"""What a reply says: STOP in the ways that people write it, HELP, START, or something else.

A sentence that a reasonable person would read as "no more of this" opts out (47 CFR 64.1200(a)(10)). Where one may
doubt it, it opts out too, as `doubt`, and a person can take that back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final

from callsheet.core import stop_words as words
from callsheet.core.stop_phrases import GUARDS, STOPS

SEEN_FIRST: Final = 3000
SEEN_LAST: Final = 1000
"""So many characters of a reply, from its beginning and its end, are looked through for what is quoted."""
READ_FIRST: Final = 1600
READ_LAST: Final = 400
"""So many of their own are read: more than ten messages in parts, and what stands at the end of a longer text."""
PIECES_FIRST: Final = 60
PIECES_LAST: Final = 20
"""So many lines, and so many sentences, are asked whether they are nothing but a STOP."""


class Word(StrEnum):
    """What a reply says."""

    stop = "stop"
    doubt = "doubt"
    """Perhaps STOP: it counts as one."""
    help = "help"
    start = "start"
    none = "none"


OPTS_OUT = frozenset({Word.stop, Word.doubt})

_SHORT, _LONG, _ONE_SENTENCE = 4, 6, 10
"""A reply of so few words with a word that means nothing but STOP in its language is one."""

# Letters without a decomposition, and letters that look like those of another script.
_UNDECOMPOSED = str.maketrans("øłđıæœßىة’ـ", "oldiaosيه'-")
_TO_LATIN = str.maketrans("аеорсѕтухкмніοτραερυικν", "aeopcstyxkmhiotpaepuikv")
_TO_CYRILLIC = str.maketrans("aeopctyxkmh", "аеорстухкмн")
_LEET = str.maketrans("0$5@", "ossa")

_SIGNATURE = re.compile(
    r"^(--\s*$|__+\s*$|(sent|get|gesendet|envoy|enviado|inviato|verzonden|skickat)\b.*\b"
    r"(iphone|ipad|android|galaxy|samsung|phone|mobile|outlook|handy|blackberry)\b)",
    re.IGNORECASE,
)
_QUOTED_FROM = re.compile(
    r"^(on\b.*\bwrote:|am\b.*\bschrieb.*:|le\b.*\ba écrit\s*:|-+\s*original message)", re.IGNORECASE
)
# Up to the next mark of any kind: who opens many would have each looked through to the end.
_QUOTE = re.compile(r"[\"“„«][^\"“„”«»]{16,}[\"”“»]")
_TAPBACK = re.compile(
    r"^\s*(liked|loved|laughed at|emphasi[sz]ed|questioned|disliked|replied to|"
    r"reacted\b.{0,40}\bto|removed a\b.{0,40}\bfrom)"
    r"\s*(?=[\"“«])",
    re.IGNORECASE,
)
_QUOTED = (">", "|>")
_LONGEST_HEAD = 400
"""Of a line that says who is quoted below, or with what a message was written."""
_MOST_SPREAD = 4
_SENTENCE = re.compile(r"[.!?;:,\n…。！？、،।]+")


def read_reply(text: str) -> Word:
    """Tell what a reply says. What it quotes of ours, and a signature, say nothing."""
    return _read_short(text) if len(text) <= _CHOICE else _read(text)


_CHOICE = 12
"""So many characters what most people choose has at most, again and again: a number, a yes, a STOP."""


@lru_cache(maxsize=4096)
def _read_short(text: str) -> Word:
    return _read(text)


def _read(text: str) -> Word:
    own = _ends(_own_words(_ends(text, SEEN_FIRST, SEEN_LAST)), READ_FIRST, READ_LAST)
    plain = _guarded(own)
    if not plain:
        return _read_emoji(own)
    if _says_stop(plain, own):
        return Word.stop
    if _joined(plain, _POLITE) in _HELP:
        return Word.help
    if _joined(plain, _POLITE) in _START:
        return Word.start
    return Word.doubt if _is_doubtful(plain, own) else Word.none


def _says_stop(plain: str, own: str) -> bool:
    if _is_whole(plain, weak=True) or _begins_with_stop(plain):
        return True
    if any(_is_whole(_guarded(line), weak=True) for line in _some(own.splitlines())):
        return True
    if any(_is_whole(_guarded(part), weak=False) for part in _some(_SENTENCE.split(own))):
        return True
    spaced, solid = f" {plain} ", plain.replace(" ", "")
    tokens = plain.split()
    return (
        (len(tokens) <= _SHORT and any(token in _CLEAR for token in tokens))
        or any(stop.search(plain) for stop in STOPS)
        or any(f" {phrase} " in spaced for phrase in _PHRASES)
        or any(part in solid for part in _PARTS)
    )


def _ends(text: str, first: int, last: int) -> str:
    """Return a text without the middle of what is longer than both ends; a quoted line that is cut stays quoted."""
    if len(text) <= first + last:
        return text
    cut = len(text) - last
    line = text.rfind("\n", 0, cut) + 1
    mark = "> " if text[line : line + last].lstrip().startswith(_QUOTED) else ""
    return f"{text[:first]}\n{mark}{text[cut:]}"


def _some(pieces: Sequence[str]) -> Sequence[str]:
    """Return pieces of a text, each once, and of very many the first and the last."""
    found = list(dict.fromkeys(piece.strip() for piece in pieces))
    return found if len(found) <= PIECES_FIRST + PIECES_LAST else found[:PIECES_FIRST] + found[-PIECES_LAST:]


def _guarded(text: str) -> str:
    """Return the plain form of a text, without the sentences that speak of stopping something else."""
    plain = _plain(text)
    for guard in GUARDS:
        plain = guard.sub(" zzz ", plain)
    return " ".join(plain.split())


def _is_whole(plain: str, *, weak: bool) -> bool:
    """Tell whether nothing but a word of STOP is said, and what changes nothing about it."""
    if not plain:
        return False
    if any(form in _STRONG for form in _forms(_joined(plain, frozenset()))):
        return True
    tokens = [token for token in plain.split() if token not in _POLITE]
    kernel = [token for token in tokens if token not in _FILLERS and not token.isdigit()]
    if kernel and all(any(form in _STRONG for form in _forms(token)) for token in kernel):
        return True
    return weak and "".join(tokens) in _WEAK


def _begins_with_stop(plain: str) -> bool:
    tokens = plain.split()
    while tokens and (tokens[0] in _POLITE or tokens[0] in _FILLERS):
        tokens.pop(0)
    return bool(tokens) and tokens[0] in {"stop", "stopall", "unsubscribe"}


def _joined(plain: str, without: frozenset[str]) -> str:
    return "".join(token for token in plain.split() if token not in without)


def _forms(token: str) -> Iterator[str]:
    """Return what a token may have been meant to be: itself, in the other script, with digits as letters, as typed."""
    yield token
    latin = token.translate(_TO_LATIN)
    yield latin
    yield token.translate(_TO_CYRILLIC)
    yield latin.translate(_LEET)
    once = re.sub(r"(.)\1+", r"\1", latin)
    if once not in _ORDINARY and token not in _ORDINARY:
        yield once
        yield re.sub(r"^(stop)+$", "stop", once)
        if _is_slip(once):
            yield "stop"


@lru_cache(maxsize=4096)
def _is_slip(token: str) -> bool:
    """Tell whether a token is STOP with a slip of the thumb: a letter more, less or other, or two swapped."""
    letters = "stop"
    if token in _ORDINARY or not 3 <= len(token) <= len(letters) + 1 or not token.isascii() or not token.isalpha():
        return False
    if len(token) == len(letters):
        wrong = [i for i, (a, b) in enumerate(zip(token, letters, strict=True)) if a != b]
        swapped = len(wrong) == 2 and wrong[1] == wrong[0] + 1 and token[wrong[0]] == letters[wrong[1]]
        return len(wrong) <= 1 or (swapped and token[wrong[1]] == letters[wrong[0]])
    longer, shorter = (token, letters) if len(token) > len(letters) else (letters, token)
    return any(longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer)))


def _is_doubtful(plain: str, own: str) -> bool:
    spaced, solid = f" {plain} ", _joined(plain, _POLITE)
    if solid in _DOUBTFUL_WORDS or any(f" {phrase} " in spaced for phrase in _DOUBTFUL):
        return True
    if re.match(
        r"(this is not|i am not|im not|this isnt) (her|his|their|[a-z]+s?) ?(number|phone)?( anymore)?$", plain
    ):
        # Their name, perhaps: the number has a new owner.
        return re.fullmatch(r"i am not [a-z]+|im not [a-z]+", plain) is None or _names_somebody(own)
    tokens = set(plain.split())
    if tokens & _NOT_WORDS and tokens & _SENDING_WORDS and len(tokens) <= _ONE_SENTENCE:
        return True
    return _ends_with_stop(plain) or _has_emoji(own, words.STOP_EMOJI)


def _ends_with_stop(plain: str) -> bool:
    tokens = plain.split()
    return tokens[-1] == "stop" and tokens[0] not in _ASKING and tokens[-2] not in _WHO_STOPS


def _names_somebody(own: str) -> bool:
    """Tell whether the last word of a reply is written as a name is."""
    last = own.strip(" .!").split()[-1]
    return last[:1].isupper() and not last.isupper()


def _read_emoji(own: str) -> Word:
    if _has_emoji(own, words.STOP_EMOJI):
        return Word.stop
    return Word.doubt if _has_emoji(own, words.DOUBTFUL_EMOJI) else Word.none


def _has_emoji(text: str, emoji: str) -> bool:
    return any(char in text for char in emoji)


def _own_words(text: str) -> str:
    """Return what the person wrote: not what was quoted, and no signature."""
    lines: list[str] = []
    text = _QUOTE.sub(" ", _TAPBACK.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    is_said = False
    for line in text.split("\n"):
        if line.lstrip().startswith(_QUOTED):
            continue
        head = line.strip()[:_LONGEST_HEAD]
        if is_said and (_SIGNATURE.match(head) or _QUOTED_FROM.match(head)):
            break
        is_said = is_said or bool(line)
        lines.append(line)
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Return a text in small letters without accents, punctuation and what is not seen, one space between words."""
    spread = unicodedata.normalize("NFKD", text.casefold().translate(_UNDECOMPOSED)).casefold()
    seen = []
    # A letter is spread into at most three, but for some that stand for whole sentences.
    spread = spread[: _MOST_SPREAD * len(text)]
    for char in spread:
        if char in "'`´‘’" or unicodedata.combining(char) or unicodedata.category(char) == "Cf":
            continue
        is_word = char.isalnum() or char in "$@" or unicodedata.category(char)[0] == "M"
        seen.append(char if is_word and not 0xFE00 <= ord(char) <= 0xFE0F else " ")
    return " ".join(_MISSPELLED.get(token, token) for token in "".join(seen).split())


_ASKING = frozenset("when where does do did will what which why is can how should could would".split())
_WHO_STOPS = frozenset("to i you we they he she it should will can the zzz".split())


def _set(text: str) -> frozenset[str]:
    return frozenset(_plain(text).split())


def _lines(text: str) -> tuple[str, ...]:
    return tuple(_plain(line) for line in text.split("\n") if line.strip())


_MISSPELLED: dict[str, str] = {}
_MISSPELLED.update({wrong: right for right, many in words.MISSPELLED.items() for wrong in many.split()})
_STRONG, _WEAK = _set(words.STRONG), _set(words.WEAK)
_PHRASES, _DOUBTFUL, _PARTS = _lines(words.PHRASES), _lines(words.DOUBTFUL), tuple(_set(words.PARTS))
_DOUBTFUL_WORDS = _set(words.DOUBTFUL_WORDS)
_CLEAR = frozenset(word for word in _STRONG if not word.isascii() or len(word) > _LONG) - _set(words.COMMON)
_NOT_WORDS, _SENDING_WORDS = _set(words.NOT), _set(words.SENDING)
_HELP, _START = _set(words.HELP), _set(words.START)
_POLITE, _FILLERS = _set(words.POLITE) - {"stop"}, _set(words.FILLERS)
_ORDINARY = frozenset(words.ORDINARY.split())
