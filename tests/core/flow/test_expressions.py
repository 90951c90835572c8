"""Names, operators and values of the expression language."""

from datetime import date, datetime, time
from decimal import Decimal

import pytest

from callsheet.core.flow.expression.truth import is_truthy
from core.flow.expressions import INDIA, shown, value


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("1 + (2 - 3) * 4 / 5 ^ 6", "0.999744"),
        ("0.1 + 0.2", "0.3"),
        ("12.50 * 2", "25"),
        ("2 - 3 - 4", "-5"),
        ("2 ^ 3 ^ 2", "64"),
        ("-2 ^ 2", "4"),
        ("--2", "2"),
        ("+contact.age", "30"),
        ("10 / 3", "3.33333333333333"),
        ("10 / 3 * 3 = 10", "TRUE"),
        ("2 ^ 0.5", "1.4142135623731"),
        ("10 ^ 20 + 1", "100000000000000000001"),
        ("1 / 8000000", "0.000000125"),
        ("contact.age + contact.jersey", "54"),
        ("contact.share * 3", "0.3"),
        ("contact.nothing + 1", "1"),
        ("contact.blank + 1", "1"),
        ("contact.zip + 1", "1"),
        ("TRUE + 1", "2"),
        ("1 + 2 & 3", "33"),
        ('"a" & "b" = "AB"', "TRUE"),
        ('contact.first_name & " " & contact.age', "Asha 30"),
        ('"a ""quoted"" word"', 'a "quoted" word'),
        ("'it''s'", "it's"),
        ("\u2018foo\u2019 & \u201cbar\u201d", "foobar"),
        ("null & 1", "1"),
        ("0 * -1", "0"),
        (".5 + 1", "1.5"),
    ],
)
def test_operators_are_those_of_excel(expression, wanted):
    assert shown(expression) == wanted


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("1 = 1.0", True),
        ('"12.50" = 12.5', True),
        ('"12.50" = "12.5"', True),
        ('"१२" = 12', True),
        ('"٣" = "3"', True),
        ('" 7 " = 7', True),
        ('"1e3" = 1000', False),
        ('"1,000" = 1000', False),
        ('"0x10" = 16', False),
        ('"9" < "10"', True),
        ("contact.age > 18", True),
        ('contact.age >= "30"', True),
        ('"Yes" = "YES"', True),
        ('"Straße" = "STRASSE"', True),
        ('"Yes" <> "yes"', False),
        ('"a" != "b"', True),
        ('"apple" < "Banana"', True),
        ('"abc" = 5', False),
        ('"abc" > 5', False),
        ('"abc" < 5', False),
        ('"abc" <> 5', True),
        ("NULL = NULL", True),
        ("contact.nothing = NULL", True),
        ("contact.blank = NULL", True),
        ('contact.nothing = ""', True),
        ("contact.zip = null", True),
        ("contact.age = NULL", False),
        ("contact.nothing = 0", False),
        ("contact.nothing < 18", False),
        ("contact.nothing >= 18", False),
        ('contact.nothing < "a"', False),
        ("TRUE = true", True),
        ('TRUE = "True"', True),
        ("TRUE = 1", False),
        ("1 < 2 = TRUE", True),
        ('"12345678901234567890123456789" = "12345678901234567890123456780"', False),
        ('"1234567890123456789012345678" = "1234567890123456789012345679"', False),
        ('DATEVALUE("2020-01-15") = "15/01/2020"', True),
        ('"2020-01-15" = "15-01-2020"', True),
        ('"09-01-2021" > "10-01-2020"', True),
        ('"1-2" = "01-02"', False),
        ('TODAY() > "2026-11-21"', True),
        ('TODAY() = "22-11-2026"', True),
        ("NOW() > TODAY()", True),
        ('block.entered_at = "2026-11-22T13:30"', True),
        ('block.entered_at = "2026-11-22T08:00:00Z"', True),
        ('TIMEVALUE("2:30 pm") = "14:30"', True),
        ('TIME(9, 0, 0) < "10:00"', True),
        ("TODAY() = 5", False),
        ('TODAY() < "soon"', False),
        ("results.many = ARRAY('red', 'blue')", True),
    ],
)  # fmt: skip
def test_comparisons_see_what_a_reader_sees(expression, wanted):
    assert value(expression) is wanted


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("contact.name", "Marshawn Lynch"),
        ("CONTACT.NAME", "Marshawn Lynch"),
        ("contact", "Marshawn Lynch"),
        ('contact["First name"]', "Asha"),
        ('contact["first" & "_name"]', "Asha"),
        ("contact.गाव", "वाई"),
        ("contact . name", "Marshawn Lynch"),
        ("campaignuserinfo.first_name", "Asha"),
        ("results.menu", "1"),
        ("results.Menu.value", "1"),
        ("results.Menu.exit", "one"),
        ("results.Menu.exit.name", "one"),
        ("results.skipped", ""),
        ("results.nobody.value.deep", ""),
        ("results.many", "red, blue"),
        ("results.many.value.1", "blue"),
        ("block.value.items[0].sku", "A1"),
        ("block.value.items.1.price", "7"),
        ("block.value.items[7].sku", ""),
        ("block.value.items[-1].sku", ""),
        ("block.value.items[0].price + 1", "13.5"),
        ("block.value.total", "19.5"),
        ("block.value.items[0]", '{"sku": "A1", "price": "12.5"}'),
        ("parent.results.x", ""),
        ("contact.name.first", ""),
        ("flow", "Orders"),
        ("run.mode", "SMS"),
        ("session.replies + 1", "3"),
        ("context.due", "2026-12-01"),
        ("context.due - date.today", "9"),
        ("chocolate", "chocolate"),
        ("block.response = chocolate", "FALSE"),
        ("@contact.age + @(1)", "31"),
        ("true & False & NULL", "TRUEFALSE"),
    ],
)
def test_names_lead_to_what_there_is_and_what_is_missing_is_nothing(expression, wanted):
    assert shown(expression) == wanted


