"""Numbers as carriers want them, and the times that they are told."""

from datetime import timedelta

import pytest

from callsheet.carriers.smpp.addresses import AddressRules, destination_of, number_of, source_of
from callsheet.carriers.smpp.times import validity_of


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ("Acme", (5, 0, "Acme")),
        ("Acme 24/7", (5, 0, "Acme 24/7")),
        ("12345", (3, 0, "12345")),
        ("+447700900123", (1, 1, "447700900123")),
        ("447700900123", (1, 1, "447700900123")),
        ("+12345", (1, 1, "12345")),
        ("", (5, 0, "")),
        ("٣٤٥", (5, 0, "٣٤٥")),
    ],
)
def test_a_sender_is_what_its_characters_say(sender, address):
    assert source_of(sender) == address


def test_a_trunk_may_have_rules_of_its_own():
    rules = AddressRules(international=(2, 8), short_code=(6, 9), alphanumeric=(5, 1), destination=(0, 0), plus=True)

    assert source_of("Acme", rules) == (5, 1, "Acme")
    assert source_of("12345", rules) == (6, 9, "12345")
    assert source_of("447700900123", rules) == (2, 8, "+447700900123")
    assert destination_of("+447700900123", rules) == (0, 0, "+447700900123")
    assert destination_of("+447700900123") == (1, 1, "447700900123")


@pytest.mark.parametrize(
    ("ton", "value", "number"),
    [
        (1, "447700900123", "+447700900123"),
        (1, "+447700900123", "+447700900123"),
        (1, "00447700900123", "+447700900123"),
        (0, "447700900123", "447700900123"),
        (3, "12345", "12345"),
        (5, " Acme ", "Acme"),
    ],
)
def test_an_international_number_gets_its_plus(ton, value, number):
    assert number_of(ton, value) == number


@pytest.mark.parametrize(
    ("left", "written"),
    [
        (timedelta(minutes=5), "000000000500000R"),
        (timedelta(days=1, hours=2, minutes=3, seconds=4), "000001020304000R"),
        (timedelta(days=400), "000031000000000R"),
        (timedelta(seconds=-5), "000000000001000R"),
    ],
)
def test_how_long_to_try_is_told_from_now_on(left, written):
    assert validity_of(left) == written
