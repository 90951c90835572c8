"""What the quick suite takes a sample of: of tests that are alike every so many are run, the same ones each time."""

from collections.abc import Collection, Iterable
from pathlib import Path
from zlib import crc32

import pytest

from databases import DATABASES


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
