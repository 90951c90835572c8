"""Wording: what is wrong with a field of ours, in plain sentences instead of the validator's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

AMISS: Final = "amiss"
"""The kind of a fault of which a check of ours says where it is."""

_INSTANT: Final = "This must be an instant with its zone, such as 2026-01-31T09:30:00Z."

_SENTENCES: Mapping[str, str] = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no such field here.",
    "string_type": "This must be a text.",
    "string_too_short": "This must not be empty.",
    "string_too_long": "This must have at most {max_length} characters.",
    "bool_type": "This must be true or false.",
    "int_type": "This must be a whole number.",
    "int_parsing": "This must be a whole number.",
    "int_parsing_size": "This must be a whole number.",
    "int_from_float": "This must be a whole number.",
    "float_type": "This must be a number.",
    "greater_than": "This must be more than {gt}.",
    "greater_than_equal": "This must be at least {ge}.",
    "less_than_equal": "This must be at most {le}.",
    "enum": "This must be {expected}.",
    "literal_error": "This must be {expected}.",
    "union_tag_invalid": "This must be {expected_tags}.",
    "union_tag_not_found": "This field is required.",
    "list_type": "This must be an array.",
    "too_long": "This must have at most {max_length} items.",
    "dict_type": "This must be an object.",
    "model_attributes_type": "This must be an object.",
    "datetime_type": _INSTANT,
    "datetime_parsing": _INSTANT,
    "datetime_from_date_parsing": _INSTANT,
    "datetime_object_invalid": _INSTANT,
    "timezone_aware": _INSTANT,
    "value_error": "{error}.",
    AMISS: "{said}",
}
"""By the validator's kinds of faults; checks of our own bring their sentence with them."""

_ANY = "This value cannot be used here."


def sentence(fault: Mapping[str, Any]) -> str:
    """Return the sentence for one fault as pydantic tells it: `type`, and `ctx` with the limits."""
    limits = {
        name: int(limit) if isinstance(limit, float) and limit.is_integer() else limit
        for name, limit in fault.get("ctx", {}).items()
    }
    return _SENTENCES.get(fault["type"], _ANY).format(**limits).replace("..", ".")
