"""What each function makes."""

import pytest

from callsheet.core.flow.amiss import Amiss
from callsheet.core.flow.expression.functions.table import FUNCTIONS
from core.flow.expressions import shown, value

MADE = [
    ("DATE(2012, 12, 25)", "2012-12-25"),
    ("DATE(2012, 14, 1)", "2013-02-01"),
    ("DATE(2012, 2, 30)", "2012-03-01"),
    ("DATE(2012, 0, 0)", "2011-11-30"),
    ('DATEVALUE("2012-12-25")', "2012-12-25"),
    ('DATEVALUE("25-12-2012")', "2012-12-25"),
    ('DATEVALUE("12/25/2012")', "2012-12-25"),
    ('DATEVALUE("03/04/2012")', "2012-04-03"),
    ('DATEVALUE("25.12.12")', "2012-12-25"),
    ('DATEVALUE("25-12-85")', "1985-12-25"),
    ('DATEVALUE("25-12")', "2026-12-25"),
    ('DATEVALUE("12-25")', "2026-12-25"),
    ('DATEVALUE("25-12-2012 10:15")', "2012-12-25 10:15"),
    ('DATEVALUE("2012-12-25T10:15:30Z")', "2012-12-25 15:45:30"),
    ('DATEVALUE("2012-12-25T10:15:30.123+0200")', "2012-12-25 13:45:30"),
    ('DATEVALUE("२५-१२-२०१२")', "2012-12-25"),
    ("DAY(contact.birthday)", "22"),
    ("MONTH(contact.birthday)", "4"),
    ("YEAR(contact.birthday)", "1986"),
    ("YEAR(NOW()) - YEAR(contact.birthday)", "40"),
    ('EDATE("2026-01-31", 1)', "2026-02-28"),
    ('EDATE("2026-01-31", -11)', "2025-02-28"),
    ('EDATE("2026-01-31 10:00", 12)', "2027-01-31 10:00"),
    ("HOUR(NOW())", "14"),
    ("MINUTE(NOW())", "30"),
    ("SECOND(NOW())", "5"),
    ("HOUR(TODAY())", "0"),
    ('HOUR("10:15")', "10"),
    ("HOUR(block.entered_at)", "13"),
    ("TIME(2, 30, 0)", "02:30"),
    ("TIME(0, 90, 5)", "01:30:05"),
    ('TIMEVALUE("2:30")', "02:30"),
    ('TIMEVALUE("2:30:15 PM")', "14:30:15"),
    ('TIMEVALUE("12:00 am")', "00:00"),
    ('TIMEVALUE("2012-12-25 10:15")', "10:15"),
    ("TODAY()", "2026-11-22"),
    ("NOW()", "2026-11-22 14:30:05"),
    ("WEEKDAY(TODAY())", "1"),
    ('WEEKDAY("2026-11-28")', "7"),
    ("AND(TRUE, 1 = 1, contact.age)", "TRUE"),
    ("AND(1 = 2, 1 / 0)", "FALSE"),
    ("OR(1 = 2, contact.blank)", "FALSE"),
    ("OR(1 = 1, 1 / 0)", "TRUE"),
    ("NOT(1 = 2)", "TRUE"),
    ('IF(contact.age >= 18, "adult", 1 / 0)', "adult"),
    ('IF(contact.zip, "a", "b")', "b"),
    ("IF(1 = 1)", "TRUE"),
    ('IF(1 = 2, "a")', "FALSE"),
    ("ABS(-1.5)", "1.5"),
    ('ABS("-2")', "2"),
    ("MAX(1, contact.age, 7)", "30"),
    ("MIN(1, contact.age, contact.zip)", "1"),
    ("MAX(ARRAY(1, 5), 3)", "5"),
    ("POWER(2, 3)", "8"),
    ("POWER(4, -0.5)", "0.5"),
    ("SUM(10, 4)", "14"),
    ("SUM(0.1, 0.2, contact.zip)", "0.3"),
    ("CHAR(65)", "A"),
    ('CLEAN("a" & CHAR(7) & "b" & CHAR(10) & "नि")', "abनि"),
    ('CODE("A")', "65"),
    ('CONCATENATE(contact.first_name, " ", 1.50, TRUE)', "Asha 1.5TRUE"),
    ("FIXED(1234.567, 2)", "1,234.57"),
    ("FIXED(1234.5)", "1,234.50"),
    ("FIXED(1234.5, 0)", "1,235"),
    ("FIXED(1234.567, 1, TRUE)", "1234.6"),
    ("FIXED(1254.5, -2)", "1,300"),
    ("FIXED(-0.001, 2)", "0.00"),
    ("FIXED(contact.balance, 2, TRUE)", "1234.50"),
    ('LEFT("hello", 2)', "he"),
    ('LEFT("hello", 20)', "hello"),
    ('LEFT("hello", 0)', ""),
    ('RIGHT("hello", 3)', "llo"),
    ('RIGHT("hello", 0)', ""),
    ('RIGHT("hello", 9)', "hello"),
    ('LEN("hello")', "5"),
    ('LEN("👍")', "1"),
    ("LEN(contact.zip)", "0"),
    ('LOWER("HeLLo")', "hello"),
    ('UPPER("straße")', "STRASSE"),
    ('PROPER("mary o\'neil-SMITH can\'t")', "Mary O'neil-Smith Can't"),
    ('REPT("*", 10)', "**********"),
    ('REPT("*", 0)', ""),
    ('SUBSTITUTE("I can\'t", "can\'t", "can")', "I can"),
    ('SUBSTITUTE("a-b-c-d", "-", "+", 2)', "a-b+c-d"),
    ('SUBSTITUTE("a-b", "-", "+", 2)', "a-b"),
    ('SUBSTITUTE("a-b", "", "+")', "a-b"),
    ('SUBSTITUTE("a-A", "a", "")', "-A"),
    ("UNICHAR(2344)", "न"),
    ('UNICODE("न")', "2344"),
    ("BETWEEN(5, 1, 5)", "TRUE"),
    ("BETWEEN(contact.age, 31, 40)", "FALSE"),
    ("BETWEEN(contact.zip, 0, 5)", "FALSE"),
    ("BETWEEN(DATEVALUE('2020-01-15'), DATEVALUE('2020-01-01'), DATEVALUE('2020-01-30'))", "TRUE"),
    ("BETWEEN('15-01-2020', '2020-01-01', '2020-01-30')", "TRUE"),
    ("CONTAINS('foo', 'foobar')", "TRUE"),
    ("CONTAINS('baz', 'foobar')", "FALSE"),
    ("CONTAINS('YES', block.response)", "TRUE"),
    ("CONTAINS('red', results.many)", "TRUE"),
    ("CONTAINS('re', results.many)", "FALSE"),
    ("IN('foo', ARRAY('bar', 'Foo'))", "TRUE"),
    ("IN('foo', ARRAY('foobar', 'bar'))", "FALSE"),
    ("IN(12, ARRAY('12.0'))", "TRUE"),
    ("IN('foo', contact.zip)", "FALSE"),
    ("COUNT(ARRAY('foo', 'bar'))", "2"),
    ("COUNT(results.many)", "2"),
    ("COUNT(block.value.items)", "2"),
    ("COUNT(ARRAY())", "0"),
    ('FIRST_WORD("  hello, cow-boy")', "hello"),
    ('FIRST_WORD("")', ""),
    ('FIRST_WORD("हाँ जी")', "हाँ"),
    ("PERCENT(0.255)", "25.5%"),
    ("PERCENT(2 / 3)", "66.67%"),
    ('READ_DIGITS("1234")', "1 2 3 4"),
    ('READ_DIGITS("+919812345678")', "9 1 9 , 8 1 2 , 3 4 5 , 6 7 8"),
    ('READ_DIGITS("12345")', "1,2,3,4,5"),
    ('READ_DIGITS("PIN 12345678, twice")', "PIN 1 2 3 4 , 5 6 7 8, twice"),
    ('REMOVE_FIRST_WORD("order  two pizzas")', "two pizzas"),
    ('REMOVE_FIRST_WORD("order")', ""),
    ('WORD("hello cow-boy", 2)', "cow"),
    ('WORD("hello cow-boy", 2, TRUE)', "cow-boy"),
    ('WORD("hello cow-boy", -1)', "boy"),
    ('WORD("hello cow-boy", 9)', ""),
    ('WORD("hello cow-boy", -9)', ""),
    ('WORD_COUNT("hello cow-boy")', "3"),
    ('WORD_COUNT("hello cow-boy", TRUE)', "2"),
    ('WORD_COUNT("I can\'t, sorry!")', "3"),
    ('WORD_SLICE("Excellent expressions are fun", 2, 4)', "expressions are"),
    ('WORD_SLICE("Excellent expressions are fun", 2)', "expressions are fun"),
    ('WORD_SLICE("Excellent expressions are fun", 1, -2)', "Excellent expressions"),
    ('WORD_SLICE("Excellent expressions are fun", -1)', "fun"),
    ('WORD_SLICE("hello cow-boy hat", 2, 3, TRUE)', "cow-boy"),
    ("ISNUMBER(contact.age)", "TRUE"),
    ("ISNUMBER(contact.name)", "FALSE"),
    ("ISNUMBER(contact.zip)", "FALSE"),
    ("ISNUMBER(1)", "TRUE"),
    ("ISBOOL(block.value.ok)", "TRUE"),
    ("ISBOOL('true')", "TRUE"),
    ("ISBOOL(1)", "FALSE"),
    ("ISSTRING(contact.name)", "TRUE"),
    ("ISSTRING(contact.age)", "FALSE"),
    ("ISSTRING(contact.zip)", "FALSE"),
    ("count(array(1, 2))", "2"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "wanted"), MADE)
