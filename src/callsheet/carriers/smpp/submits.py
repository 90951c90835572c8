"""From a message to the `submit_sm` that carry it, as an account wants them."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from callsheet.carriers.base import Outbound
from callsheet.carriers.smpp import tlv
from callsheet.carriers.smpp.account import SmppAccount
from callsheet.carriers.smpp.addresses import AddressRules, destination_of, source_of
from callsheet.carriers.smpp.commands import FINAL_RECEIPT
from callsheet.carriers.smpp.pdu import Message
from callsheet.carriers.smpp.text import References, write_text
from callsheet.carriers.smpp.times import validity_of
from callsheet.carriers.smpp.tlv import Tlv, Tlvs
from callsheet.clock import Clock
from callsheet.core.ids import hint_of
from callsheet.core.segments import UCS_SINGLE

ENTITY_TAG = "dlt_entity_id"
TEMPLATE_TAG = "dlt_template_id"


class Submits:
    """Writes the messages of one account."""

    def __init__(self, account: SmppAccount, clock: Clock, rng: random.Random) -> None:
        self._account = account
        self._clock = clock
        self._addresses = _address_rules(account)
        self._texts = account.texts()
        self._references = References(rng.getrandbits(32))
        self._longest = timedelta(seconds=account.validity_seconds) if account.validity_seconds else None
        self._usual_validity = validity_of(self._longest) if self._longest else ""

    def write(self, message: Outbound) -> list[Message]:
        """Return the PDUs of a message. Raises InvalidMessage."""
        account = self._account
        # A text of one part shares nothing with anybody. In UCS-2, this carrier may need more parts than were counted.
        may_have_parts = message.segments > 1 or len(message.text) > UCS_SINGLE
        reference = self._references.next(message.to) if may_have_parts else 0
        shorts = write_text(message.text, reference, self._texts)
        source = source_of(message.sender, self._addresses)
        destination = destination_of(message.to, self._addresses)
        validity = self._validity(message.valid_until)
        registered = FINAL_RECEIPT if message.wants_receipt else 0
        tlvs = self._tlvs(message)
        return [
            Message(
                account.service_type, *source, *destination, short.esm_class, 0, 0, "", validity, registered, 0,
                short.data_coding, 0, short.short_message, short.tlvs + tlvs,
            )
            for short in shorts
        ]  # fmt: skip

    def _validity(self, until: datetime | None) -> str:
        """Return for how long the carrier shall try: no longer than the contact's window is open."""
        if until is None:
            return self._usual_validity
        left = until - self._clock.now()
        return self._usual_validity if self._longest and left >= self._longest else validity_of(left)

    def _tlvs(self, message: Outbound) -> Tlvs:
        account, tags = self._account, message.tags
        tlvs = []
        if account.user_message_reference:
            tlvs.append(Tlv(tlv.USER_MESSAGE_REFERENCE, hint_of(message.reference).to_bytes(2)))
        if tags:
            for name, tag in ((ENTITY_TAG, account.dlt_entity_tag), (TEMPLATE_TAG, account.dlt_template_tag)):
                if value := tags.get(name):
                    tlvs.append(Tlv(tag, value.encode("ascii", "replace")))
        return tuple(tlvs)


def _address_rules(account: SmppAccount) -> AddressRules:
    def over(usual: tuple[int, int], ton: int | None, npi: int | None) -> tuple[int, int]:
        return (usual[0] if ton is None else ton, usual[1] if npi is None else npi)

    usual, source = AddressRules(), (account.source_ton, account.source_npi)
    return AddressRules(
        international=over(usual.international, *source),
        short_code=over(usual.short_code, *source),
        alphanumeric=over(usual.alphanumeric, *source),
        destination=over(usual.destination, account.destination_ton, account.destination_npi),
        plus=account.plus,
    )
