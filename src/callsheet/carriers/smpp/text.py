"""How a text becomes the short messages that carry it: alphabet, parts, and how the parts are numbered."""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple
from zlib import crc32

from callsheet.carriers.base import InvalidMessage
from callsheet.carriers.smpp import tlv
from callsheet.carriers.smpp.alphabets import Alphabet, encode_gsm, encode_latin
from callsheet.carriers.smpp.commands import WITH_HEADER
from callsheet.carriers.smpp.tlv import Tlv, Tlvs
from callsheet.core import segments
from callsheet.core.part import MOST_PARTS
from callsheet.core.segments import GSM_SINGLE, HEADER_OCTETS, Writing, measure, split

_UCS2: Final = 8
_MOST_DESTINATIONS: Final = 65_536
_ZEROS: Final[Mapping[Alphabet, segments.Alphabet]] = MappingProxyType(
    {Alphabet.gsm: "gsm", Alphabet.latin_1: "latin-1", Alphabet.ascii: "ascii"}
)


class LongTexts(StrEnum):
    """How the parts of a long text are told to belong together."""

    udh = "udh"
    """A header before the text of each: what handsets see, and what every carrier knows."""
    sar = "sar"
    """Parameters beside each: the carrier makes the header."""
    payload = "payload"
    """One PDU with the whole text: the carrier cuts it."""


@dataclass(frozen=True, slots=True)
class TextRules:
    """How a trunk wants texts."""

    zero: Alphabet = Alphabet.gsm
    """What `data_coding` 0 means to the carrier: `gsm`, `latin-1` or `ascii`."""
    gsm_coding: int = 0
    """The `data_coding` of a text in GSM-7."""
    ucs2_coding: int = _UCS2
    """The `data_coding` of every other text."""
    long_texts: LongTexts = LongTexts.udh
    reference_bits: int = 8
    """8 or 16: how long the number is that the parts of a text share. 16 takes an octet of each part."""

    @property
    def writing(self) -> Writing:
        """What of this decides into how many segments a text goes. Where the carrier makes the parts, it goes by it."""
        return Writing(_ZEROS[self.zero], HEADER_OCTETS if self.reference_bits == 8 else HEADER_OCTETS + 1)


class Short(NamedTuple):
    """One short message: what of a PDU depends on the text."""

    short_message: bytes
    data_coding: int
    esm_class: int = 0
    tlvs: Tlvs = ()


_USUAL: Final = TextRules()
_GSM: Final = Alphabet.gsm  # to ask an enumeration costs more than the question


def write_text(text: str, reference: int, rules: TextRules = _USUAL) -> list[Short]:
    """Give the short messages of a text, in order; `reference` is what its parts share, and used modulo its bits.

    Raises InvalidMessage: `too_many_parts` beyond 255, `not_encodable` for half a surrogate pair.
    """
    if len(text) <= GSM_SINGLE and rules.zero is _GSM:
        octets = encode_latin(text)  # most texts are short and plain
        if octets is not None:
            return [Short(octets, rules.gsm_coding)]
    try:
        return _write(text, reference, rules)
    except UnicodeEncodeError as error:
        raise InvalidMessage("not_encodable") from error


def _write(text: str, reference: int, rules: TextRules) -> list[Short]:
    writing = rules.writing
    gsm = measure(text, writing).encoding == "GSM-7"
    codec = rules.zero if gsm else Alphabet.ucs2
    coding = rules.gsm_coding if gsm else rules.ucs2_coding
    parts = split(text, writing)
    if len(parts) == 1:
        return [Short(_encode(text, codec), coding)]
    if rules.long_texts is LongTexts.payload:
        return [_payload(_encode(text, codec), coding)]
    if len(parts) > MOST_PARTS:
        raise InvalidMessage("too_many_parts")
    number = _with_header if rules.long_texts is LongTexts.udh else _with_parameters
    reference %= 1 << rules.reference_bits
    return [
        number(_encode(part, codec), coding, (reference, len(parts), at), rules.reference_bits)
        for at, part in enumerate(parts, start=1)
    ]


def _encode(text: str, alphabet: Alphabet) -> bytes:
    if alphabet is Alphabet.gsm:
        return encode_gsm(text)
    return text.encode("utf-16-be" if alphabet is Alphabet.ucs2 else alphabet.value)


def _payload(octets: bytes, coding: int) -> Short:
    if len(octets) > 0xFFFF:
        raise InvalidMessage("too_long")
    return Short(b"", coding, 0, (Tlv(tlv.MESSAGE_PAYLOAD, octets),))


def _with_header(octets: bytes, coding: int, place: tuple[int, int, int], bits: int) -> Short:
    header = struct.pack("6B", 5, 0x00, 3, *place) if bits == 8 else struct.pack(">3BH2B", 6, 0x08, 4, *place)
    return Short(header + octets, coding, WITH_HEADER)


def _with_parameters(octets: bytes, coding: int, place: tuple[int, int, int], _: int) -> Short:
    reference, total, number = place
    tlvs = (
        Tlv(tlv.SAR_REFERENCE, struct.pack(">H", reference)),
        Tlv(tlv.SAR_TOTAL, bytes((total,))),
        Tlv(tlv.SAR_NUMBER, bytes((number,))),
    )
    return Short(octets, coding, 0, tlvs)


class References:
    """Gives the parts of a long text their reference: never the same twice in a row for one destination.

    A handset puts parts together by sender and reference. It remembers as many destinations as fit, and begins with
    those that it does not know wherever `seed` says.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._last: OrderedDict[str, int] = OrderedDict()

    def next(self, destination: str) -> int:
        """Return the reference of the next long text to a destination, from 0 to 65,535."""
        last = self._last.pop(destination, None)
        reference = (crc32(destination.encode(), self._seed) if last is None else last + 1) & 0xFFFF
        self._last[destination] = reference
        if len(self._last) > _MOST_DESTINATIONS:
            self._last.popitem(last=False)
        return reference
