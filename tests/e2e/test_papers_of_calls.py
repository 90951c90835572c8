"""What the tutorial of calls tells a newcomer to type works as printed, and a second time too."""

import json
from pathlib import Path

import pytest

from e2e.running import server
from e2e.test_papers import BLOCK, ROOT, make_program, type_in

PAPER = ROOT / "docs/tutorial/first-voice-campaign.md"


@pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.full)])
def test_the_tutorial_of_calls_does_what_it_says(tmp_path: Path, times: int):
    make_program(tmp_path)
    with server(tmp_path / "var") as process:
        lines = "\n".join(BLOCK.findall(PAPER.read_text())).replace("http://127.0.0.1:8030", process.known["base_url"])
        for _ in range(times):
            done = type_in(lines, tmp_path)

            assert done.returncode == 0, done.stdout + done.stderr
            assert done.stderr == ""
            assert '"errors"' not in done.stdout
            calls = json.loads(done.stdout[done.stdout.rindex('{"items"') :])["items"]
            assert sorted(call["outcome"] for call in calls) == ["busy", "human", "machine"]
        status, flows = process.request("GET", f"/v1/apps/{process.known['app_id']}/flows")
        assert status == 200
        flow_id = next(one["id"] for one in flows["items"] if one["name"].startswith("Survey"))
        _, results = process.request("GET", f"/v1/apps/{process.known['app_id']}/flows/{flow_id}/results")
        values = {one["value"]: one["count"] for block in results["blocks"] for one in block.get("values", ())}
        assert values == {"yes": 1}
