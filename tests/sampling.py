"""What the quick suite takes a sample of: of tests that are alike every so many are run, the same ones each time."""

from collections.abc import Collection, Iterable
from pathlib import Path
from zlib import crc32

import pytest


def sample_postgres(
    items: Iterable[pytest.Item], folder: Path, *, every: int, whole: Collection[str] = (), none: Collection[str] = ()
) -> None:
    """Leave all but every so many tests of a folder on the second database to the full suite.

    Above the store both run the same code, and the store's own tests run on both. Files in `whole` are about what the
    databases do differently; of those in `none` the full suite alone has the second one.
    """
    for item in items:
        if "postgres" not in item.name or item.path.stem in whole or not item.path.is_relative_to(folder):
            continue
        if item.path.stem in none or crc32(item.name.encode()) % every:
            item.add_marker(pytest.mark.full)
