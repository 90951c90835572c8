"""Templates of requests: `{{to}}` and its kin, filled in so that no text breaks out of the place where it stands."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, StringConstraints

from callsheet.core.filling import PLACEHOLDER, Values, fill, names_in, without_names

NAMES: Final = (
    *("to", "to_digits", "from", "from_digits", "text", "encoding", "segments", "reference", "receipt_reference"),
    *("callback_url", "inbound_url", "valid_seconds", "valid_milliseconds"),
    *("campaign_id", "dlt_entity_id", "dlt_template_id"),
    *("key", "secret"),
)
"""What can be filled in, besides `secret.` and the name of one of the account's `secrets`."""
NUMBERS: Final = frozenset({"segments", "valid_seconds", "valid_milliseconds"})
"""What is a number in JSON, where it stands alone."""

_NAMED_SECRET: Final = re.compile(r"secret\.[A-Za-z0-9_-]{1,40}")
_BRACES: Final = re.compile(r"\{\{|\}\}")


def check_template(text: str) -> str:
    """Return a template if all that it names can be filled in. Raises ValueError."""
    unknown = sorted({name for name in names_in(text) if not _is_known(name)})
    if unknown:
        raise ValueError(f"There is no {', '.join(unknown)[:80]}; there is {', '.join(NAMES)}, secret.<name>.")
    if _BRACES.search(without_names(text)):
        raise ValueError("Two braces stand around a name only: {{to}}.")
    return text


def _is_known(name: str) -> bool:
    return name in NAMES or _NAMED_SECRET.fullmatch(name) is not None


Template = Annotated[str, StringConstraints(max_length=2000), AfterValidator(check_template)]
"""A text in which placeholders may stand."""


def fill_tree(tree: Any, values: Values) -> Any:
    """Fill in every text of a JSON value; a field that is one placeholder alone, with nothing to say, is left out."""
    match tree:
        case dict():
            return {name: fill_tree(value, values) for name, value in tree.items() if not _is_empty(value, values)}
        case list():
            return [fill_tree(value, values) for value in tree if not _is_empty(value, values)]
        case str():
            name = _alone(tree)
            return values[name] if name in NUMBERS else fill(tree, values, str)
        case _:
            return tree


def _alone(text: str) -> str:
    found = PLACEHOLDER.fullmatch(text)
    return found[1] if found is not None and found[1] in NAMES else ""


def _is_empty(value: Any, values: Values) -> bool:
    name = _alone(value) if isinstance(value, str) else ""
    return bool(name) and values[name] == ""
