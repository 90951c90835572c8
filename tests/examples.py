"""How many examples a test draws that says how many: a quarter of them in the quick suite, the same each time."""

from hypothesis import settings

_SHARE = 4


def drawn(count: int) -> settings:
    """Return the decorator of a test that draws so many in the full suite."""
    # The quick suite alone draws without dice (`conftest.py`).
    return settings(max_examples=count // _SHARE if settings.default.derandomize else count)
