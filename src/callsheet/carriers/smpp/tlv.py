"""Optional parameters: a tag, a length and a value, each kept as it came, those that nobody knows too."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from callsheet.carriers.smpp.failures import BadTlvs, Unencodable

RECEIPTED_MESSAGE_ID: Final = 0x001E
USER_MESSAGE_REFERENCE: Final = 0x0204
SAR_REFERENCE: Final = 0x020C
SAR_TOTAL: Final = 0x020E
SAR_NUMBER: Final = 0x020F
SC_INTERFACE_VERSION: Final = 0x0210
NETWORK_ERROR_CODE: Final = 0x0423
MESSAGE_PAYLOAD: Final = 0x0424
MESSAGE_STATE: Final = 0x0427
# India's registry of senders and templates (DLT), as its operators number them.
DLT_ENTITY_ID: Final = 0x1400
DLT_TEMPLATE_ID: Final = 0x1401

_HEAD: Final = struct.Struct(">HH")
_new_tuple: Final = tuple.__new__


class Tlv(NamedTuple):
    """One optional parameter."""

    tag: int
    value: bytes


Tlvs = tuple[Tlv, ...]


def find(tlvs: Sequence[Tlv], tag: int) -> bytes | None:
    """Return the value of the first parameter with a tag, or None."""
    for found, value in tlvs:
        if found == tag:
            return value
    return None


def find_number(tlvs: Sequence[Tlv], tag: int) -> int | None:
    """Return the value of a parameter as an unsigned number, or None; also of a length that is not its own."""
    value = find(tlvs, tag)
    return int.from_bytes(value[-4:]) if value else None


def find_string(tlvs: Sequence[Tlv], tag: int) -> str:
    """Return the value of a parameter as text up to its NUL; empty: it is not there."""
    value = find(tlvs, tag)
    return value.partition(b"\0")[0].decode("latin-1").strip() if value else ""


def encode(tlvs: Sequence[Tlv]) -> bytes:
    """Write parameters one after the other. Raises Unencodable."""
    try:
        return b"".join([_HEAD.pack(tag, len(value)) + value for tag, value in tlvs])
    except struct.error as error:
        raise Unencodable("an optional parameter is too long") from error


def decode(data: bytes, at: int) -> Tlvs:
    """Read all parameters from an offset to the end. Raises BadTlvs."""
    end = len(data)
    tlvs = []
    while at < end:
        if at + 4 > end:
            raise BadTlvs("an optional parameter ends within its head")
        tag, length = _HEAD.unpack_from(data, at)
        at += 4
        if at + length > end:
            raise BadTlvs("an optional parameter is longer than the PDU")
        tlvs.append(_new_tuple(Tlv, (tag, data[at : at + length])))
        at += length
    return tuple(tlvs)
