"""How many examples a test draws: all of them in the full suite, a quarter in the quick one, the same each time."""

from hypothesis import settings

EXAMPLES = 100
_SHARE = 4


def drawn(count: int = EXAMPLES) -> settings:
    """Return the decorator of a test that draws so many in the full suite."""
    # The quick suite alone draws without dice (`conftest.py`).
    return settings(max_examples=count // _SHARE if settings.default.derandomize else count)
