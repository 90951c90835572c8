"""Arrows point one way: cli -> bootstrap -> (api | console) -> engine -> (store | carriers | voice) -> core.

A room that knows its neighbour cannot be replaced, tested or read without it. The contracts stand in
`pyproject.toml`; import-linter follows every import, indirect ones too.
"""

import subprocess
import sys

from house.tree import ROOT

LINT = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True, no_logo=True))"


def test_no_room_knows_a_room_above_or_beside_it():
    done = subprocess.run([sys.executable, "-c", LINT], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