def test_what_functions_make(expression, wanted):
    assert shown(expression) == wanted


def test_each_function_is_tried():
    tried = " ".join(expression for expression, _ in MADE)

    assert [name for name in FUNCTIONS if f"{name}(" not in tried] == []


def test_the_functions_are_those_of_the_specification_and_not():
    wanted = (
        "DATE DATEVALUE DAY EDATE HOUR MINUTE MONTH NOW SECOND TIME TIMEVALUE TODAY WEEKDAY YEAR AND IF OR ABS MAX MIN "
        "POWER SUM CHAR CLEAN CODE CONCATENATE FIXED LEFT LEN LOWER PROPER REPT RIGHT SUBSTITUTE UNICHAR UNICODE UPPER "
        "BETWEEN CONTAINS IN ARRAY COUNT FIRST_WORD PERCENT READ_DIGITS REMOVE_FIRST_WORD WORD WORD_COUNT WORD_SLICE "
        "ISNUMBER ISBOOL ISSTRING NOT"
    )

    assert sorted(FUNCTIONS) == sorted(wanted.split())


@pytest.mark.parametrize(
    "expression",
    [
        *("1 / 0", "1 / contact.zip", "0 ^ -1", "(-8) ^ 0.5", "2 ^ 1001", "10 ^ 999", "9 ^ 999 ^ 999"),
        *("contact.name + 1", "-contact.name", "TODAY() * 2", "TODAY() + TODAY()", "TIME(1, 0, 0) - TODAY()"),
        *("TODAY() + 9999999", "TODAY() + contact.name", "DATE(0, 1, 1)", "DATE(99999999, 1, 1)", "DATE(1, 1, -5)"),
        *('DATEVALUE("soon")', 'DATEVALUE("2026-02-30")', "YEAR(5)", "HOUR(contact.name)", "EDATE(TODAY(), 999999)"),
        *('TIMEVALUE("25:00")', 'TIMEVALUE("13:00 pm")', "TIME(-1, 0, 0)", "DAY(contact.zip)"),
        *('REPT("ab", 5001)', 'REPT("a", -1)', 'REPT("a", 10 ^ 200)', "LEFT(contact.name, -1)", "CODE(contact.zip)"),
        *("CHAR(256)", "CHAR(0)", "UNICHAR(55296)", "UNICHAR(1114112)", "FIXED(1, 31)", 'FIXED("a")', "COUNT(1)"),
        *('WORD("a b", 0)', 'WORD_SLICE("a b", 0)', 'IN("a", "a")', "ABS(contact.name)", "SUM(ARRAY('x'))"),
        *('SUBSTITUTE("a-a", "a", "b", 0)', 'SUBSTITUTE(REPT("a", 9999), "a", REPT("b", 9999))', "PERCENT('x')"),
        *('REPT("a", 9999) & REPT("a", 9999)', 'CONCATENATE(REPT("a", 9999), "xx")', 'UPPER(REPT("ß", 9999))'),
        *('READ_DIGITS(REPT("1", 9999))', "10 ^ 300 * 10"),
    ],
)
def test_what_cannot_be_done_is_amiss(expression):
    with pytest.raises(Amiss) as amiss:
        value(expression)

    assert str(amiss.value).endswith(".")
    assert "Marshawn" not in str(amiss.value)
