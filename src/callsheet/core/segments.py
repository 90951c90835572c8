"""How many radio-sized segments a text takes, and where it is cut.

GSM-7 (3GPP TS 23.038): 160 septets alone, 153 each when there are several; a character of the extension table
costs two and is never cut from its escape. UCS-2: 70 UTF-16 units alone, 67 each; a surrogate pair is never
cut, nor what a reader sees as one character (an accent, a flag, a family), which is also how Twilio's
calculator counts.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal

Encoding = Literal["GSM-7", "UCS-2"]

GSM_SINGLE: Final = 160
UCS_SINGLE: Final = 70
SEGMENT_OCTETS: Final = 140
HEADER_OCTETS: Final = 6
"""What the header of a part takes of the octets of a segment, with a reference of 8 bits."""

# The default alphabet in the order of its code table, without the escape (0x1B); the extension table behind it.
GSM_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION: Final = "\f^{}\\[~]|€"

# What a text in Latin letters is made of, for deleting it at the speed of bytes; the few Greek capitals and
# the euro sign take the longer way.
_LATIN_BASIC = GSM_BASIC.encode("latin-1", "ignore")


def _outside(last: int) -> re.Pattern[str]:
    """Find what GSM-7 cannot write, and what comes behind the last character of another alphabet."""
    return re.compile(f"[^{re.escape(''.join(char for char in GSM_BASIC + GSM_EXTENSION if ord(char) <= last))}]")


Alphabet = Literal["gsm", "latin-1", "ascii"]
_OUTSIDE: Final = MappingProxyType({"gsm": _outside(0x10FFFF), "latin-1": _outside(0xFF), "ascii": _outside(0x7F)})


@dataclass(frozen=True, slots=True)
class Writing:
    """How a trunk writes texts, as far as it decides into how many segments they go."""

    alphabet: Alphabet = "gsm"
    """What texts in GSM-7 are written in. What another alphabet lacks forces UCS-2 too."""
    header_octets: int = HEADER_OCTETS
    """How long the header of a part is: 7 with a reference of 16 bits."""

    def part_units(self, encoding: Encoding) -> int:
        """Return how much of a text goes into a part, in septets or UTF-16 units."""
        octets = SEGMENT_OCTETS - self.header_octets
        return octets * 8 // 7 if encoding == "GSM-7" else octets // 2


USUAL: Final = Writing()


@dataclass(frozen=True, slots=True)
class Segments:
    """The size of a text: `units` are septets in GSM-7 and UTF-16 units in UCS-2, without headers.

    `forcing` is the first character that GSM-7, or the trunk's alphabet, cannot write: the reason for UCS-2, or None.
    """

    encoding: Encoding
    count: int
    units: int
    forcing: str | None


# Most messages are short and plain; their answers are made once.
_SINGLES = tuple(Segments("GSM-7", 1, units, None) for units in range(GSM_SINGLE + 1))


def measure(text: str, writing: Writing = USUAL) -> Segments:
    """Say in which encoding and in how many segments a text leaves; an empty text is one empty segment."""
    try:
        plain = len(text) <= GSM_SINGLE and writing.alphabet == "gsm"
        if plain and not text.encode("latin-1").translate(None, _LATIN_BASIC):
            return _SINGLES[len(text)]
    except UnicodeEncodeError:
        pass  # the longer way finds out which character it was
    outside = _OUTSIDE[writing.alphabet].search(text)
    return _measure_gsm(text, writing) if outside is None else _measure_ucs(text, outside[0], writing)


def forcing_ucs(text: str, writing: Writing = USUAL) -> tuple[str, ...]:
    """Return the characters for which a text leaves in UCS-2, each once, as they come."""
    return tuple(dict.fromkeys(_OUTSIDE[writing.alphabet].findall(text)))


def split(text: str, writing: Writing = USUAL) -> list[str]:
    """Cut a text into its segments, in order; their number is `measure(text, writing).count`."""
    size = measure(text, writing)
    return [text] if size.count == 1 else _parts(text, size.encoding, writing)


def _measure_gsm(text: str, writing: Writing) -> Segments:
    units = _gsm_units(text)
    if units <= GSM_SINGLE:
        return _SINGLES[units]
    fixed = units == len(text)
    count = -(-units // writing.part_units("GSM-7")) if fixed else len(_parts(text, "GSM-7", writing))
    return Segments("GSM-7", count, units, None)


def _measure_ucs(text: str, forcing: str, writing: Writing) -> Segments:
    units = _ucs_units(text)
    return Segments("UCS-2", 1 if units <= UCS_SINGLE else len(_parts(text, "UCS-2", writing)), units, forcing)


def _gsm_units(text: str) -> int:
    return len(text) + sum(map(text.count, GSM_EXTENSION))


def _ucs_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _parts(text: str, encoding: Encoding, writing: Writing) -> list[str]:
    """Fill each part as far as it goes, and look only at the places where one might be cut."""
    gsm = encoding == "GSM-7"
    limit = writing.part_units(encoding)
    units_of = _gsm_units if gsm else _ucs_units
    parts: list[str] = []
    start = 0
    while start < len(text):
        end = min(start + limit, len(text))
        surplus = units_of(text[start:end]) - limit
        while surplus > 0:
            end -= 1
            costs_two = text[end] in GSM_EXTENSION if gsm else text[end] > "\uffff"
            surplus -= 2 if costs_two else 1
        if not gsm and end < len(text):
            end = _cluster_start(text, start, end)
        parts.append(text[start:end])
        start = end
    return parts


def _cluster_start(text: str, start: int, cut: int) -> int:
    """Move a cut back to where a character begins for its reader; one longer than a part is cut all the same.

    These are the grapheme clusters of UAX 29, as far as messages need them.
    """
    at = cut
    while at > start:
        kind = _kind(text[at])
        flags = 0  # regional indicators in a row before the cut: two make a flag
        if kind == "flag":
            while at - flags > start and _kind(text[at - 1 - flags]) == "flag":
                flags += 1
        if not _is_joined(_kind(text[at - 1]), kind, flags):
            return at
        at -= 1
    return cut


def _is_joined(before: str, kind: str, flags: int) -> bool:
    """Say whether a character of this kind belongs to the cluster that ends in one of the kind before."""
    if kind in ("mark", "joiner"):
        return before != "control"
    if kind == "picture":
        return before == "joiner"
    if kind == "flag":
        return flags % 2 == 1
    return kind in _HANGUL_AFTER.get(before, ())


# Which Hangul letters go on with a syllable: leading, vowel, trailing, and whole syllables without and with a
# trailer.
_HANGUL_AFTER: Final = {
    "L": ("L", "V", "LV", "LVT"),
    "LV": ("V", "T"),
    "V": ("V", "T"),
    "LVT": ("T",),
    "T": ("T",),
}


# Spacing marks that UAX 29 counts as letters all the same; Burmese is written with them.
_NO_MARKS: Final = frozenset(
    "\u102b\u102c\u1038\u1062\u1063\u1064\u1067\u1068\u1069\u106a\u106b\u106c\u106d\u1083\u1087\u1088\u1089\u108a"
    "\u108b\u108c\u108f\u109a\u109b\u109c\u1a61\u1a63\u1a64\uaa7b\uaa7d\U00011720\U00011721"
)


@lru_cache(maxsize=4096)
def _kind(char: str) -> str:
    """Say what part a character plays in a cluster."""
    code = ord(char)
    if 0x1F1E6 <= code <= 0x1F1FF:
        return "flag"
    if 0x1100 <= code <= 0x11FF or 0xAC00 <= code <= 0xD7A3:
        return _hangul(code)
    # The non-joiner, skin tones, and the letters of a tag inside a flag change what stands before them.
    if char == "\u200c" or 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F:
        return "mark"
    if char == "\u200d":
        return "joiner"
    return "other" if char in _NO_MARKS else _KINDS.get(unicodedata.category(char), "other")


_KINDS: Final = {
    **dict.fromkeys(("Mn", "Me", "Mc"), "mark"),
    **dict.fromkeys(("Cc", "Cf", "Zl", "Zp"), "control"),
    "So": "picture",
}


def _hangul(code: int) -> str:
    """Say whether a Hangul letter leads, is the vowel or trails, and whether a syllable has a trailer."""
    if code >= 0xAC00:
        return "LVT" if (code - 0xAC00) % 28 else "LV"
    return "L" if code < 0x1160 else "V" if code < 0x11A8 else "T"
