"""Names for what handsets send: a `deliver_sm` has no id, and a message told twice must get the same one.

A person may well send the same words twice, so equal words are no proof. What is: that an equal message was heard
before, and that the carrier cannot know that we have it, because its session ended without our answer, or so soon after
it that the answer may not have arrived, or because we refused it. Each of
those stands for one repetition. It is remembered here for one carrier of one process only; what another was told, the
store knows.
"""

from __future__ import annotations

import hashlib
import random
from collections import OrderedDict
from typing import Final

from callsheet.carriers.smpp import tlv
from callsheet.carriers.smpp.pdu import Message
from callsheet.carriers.smpp.reading import octets_of

REMEMBER_SECONDS: Final = 3600.0
MOST_REMEMBERED: Final = 10_000
_SAR: Final = (tlv.SAR_REFERENCE, tlv.SAR_TOTAL, tlv.SAR_NUMBER)


class Repetitions:
    """Remembers which messages the carrier may tell again. Instants are those of the monotonic clock."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        # Not to be guessed from a number and a word.
        self._salt = rng.randbytes(16)
        self._expected: OrderedDict[str, bytes] = OrderedDict()
        self._since: dict[str, float] = {}

    def digest(self, message: Message) -> bytes:
        """Return what equal messages have in common."""
        sar = [tlv.find(message.tlvs, tag) for tag in _SAR]
        facts = repr((message[3], message[6], message.esm_class, message.data_coding, octets_of(message), sar))
        return hashlib.blake2b(facts.encode(), key=self._salt, digest_size=16).digest()

    def name(self, digest: bytes, now: float) -> str:
        """Return the id of a message: that of an equal one that is expected again, else a new one."""
        self._forget(now)
        for inbound_id, expected in self._expected.items():
            if expected == digest:
                del self._expected[inbound_id], self._since[inbound_id]
                return inbound_id
        return f"{self._rng.getrandbits(96):024x}"

    def expect(self, inbound_id: str, digest: bytes, now: float) -> None:
        """Remember that the carrier may tell a message again."""
        self._expected[inbound_id] = digest
        self._since[inbound_id] = now

    def _forget(self, now: float) -> None:
        while self._expected:
            oldest = next(iter(self._expected))
            if len(self._expected) <= MOST_REMEMBERED and self._since[oldest] > now - REMEMBER_SECONDS:
                return
            del self._expected[oldest], self._since[oldest]
