from pathlib import Path

import pytest

from sampling import sample_databases

HERE = Path(__file__).parent

WRITTEN_TWICE = (
    "test_borrowed_databases",
    "test_coming_again",
    "test_fences",
    "test_flow_sessions",
    "test_gate",
    "test_inbox",
    "test_limits",
    "test_matching",
    "test_migrations",
    "test_rates",
    "test_reaping",
    "test_recording",
    "test_restoring",
    "test_slots",
    "test_walking",
)
"""Files about the hot operations, which are written by hand for each database, and what else differs between them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run every second test on the second database; those of what is written twice on both."""
    sample_databases(items, HERE, every=2, whole=WRITTEN_TWICE)
