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
from typing import Final, Literal

Encoding = Literal["GSM-7", "UCS-2"]

GSM_SINGLE: Final = 160
GSM_PART: Final = 153
UCS_SINGLE: Final = 70
UCS_PART: Final = 67
HEADER_OCTETS: Final = 6
"""What the header of a part takes of the 140 octets of a segment, with a reference of 8 bits."""

# The default alphabet in the order of its code table, without the escape (0x1B); the extension table behind it.
GSM_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION: Final = "\f^{}\\[~]|€"

# What a text in Latin letters is made of, for deleting it at the speed of bytes; the few Greek capitals and
# the euro sign take the longer way.
_LATIN_BASIC = GSM_BASIC.encode("latin-1", "ignore")
_OUTSIDE = re.compile(f"[^{re.escape(GSM_BASIC + GSM_EXTENSION)}]")


@dataclass(frozen=True, slots=True)
class Segments:
    """The size of a text: `units` are septets in GSM-7 and UTF-16 units in UCS-2, without headers.

    `forcing` is the first character that GSM-7 cannot write, the reason for UCS-2, or None.
    """

    encoding: Encoding
    count: int
    units: int
    forcing: str | None


# Most messages are short and plain; their answers are made once.
_SINGLES = tuple(Segments("GSM-7", 1, units, None) for units in range(GSM_SINGLE + 1))


def measure(text: str) -> Segments:
    """Say in which encoding and in how many segments a text leaves; an empty text is one empty segment."""
    try:
        if len(text) <= GSM_SINGLE and not text.encode("latin-1").translate(None, _LATIN_BASIC):
            return _SINGLES[len(text)]
    except UnicodeEncodeError:
        pass  # the longer way finds out which character it was
    outside = _OUTSIDE.search(text)
    return _measure_gsm(text) if outside is None else _measure_ucs(text, outside[0])


def outside_gsm(text: str) -> tuple[str, ...]:
    """Return the characters that GSM-7 cannot write, each once, as they come."""
    return tuple(dict.fromkeys(_OUTSIDE.findall(text)))


def split(text: str, *, encoding: Encoding | None = None, header_octets: int = HEADER_OCTETS) -> list[str]:
    """Cut a text into its segments, in order; their number is `measure(text).count`.

    A carrier may have to write a text in UCS-2 that GSM-7 could write, or number its parts with a longer header (7
    octets for a reference of 16 bits instead of 6): then there may be more of them.
    """
    if encoding is None and header_octets == HEADER_OCTETS:
        size = measure(text)
        return [text] if size.count == 1 else _parts(text, size.encoding)
    encoding = encoding or measure(text).encoding
    gsm = encoding == "GSM-7"
    if (_gsm_units(text) <= GSM_SINGLE) if gsm else (_ucs_units(text) <= UCS_SINGLE):
        return [text]
    room_octets = 140 - header_octets
    return _parts(text, encoding, room_octets * 8 // 7 if gsm else room_octets // 2)


def _measure_gsm(text: str) -> Segments:
    units = _gsm_units(text)
    if units <= GSM_SINGLE:
        return _SINGLES[units]
    count = -(-units // GSM_PART) if units == len(text) else len(_parts(text, "GSM-7"))
    return Segments("GSM-7", count, units, None)


def _measure_ucs(text: str, forcing: str) -> Segments:
    units = _ucs_units(text)
    return Segments("UCS-2", 1 if units <= UCS_SINGLE else len(_parts(text, "UCS-2")), units, forcing)


def _gsm_units(text: str) -> int:
    return len(text) + sum(map(text.count, GSM_EXTENSION))


def _ucs_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _parts(text: str, encoding: Encoding, most_units: int | None = None) -> list[str]:
    """Fill each part as far as it goes, and look only at the places where one might be cut."""
    gsm = encoding == "GSM-7"
    limit = most_units or (GSM_PART if gsm else UCS_PART)
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
