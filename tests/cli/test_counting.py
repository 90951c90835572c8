"""A person reads the counts: one row is not `1 rows`."""

import pytest

from callsheet.cli.counting import counted


@pytest.mark.parametrize(("count", "words"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (2_000, "2,000 rows")])
def test_one_is_one_and_all_else_is_many(count, words):
    assert counted(count, "row") == words
