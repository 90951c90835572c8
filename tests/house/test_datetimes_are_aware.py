"""A naive datetime is a wrong time that has not happened yet.

Instants are aware outside the store, microseconds in it.

Column names that end in `_at` promise an instant, so they are big integers on both databases (32 bits of
microseconds end after 71 minutes), and no column holds a database's own idea of a date.
"""

import ast

import pytest
import sqlalchemy as sa

from callsheet.store.tables import metadata
from house.tree import Module, dotted, modules_that_say, origins, planted, unexcused

# path::line text -> why this one may be naive.
EXCUSES: dict[str, str] = {}
POSITION_OF_TZINFO = 8


def is_naive(call: ast.Call, name: str | None) -> bool:
    given = {keyword.arg for keyword in call.keywords}
    match name:
        case "datetime.datetime":
            return "tzinfo" not in given and None not in given and len(call.args) < POSITION_OF_TZINFO
        case "datetime.datetime.fromtimestamp" | "datetime.datetime.now":
            return not given & {"tz", None} and len(call.args) < (2 if name.endswith("fromtimestamp") else 1)
        case "datetime.datetime.utcnow" | "datetime.datetime.utcfromtimestamp" | "datetime.datetime.today":
            return True
        case _:
            return False


def naive_ones(module: Module) -> dict[str, str]:
    names, lines = origins(module), module.text.splitlines()
    return {
        f"{module.path}::{lines[node.lineno - 1].strip()}": f"{module.path}:{node.lineno}: a naive datetime"
        for node in module.nodes
        if isinstance(node, ast.Call) and is_naive(node, dotted(node.func, names))
    }


def test_no_naive_datetime_is_made():
    found = {key: text for module in modules_that_say("datetime") for key, text in naive_ones(module).items()}

    assert not unexcused(found, EXCUSES)


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import datetime\nx = datetime(2026, 1, 1)",
        "import datetime as dt\nx = dt.datetime.fromtimestamp(0)",
        "from datetime import datetime\nx = datetime.utcnow()",
        "from datetime import datetime\nx = datetime.now()",
    ],
)
def test_the_rule_sees_a_naive_datetime(text):
    assert naive_ones(planted(text))


def test_the_rule_lets_aware_ones_be():
    text = "from datetime import UTC, datetime as d\nx = d(2026, 1, 1, tzinfo=UTC)\ny = d.fromtimestamp(0, UTC)"

    assert not naive_ones(planted(text))


def test_columns_that_end_in_at_hold_microseconds():
    columns = [column for table in metadata.tables.values() for column in table.columns]

    assert columns
    wrong = [str(c) for c in columns if c.name.endswith("_at") and not isinstance(c.type, sa.BigInteger)]
    wrong += [str(c) for c in columns if isinstance(c.type, sa.DateTime | sa.Date | sa.Time | sa.Interval)]
    assert not wrong
