"""What an answer says about a name that nothing has."""

import pytest

from callsheet.core.names import MOST_LOOKED_AT, no_such

LISTS = [f"List {serial:04}" for serial in range(MOST_LOOKED_AT + 1)]


@pytest.mark.parametrize("there", [2, 21, 200, len(LISTS)])
def test_the_name_that_was_meant_comes_first_however_many_there_are(there: int):
    names = ["Payment reminders", *LISTS[: there - 1]]

    for order in (names, [*names[1:30], names[0], *names[30:]]):
        assert "There are: Payment reminders, List 0000" in no_such("contact list", "payment reminder", order)


@pytest.mark.parametrize(
    ("there", "end"),
    [
        (1, "There are: List 0000."),
        (20, "List 0019."),
        (21, "List 0019 and 1 more."),
        (MOST_LOOKED_AT, "List 0019 and 280 more."),
        (MOST_LOOKED_AT + 1, "List 0019 and more."),
    ],
)
def test_names_that_are_left_out_are_not_kept_silent(there: int, end: str):
    assert no_such("contact list", "?", LISTS[:there]).endswith(end)


def test_where_nothing_exists_nothing_is_listed():
    assert no_such("template", "Hello", []) == "There is no template Hello. There are none yet."
