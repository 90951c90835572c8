import pytest

from callsheet.core.filtering import Condition, Filter, Match, Operator


def accepts(column: str, operator: Operator, *values: str, **attributes: str) -> bool:
    return Filter((Condition(column, operator, values),)).accepts(attributes)


@pytest.mark.parametrize(
    ("operator", "values", "value", "meant"),
    [
        (Operator.equals, ("Pune",), " pune ", True),
        (Operator.equals, ("Pune",), "Pun", False),
        (Operator.differs, ("Pune",), "Delhi", True),
        (Operator.differs, ("Pune",), "PUNE", False),
        (Operator.contains, ("un",), "Pune", True),
        (Operator.lacks, ("un",), "Pune", False),
        (Operator.lacks, ("un",), "Delhi", True),
        (Operator.starts_with, ("PU",), "Pune", True),
        (Operator.ends_with, ("ne",), "Pune", True),
        (Operator.one_of, ("Delhi", "Pune"), "pune", True),
        (Operator.none_of, ("Delhi", "Pune"), "pune", False),
        (Operator.blank, (), "  ", True),
        (Operator.filled, (), "x", True),
        (Operator.filled, (), "", False),
    ],
)
def test_a_condition_on_words_means_what_it_says(operator: Operator, values: tuple[str, ...], value: str, meant: bool):
    assert accepts("City", operator, *values, city=value) is meant


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "meant"),
    [
        (Operator.more, "9", "10", True),
        (Operator.more, "9", "9", False),
        (Operator.at_least, "9", "9.0", True),
        (Operator.less, "1,000", "999.5", True),
        (Operator.at_most, "2", "-3", True),
        (Operator.more, "2026-01-31", "2026-02-01", True),
        (Operator.less, "2026-01-31", "2026-01-31T00:00:01", False),
        (Operator.less, "2026-02-01", "2026-01-31T23:59", True),
        (Operator.more, "9", "ten", False),
        (Operator.less, "9", "", False),
        (Operator.less, "9", "NaN", False),
        (Operator.at_most, "2026-01-31", "5", False),
    ],
)
def test_numbers_are_not_compared_as_words_and_what_is_no_number_never_fits(
    operator: Operator, wanted: str, value: str, meant: bool
):
    assert accepts("due", operator, wanted, due=value) is meant


def test_a_column_that_a_contact_lacks_is_blank():
    assert accepts("city", Operator.blank, name="Ada")
    assert not accepts("city", Operator.equals, "Pune", name="Ada")


def test_all_conditions_must_hold_or_any_of_them():
    conditions = Condition("city", Operator.equals, ("Pune",)), Condition("age", Operator.at_least, ("18",))
    ada = {"city": "Pune", "age": "17"}
    assert not Filter(conditions).accepts(ada)
    assert Filter(conditions, Match.any).accepts(ada)
