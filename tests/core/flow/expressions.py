"""What the tests of expressions see: one contact, one reply, some results, at a fixed instant in India."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

from callsheet.core.flow.expression.reading import read_expression, read_text
from callsheet.core.flow.expression.scope import Scope

INDIA = timezone(timedelta(hours=5, minutes=30))
NOW = datetime(2026, 11, 22, 14, 30, 5, 123456, INDIA)
CONTACT = {
    "name": "Marshawn Lynch", "first_name": "Asha", "First name": "Asha", "age": "30", "jersey": 24,
    "balance": "1234.50", "tel": "+12065551212", "birthday": "22-04-1986", "blank": "", "nothing": None,
    "city": "पुणे", "गाव": "वाई", "share": 0.1, "__value__": "Marshawn Lynch",
}  # fmt: skip
NAMES = {
    "contact": CONTACT,
    "campaignUserInfo": CONTACT,
    "block": {
        "response": "Yes please",
        "value": {
            "ok": True, "items": [{"sku": "A1", "price": 12.5}, {"sku": "B2", "price": 7}], "total": Decimal("19.5"),
        },
        "entered_at": datetime(2026, 11, 22, 8, 0, tzinfo=UTC),
    },
    "results": {
        "Menu": {"value": "1", "__value__": "1", "exit": {"name": "one", "__value__": "one"}},
        "skipped": {"value": None, "__value__": None},
        "many": {"value": ["red", "blue"], "__value__": ["red", "blue"]},
    },
    "flow": {"name": "Orders", "__value__": "Orders"},
    "session": {"replies": 2},
    "run": {"mode": "SMS"},
    "parent": None,
    "child": {"results": {}},
    "context": {"due": date(2026, 12, 1)},
}  # fmt: skip
SCOPE = Scope(NAMES, NOW)


def said(text, scope=SCOPE):
    """Return what a text with expressions says."""
    return read_text(text)(scope)


def value(expression, scope=SCOPE):
    """Return the value of an expression."""
    return read_expression(expression)(scope)


def shown(expression, scope=SCOPE):
    """Return the value of an expression as a text says it."""
    return said(f"@({expression})", scope)
