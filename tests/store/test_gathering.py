"""Many rows that SQLite hands over in one step are the rows that it hands over one by one."""

import sqlite3

import pytest

from callsheet.store.sqlite.statements import gather, gather_in


@pytest.fixture
def raw() -> sqlite3.Connection:
    raw = sqlite3.connect(":memory:")
    raw.execute("create table t (no integer, person blob, text text, n integer)")
    texts = ["", "plain", 'a "quoted" \\ line\nand another', "\x00\x1f\x7f", "नमस्ते 👋", "\u2028", "{}", None]
    rows = [(i, bytes(range(i, i + 24)), text, (-1) ** i * (2**63 - 1 - i)) for i, text in enumerate(texts)]
    raw.executemany("insert into t values (?, ?, ?, ?)", rows)
    return raw


@pytest.mark.parametrize("order", ["no asc", "no desc", "no desc limit 3"])
def test_rows_gathered_at_once_are_the_same_and_in_their_order(raw, order):
    one_by_one = raw.execute(f"select no, person, text, n from t where no >= ? order by {order}", (0,)).fetchall()

    at_once = gather(raw, "no, person, text, n", f"from t where no >= ? order by {order}", (0,))

    assert [tuple(row) for row in at_once] == one_by_one != []


def test_who_is_wanted_is_found_and_nobody_is_an_empty_list(raw):
    persons = [bytes(range(i, i + 24)) for i in (1, 3, 200)]

    assert gather_in(raw, "no, person", "from t where no > ? and person", (0,), persons) == [
        [1, persons[0]],
        [3, persons[1]],
    ]
    assert gather_in(raw, "no, person", "from t where no > ? and person", (5,), persons) == []
