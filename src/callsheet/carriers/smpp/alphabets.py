"""How characters become octets and back: GSM-7 with one septet per octet, and what a `data_coding` says."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from callsheet.core.segments import GSM_BASIC

ESCAPE: Final = 0x1B
_ABSENT: Final = 0xFF

# The default alphabet by its codes: GSM_BASIC leaves the escape out, which is no character.
_BASIC: Final = GSM_BASIC[:ESCAPE] + "\x1b" + GSM_BASIC[ESCAPE:]
_EXTENSION: Final[Mapping[int, str]] = MappingProxyType(
    {
        0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\",
        0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
    }
)  # fmt: skip

_CODES: Final = {ord(char): bytes((code,)) for code, char in enumerate(_BASIC) if code != ESCAPE} | {
    ord(char): bytes((ESCAPE, code)) for code, char in _EXTENSION.items()
}
# Text in Latin letters goes octet by octet; whatever is in no place of this table takes the longer way.
_FROM_LATIN: Final = bytes(
    _CODES[char][0] if char in _CODES and len(_CODES[char]) == 1 else _ABSENT for char in range(256)
)
_ESCAPED: Final = re.compile(rb"\x1b(.?)", re.DOTALL)


class Alphabet(StrEnum):
    """What the octets of a text are."""

    gsm = "gsm"
    """GSM-7, one septet per octet."""
    ascii = "ascii"
    latin_1 = "latin-1"
    ucs2 = "ucs2"
    """Two octets, the higher one first; surrogate pairs are taken as UTF-16."""
    binary = "binary"
    cyrillic = "cyrillic"
    hebrew = "hebrew"
    japanese = "japanese"
    korean = "korean"


_BY_DATA_CODING: Final[Mapping[int, Alphabet]] = MappingProxyType(
    {
        1: Alphabet.ascii,
        2: Alphabet.binary,
        3: Alphabet.latin_1,
        4: Alphabet.binary,
        5: Alphabet.japanese,
        6: Alphabet.cyrillic,
        7: Alphabet.hebrew,
        8: Alphabet.ucs2,
        13: Alphabet.japanese,
        14: Alphabet.korean,
    }
)
_CODECS: Final[Mapping[Alphabet, str]] = MappingProxyType(
    {
        Alphabet.ascii: "latin-1",
        Alphabet.latin_1: "latin-1",
        Alphabet.binary: "latin-1",
        Alphabet.cyrillic: "iso8859_5",
        Alphabet.hebrew: "iso8859_8",
        Alphabet.japanese: "shift_jis",
        Alphabet.korean: "euc_kr",
    }
)


def encode_latin(text: str) -> bytes | None:
    """Write a text in GSM-7 whose characters are all Latin letters and take one septet each; None: it is another."""
    try:
        octets = text.encode("latin-1").translate(_FROM_LATIN)
    except UnicodeEncodeError:
        return None
    return None if _ABSENT in octets else octets


def encode_gsm(text: str) -> bytes:
    """Write a text in GSM-7. Raises UnicodeEncodeError where it has a character that is not in it."""
    octets = encode_latin(text)
    if octets is not None:
        return octets
    try:
        return b"".join([_CODES[ord(char)] for char in text])
    except KeyError as error:
        raise UnicodeEncodeError("gsm-7", text, 0, len(text), "a character that is not in the alphabet") from error


def decode_gsm(octets: bytes) -> str:
    """Read GSM-7.

    An escape that leads nowhere is left out, and its follower is read as it stands. Octets beyond 127 are in no
    alphabet of seven bits: then the sender wrote UTF-8 or Latin-1, whatever it said.
    """
    if not octets.isascii():
        try:
            return octets.decode("utf-8")
        except UnicodeDecodeError:
            return octets.decode("latin-1")
    if ESCAPE not in octets:
        return codecs.charmap_decode(octets, "strict", _BASIC)[0]
    text = []
    at = 0
    for escaped in _ESCAPED.finditer(octets):
        text.append(codecs.charmap_decode(octets[at : escaped.start()], "strict", _BASIC)[0])
        code = escaped[1]
        if code and code[0] != ESCAPE:
            text.append(_EXTENSION.get(code[0]) or _BASIC[code[0]])
        at = escaped.end()
    text.append(codecs.charmap_decode(octets[at:], "strict", _BASIC)[0])
    return "".join(text)


def alphabet_of(data_coding: int, zero: Alphabet = Alphabet.gsm) -> Alphabet:
    """Say what a `data_coding` means; `zero` is what 0, the carrier's own default, means to this carrier.

    Values beyond those of SMPP are the data coding schemes of 3GPP TS 23.038, which many carriers pass on.
    """
    if data_coding == 0:
        return zero
    known = _BY_DATA_CODING.get(data_coding)
    if known is not None:
        return known
    if data_coding >= 0xF0:
        return Alphabet.binary if data_coding & 0x04 else Alphabet.gsm
    if data_coding >= 0xE0:
        return Alphabet.ucs2
    if data_coding >= 0x80:
        return Alphabet.gsm
    return (Alphabet.gsm, Alphabet.binary, Alphabet.ucs2, Alphabet.gsm)[data_coding >> 2 & 3]


def decode(octets: bytes, alphabet: Alphabet) -> str:
    """Read a text in whatever it came; what cannot be read becomes U+FFFD, and NULs are left out."""
    if alphabet is Alphabet.gsm:
        return decode_gsm(octets).replace("\0", "")
    if alphabet is Alphabet.ucs2:
        # Half a character at the end is none, and half a pair must not go on its way either.
        text = octets[: len(octets) & ~1].decode("utf-16-be", "replace")
        return text.replace("\0", "").removeprefix("\ufeff")
    return octets.decode(_CODECS[alphabet], "replace").replace("\0", "")
