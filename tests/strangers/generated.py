"""Expressions that are made up: what both evaluators are asked."""

import random
import re
from datetime import UTC, datetime

from callsheet.core.flow.expression.scope import Scope

CONTEXT = {
    "contact": {
        "name": "Marshawn Lynch", "first_name": "marshawn", "age": 30, "tel": "12065551212", "balance": "1234.5",
        "state": "GA", "birthday": "1986-04-22", "__value__": "Marshawn Lynch",
    },
    "block": {"value": "chocolate", "response": "2", "ok": True},
    "results": {"drink": {"value": "tea, no sugar", "__value__": "tea, no sugar"}, "rooms": {"__value__": 3}},
}  # fmt: skip
SCOPE = Scope(CONTEXT, datetime(2026, 11, 22, 14, 30, tzinfo=UTC))
TEXTS = [
    *("contact.name", "contact.first_name", "contact.state", "block.value", "results.drink", "results.drink.value"),
    *("'hello cow-boy'", '"Excellent expressions are fun"', '"a"', "'GA'", "contact", "chocolate", '"tea, or two"'),
]
NUMBERS = ["contact.age", "contact.balance", "block.response", "results.rooms", "1", "2", "7", "12.5", "0.25", "100"]
DATES = ['"2020-01-15"', "contact.birthday", "DATE(2012, 12, 25)", "DATE(2026, 2, 30)", 'DATEVALUE("2019-07-31")']
TRUTHS = ["TRUE", "FALSE", "block.ok"]
AROUND = ["@({})", "Well: @({})!", "@({}) and so on, a@@b.com", "1, 2 @({})", "@contact.first_name: @({})."]


# Of each kind, with places for others: a text, a number, a boolean, a percentage, a date.
MADE = {
    "t": [
        *("UPPER({t})", "LOWER({t})", "PROPER(LOWER(FIRST_WORD({t})))", "LEFT({t}, {small})", "RIGHT({t}, {small})"),
        *(
            "REPT({t}, {small})",
            "CONCATENATE({t}, {t}, {n})",
            "SUBSTITUTE({t}, 'a', 'o')",
            "CLEAN({t})",
            "{word} & {word}",
        ),
        *("CHAR({code})", "UNICHAR({code})", "FIRST_WORD({t})", "WORD({t}, 1)", "WORD({t}, -1)", "WORD({t}, 1, TRUE)"),
        *("WORD_SLICE({t}, 1)", "IF({b}, {t}, {t})"),
    ],
    "n": [
        *("{n} + {n}", "{n} - {n}", "{n} * {n}", "{n} / 4", "{figure} ^ 2", "ABS({figure} - 50)", "SUM({n}, {n}, 4)"),
        *("MAX({n}, {n})", "MIN({n}, {n}, 3)", "POWER(2, {small})", "LEN({t})", "WORD_COUNT({t})", "CODE({t})"),
        *("COUNT(ARRAY({t}, {n}))", "UNICODE({t})", "YEAR({d})", "MONTH({d})", "DAY({d})", "IF({b}, {n}, {n})"),
    ],
    "b": [
        *("{n} > {n}", "{n} < {n}", "{n} <= {n}", "{n} >= {n}", "{n} = {n}", "{n} <> {n}", "{n} != {n}"),
        *(
            "LOWER({t}) = LOWER({t})",
            "LOWER({t}) <> LOWER({t})",
            "AND({b}, {b})",
            "OR({b}, {b})",
            "CONTAINS(LOWER({t}), LOWER({t}))",
        ),
        *(
            "IN(UPPER({t}), ARRAY(UPPER({t}), UPPER({t})))",
            "IN({n}, ARRAY({n}, {n}))",
            "ISNUMBER({n})",
            "ISNUMBER({t})",
            "ISSTRING({t})",
        ),
        *("ISBOOL({b})", "ISBOOL({n})", "BETWEEN({d}, '1980-01-01', '2030-12-31')", "contact.state = UPPER({word})"),
    ],
    "p": ["PERCENT({figure})"],
}
LETTERS = [*range(65, 91), *range(97, 123)]
PLAIN = {
    "t": TEXTS,
    "n": NUMBERS,
    "b": TRUTHS,
    "d": DATES,
    "word": TEXTS,
    "figure": NUMBERS,
    "small": list("1234"),
    "code": [str(code) for code in LETTERS],
}


SIGN = re.compile(r" [-+*/^&=<>!]+ ")


def texts(random_: random.Random, count: int) -> list[str]:
    """Return so many texts with an expression each."""
    kinds = "tnbtnbp"
    return [
        random_.choice(AROUND).format(_expression(random_, random_.choice(kinds), random_.randrange(1, 4)))
        for _ in range(count)
    ]


def _expression(random_: random.Random, kind: str, depth: int, *, is_operand: bool = False) -> str:
    """Return an expression. Theirs knows no precedence: an operand says where it ends."""
    if kind not in MADE or depth <= 0:
        return random_.choice(PLAIN[kind])
    made = random_.choice(MADE[kind])
    has_sign = made.startswith(("{", "contact")) and SIGN.search(made) is not None
    while "{" in made:
        place = made[made.index("{") : made.index("}") + 1]
        inner = _expression(random_, place[1:-1], depth - 1 - random_.randrange(2), is_operand=has_sign)
        made = made.replace(place, inner, 1)
    return f"({made})" if is_operand and has_sign else made
