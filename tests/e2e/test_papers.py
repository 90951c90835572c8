"""What the papers tell a newcomer to type works as printed, from the first line to the last."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.running import PATIENCE_SECONDS, environment, server

ROOT = Path(__file__).parents[2]
PAPERS = ("README.md", "docs/tutorial/first-campaign.md")
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the papers call curl")
@pytest.mark.parametrize("paper", PAPERS)
def test_every_command_of_the_paper_does_what_it_says(paper: str, tmp_path: Path):
    blocks = [block for block in BLOCK.findall((ROOT / paper).read_text()) if not block.startswith("make ")]
    make_program(tmp_path)
    with server(tmp_path / "var") as process:
        script = "\n".join(blocks).replace("http://127.0.0.1:8030", process.known["base_url"])
        said = type_in(script, tmp_path)

        texts = [message["text"] for message in process.outbox()]
        assert any("Hello Ada" in text for text in texts)
        assert all(json.dumps(text)[1:-1] in said for text in texts)
    assert "Ready" in said
    assert '"errors"' not in said
    assert '"code"' not in said
    assert sorted(path.name for path in tmp_path.iterdir()) == [".venv", "var", "var.said"]


def make_program(folder: Path) -> None:
    """Put the program where the papers say that it is."""
    program = folder / ".venv" / "bin" / "callsheet"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m callsheet "$@"\n')
    program.chmod(0o755)


def type_in(script: str, folder: Path) -> str:
    """Run lines in a shell that ends at the first one that fails, and return what was said."""
    done = subprocess.run(
        ["sh", "-eu", "-c", script],
        cwd=folder,
        env={**environment(), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout
