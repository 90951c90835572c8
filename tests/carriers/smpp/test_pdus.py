"""What we write is, octet for octet, what a codec by others writes, and we read it back as it was."""

import random

import pytest
import smpp34

from callsheet.carriers.smpp import commands as c
from callsheet.carriers.smpp.failures import BadBody, BadLength, BadTlvs, PduError, Unencodable
from callsheet.carriers.smpp.pdu import (
    HEADER,
    Answer,
    Bind,
    Cancel,
    Data,
    Message,
    Pdu,
    Query,
    QueryAnswer,
    answer_to,
    decode,
    encode,
    encode_message,
)
from callsheet.carriers.smpp.tlv import Tlv

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-_ "


def word(rng, most):
    return "".join(rng.choices(LETTERS, k=rng.randint(0, most)))


def octet(rng):
    return rng.choice([0, 1, 255, rng.randrange(256)])


def parameters(rng):
    tags = [0x0204, 0x020C, 0x0424, 0x001E, 0x0427, 0x1400, 0x3FFF, rng.randrange(0x10000)]
    return tuple(Tlv(rng.choice(tags), rng.randbytes(rng.randint(0, 40))) for _ in range(rng.choice([0, 0, 1, 3])))


def random_message(rng):
    return Message(
        word(rng, 5),
        octet(rng),
        octet(rng),
        word(rng, 20),
        octet(rng),
        octet(rng),
        word(rng, 20),
        octet(rng),
        octet(rng),
        octet(rng),
        rng.choice(["", "261121123000000+"]),
        rng.choice(["", "000001000000000R"]),
        octet(rng),
        octet(rng),
        octet(rng),
        octet(rng),
        rng.randbytes(rng.choice([0, 1, 140, 254, rng.randint(0, 254)])),
        parameters(rng),
    )


def theirs(command, sequence, message):
    make = smpp34.SubmitSm if command == c.SUBMIT_SM else smpp34.DeliverSm
    return make(
        message.source,
        message.destination,
        message.short_message,
        service_type=message.service_type,
        source_addr_ton=message.source_ton,
        source_addr_npi=message.source_npi,
        dest_addr_ton=message.destination_ton,
        dest_addr_npi=message.destination_npi,
        esm_class=message.esm_class,
        protocol_id=message.protocol_id,
        priority_flag=message.priority,
        schedule_delivery_time=message.schedule,
        validity_period=message.validity,
        registered_delivery=message.registered_delivery,
        replace_if_present_flag=message.replace,
        data_coding=message.data_coding,
        sm_default_msg_id=message.default_message_id,
        tlvs=[smpp34.Tlv(tag, value) for tag, value in message.tlvs],
        sequence_number=sequence,
    ).encode()


def compare(seed, count):
    rng = random.Random(seed)
    for _ in range(count):
        command = rng.choice([c.SUBMIT_SM, c.DELIVER_SM])
        sequence = rng.choice([1, 0x7FFFFFFF, rng.randint(1, 0x7FFFFFFF)])
        message = random_message(rng)
        octets = encode_message(command, sequence, message)
        assert octets == theirs(command, sequence, message)
        assert decode(octets) == Pdu(command, sequence, 0, message)
        assert encode(Pdu(command, sequence, 0, message)) == octets


def test_messages_are_octet_for_octet_those_of_another_codec():
    compare(1, 500)


@pytest.mark.full
def test_three_thousand_messages_are_octet_for_octet_those_of_another_codec():
    compare(2, 3_000)


BODIES = [
    (c.BIND_TRANSCEIVER, Bind("us", "secret", "VMA", 0x34, 1, 1, "^44")),
    (c.BIND_RECEIVER, Bind("us", "secret")),
    (c.BIND_TRANSMITTER, Bind()),
    (c.BIND_TRANSCEIVER_RESP, Answer("smsc", (Tlv(0x0210, b"\x34"),))),
    (c.SUBMIT_SM_RESP, Answer("0123abcd")),
    (c.DELIVER_SM_RESP, Answer("")),
    (c.DATA_SM, Data("", 1, 1, "447700900123", 1, 1, "447700900124", 4, 1, 8, (Tlv(0x0424, b"text"),))),
    (c.DATA_SM_RESP, Answer("7", (Tlv(0x0423, b"\3\0\1"),))),
    (c.QUERY_SM, Query("7", 1, 1, "447700900123")),
    (c.QUERY_SM_RESP, QueryAnswer("7", "261121123000000+", 2, 0)),
    (c.CANCEL_SM, Cancel("", "7", 1, 1, "447700900123", 1, 1, "447700900124")),
    (c.CANCEL_SM_RESP, None),
    (c.UNBIND, None),
    (c.UNBIND_RESP, None),
    (c.ENQUIRE_LINK, None),
    (c.ENQUIRE_LINK_RESP, None),
    (c.GENERIC_NACK, None),
    (0x00000102, b"an alert_notification, which we leave as it is"),
]


