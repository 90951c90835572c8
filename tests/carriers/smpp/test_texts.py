"""Texts out and in again: nothing is lost on the way, and what comes broken is read as far as it goes."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callsheet.carriers.base import InvalidMessage, Outbound
from callsheet.carriers.smpp.account import SmppAccount
from callsheet.carriers.smpp.alphabets import Alphabet, alphabet_of, decode_gsm, encode_gsm
from callsheet.carriers.smpp.pdu import Message
from callsheet.carriers.smpp.reading import read_text
from callsheet.carriers.smpp.submits import Submits
from callsheet.carriers.smpp.text import LongTexts, References, TextRules, write_text
from callsheet.carriers.smpp.tlv import Tlv
from callsheet.clock import SystemClock
from callsheet.core.part import Part
from callsheet.core.segments import GSM_BASIC, GSM_EXTENSION, Writing, measure
from examples import drawn

RULES = [
    TextRules(long_texts=way, reference_bits=bits, zero=zero)
    for way in LongTexts
    for bits in (8, 16)
    for zero in (Alphabet.gsm, Alphabet.latin_1, Alphabet.ascii)
]
TEXTS = st.one_of(
    st.text(GSM_BASIC + GSM_EXTENSION, max_size=700),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=300),
)


def as_message(short):
    return Message(
        esm_class=short.esm_class, data_coding=short.data_coding, short_message=short.short_message, tlvs=short.tlvs
    )


@drawn(200)
@given(TEXTS, st.integers(0, 0xFFFF), st.sampled_from(RULES))
def test_a_text_comes_back_as_it_was_whatever_the_trunk_wants(text, reference, rules):
    shorts = write_text(text, reference, rules)
    said = [read_text(as_message(short), rules.zero) for short in shorts]

    assert "".join(one.text for one in said) == text
    assert all(len(short.short_message) <= 140 or short.data_coding == 0 for short in shorts if short.tlvs == ())
    if len(shorts) > 1:
        kept = reference % (1 << rules.reference_bits)
        assert [one.part for one in said] == [Part(kept, len(said), at) for at in range(1, len(said) + 1)]


ACCOUNTS = [
    SmppAccount(host="smsc.test", system_id="us", data_coding_0=zero, concatenation=way, reference_bits=bits)
    for zero in ("gsm", "latin-1", "ascii")
    for way in LongTexts
    for bits in (8, 16)
]


@pytest.mark.parametrize(
    "account", ACCOUNTS, ids=lambda one: f"{one.data_coding_0} {one.concatenation} {one.reference_bits}"
)
@settings(max_examples=30)
@given(TEXTS)
def test_as_many_parts_leave_as_were_counted_whatever_the_trunk_wants(account, text):
    counted = measure(text, account.writing())
    submits = Submits(account, SystemClock(), random.Random(1))
    written = submits.write(Outbound("a", "+12125550100", "+12125550101", text, counted.count, "c"))

    if account.concatenation is not LongTexts.payload:
        assert len(written) == counted.count
    assert {one.data_coding for one in written} == {0 if counted.encoding == "GSM-7" else 8}


@pytest.mark.parametrize(
    ("text", "writing", "count"),
    [
        ("Votre colis est arrivé. " * 6, Writing("ascii"), 3),
        ("Prix 10 € " * 15, Writing("latin-1"), 3),
        ("a" * 153 * 20, Writing(header_octets=7), 21),
    ],
)
def test_a_trunk_that_is_not_usual_takes_more_segments(text, writing, count):
    assert measure(text, writing).count == count > measure(text).count


@pytest.mark.parametrize(
    ("text", "bits", "octets"),
    [("a" * 161, 8, [159, 14]), ("a" * 161, 16, [159, 16]), ("ж" * 71, 8, [140, 14]), ("ж" * 71, 16, [139, 17])],
)
def test_parts_are_as_long_as_the_radio_lets_them_be(text, bits, octets):
    shorts = write_text(text, 0x1234, TextRules(reference_bits=bits))

    assert [len(short.short_message) for short in shorts] == octets
    header = bytes([5, 0, 3, 0x34, 2, 1]) if bits == 8 else bytes([6, 8, 4, 0x12, 0x34, 2, 1])
    assert shorts[0].short_message.startswith(header)
    assert {short.esm_class for short in shorts} == {0x40}


def test_a_text_may_have_255_parts_and_no_more():
    shorts = write_text("a" * 153 * 255, 0)

    assert len(shorts) == 255
    assert shorts[-1].short_message[:6] == bytes([5, 0, 3, 0, 255, 255])
    with pytest.raises(InvalidMessage, match="too_many_parts"):
        write_text("a" * (153 * 255 + 1), 0)


def test_a_payload_has_the_whole_text_and_a_bound():
    (short,) = write_text("a" * 1000, 0, TextRules(long_texts=LongTexts.payload))

    assert (short.short_message, short.tlvs) == (b"", (Tlv(0x0424, b"a" * 1000),))
    with pytest.raises(InvalidMessage, match="too_long"):
        write_text("a" * 65_536, 0, TextRules(long_texts=LongTexts.payload))


@pytest.mark.parametrize("way", list(LongTexts))
def test_half_a_pair_is_not_sent(way):
    with pytest.raises(InvalidMessage, match="not_encodable"):
        write_text("half \ud83d", 0, TextRules(long_texts=way))


def test_a_carrier_whose_zero_is_latin_gets_what_it_cannot_write_in_ucs2():
    rules = TextRules(zero=Alphabet.latin_1)

    assert write_text("Grüße @ [1]", 0, rules)[0].short_message == "Grüße @ [1]".encode("latin-1")
    assert [short.data_coding for short in write_text("10 €", 0, rules)] == [8]
    assert len(write_text("€" * 71, 0, rules)) == 2


def test_every_character_of_the_alphabet_has_its_code():
    for char in GSM_BASIC + GSM_EXTENSION:
        assert decode_gsm(encode_gsm(char)) == char
    assert encode_gsm("@$_ÑΔ€[") == bytes([0, 2, 0x11, 0x5D, 0x10, 0x1B, 0x65, 0x1B, 0x3C])


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\x1b", ""),
        (b"ab\x1b", "ab"),
        (b"\x1b\x1bA", "A"),
        (b"\x1b\x41", "A"),
        (b"\x1be", "€"),
        (b"me\x00home", "me@home"),
        ("Grüße".encode("latin-1"), "Grüße"),
        ("Grüße".encode(), "Grüße"),
    ],
)
def test_gsm_is_read_as_handsets_read_it_and_what_is_none_as_it_was_meant(octets, text):
    assert decode_gsm(octets) == text


@pytest.mark.parametrize(
    ("coding", "octets", "text"),
    [
        (0, b"Hi\x00", "Hi@"),
        (1, b"Hi\0", "Hi"),
        (3, "olé\0".encode("latin-1"), "olé"),
        (8, "да\0".encode("utf-16-be"), "да"),
        (8, "да".encode("utf-16-be") + b"\x04", "да"),
        (8, "\ufeffжизнь".encode("utf-16-be"), "жизнь"),
        (8, "ok 👍".encode("utf-16-be"), "ok 👍"),
        (8, "ok 👍".encode("utf-16-be")[:-2], "ok \ufffd"),
        (0x18, "да".encode("utf-16-be"), "да"),
        (0x10, b"Hi", "Hi"),
        (0xF1, b"Hi", "Hi"),
        (0xF5, b"\xe9", "é"),
        (6, "да".encode("iso8859_5"), "да"),
        (7, "שלום".encode("iso8859_8"), "שלום"),
        (5, "はい".encode("shift_jis"), "はい"),
        (14, "네".encode("euc_kr"), "네"),
    ],
)
def test_a_reply_is_read_by_its_data_coding(coding, octets, text):
    assert read_text(Message(data_coding=coding, short_message=octets)).text == text


BROKEN = [
    (b"", "", None),
    (b"\xff", "ÿ", None),
    (b"STOP", "STOP", None),
    (b"\x04STOP", "", None),
    (b"\x05STOP", "\x05STOP", None),
    (b"\x05\x00\x03\x01\x02", "\x05\x03\x01\x02", None),
    (b"\x00text", "text", None),
    (b"\x03\x00\x03\x01text", "text", None),
    (b"\x05\x00\x03\x01\x02\x03text", "text", None),
    (b"\x05\x00\x03\x01\x00\x00text", "text", None),
    (b"\x05\x00\x03\x01\x01\x01text", "text", None),
    (b"\x05\x00\x03\x07\x02\x01text", "text", Part(7, 2, 1)),
    (b"\x06\x08\x04\x01\x07\x02\x02text", "text", Part(263, 2, 2)),
    (b"\x08\x24\x01\x01\x00\x03\x07\x02\x01text", "text", Part(7, 2, 1)),
    (b"\x05\x00\x03\xff\xff\xfftext", "text", Part(255, 255, 255)),
]


@pytest.mark.parametrize(("octets", "text", "part"), BROKEN)
def test_a_broken_header_costs_no_more_than_itself(octets, text, part):
    said = read_text(Message(esm_class=0x40, data_coding=3, short_message=octets))

    assert said == (text, part)


@drawn(400)
@given(
    st.binary(max_size=254),
    st.integers(0, 255),
    st.integers(0, 255),
    st.lists(st.tuples(st.sampled_from([0x20C, 0x20E, 0x20F, 0x424]), st.binary(max_size=6)), max_size=4),
    st.sampled_from([Alphabet.gsm, Alphabet.latin_1, Alphabet.ascii]),
)
def test_any_octets_are_some_text_without_a_nul_that_can_be_stored(octets, coding, esm_class, tlvs, zero):
    message = Message(
        esm_class=esm_class, data_coding=coding, short_message=octets, tlvs=tuple(Tlv(*pair) for pair in tlvs)
    )
    text, part = read_text(message, zero)

    assert "\0" not in text
    text.encode("utf-8")
    assert len(text) <= 254
    assert part is None or 1 <= part.number <= part.total <= 255


def test_every_data_coding_means_something():
    assert {alphabet_of(coding) for coding in range(256)} <= set(Alphabet)


def test_two_long_texts_to_one_person_never_share_a_reference():
    references = References(seed=7)
    given_out = [references.next("+447700900123") % 256 for _ in range(256)]

    assert len(set(given_out)) == 256
    assert {References(seed).next("+447700900123") for seed in range(20)} != {references.next("+447700900123")}


def test_references_remember_a_bounded_number_of_people():
    references = References()
    for number in range(70_000):
        references.next(str(number))

    assert len(references._last) == 65_536
