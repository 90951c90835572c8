"""The contract of our own API, written once for all tests of a process: that takes seconds."""

from copy import deepcopy
from functools import cache
from typing import Any

from callsheet.api.v1.app import build


def our_contract() -> dict[str, Any]:
    """Return a copy that may be changed."""
    return deepcopy(_written())


@cache
def _written() -> dict[str, Any]:
    # Which runtime it has tells a contract nothing.
    return build(None).openapi()  # type: ignore[arg-type]