READINGS = [
    "block.response = 'yes please'",
    "@(block.response = 'yes please')",
    "  @(block.response = 'yes please') ",
    "@block.response = 'yes please'",
]


@pytest.mark.parametrize("source", READINGS)
def test_an_expression_is_written_bare_or_with_its_sign(source):
    assert value(source) is True


def test_values_keep_their_kind():
    assert value("1 + 1") == Decimal(2)
    assert value("TODAY()") == date(2026, 11, 22)
    assert value("NOW()") == datetime(2026, 11, 22, 14, 30, 5, tzinfo=INDIA)
    assert value("TIME(27, 0, 0)") == time(3)
    assert value("contact.nothing") is None
    assert value("@contact.age") == "30"
    assert value("ARRAY(1, 'a')") == (Decimal(1), "a")


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("TODAY() + 10", "2026-12-02"),
        ("10 + TODAY()", "2026-12-02"),
        ("TODAY() - 22", "2026-10-31"),
        ("TODAY() + 0.5", "2026-11-22 12:00"),
        ("date.today + TIME(2, 30, 0)", "2026-11-22 02:30"),
        ("date.now + TIME(2, 30, 0)", "2026-11-22 17:00:05"),
        ('TODAY() + "2:30"', "2026-11-22 02:30"),
        ("NOW() - TIME(0, 30, 5)", "2026-11-22 14:00"),
        ("DATE(2026, 12, 25) - TODAY()", "33"),
        ("DATE(2026, 12, 25) - DATE(2026, 12, 26)", "-1"),
        ("TODAY() + 0.25 - TODAY()", "0.25"),
        ('"2026-12-25" - "2026-12-24"', "1"),
        ('"2026-12-25" + 1', "2026-12-26"),
        ("TIME(20, 0, 0) + TIME(10, 0, 0)", "06:00"),
        ("TIME(1, 0, 0) - TIME(2, 0, 0)", "23:00"),
        ("NOW()", "2026-11-22 14:30:05"),
        ("block.entered_at", "2026-11-22 08:00"),
    ],
)
def test_days_are_counted_as_in_excel(expression, wanted):
    assert shown(expression) == wanted


@pytest.mark.parametrize("true", [True, 1, Decimal("0.1"), "yes", "1", "TRUE", [0], date(2026, 1, 1), {"a": 1}, " no "])
def test_what_counts_as_true(true):
    assert is_truthy(true)


@pytest.mark.parametrize(
    "false",
    [False, None, 0, Decimal(0), "", " ", "0", "0.00", "false", "FALSE", [], (), {}, {"__value__": "false"}, 0.0],
)
def test_what_does_not(false):
    assert not is_truthy(false)
