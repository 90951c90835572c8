"""Receipts as carriers write them: the id in every way that the answer may have written it, and no state made up."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.carriers.smpp.failures import UnreadableReceipt
from callsheet.carriers.smpp.pdu import Message
from callsheet.carriers.smpp.receipts import Ids, as_answers_wrote, is_receipt, read_receipt
from callsheet.carriers.smpp.tlv import Tlv
from callsheet.core.attempt import Kind
from callsheet.core.matching import canonical, canonical_ids
from examples import drawn

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
USUAL = "id:{id} sub:001 dlvrd:001 submit date:2611211130 done date:2611211131 stat:{stat} err:{err} text:Hello"


def receipt(text="", tlvs=(), esm_class=4):
    octets = text if isinstance(text, bytes) else text.encode("latin-1")
    return Message("", 1, 1, "447700900123", 5, 0, "Acme", esm_class, short_message=octets, tlvs=tlvs)


@pytest.mark.parametrize(
    ("stat", "kind", "code"),
    [
        ("DELIVRD", Kind.delivered, ""),
        ("DELIVERED", Kind.delivered, ""),
        ("EXPIRED", Kind.undelivered, "EXPIRED:012"),
        ("DELETED", Kind.undelivered, "DELETED:012"),
        ("UNDELIV", Kind.undelivered, "UNDELIV:012"),
        ("REJECTD", Kind.undelivered, "REJECTD:012"),
        ("FAILED", Kind.undelivered, "FAILED:012"),
        ("ACCEPTD", Kind.accepted, "ACCEPTD:012"),
        ("ENROUTE", Kind.accepted, "ENROUTE:012"),
        ("BUFFERED", Kind.accepted, "BUFFERED:012"),
        ("UNKNOWN", Kind.accepted, "UNKNOWN:012"),
    ],
)
def test_every_state_is_read_and_what_is_under_way_is_not_final(stat, kind, code):
    err = "000" if kind is Kind.delivered else "012"
    told = read_receipt(receipt(USUAL.format(id="77", stat=stat, err=err)), AT)

    assert (told.carrier_id, told.kind, told.code, told.at) == ("77", kind, code, AT)
    assert (told.reference, told.number, told.hint) == ("", "+447700900123", None)


@pytest.mark.parametrize(
    "text",
    [
        "id:c3f0 sub:001 dlvrd:001 submit date:261121113000 done date:261121113100 stat:DELIVRD err:000 Text:Hi",
        "ID:c3f0 STAT:DELIVRD ERR:000",
        "stat:DELIVRD err:000 id:c3f0",
        "id:c3f0 stat:delivrd",
        "id: c3f0 sub: 001 stat: DELIVRD err: 000 text: stat:UNDELIV id:9",
        "id:c3f0\nsub:001\ndlvrd:001\nsubmit date:20261121113000\ndone date:20261121113100\nstat:DELIVRD\nerr:0",
        "id:c3f0,sub:1,dlvrd:1,stat:DELIVRD,err:0",
        "id=c3f0;stat=DELIVRD",
        "id:c3f0 sub:001 dlvrd:001 submit_date:2611211130 done_date:2611211131 status:DELIVRD error:000",
        "id:c3f0 sub:001 dlvrd:001 submit date: done date: stat:DELIVRD err: text:",
        "id:c3f0\0 stat:DELIVRD\0",
        b"id:c3f0 stat:DELIVRD text:\xff\x00\x1b\xfe",
    ],
)
def test_receipts_are_read_in_every_way_that_carriers_write_them(text):
    told = read_receipt(receipt(text), AT)

    assert (told.carrier_id, told.kind, told.code) == ("c3f0", Kind.delivered, "")


def test_what_we_wrote_ourselves_says_nothing_in_a_receipt():
    text = USUAL.format(id="1", stat="DELIVRD", err="000").replace("Hello", "id:2 stat:UNDELIV err:9")

    assert read_receipt(receipt(text), AT).carrier_id == "1"


def test_parameters_alone_are_a_receipt():
    tlvs = (Tlv(0x001E, b"abc\0"), Tlv(0x0427, b"\5"), Tlv(0x0423, b"\3\0\x22"), Tlv(0x0204, b"\x12\x34"))
    told = read_receipt(receipt(tlvs=tlvs, esm_class=0), AT)

    assert is_receipt(receipt(tlvs=tlvs, esm_class=0))
    assert (told.carrier_id, told.kind, told.code, told.hint) == ("abc", Kind.undelivered, "UNDELIV:34", 0x1234)


def test_the_id_of_the_parameter_goes_before_the_one_in_the_text():
    text = USUAL.format(id="00000099", stat="DELIVRD", err="000")

    assert read_receipt(receipt(text, (Tlv(0x001E, b"63\0"),)), AT).carrier_id == "63"


def test_a_receipt_in_the_payload_is_read():
    text = USUAL.format(id="5", stat="DELIVRD", err="000").encode()

    assert read_receipt(receipt(tlvs=(Tlv(0x0424, text),)), AT).carrier_id == "5"


@pytest.mark.parametrize("esm_class", [0x04, 0x20, 0x24, 0x44])
def test_receipts_and_notifications_are_known_by_their_class(esm_class):
    assert is_receipt(receipt("id:1 stat:DELIVRD", esm_class=esm_class))


@pytest.mark.parametrize("esm_class", [0x00, 0x40, 0x03, 0x08, 0x10])
def test_a_person_who_writes_like_a_receipt_is_a_person(esm_class):
    assert not is_receipt(receipt("id:1 stat:DELIVRD", esm_class=esm_class))


@pytest.mark.parametrize("text", ["", "id:1", "stat:DELIVRD", "id:1 stat:WHATEVER", "Hello", "id: stat:", "\0\0"])
def test_a_receipt_that_says_too_little_is_refused_by_name(text):
    with pytest.raises(UnreadableReceipt):
        read_receipt(receipt(text), AT)


@pytest.mark.parametrize(
    ("written", "ids", "found"),
    [
        ("0123456789", Ids.auto, ("0123456789", "123456789", "4886718345", "75bcd15")),
        ("1D", Ids.hex, ("29",)),
        ("29", Ids.decimal, ("1d",)),
        ("1d", Ids.decimal, ("1d",)),
        ("000000000000002A", Ids.auto, ("000000000000002A", "2a", "42")),
        ("7", Ids.auto, ("7",)),
        ("0", Ids.auto, ("0",)),
        ("a-b-c", Ids.auto, ("a-b-c",)),
        ("0f8fad5b-d9cb-469f-a165-70867728950e", Ids.auto, ("0f8fad5b-d9cb-469f-a165-70867728950e",)),
    ],
)
def test_an_id_is_also_looked_for_as_the_answer_may_have_written_it(written, ids, found):
    assert as_answers_wrote(written, ids) == found


@given(st.integers(0, 2**63))
def test_hexadecimal_and_decimal_find_each_other(number):
    for answer, receipts in (
        (f"{number:X}", f"{number:010}"),
        (f"{number:016x}", str(number)),
        (str(number), f"{number:X}"),
    ):
        assert canonical(answer) in canonical_ids(as_answers_wrote(receipts))


@drawn(400)
@given(
    st.one_of(st.binary(max_size=300), st.from_regex(r"(id|stat|err|text|done date)[:=] ?[^:]{0,40}", fullmatch=True)),
    st.lists(st.tuples(st.sampled_from([0x1E, 0x427, 0x423, 0x204, 0x424]), st.binary(max_size=70)), max_size=4),
)
def test_any_text_and_any_parameters_are_a_receipt_or_unreadable(text, tlvs):
    octets = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    try:
        told = read_receipt(receipt(octets, tuple(Tlv(*pair) for pair in tlvs)), AT)
    except UnreadableReceipt:
        return
    assert 0 < len(told.carrier_id) <= 64
    assert len(told.code) <= 27
    assert "\0" not in told.carrier_id + told.code


def test_a_receipt_of_64_kib_is_read_in_no_time():
    with pytest.raises(UnreadableReceipt):
        read_receipt(receipt(tlvs=(Tlv(0x0424, b"id:" * 21_000),)), AT)
