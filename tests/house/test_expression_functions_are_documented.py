"""Flows are written by the page: each function is on it with the values that it takes, and each example is true."""

import re

import pytest

from callsheet.core.flow.expression.functions.table import FUNCTIONS
from core.flow.expressions import shown
from house.tree import first_column, page

PAGE = "docs/reference/flow-expressions.md"
EXAMPLES = re.findall(r"^\| `[A-Z_]+\([^`]*\)` \|.*\| `(.+)` is (.+) \|$", page(PAGE), flags=re.MULTILINE)


def test_every_function_is_on_the_page_with_as_many_values_and_the_page_lists_no_other():
    listed = [cell.partition("(") for cell in first_column(PAGE, r"[A-Z_]+\(.*\)")]

    taken = {name: _taken(values.rstrip(")")) for name, _, values in listed}
    assert taken == {
        name: (function.least if function.most is not None else None, function.most)
        for name, function in FUNCTIONS.items()
    }


@pytest.mark.parametrize(("expression", "wanted"), EXAMPLES)
def test_what_the_page_says_is_so(expression, wanted):
    assert shown(expression) == wanted


def test_most_functions_have_an_example_that_is_tried():
    assert len(EXAMPLES) > len(FUNCTIONS) * 0.9


def _taken(values: str) -> tuple[int | None, int | None]:
    """Return the least and the most values that a heading such as `text, [number]` takes; None: any number."""
    if values.endswith("..."):
        return None, None
    named = [value for value in values.split(", ") if value]
    return len([value for value in named if not value.startswith("[")]), len(named)
