"""Whatever stands in a document or in a reply: reading says BadExpression, running says Amiss, and both are quick."""

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from callsheet.core.flow.amiss import Amiss, BadExpression
from callsheet.core.flow.expression.dividing import divides_by_zero
from callsheet.core.flow.expression.functions.table import FUNCTIONS
from callsheet.core.flow.expression.parsing import MOST_DEPTH
from callsheet.core.flow.expression.reading import read_expression, read_text
from callsheet.core.flow.expression.scope import Scope
from callsheet.core.flow.expression.tokens import MOST_CHARACTERS
from callsheet.core.flow.expression.truth import is_truthy
from core.flow.expressions import SCOPE, value

WORDS = [
    *(f"{name}(" for name in FUNCTIONS),
    *"()[],.@+-*/^&=<>'\"",
    *("<>", "<=", "!=", "contact", "contact.name", ".x", "[0]", "block.response", "results.Menu", "block.value"),
    *("date.now", "1", "0", "12.5", "'a'", '"2020-01-31"', "TRUE", "NULL", "99999999999999999999", "ARRAY(1,'b')"),
    *(" ", "nobody", "नाम", "@@", "#"),
]
NASTY = [
    *("12", "1e999", "\u0966", "9999-12-31 23:59", "0001-01-01T00:00:00+14:00", "x" * 9999, "1" * 27, "31-12", "-0"),
]
written = st.lists(st.sampled_from(WORDS), max_size=24).map("".join) | st.text(max_size=60)
numbers = st.integers() | st.floats() | st.decimals(allow_nan=False, allow_infinity=False)
moments = st.dates() | st.times() | st.datetimes(timezones=st.just(UTC))
values = st.recursive(
    st.none() | st.booleans() | numbers | moments | st.text(max_size=12) | st.sampled_from(NASTY),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "__value__", "name"]), inner, max_size=3)
    ),
    max_leaves=5,
)
NOW = datetime(2026, 1, 31, tzinfo=UTC)


def run(expression, scope=SCOPE):
    """Return what an expression or a text makes; what is amiss as its sentence."""
    try:
        return expression(scope)
    except Amiss as amiss:
        return sentence(amiss)


def sentence(error):
    """Return what an error says."""
    assert str(error).endswith(".")
    return str(error)


@given(written)
@example("(" * 4000)
@example("-" * 4000 + "1")
@example("@" * 4001)
@example("1" + "+1" * 1999)
@example("contact" + ".a" * 1990)
@example("contact" + "[0]" * 1300)
@example("'" + '"' * 3999)
@example("ARRAY(" * 600)
@example("IF(1," * 64 + "1" + ")" * 64)
def test_reading_says_bad_expression_and_running_says_amiss(source):
    for read in (read_expression, read_text):
        try:
            expression = read(source)
        except BadExpression as bad:
            sentence(bad)
        else:
            is_truthy(run(expression))


@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(values, min_size=1, max_size=4))
def test_no_function_breaks_on_any_values(name, given_values):
    given_values = given_values[: FUNCTIONS[name].most] if FUNCTIONS[name].most is not None else given_values
    given_values += [1] * (FUNCTIONS[name].least - len(given_values))
    called = f"{name}({', '.join(f'block.v{at}' for at in range(len(given_values)))})"
    scope = Scope({"block": {f"v{at}": each for at, each in enumerate(given_values)}}, NOW)

    for source in (f"@({called})", f"@({called} & 1)", f"@(NOT({called}))"):
        assert isinstance(run(read_text(source), scope), str)


@given(st.sampled_from(["+", "-", "*", "/", "^", "&", "=", "<>", "<", "<=", ">", ">="]), values, values)
@example("-", date(1, 1, 1), time(1))
@example("+", datetime(9999, 12, 31, 23, tzinfo=UTC), time(2))
def test_no_operator_breaks_on_any_values(sign, one, other):
    scope = Scope({"block": {"one": one, "other": other}}, NOW)

    assert isinstance(run(read_text(f"@(block.one {sign} block.other)"), scope), str)


@given(values, values)
def test_exactly_one_of_less_same_and_more_holds_or_none(one, other):
    scope = Scope({"block": {"one": one, "other": other}}, NOW)
    try:
        less, same, more = (read_expression(f"block.one {sign} block.other")(scope) for sign in ("<", "=", ">"))
        differs = read_expression("block.one <> block.other")(scope)
        turned = read_expression("block.other > block.one")(scope)
    except Amiss:
        return

    assert sum((less, same, more)) <= 1
    assert differs is not same
    assert turned is less


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "It ends too soon: a value is missing at character 1."),
        ("   ", "It ends too soon: a value is missing at character 1."),
        ("1 +", "It ends too soon: a value is missing at character 4."),
        ("1 + * 2", "The * at character 5 is not expected there: a value is missing at character 5."),
        ("(1", "A ) is missing at character 3."),
        ("1)", "The ) at character 2 is not expected there."),
        ("contact.name contact.age", "The contact at character 14 is not expected there."),
        ("'open", "The text that begins at character 1 has no end: a ' is missing."),
        ("a ; b", "The sign ; at character 3 has no meaning in an expression."),
        ("a == b", "The = at character 4 is not expected there: a value is missing at character 4."),
        ("FOO(1)", "There is no function FOO at character 1."),
        ("1 + RAND()", "There is no function RAND at character 5; nothing in an expression is random."),
        ("DATE(1, 2)", "DATE at character 1 takes 3 values, not 2."),
        ("NOT()", "NOT at character 1 takes 1 value, not 0."),
        ("WORD('a')", "WORD at character 1 takes 2 to 3 values, not 1."),
        ("SUM()", "SUM at character 1 takes at least 1 value, not 0."),
        ("SUM(1 2)", "A , is missing at character 7."),
        ("SUM(1,)", "The ) at character 7 is not expected there: a value is missing at character 7."),
        ("(" * 65 + "1", f"More than {MOST_DEPTH} parentheses stand in each other at character 65."),
        ("1" * 4001, f"The expression at character 1 is longer than {MOST_CHARACTERS} characters."),
        ("1a", "The sign 1 at character 1 has no meaning in an expression."),
    ],
)
def test_what_is_wrong_is_told_with_its_place(source, said):
    with pytest.raises(BadExpression) as bad:
        read_expression(source)

    assert str(bad.value) == said


def test_a_name_that_is_none_is_told_with_those_that_are():
    with pytest.raises(BadExpression, match=r"There is no contct at character 5: .*contact.*results"):
        read_expression("1 = contct.name")


def test_as_deep_as_is_allowed_can_be_run():
    source = "(-" * MOST_DEPTH + "contact.age" + " + 1 * 2 ^ 1 & '' <> 1)" * MOST_DEPTH

    assert value(source) in {True, False}


def test_a_long_row_of_operators_can_be_run():
    assert value("1" + "+1" * 1900) == 1901


@pytest.mark.parametrize(
    "source", ["1/0", "1 / (2 - 2)", "1/NULL", "1/''", '1 / ""', "1/FALSE", "1/(0 + false)", "1/-0"]
)
def test_a_division_by_a_constant_that_counts_as_zero_is_seen(source):
    assert divides_by_zero(source)
    with pytest.raises(Amiss, match="divided by zero"):
        read_expression(source)(SCOPE)


@pytest.mark.parametrize("source", ["1/2", "1/TRUE", "1/'2'", "1/'x'", "1/contact.age", '"1/0"', "mod / 2"])
def test_any_other_division_is_not(source):
    assert not divides_by_zero(source)
