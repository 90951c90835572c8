"""How fast a message is written and a receipt is read, beside aiosmpplib in the same run and process.

Both begin with the text and end with octets, and begin with octets and end with the parts of the receipt. Each is
measured in many short turns, the best counts: what else the machine does falls on both alike.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from row import Row

from callsheet.carriers.smpp import commands as c
from callsheet.carriers.smpp.addresses import destination_of, source_of
from callsheet.carriers.smpp.pdu import Message, encode_message
from callsheet.carriers.smpp.receipts import is_receipt, read_receipt
from callsheet.carriers.smpp.stream import Decoder
from callsheet.carriers.smpp.text import write_text

TIMES = 100
TURNS = 60
AIM = 5.0
TEXT = "Dear Ms Miller, your order 4711 leaves our house today and will be with you tomorrow before noon."
RECEIPT = (
    b"id:0123456789 sub:001 dlvrd:001 submit date:2611211230 done date:2611211231 stat:DELIVRD err:000 text:Dear Ms"
)
AT_ONCE = 10
AT = datetime(2026, 11, 21, 12, 31, tzinfo=UTC)
DELIVERED = encode_message(c.DELIVER_SM, 9, Message("", 1, 1, "447700900123", 5, 0, "Acme", 4, short_message=RECEIPT))
STREAM = DELIVERED * AT_ONCE


def ours_encodes() -> bytes:
    (short,) = write_text(TEXT, 0)
    message = Message(
        "", *source_of("Acme"), *destination_of("+447700900123"), short.esm_class, 0, 0, "", "", 1, 0,
        short.data_coding, 0, short.short_message, short.tlvs,
    )  # fmt: skip
    return encode_message(c.SUBMIT_SM, 7, message)


def ours_decodes() -> list[str]:
    found = []
    for pdu in Decoder().feed(STREAM):
        assert isinstance(pdu.body, Message)
        assert is_receipt(pdu.body)
        found.append(read_receipt(pdu.body, AT).carrier_id)
    return found


def theirs() -> tuple[Callable[[], bytes], Callable[[], list[object]]]:
    """Do the same with aiosmpplib."""
    from aiosmpplib import NPI, TON, DeliverSm, PhoneNumber, SubmitSm  # noqa: PLC0415

    def encodes() -> bytes:
        source = PhoneNumber("Acme", TON.ALPHANUMERIC, NPI.UNKNOWN)
        destination = PhoneNumber("447700900123", TON.INTERNATIONAL, NPI.ISDN)
        message = SubmitSm(short_message=TEXT, source=source, destination=destination, sequence_num=7)
        return bytes(message.pdu())

    def decodes() -> list[object]:
        found = []
        for at in range(0, len(STREAM), len(DELIVERED)):
            octets = STREAM[at : at + len(DELIVERED)]
            message = DeliverSm.from_pdu(octets, DeliverSm.parse_header(octets), "gsm0338", None)
            assert message.is_receipt()
            found.append(message.parse_receipt()["id"])
        return found

    return encodes, decodes


def per_second(works: list[Callable[[], object]]) -> list[float]:
    """Measure each in turns, best of some."""
    best = [0.0] * len(works)
    for _ in range(TURNS):
        for at, work in enumerate(works):
            best[at] = max(best[at], TIMES / timeit.timeit(work, number=TIMES))
    return best


def rows() -> Iterator[Row]:
    """Measure."""
    try:
        encodes, decodes = theirs()
    except ImportError:
        print("aiosmpplib is not installed (`make setup`): nothing stands beside the codec")
        return
    assert encodes() == ours_encodes()
    assert decodes() == ours_decodes()
    works: list[tuple[str, int, Callable[[], object], Callable[[], object]]] = [
        ("text to submit_sm", 1, ours_encodes, encodes),
        ("deliver_sm to receipt", AT_ONCE, ours_decodes, decodes),
    ]
    for name, messages, our, their in works:
        ours, beside = (messages * rate for rate in per_second([our, their]))
        yield Row(f"codec: {name}", f"{ours:,.0f}/s", f"aiosmpplib: {beside:,.0f}/s", ours / beside)
        yield Row("the same beside the aim", f"{ours / beside:.2f}", f"aim: {AIM}", ours / beside / AIM)
