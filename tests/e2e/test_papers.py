"""What the papers tell a newcomer to type works as printed, from the first line to the last, in any order."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.running import PATIENCE_SECONDS, Process, environment, server
from e2e.starting import for_a_shell

ROOT = Path(__file__).parents[2]
PAPERS = ("README.md", "docs/tutorial/first-campaign.md")
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WAIT = """until curl -s "$base/v1/apps/$app/campaigns/$id" -H "$auth" | grep -q '"status" *: *"Completed"'; do
  sleep 0.2
done"""
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the papers call curl")


@pytest.mark.parametrize("order", [(*PAPERS, PAPERS[0]), pytest.param(PAPERS * 2, marks=pytest.mark.full)], ids=len)
def test_every_paper_does_what_it_says_after_the_other_one_and_a_second_time(tmp_path: Path, order: tuple[str, ...]):
    make_program(tmp_path)
    with server(tmp_path / "var") as process:
        for paper in order:
            before = len(process.outbox())
            done = type_in(script(paper, process), tmp_path)

            assert done.returncode == 0, done.stdout + done.stderr
            assert done.stderr == ""
            texts = [message["text"] for message in process.outbox()[before:]]
            assert any("Hello Ada" in text for text in texts)
            assert all(json.dumps(text)[1:-1] in done.stdout for text in texts)
            assert "Ready" in done.stdout
            assert '"errors"' not in done.stdout
            assert '"code"' not in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == [".venv", "var", "var.said"]


def test_a_campaign_that_was_refused_is_explained_by_the_answer_and_no_trace(tmp_path: Path):
    make_program(tmp_path)
    with server(tmp_path / "var") as process:
        for paper in PAPERS:
            done = type_in(script(paper, process).replace('"contactLists": [', '"contactLists": ["Nobody",'), tmp_path)

            assert done.returncode != 0
            assert "Nobody" in done.stdout
            assert done.stderr == "There is no campaign: the answer above says why.\n"


@pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.full)])
def test_the_program_of_the_tutorial_does_what_it_says_a_second_time_too(tmp_path: Path, times: int):
    # Who runs it from Python passes no handles on.
    make_program(tmp_path, f"{sys.executable} -m callsheet")
    (program,) = PYTHON.findall((ROOT / "docs/tutorial/first-campaign.md").read_text())
    with server(tmp_path / "var") as process:
        done = type_in(script("docs/tutorial/first-campaign.md", process), tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        (tmp_path / "var" / "first.py").write_text(program)
        for _ in range(times):
            before = len(process.outbox())
            done = type_in(f"{sys.executable} var/first.py", tmp_path)

            assert (done.returncode, done.stderr) == (0, "")
            first, *texts = done.stdout.splitlines()
            assert first == "3 accepted, 1 rejected"
            assert sorted(texts) == sorted(f"{one['to']} {one['text']}" for one in process.outbox()[before:])
            assert len(texts) == 3


def script(paper: str, process: Process) -> str:
    """Return the lines that a paper has for a server that is up."""
    blocks = [block for block in BLOCK.findall((ROOT / paper).read_text()) if not block.startswith("make ")]
    lines = "\n".join(blocks).replace("http://127.0.0.1:8030", process.known["base_url"])
    assert lines.count("\nsleep 2\n") == 1
    # A person who has waited for two seconds looks again when there is nothing yet.
    return lines.replace("\nsleep 2\n", f"\n{WAIT}\n")


def make_program(folder: Path, words: str = "") -> None:
    """Put the program where the papers say that it is."""
    program = folder / ".venv" / "bin" / "callsheet"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {words or for_a_shell()[0]} "$@"\n')
    program.chmod(0o755)


def type_in(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run lines in a shell that ends at the first one that fails."""
    return subprocess.run(
        ["sh", "-eu", "-c", script],
        cwd=folder,
        env={**environment(), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        pass_fds=for_a_shell()[1],
        timeout=PATIENCE_SECONDS * 2,
        check=False,
    )
