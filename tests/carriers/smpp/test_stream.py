"""Whatever comes over a connection: only the closed errors, never a crash, and no more memory than one PDU."""

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from callsheet.carriers.smpp import commands as c
from callsheet.carriers.smpp.failures import BadBody, BadLength, BadTlvs, PduError
from callsheet.carriers.smpp.pdu import Answer, Message, Pdu, decode, encode, encode_message, refuse
from callsheet.carriers.smpp.stream import MOST_PDU_OCTETS, Decoder
from examples import drawn

COMMANDS = [getattr(c, name) for name in dir(c) if isinstance(getattr(c, name), int) and name.isupper()]
ENQUIRE = encode(Pdu(c.ENQUIRE_LINK, 1))
TEXT = encode_message(c.DELIVER_SM, 2, Message("", 1, 1, "447700900123", 3, 0, "12345", short_message=b"Yes\0please"))
ACCEPTED = encode(Pdu(c.SUBMIT_SM_RESP, 3, 0, Answer("0a1b")))


def drain(decoder, data):
    """Feed, and go on behind each PDU that cannot be read, as a session does; say whether the session has to end."""
    found = []
    while True:
        try:
            for pdu in decoder.feed(data):
                found.append(pdu)  # noqa: PERF402 (what came before an error is kept)
        except PduError as error:
            found.append(error)
            if error.ends_session:
                return found
            data = b""
        else:
            return found


@given(st.lists(st.integers(1, 60), max_size=30))
def test_pdus_come_out_whole_however_the_stream_is_cut(cuts):
    stream = (ENQUIRE + TEXT + ACCEPTED) * 3
    decoder, found, at = Decoder(), [], 0
    for size in cuts:
        found += list(decoder.feed(stream[at : at + size]))
        at += size
    found += list(decoder.feed(stream[at:]))

    assert [pdu.command for pdu in found] == [c.ENQUIRE_LINK, c.DELIVER_SM, c.SUBMIT_SM_RESP] * 3
    assert found[1].body.short_message == b"Yes\0please"
    assert list(decoder.feed(ENQUIRE)) == [decode(ENQUIRE)]


@drawn(300)
@given(st.binary(max_size=400))
@example(b"\0\0\0\x10")
@example(b"\0" * 16)
@example(b"\xff" * 64)
def test_noise_gives_nothing_but_pdus_and_the_errors_of_the_family(data):
    decoder = Decoder()
    drain(decoder, data)


@drawn(500)
@given(st.sampled_from(COMMANDS), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.binary(max_size=200))
def test_every_command_with_any_body_is_read_or_refused_and_the_next_one_is_read(command, status, sequence, body):
    octets = struct.pack(">IIII", 16 + len(body), command, status, sequence) + body
    first, second = drain(Decoder(), octets + ENQUIRE)

    assert second == decode(ENQUIRE)
    if isinstance(first, PduError):
        assert isinstance(first, BadBody | BadTlvs)
        assert (first.command, first.sequence) == (command, sequence)
        assert decode(refuse(first)) == Pdu(c.GENERIC_NACK, sequence, first.status)
    else:
        assert (first.command, first.status, first.sequence) == (command, status, sequence)


@drawn(300)
@given(st.integers(0, len(TEXT) - 1), st.integers(0, 255))
def test_one_wrong_octet_harms_one_pdu_at_most_or_ends_the_session(at, octet):
    broken = bytearray(TEXT)
    broken[at] = octet
    found = drain(Decoder(), bytes(broken) + ENQUIRE)

    if at >= 4:  # not its length
        assert len(found) == 2
        assert found[1] == decode(ENQUIRE)


@pytest.mark.parametrize("length", [0, 1, 15, MOST_PDU_OCTETS + 1, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_length_that_no_pdu_has_ends_the_session_at_once(length):
    decoder = Decoder()
    before, error = drain(decoder, ENQUIRE + struct.pack(">IIII", length, c.SUBMIT_SM, 0, 9) + b"x" * 1000)

    assert before == decode(ENQUIRE)
    assert isinstance(error, BadLength)
    assert error.ends_session
    assert error.sequence == 9
    assert list(decoder.feed(ENQUIRE)) == [decode(ENQUIRE)]


def test_what_came_before_a_broken_pdu_is_read_and_what_comes_after_it_too():
    broken = struct.pack(">IIII", 18, c.DELIVER_SM, 0, 5) + b"ab"
    first, error, last = drain(Decoder(), ENQUIRE + broken + TEXT)

    assert (first.sequence, error.sequence, last.sequence) == (1, 5, 2)
    assert isinstance(error, BadBody)


def test_an_unknown_command_is_given_with_its_octets_so_that_it_can_be_refused():
    (pdu,) = Decoder().feed(struct.pack(">IIII", 20, 0x00010203, 0, 6) + b"what")

    assert pdu == Pdu(0x00010203, 6, 0, b"what")


def test_the_largest_pdu_octet_by_octet_takes_no_more_memory_than_itself():
    octets = struct.pack(">IIII", MOST_PDU_OCTETS, 0x00010203, 0, 7) + bytes(MOST_PDU_OCTETS - 16)
    decoder = Decoder()
    found = [pdu for octet in octets for pdu in decoder.feed(bytes((octet,)))]

    assert [pdu.sequence for pdu in found] == [7]
    assert list(decoder.feed(ENQUIRE)) == [decode(ENQUIRE)]
