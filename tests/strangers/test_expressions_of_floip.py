"""Expressions say here what they say in the evaluator of those who wrote the specification, but for its defects."""

import random

import pytest

from callsheet.core.flow.amiss import Amiss
from callsheet.core.flow.expression.reading import read_text
from strangers.expressions import floip_says
from strangers.generated import CONTEXT, SCOPE, texts

SAMPLE = 600
ALL = 20_000
# What both say; None: it cannot be evaluated there.
DEFECTS = [
    # No precedence among + - * / ^, and all of them from the right.
    ("@(2 - 3 - 4)", "-5", "3"),
    ("@(2 * 3 + 4)", "10", "14"),
    # A comparison takes no arithmetic with parentheses, and a joined text ends at it.
    ("@((100) / 4 > 7)", "TRUE", None),
    ('@("a" & "b" = "ab")', "TRUE", "afalse"),
    ("@(1 < 2 = TRUE)", "TRUE", "FALSE"),
    # No sign before a name, no quotes in a text, no properties in brackets, no literal alone, no NOT.
    ("@(-contact.age)", "-30", None),
    ('@("a ""b""" & "c")', 'a "b"c', None),
    ('@(contact["name"])', "Marshawn Lynch", None),
    ("@(7)", "7", None),
    ("@NOT(block.ok)", "FALSE", None),
    # "Note that when comparing text values, = and <> are case-insensitive."; names are too.
    ('@(contact.state = "ga")', "TRUE", "FALSE"),
    ('@(contact.state <> "ga")', "FALSE", "TRUE"),
    ("@(IN('ga', ARRAY('GA')))", "TRUE", "FALSE"),
    ("@(CONTAINS('GA', 'sugar'))", "TRUE", "FALSE"),
    ("@CONTACT.NAME", "Marshawn Lynch", "CONTACT.NAME"),
    # What is missing is named instead of being nothing, and is no NULL.
    ("Dear @contact.title you", "Dear  you", "Dear contact.title you"),
    ("@(contact.title = NULL)", "TRUE", "FALSE"),
    ("@(contact.title < 5)", "FALSE", "FALSE"),
    # "foo@bar.com ... passed through"; so is an @ that begins nothing.
    ("Write to foo@bar.com", "Write to foo@bar.com", "Write to foobar.com"),
    ("4 @ 5", "4 @ 5", None),
    # Numbers that are binary; a division by zero that is a number.
    ("@(0.1 + 0.2)", "0.3", "0.30000000000000004"),
    ("@(1 / 0)", Amiss, "Infinity"),
    # The same instant is not the same; a time said as a text is said as a program would.
    ("@(DATE(2012, 12, 25) = DATE(2012, 12, 25))", "TRUE", "FALSE"),
    ("@DATE(2012, 12, 25)", "2012-12-25", "Tue Dec 25 2012 00:00:00 GMT+0000"),
    ("@(DATE(2012, 12, 25) + 1)", "2012-12-26", None),
    # "BETWEEN: minimum <= testValue <= maximum", of numbers too; "WEEKDAY: 1 for Sunday to 7 for Saturday".
    ("@BETWEEN('2020-01-15', '2020-01-15', '2020-01-30')", "TRUE", "FALSE"),
    ("@BETWEEN(50, 1, 100)", "TRUE", "FALSE"),
    ("@WEEKDAY('2026-11-22')", "1", "7"),
    # The third value says that there are no commas; fractions are rounded, and there are two as in Excel.
    ("@FIXED(1234.567, 2, TRUE)", "1234.57", "1,234.56"),
    ("@FIXED(1234.567, 1)", "1,234.6", "1234.5"),
    ("@FIXED(3.5)", "3.50", "3."),
    # Only the first row of signs goes, and every letter that is not English.
    ("@CLEAN('caf\u00e9')", "caf\u00e9", "caf"),
    # Capitals after a dash, characters that are two units, a missing word, words in parentheses.
    ("@PROPER('mary o-neil')", "Mary O-Neil", "Mary O-neil"),
    ("@LEN('\U0001f44d')", "1", "2"),
    ("@WORD('one two', 3)", "", None),
    ("@WORD('(one) two', 1)", "one", "(one)"),
    ("@WORD_SLICE('a b c d e', 2, 3)", "b", "b c d e"),
    # Not there, or by a wrong name.
    ("@READ_DIGITS('1234')", "1 2 3 4", None),
    ("@REMOVE_FIRST_WORD('order two')", "two", None),
]  # fmt: skip


def ours(text):
    """Return what a text says here; Amiss: it cannot be said."""
    try:
        return read_text(text)(SCOPE)
    except Amiss:
        return Amiss


@pytest.mark.parametrize("count", [SAMPLE, pytest.param(ALL, marks=pytest.mark.full)])
def test_expressions_say_the_same_in_both(count):
    asked = texts(random.Random(count), count)

    theirs = floip_says(asked, CONTEXT)

    assert [(text, ours(text), said) for text, said in zip(asked, theirs, strict=True) if ours(text) != said] == []


def test_the_defects_of_theirs_are_still_there_and_are_not_ours():
    theirs = floip_says([text for text, _, _ in DEFECTS], CONTEXT)

    said = [(text, ours(text), other) for (text, _, _), other in zip(DEFECTS, theirs, strict=True)]
    assert said == DEFECTS
