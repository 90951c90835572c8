"""The stream: octets go in as they come, and PDUs come out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from callsheet.carriers.smpp.failures import BadLength
from callsheet.carriers.smpp.pdu import HEADER, HEADER_OCTETS, Pdu, decode_body

MOST_PDU_OCTETS: Final = 65_536
"""A longer PDU is not waited for: a payload of 64 KiB is the longest that a message can be."""


class Decoder:
    """Reads the PDUs of one connection. It holds no more than one unfinished PDU and what was fed last."""

    def __init__(self, most_octets: int = MOST_PDU_OCTETS) -> None:
        self._most_octets = most_octets
        self._rest = bytearray()
        self._wanted = HEADER_OCTETS

    def feed(self, data: bytes) -> Iterator[Pdu]:
        """Give each PDU that is complete now, in order. To be read to its end, or to an error.

        Raises BadLength: nothing after it can be read, and the connection has to end. Raises BadBody and BadTlvs: only
        this PDU cannot be read; feeding on (nothing, too) goes on behind it.
        """
        buffer = data
        if self._rest:
            self._rest += data
            if len(self._rest) < self._wanted:
                return  # octet by octet, it is not copied each time
            buffer = bytes(self._rest)
        at, end = 0, len(buffer)
        self._wanted = HEADER_OCTETS
        try:
            while end - at >= HEADER_OCTETS:
                length, command, status, sequence = HEADER.unpack_from(buffer, at)
                if not HEADER_OCTETS <= length <= self._most_octets:
                    at = end
                    raise BadLength("a length that no PDU has", command, sequence)
                if end - at < length:
                    self._wanted = length
                    break
                at += length
                yield decode_body(buffer[at - length : at], command, status, sequence)
        finally:
            if at < end or self._rest:
                self._rest = bytearray(buffer[at:])
