"""Delivery receipts, in all the ways in which carriers write them.

The text is that of the specification's appendix B, `id:... sub:... dlvrd:... submit date:... done date:... stat:...
err:... text:...`, with its keys in any order and any case, some missing, and blanks, commas or newlines between them.
Beside it or in its place stand the parameters `receipted_message_id`, `message_state` and `network_error_code`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from callsheet.carriers.base import Receipt
from callsheet.carriers.smpp import tlv
from callsheet.carriers.smpp.addresses import number_of
from callsheet.carriers.smpp.commands import INTERMEDIATE, RECEIPT
from callsheet.carriers.smpp.failures import UnreadableReceipt
from callsheet.carriers.smpp.pdu import Message
from callsheet.carriers.smpp.reading import octets_of
from callsheet.core.attempt import Kind

_ANY_RECEIPT: Final = RECEIPT | INTERMEDIATE
_DELIVERED: Final = Kind.delivered  # to ask an enumeration costs more than the question
_LONGEST_ID: Final = 64
_LONGEST_RECEIPT: Final = 1_024


class Ids(StrEnum):
    """How a carrier's receipts write the id that its answer gave."""

    auto = "auto"
    """Nobody knows: every way is tried."""
    hex = "hex"
    """In hexadecimal, where the answer is decimal."""
    decimal = "decimal"
    """In decimal, where the answer is hexadecimal."""


# By the first letters, which is what carriers agree on. Of a message in the state UNKNOWN we know that they took it.
_STATES: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "DELIV": Kind.delivered,
        "DELET": Kind.undelivered,
        "UNDEL": Kind.undelivered,
        "EXPIR": Kind.undelivered,
        "REJEC": Kind.undelivered,
        "FAILE": Kind.undelivered,
        "ACCEP": Kind.accepted,
        "ENROU": Kind.accepted,
        "BUFFE": Kind.accepted,
        "SCHED": Kind.accepted,
        "UNKNO": Kind.accepted,
        "SKIPP": Kind.undelivered,
    }
)
_STATE_NAMES: Final[Mapping[int, str]] = MappingProxyType(
    {
        0: "SCHEDULED",
        1: "ENROUTE",
        2: "DELIVRD",
        3: "EXPIRED",
        4: "DELETED",
        5: "UNDELIV",
        6: "ACCEPTD",
        7: "UNKNOWN",
        8: "REJECTD",
        9: "SKIPPED",
    }
)

_FIELD: Final = re.compile(
    r"\b(id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat(?:us)?|err(?:or)?|text)\s*[:=]\s*([^\s,;|]*)", re.IGNORECASE
)
# As the specification writes it, and most carriers do.
_USUAL: Final = re.compile(
    r"id:([\w-]{1,64}) sub:\d* dlvrd:\d* submit date:\d* done date:\d* stat:([A-Z]+) err:(\w*) [Tt]ext:", re.ASCII
)
_NO_ERROR: Final = frozenset({"", "0", "00", "000", "0000"})


_Told = tuple[str, str, str]
"""What stands in a receipt: the message's id, its state, and the error."""


def is_receipt(message: Message) -> bool:
    """Say whether a `deliver_sm` is about a message of ours and not from a handset.

    Some carriers forget the message type; the parameters are never in what a person wrote.
    """
    if message.esm_class & _ANY_RECEIPT:
        return True
    tags = {parameter.tag for parameter in message.tlvs}
    return tlv.RECEIPTED_MESSAGE_ID in tags and tlv.MESSAGE_STATE in tags


def read_receipt(message: Message, at: datetime, ids: Ids = Ids.auto) -> Receipt:
    """Read a receipt that came at an instant. Raises UnreadableReceipt.

    Its own dates name no time zone, so they are not read.
    """
    told = _read_written(octets_of(message)[:_LONGEST_RECEIPT])
    if message.tlvs:
        told = _read_parameters(message, told)
    message_id, state, error = told
    kind = _STATES.get(state[:5])
    if kind is None:
        raise UnreadableReceipt("a receipt that tells no state")
    if not message_id:
        raise UnreadableReceipt("a receipt that names no message")
    carrier_id, *others = as_answers_wrote(message_id, ids)
    return Receipt(
        "",
        carrier_id,
        kind,
        at,
        _code(state, error, kind),
        tuple(others),
        number_of(message.source_ton, message.source),
        tlv.find_number(message.tlvs, tlv.USER_MESSAGE_REFERENCE) if message.tlvs else None,
    )


_HEX: Final = re.compile("[0-9a-fA-F]{1,32}")


def as_answers_wrote(written: str, ids: Ids = Ids.auto) -> tuple[str, ...]:
    """Give the ways in which the answer may have written the id of a receipt, the likeliest first.

    Where the carrier's way is known, it is that alone: as the receipt writes it, it may be another message's id. Else
    all but the first are guesses, to be asked for only where nobody knows the id as it stands, for the same contact.
    """
    if not written.isalnum() or not _HEX.fullmatch(written):
        return (written,)
    plain = written.lower().lstrip("0") or "0"
    as_decimal, as_hex = str(int(plain, 16)), f"{int(plain):x}" if plain.isdecimal() else ""
    # An enumeration's member is asked as the text that it is: that costs less.
    if ids == "hex":
        return (as_decimal,)
    if ids == "decimal":
        return (as_hex or written,)
    return tuple(dict.fromkeys(filter(None, (written, plain, as_decimal, as_hex))))


def _read_written(octets: bytes) -> _Told:
    written = octets.decode("latin-1")
    usual = _USUAL.match(written)
    if usual is not None:
        message_id, state, error = usual.groups()
        return message_id, state, error
    fields: dict[str, str] = {}
    for written_key, value in _FIELD.findall(written.replace("\0", " ")):
        key = written_key.lower()
        if key == "text":
            break  # what follows was written by us
        fields.setdefault(key[:4], value)
    return (
        fields.get("id", "")[:_LONGEST_ID],
        fields.get("stat", "").upper(),
        fields.get("err", fields.get("erro", "")),
    )


def _read_parameters(message: Message, told: _Told) -> _Told:
    """Fill in from the parameters; the id in them is the one that the answer gave."""
    message_id, state, error = told
    message_id = tlv.find_string(message.tlvs, tlv.RECEIPTED_MESSAGE_ID)[:_LONGEST_ID] or message_id
    if state[:5] not in _STATES:
        number = tlv.find_number(message.tlvs, tlv.MESSAGE_STATE)
        state = _STATE_NAMES.get(-1 if number is None else number, state)
    if not error and len(network := tlv.find(message.tlvs, tlv.NETWORK_ERROR_CODE) or b"") == 3:
        error = str(int.from_bytes(network[1:]))
    return message_id, state, error


def _code(state: str, error: str, kind: Kind) -> str:
    """Say why in the carrier's words: the state, and the error where there is one; nothing of what arrived well."""
    why = "" if error in _NO_ERROR else error[:16]
    if kind is _DELIVERED:
        return why
    return f"{state[:10]}:{why}" if why else state[:10]
