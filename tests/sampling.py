"""What the quick suite takes a sample of: of tests that are alike every so many are run, the same ones each time."""

from collections.abc import Collection, Iterable
from pathlib import Path
from zlib import crc32

import pytest

from databases import DATABASES

HERE = Path(__file__).parent

OF_DATABASES = (
    "test_call_records",
    "test_damage",
    "test_damaged_endpoints",
    "test_damaged_runs",
    "test_detecting",
    "test_dying_over_a_model",
    "test_importer_kill",
    "test_importer_large",
    "test_prefetching",
    "test_puller",
)
"""What a database does when it is damaged or killed, or how much it bears, each shows by itself; and files of few."""
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
    """Run the tests of folders that have them for both databases on one or the other."""
    # The walk makes thousands of requests.
    sample_databases(items, HERE / "api", every=6, none=["test_tenant_walk"])
    sample_databases(items, HERE / "engine", every=3, whole=OF_DATABASES)
    sample_databases(items, HERE / "store", every=2, whole=WRITTEN_TWICE)


def sample_databases(
    items: Iterable[pytest.Item], folder: Path, *, every: int, whole: Collection[str] = (), none: Collection[str] = ()
) -> None:
    """Run each test of a folder on one of the two databases: every so many on PostgreSQL, the others on SQLite.

    The full suite runs each on both. Files in `whole` are about what the databases do differently: theirs run on both
    here too. Those in `none` run on SQLite alone.
    """
    twins = [item for item in items if item.path.is_relative_to(folder) and _database(item)]
    seen = {(_bare(item), _database(item)) for item in twins}
    for item in twins:
        if item.path.stem in whole or not seen.issuperset((_bare(item), one) for one in DATABASES):
            continue
        is_sampled = item.path.stem not in none and crc32(_bare(item).encode()) % every == 0
        if _database(item) != ("postgres" if is_sampled else "sqlite"):
            item.add_marker(pytest.mark.full)


def _database(item: pytest.Item) -> str:
    """Return the database that a test runs on, "" where it does not say."""
    return next((one for one in DATABASES if one in item.name), "")


def _bare(item: pytest.Item) -> str:
    """Return the name of a test and its twin on the other database."""
    return item.nodeid.replace(_database(item), "*")
