"""The client is a package that others can rely on: typed, light on the command line, whole in the wheel."""

import subprocess
import sys
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

from house.tree import ROOT


def test_a_type_checker_knows_every_argument_and_every_answer():
    """In a process of its own: the checker lifts the recursion limit of the one that it runs in, and leaves it so."""
    usage = Path(__file__).with_name("usage.py")
    checker = [sys.executable, "-m", "mypy", "--strict", "--config-file", str(ROOT / "pyproject.toml"), str(usage)]
    checked = subprocess.run(checker, capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout


def test_the_command_line_starts_without_the_client():
    code = "import sys, callsheet.cli.program; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert not {"aiohttp", "msgspec", "asyncio", "callsheet.client"} & set(loaded)


def test_the_client_drags_no_server_in():
    code = "import sys, callsheet.client; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    rooms = ("api", "bootstrap", "carriers", "cli", "console", "engine", "settings", "store", "voice")

    assert not {f"callsheet.{room}" for room in rooms} & set(loaded)
    assert not {"fastapi", "sqlalchemy", "pydantic"} & set(loaded)


def test_the_wheel_says_that_it_is_typed():
    packed = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}

    assert {"callsheet/py.typed", "callsheet/client/clients.py", "callsheet/client/v1/runs.py"} <= packed