@pytest.mark.parametrize(("command", "body"), BODIES)
def test_every_pdu_reads_as_it_was_written_and_the_other_codec_sees_the_same_body(command, body):
    pdu = Pdu(command, 9, 0x58 if command & c.RESPONSE else 0, body)
    octets = encode(pdu)

    assert decode(octets) == pdu
    seen = smpp34.decode(octets)
    assert (seen.command_id, seen.command_status, seen.sequence_number) == (pdu.command, pdu.status, 9)
    assert seen.body == octets[16:]


def test_an_answer_names_the_request_that_it_is_for():
    request = Pdu(c.SUBMIT_SM, 77, 0, Message())

    assert decode(answer_to(request, "id-1")) == Pdu(c.SUBMIT_SM_RESP, 77, 0, Answer("id-1"))
    assert decode(answer_to(request, status=c.Status.THROTTLED)).status == 0x58
    assert decode(answer_to(Pdu(c.ENQUIRE_LINK, 5))) == Pdu(c.ENQUIRE_LINK_RESP, 5)


@pytest.mark.parametrize("body", [b"", b"abc", b"abc\0", b"abc\0\1", b"abc\0\2\4\0\x09x"])
def test_an_answer_that_ends_early_or_has_rubbish_behind_it_still_gives_its_id(body):
    answer = decode(encode(Pdu(c.SUBMIT_SM_RESP, 1, 0, body)))

    assert (answer.body and answer.body.text) in (None, "", "abc")
    assert not body or answer.body.text == "abc"


def test_the_shortest_responses_with_an_error_have_no_body():
    assert decode(encode(Pdu(c.QUERY_SM_RESP, 1, c.Status.QUERY_FAILED))).body is None
    assert decode(encode(Pdu(c.BIND_TRANSCEIVER_RESP, 1, c.Status.BIND_FAILED))).body == Answer("")


WHOLE = encode_message(c.DELIVER_SM, 3, Message("", 1, 1, "1", 1, 1, "2", short_message=b"hi", tlvs=(Tlv(5, b"1"),)))


def cut(octets):
    return HEADER.pack(len(octets), *HEADER.unpack_from(octets)[1:]) + octets[16:]


@pytest.mark.parametrize("left", range(16, len(WHOLE)))
def test_a_message_that_is_cut_anywhere_is_refused_by_name_and_with_its_sequence(left):
    if left == len(WHOLE) - 5:
        return  # exactly before its parameter it is whole
    with pytest.raises((BadBody, BadTlvs)) as caught:
        decode(cut(WHOLE[:left]))

    assert (caught.value.command, caught.value.sequence) == (c.DELIVER_SM, 3)
    assert not caught.value.ends_session


@pytest.mark.parametrize("octets", [b"", b"\0" * 15, WHOLE + b"\0", WHOLE[:-1]])
def test_octets_that_are_not_as_long_as_they_say_are_no_pdu(octets):
    with pytest.raises(BadLength):
        decode(octets)


@pytest.mark.parametrize(
    "message",
    [
        Message(source="1" * 21),
        Message(destination="1" * 21),
        Message(service_type="123456"),
        Message(validity="1"),
        Message(schedule="1" * 17),
        Message(short_message=b"1" * 255),
        Message(source="a\0b"),
        Message(source="Ж"),
        Message(source_ton=256),
        Message(data_coding=-1),
        Message(tlvs=(Tlv(1, b"1" * 65_536),)),
        Message(tlvs=(Tlv(-1, b"1"),)),
    ],
)
def test_what_the_protocol_cannot_write_is_refused_before_it_leaves(message):
    with pytest.raises(Unencodable):
        encode_message(c.SUBMIT_SM, 1, message)


@pytest.mark.parametrize(
    "pdu",
    [
        Pdu(c.SUBMIT_SM_RESP, 1, 0, Answer("a\0")),
        Pdu(c.SUBMIT_SM_RESP, 1, 0, Answer("Ж")),
        Pdu(c.QUERY_SM, 1, 0, Query("1", 256)),
        Pdu(c.ENQUIRE_LINK, -1),
        Pdu(c.ENQUIRE_LINK, 2**32),
    ],
)
def test_so_is_every_other_pdu(pdu):
    with pytest.raises(Unencodable):
        encode(pdu)


def test_a_bind_does_not_show_its_password():
    assert "secret" not in repr(Pdu(c.BIND_TRANSCEIVER, 1, 0, Bind("us", "secret")))


def test_an_error_quotes_nothing_of_what_was_sent():
    with pytest.raises(PduError) as caught:
        decode(cut(encode_message(c.DELIVER_SM, 3, Message(source="447700900123", short_message=b"hello"))[:-1]))

    assert "447700900123" not in str(caught.value)
