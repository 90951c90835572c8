"""What handsets and their network say, in PDUs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from callsheet.carriers.base import InvalidMessage, InvalidNumber, NotConnected, SendError, Throttled
from callsheet.carriers.sandbox.behaviour import REPLY
from callsheet.carriers.sandbox.ledger import Status as Standing
from callsheet.carriers.sandbox.ledger import Telling
from callsheet.carriers.sandbox.origin import Origin
from callsheet.carriers.smpp import tlv
from callsheet.carriers.smpp.addresses import source_of
from callsheet.carriers.smpp.commands import RECEIPT, Status
from callsheet.carriers.smpp.pdu import Message
from callsheet.carriers.smpp.text import LongTexts, TextRules, write_text
from callsheet.carriers.smpp.tlv import Tlv
from callsheet.core.attempt import Kind
from callsheet.core.part import Part

_STATES: Final[Mapping[str, tuple[str, int]]] = MappingProxyType(
    {Kind.delivered: ("DELIVRD", 2), Kind.undelivered: ("UNDELIV", 5)}
)
_STATUSES: Final[Mapping[type[SendError], Status]] = MappingProxyType(
    {
        InvalidNumber: Status.INVALID_DESTINATION,
        Throttled: Status.THROTTLED,
        InvalidMessage: Status.SUBMIT_FAILED,
        NotConnected: Status.SYSTEM_ERROR,
    }
)
STANDINGS: Final[Mapping[str, int]] = MappingProxyType(
    {Standing.accepted: 1, Standing.unanswered: 1, Standing.delivered: 2, Standing.undelivered: 5}
)
"""`message_state` of a message in the ledger."""
# A handset's reply is one PDU here, however long.
_REPLIES: Final = TextRules(long_texts=LongTexts.payload)


def status_of(error: SendError) -> Status | None:
    """Say how a refusal is answered; None: not at all."""
    if error.code == "no_answer":
        return None
    return _STATUSES.get(type(error), Status.SYSTEM_ERROR)


def deliver_sm(telling: Telling, origin: Origin) -> Message:
    """Write a receipt or a reply: from the handset, to the sender that it had."""
    return _reply(telling) if telling.kind == REPLY else _receipt(telling, origin)


def _reply(telling: Telling) -> Message:
    (short,) = write_text(telling.text, 0, _REPLIES)
    return Message(
        "",
        *source_of(telling.number),
        *source_of(telling.sender),
        data_coding=short.data_coding,
        short_message=short.short_message,
        tlvs=short.tlvs,
    )


def _receipt(telling: Telling, origin: Origin) -> Message:
    stat, state = _STATES[telling.kind]
    at = f"{telling.due_at:%y%m%d%H%M}"
    delivered = telling.kind == Kind.delivered
    words = (
        f"id:{telling.carrier_id} sub:001 dlvrd:00{int(delivered)} submit date:{at} done date:{at} stat:{stat}"
        f" err:{'000' if delivered else '001'} text:"
    )
    tlvs = [Tlv(tlv.RECEIPTED_MESSAGE_ID, telling.carrier_id.encode() + b"\0"), Tlv(tlv.MESSAGE_STATE, bytes((state,)))]
    if origin.reference:
        tlvs.append(Tlv(tlv.USER_MESSAGE_REFERENCE, int(origin.reference).to_bytes(2)))
    return Message(
        "",
        *source_of(telling.number),
        *source_of(telling.sender),
        esm_class=RECEIPT,
        short_message=words.encode("ascii"),
        tlvs=tuple(tlvs),
    )


def origin_of(message: Message, system_id: str, part: Part | None) -> Origin:
    """Say where a message came from."""
    reference = tlv.find_number(message.tlvs, tlv.USER_MESSAGE_REFERENCE) if message.tlvs else None
    return Origin(
        "smpp", system_id, "" if reference is None else str(reference & 0xFFFF), message.registered_delivery & 3, part
    )
