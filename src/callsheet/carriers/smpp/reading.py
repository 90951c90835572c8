"""How a message from a handset is read: its text by `data_coding`, and which part of a longer one it is.

Whatever the other side sends, there is a text at the end: what is broken is read as far as it goes.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from callsheet.carriers.smpp import tlv
from callsheet.carriers.smpp.alphabets import Alphabet, alphabet_of, decode
from callsheet.carriers.smpp.commands import WITH_HEADER
from callsheet.carriers.smpp.pdu import Message
from callsheet.core.part import Part

_PARTS_8_BIT: Final = 0x00
_PARTS_16_BIT: Final = 0x08


class MessageText(NamedTuple):
    """What a message says."""

    text: str
    part: Part | None = None
    """Where it is one part of a longer text."""


def read_text(message: Message, zero: Alphabet = Alphabet.gsm) -> MessageText:
    """Read the text of a message; `zero` is what `data_coding` 0 means to this carrier."""
    octets, part = _body(message)
    return MessageText(decode(octets, alphabet_of(message.data_coding, zero)), part or _part_beside(message))


def octets_of(message: Message) -> bytes:
    """Return the text as it came, a header included: the payload, where there is no short message."""
    return message.short_message or tlv.find(message.tlvs, tlv.MESSAGE_PAYLOAD) or b""


def _body(message: Message) -> tuple[bytes, Part | None]:
    """Cut the user data header off, and read in it which part this is."""
    octets = octets_of(message)
    if not message.esm_class & WITH_HEADER or not octets or octets[0] >= len(octets):
        return octets, None  # no header, or one that is longer than the message: then it is none
    end = 1 + octets[0]
    return octets[end:], _part_within(octets[1:end])


def _part_within(header: bytes) -> Part | None:
    """Find the element that numbers the parts; a broken one ends the search."""
    at = 0
    while at + 2 <= len(header):
        kind, length = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + length]
        if len(value) < length:
            return None
        if (kind, length) == (_PARTS_8_BIT, 3) or (kind, length) == (_PARTS_16_BIT, 4):
            return Part.of(int.from_bytes(value[:-2]), value[-2], value[-1])
        at += 2 + length
    return None


def _part_beside(message: Message) -> Part | None:
    if not message.tlvs:
        return None
    reference, total, number = (
        tlv.find_number(message.tlvs, tag) for tag in (tlv.SAR_REFERENCE, tlv.SAR_TOTAL, tlv.SAR_NUMBER)
    )
    if reference is None or total is None or number is None:
        return None
    return Part.of(reference, total, number)
