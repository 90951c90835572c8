"""What `make strangers` could not have, and why: what needs it is not run, and the summary says so.

Where every test has to run (`EVERY_TEST=1`, as `.ci/run` sets it), those tests fail with the reason instead.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

NOTE = Path(__file__).parents[2] / ".cache" / "lacking.json"
EVERY_TEST = "EVERY_TEST"
NOT_RUN = pytest.skip.Exception
_LONGEST = 300


def have(wanted: Mapping[str, Callable[[], object]]) -> None:
    """Fetch each thing; write down, and say, what could not be had."""
    lacking = {}
    for name, fetch in wanted.items():
        try:
            fetch()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other tests can run
            lacking[name] = " ".join(f"{type(error).__name__}: {error}".split())[-_LONGEST:]
            said = f"{name} CANNOT BE HAD, and tests that need it cannot run: {lacking[name]}"
            sys.stderr.write(f"\n*** {said}\n\n")
    NOTE.parent.mkdir(exist_ok=True)
    NOTE.write_text(json.dumps(lacking))


def lacking() -> Mapping[str, str]:
    """Return what could not be had, and why."""
    return dict(json.loads(NOTE.read_text())) if NOTE.exists() else {}


def require(name: str) -> None:
    """End the test that runs, as not run or as failed, when a thing could not be had. Outside of tests: nothing."""
    why = lacking().get(name) if "PYTEST_CURRENT_TEST" in os.environ else None
    if why is None:
        return
    said = f"{name} could not be had (`make strangers` tries again): {why}"
    if os.environ.get(EVERY_TEST):
        raise RuntimeError(said)
    pytest.skip(said)


def tell(skipped: int) -> list[str]:
    """Return what the summary of a run says of it; nothing where all was there."""
    if not skipped:
        return []
    return [
        f"*** NOT RUN: {skipped} tests lack what others wrote ***",
        *(f"{name}: {why}" for name, why in lacking().items()),
    ]
