"""The PDUs: what each carries, and how it is written and read.

Strings are those of the protocol, up to a NUL, in Latin-1, so that whatever comes can be read. A body is read with the
leniency that carriers need: no field is too long as long as it ends, and a response may end early, as responses with an
error do. What we write keeps to the lengths of the specification.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from callsheet.carriers.smpp import commands as c
from callsheet.carriers.smpp import tlv
from callsheet.carriers.smpp.failures import BadBody, BadLength, PduError, Unencodable
from callsheet.carriers.smpp.tlv import Tlvs

HEADER_OCTETS: Final = 16
HEADER: Final = struct.Struct(">IIII")
MOST_SHORT_MESSAGE_OCTETS: Final = 254
LAST_SEQUENCE: Final = 0x7FFFFFFF
"""Sequence numbers go from 1 to this, and begin anew."""


class Message(NamedTuple):
    """`submit_sm` and `deliver_sm`: the fields in the order of the wire."""

    service_type: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    destination_ton: int = 0
    destination_npi: int = 0
    destination: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority: int = 0
    schedule: str = ""
    validity: str = ""
    registered_delivery: int = 0
    replace: int = 0
    data_coding: int = 0
    default_message_id: int = 0
    short_message: bytes = b""
    tlvs: Tlvs = ()


class Data(NamedTuple):
    """`data_sm`: a message whose text is the parameter `message_payload`."""

    service_type: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    destination_ton: int = 0
    destination_npi: int = 0
    destination: str = ""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0
    tlvs: Tlvs = ()

    def as_message(self) -> Message:
        """Give it the shape of the others."""
        return Message(
            *self[:8],
            registered_delivery=self.registered_delivery,
            data_coding=self.data_coding,
            tlvs=self.tlvs,
        )


class Bind(NamedTuple):
    """`bind_transceiver`, `bind_transmitter` and `bind_receiver`."""

    system_id: str = ""
    password: str = ""
    system_type: str = ""
    interface_version: int = c.INTERFACE_VERSION
    ton: int = 0
    npi: int = 0
    address_range: str = ""

    def __repr__(self) -> str:
        """Leave the password out: a trace must not show it."""
        return f"Bind(system_id={self.system_id!r})"


class Answer(NamedTuple):
    """The response to a bind (`text` is the other side's system id) or to a message (its id)."""

    text: str = ""
    tlvs: Tlvs = ()


class Query(NamedTuple):
    """`query_sm`."""

    message_id: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""


class QueryAnswer(NamedTuple):
    """`query_sm_resp`."""

    message_id: str = ""
    final_date: str = ""
    message_state: int = 0
    error_code: int = 0


class Cancel(NamedTuple):
    """`cancel_sm`."""

    service_type: str = ""
    message_id: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    destination_ton: int = 0
    destination_npi: int = 0
    destination: str = ""


Body = Message | Data | Bind | Answer | Query | QueryAnswer | Cancel | bytes | None
"""None: there is none. Bytes: those of a command that we do not know."""


class Pdu(NamedTuple):
    """One PDU as it came, or as it will go."""

    command: int
    sequence: int
    status: int = 0
    body: Body = None


def encode(pdu: Pdu) -> bytes:
    """Write any PDU. Raises Unencodable."""
    command, sequence, status, body = pdu
    if isinstance(body, Message):
        return encode_message(command, sequence, body)
    octets = body if isinstance(body, bytes) else b"" if body is None else _encode_fields(body)
    try:
        return HEADER.pack(HEADER_OCTETS + len(octets), command, status, sequence) + octets
    except struct.error as error:
        raise Unencodable("a number in the header is out of its range") from error


def encode_message(command: int, sequence: int, message: Message) -> bytes:
    """Write `submit_sm` or `deliver_sm`: the hot one. Raises Unencodable."""
    # fmt: off
    (
        service, s_ton, s_npi, source, d_ton, d_npi, destination, esm, protocol, priority, schedule, validity,
        registered, replace, coding, default_id, text, tlvs,
    ) = message
    # fmt: on
    octets = len(text)
    if octets > MOST_SHORT_MESSAGE_OCTETS or len(source) > 20 or len(destination) > 20:
        raise Unencodable("a field of the message is too long")
    if "\0" in source or "\0" in destination:
        raise Unencodable("an address holds a NUL")
    if service or schedule or validity:
        _check_rare(service, schedule, validity)
    at = _OCTETS
    try:
        # As characters, and then in Latin-1: three times as fast as octet by octet.
        head = (
            f"{service}\0{at[s_ton]}{at[s_npi]}{source}\0{at[d_ton]}{at[d_npi]}{destination}\0"
            f"{at[esm]}{at[protocol]}{at[priority]}{schedule}\0{validity}\0"
            f"{at[registered]}{at[replace]}{at[coding]}{at[default_id]}{at[octets]}"
        ).encode("latin-1")
        if tlvs:
            text += tlv.encode(tlvs)
        return HEADER.pack(HEADER_OCTETS + len(head) + len(text), command, 0, sequence) + head + text
    except (KeyError, ValueError, struct.error) as error:
        raise Unencodable("a field of the message is out of its range") from error


_OCTETS: Final = {number: chr(number) for number in range(256)}


def _check_rare(service_type: str, schedule: str, validity: str) -> None:
    if len(service_type) > 5 or len(schedule) not in (0, 16) or len(validity) not in (0, 16):
        raise Unencodable("a field of the message is too long")
    if "\0" in service_type + schedule + validity:
        raise Unencodable("a field of the message holds a NUL")


def answer_to(pdu: Pdu, text: str | None = None, status: int = 0, tlvs: Tlvs = ()) -> bytes:
    """Write the response to a request; `text` is the message id or the system id, where its response has one."""
    body = None if text is None else Answer(text, tlvs)
    return encode(Pdu(pdu.command | c.RESPONSE, pdu.sequence, status, body))


def acknowledge(pdu: Pdu, status: int) -> bytes:
    """Write the response to a `deliver_sm` or a `data_sm`: its id is empty."""
    return HEADER.pack(HEADER_OCTETS + 1, pdu.command | c.RESPONSE, status, pdu.sequence) + b"\0"


def refuse(error: PduError) -> bytes:
    """Write what is answered to a PDU that could not be read."""
    return encode(Pdu(c.GENERIC_NACK, error.sequence, error.status))


def decode(octets: bytes) -> Pdu:
    """Read one whole PDU.

    A command that is unknown is given with its octets. Raises BadLength (also when there is more or less than the
    header says), BadBody and BadTlvs.
    """
    if len(octets) < HEADER_OCTETS:
        raise BadLength("shorter than a header")
    length, command, status, sequence = HEADER.unpack_from(octets)
    if length != len(octets):
        raise BadLength("not as long as its header says", command, sequence)
    return decode_body(octets, command, status, sequence)


def decode_body(octets: bytes, command: int, status: int, sequence: int) -> Pdu:
    """Read one whole PDU whose header was read. Raises BadBody and BadTlvs."""
    read = _READERS.get(command)
    try:
        if read is not None:
            body: Body = read(octets)
        elif command in _BARE or len(octets) == HEADER_OCTETS:
            body = None
        else:
            body = octets[HEADER_OCTETS:]
    except PduError as error:
        error.command, error.sequence = command, sequence
        raise
    return _new_tuple(Pdu, (command, sequence, status, body))


_BARE: Final = frozenset(
    {c.UNBIND, c.UNBIND_RESP, c.ENQUIRE_LINK, c.ENQUIRE_LINK_RESP, c.GENERIC_NACK, c.CANCEL_SM_RESP}
)

_new_tuple: Final = tuple.__new__
"""What the `__new__` of a NamedTuple does, without its Python in between: that is half of reading a receipt."""

# The fields before the text in one go; possessive by nature, as a string cannot contain the NUL that ends it.
_MESSAGE: Final = re.compile(rb"([^\0]*)\0(..)([^\0]*)\0(..)([^\0]*)\0(...)([^\0]*)\0([^\0]*)\0(.....)", re.DOTALL)
_DATA: Final = re.compile(rb"([^\0]*)\0(.)(.)([^\0]*)\0(.)(.)([^\0]*)\0(.)(.)(.)", re.DOTALL)
_BIND: Final = re.compile(rb"([^\0]*)\0([^\0]*)\0([^\0]*)\0(.)(.)(.)([^\0]*)\0", re.DOTALL)
_QUERY: Final = re.compile(rb"([^\0]*)\0(.)(.)([^\0]*)\0", re.DOTALL)
_QUERY_ANSWER: Final = re.compile(rb"([^\0]*)\0([^\0]*)\0(.)(.)", re.DOTALL)
_CANCEL: Final = re.compile(rb"([^\0]*)\0([^\0]*)\0(.)(.)([^\0]*)\0(.)(.)([^\0]*)\0", re.DOTALL)


def _read_message(octets: bytes) -> Message:
    found = _MESSAGE.match(octets, HEADER_OCTETS)
    if found is None:
        raise BadBody("a message that ends before its text")
    start = found.end()
    end = start + octets[start - 1]
    if end > len(octets):
        raise BadBody("a text that is longer than the PDU")
    service, s_kind, source, d_kind, destination, three, schedule, validity, five = found.groups()
    return _new_tuple(
        Message,
        (
            service.decode("latin-1"),
            *s_kind,
            source.decode("latin-1"),
            *d_kind,
            destination.decode("latin-1"),
            *three,
            schedule.decode("latin-1") if schedule else "",
            validity.decode("latin-1") if validity else "",
            *five[:4],
            octets[start:end],
            tlv.decode(octets, end) if end < len(octets) else (),
        ),
    )


def _read_data(octets: bytes) -> Data:
    fields, end = _fields(_DATA, octets, strings=(0, 3, 6))
    return Data._make([*fields, tlv.decode(octets, end)])


def _read_bind(octets: bytes) -> Bind:
    return Bind(*_fields(_BIND, octets, strings=(0, 1, 2, 6))[0])


def _read_query(octets: bytes) -> Query:
    return Query(*_fields(_QUERY, octets, strings=(0, 3))[0])


def _read_query_answer(octets: bytes) -> QueryAnswer | None:
    if len(octets) == HEADER_OCTETS:
        return None
    return QueryAnswer(*_fields(_QUERY_ANSWER, octets, strings=(0, 1))[0])


def _read_cancel(octets: bytes) -> Cancel:
    return Cancel(*_fields(_CANCEL, octets, strings=(0, 1, 4, 7))[0])


def _fields(pattern: re.Pattern[bytes], octets: bytes, strings: tuple[int, ...]) -> tuple[list[Any], int]:
    """Read the fields of a pattern, and where they end."""
    found = pattern.match(octets, HEADER_OCTETS)
    if found is None:
        raise BadBody("it ends before its last field")
    fields = [value.decode("latin-1") if number in strings else value[0] for number, value in enumerate(found.groups())]
    return fields, found.end()


def _read_answer(octets: bytes) -> Answer:
    """Read an id and what comes after it; some carriers leave the NUL out, or pad what follows."""
    end = octets.find(b"\0", HEADER_OCTETS)
    if end < 0:
        return Answer(octets[HEADER_OCTETS:].decode("latin-1"))
    text = octets[HEADER_OCTETS:end].decode("latin-1")
    if end + 1 == len(octets):
        return _new_tuple(Answer, (text, ()))
    try:
        return Answer(text, tlv.decode(octets, end + 1))
    except PduError:
        return Answer(text)  # whoever waits for the id must get it


_READERS: Final[Mapping[int, Callable[[bytes], Body]]] = {
    c.SUBMIT_SM: _read_message,
    c.DELIVER_SM: _read_message,
    c.DATA_SM: _read_data,
    c.BIND_RECEIVER: _read_bind,
    c.BIND_TRANSMITTER: _read_bind,
    c.BIND_TRANSCEIVER: _read_bind,
    c.QUERY_SM: _read_query,
    c.CANCEL_SM: _read_cancel,
    c.QUERY_SM_RESP: _read_query_answer,
    c.SUBMIT_SM_RESP: _read_answer,
    c.DELIVER_SM_RESP: _read_answer,
    c.DATA_SM_RESP: _read_answer,
    c.BIND_RECEIVER_RESP: _read_answer,
    c.BIND_TRANSMITTER_RESP: _read_answer,
    c.BIND_TRANSCEIVER_RESP: _read_answer,
}


def _encode_fields(body: Data | Bind | Answer | Query | QueryAnswer | Cancel) -> bytes:
    """Write strings with their NUL, numbers as an octet, and parameters at the end."""
    written = bytearray()
    try:
        for field in body:
            if isinstance(field, str):
                if "\0" in field:
                    raise Unencodable("a string holds a NUL")
                written += field.encode("latin-1") + b"\0"
            elif isinstance(field, int):
                written.append(field)
            elif isinstance(field, tuple):
                written += tlv.encode(field)
    except ValueError as error:
        raise Unencodable("a field is out of its range") from error
    return bytes(written)
