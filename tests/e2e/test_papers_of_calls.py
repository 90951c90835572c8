"""What the tutorial of calls tells a newcomer to type works as printed, and a second time too."""

import json
from pathlib import Path
from typing import Any

import pytest

from e2e.running import Process, server
from e2e.test_papers import BLOCK, ROOT, make_program, type_in
from strangers.asterisk import asterisk
from strangers.packages import CACHE
from strangers.phone_network import PhoneNetwork

PAPER = ROOT / "docs/tutorial/first-voice-campaign.md"


def blocks(process: Process) -> list[str]:
    """Return what is to be typed, for a server that is up; the last block goes over SIP."""
    return [
        text.replace("http://127.0.0.1:8030", process.known["base_url"]) for text in BLOCK.findall(PAPER.read_text())
    ]


def shown(printed: str) -> tuple[list[str], dict[str, int]]:
    """Return the outcomes of the calls, and how often each value was chosen, as printed last."""
    decoder = json.JSONDecoder()
    calls: dict[str, Any]
    calls, end = decoder.raw_decode(printed, printed.rindex('{"items"'))
    results, _ = decoder.raw_decode(printed, printed.index("{", end))
    values = {one["value"]: one["count"] for block in results["blocks"] for one in block.get("values", ())}
    return sorted(call["outcome"] for call in calls["items"]), values


@pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.full)])
def test_the_tutorial_of_calls_does_what_it_says(tmp_path: Path, times: int):
    make_program(tmp_path)
    with server(tmp_path / "var") as process:
        lines = "\n".join(blocks(process)[:-1])
        for _ in range(times):
            done = type_in(lines, tmp_path)

            assert done.returncode == 0, done.stdout + done.stderr
            assert done.stderr == ""
            assert '"errors"' not in done.stdout
            assert shown(done.stdout) == (["busy", "human", "machine"], {"yes": 1})


@pytest.mark.timeout(300)
def test_the_same_goes_over_a_sip_trunk(tmp_path: Path, phone_network: PhoneNetwork):
    asterisk()
    make_program(tmp_path)
    settings = {"ASTERISK_TREE": str(CACHE / "asterisk" / "tree"), "SIP_ADDRESS": "127.0.0.1"}
    with server(tmp_path / "var", **settings) as process:
        first, *_, over_sip = blocks(process)
        mine = phone_network.number("0021")
        for printed, real in (
            ("host=sip.example.com", f"host={phone_network.host}"),
            ("port=5060", f"port={phone_network.port}"),
            ("phone=+12125550021", f"phone={mine}"),
        ):
            assert over_sip.count(printed) == 1
            over_sip = over_sip.replace(printed, real)

        done = type_in(f"{first}\n{over_sip}", tmp_path)
        process.stop()

    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert shown(done.stdout) == (["human"], {"yes": 1})
    assert len(phone_network.calls(mine)) == 1
