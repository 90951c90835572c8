"""`callsheet voice-node` beside a server: it joins, is shown, outlives the server, and stops in order."""

import signal
from pathlib import Path
from typing import Any

import pytest

from callsheet.voice.asterisk.node_folder import NodeFolder
from callsheet.voice.asterisk.process import find_process
from e2e.running import Process, callsheet, server, started, until
from ports import free_port
from strangers.asterisk import asterisk
from strangers.packages import CACHE

KEY = "a key of voice nodes, for tests only"


def node_of(process: Process) -> dict[str, Any]:
    """Return how the node stands, as the server tells."""
    status, listed = process.request("GET", "/v1/voice-nodes")
    assert status == 200, listed
    return next(iter(listed["items"]), {})


def key_of(name: str, folder: Path) -> str:
    """Return the key of a node, as the server's operator makes it."""
    made = callsheet("voice-node-key", name, data=folder, VOICE_NODE_KEY=KEY)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def stands_well(process: Process) -> dict[str, Any] | None:
    node = node_of(process)
    return node if node and node["state"] == "running" and node["is_connected"] else None


def pid_of(folder: Path) -> int:
    """Return the process of the Asterisk that runs in a folder; 0: none does."""
    found = find_process(NodeFolder(folder / "asterisk" / "node"))
    return found.pid if found else 0


@pytest.mark.timeout(300)
def test_a_node_joins_a_server_outlives_it_and_stops_in_order(tmp_path):
    asterisk()
    port = free_port()
    node_settings = {
        "VOICE_NODE_KEY": key_of("berlin-1", tmp_path), "ASTERISK_TREE": str(CACHE / "asterisk" / "tree"),
        "SIP_ADDRESS": "127.0.0.1",
    }  # fmt: skip
    settings = {"VOICE_NODE_KEY": KEY, "VOICE_NODE_PORT": str(port), "VOICE_NODE_LOCAL": "false"}
    words = "voice-node", "--join", f"http://127.0.0.1:{port}", "--name", "berlin-1", "--most-calls", "7"
    data = tmp_path / "node"
    with started(*words, data=data, said=tmp_path / "node.said", **node_settings) as node:
        with server(tmp_path / "data", **settings) as first:
            trunk = {"name": "Phones", "carrier": "sip", "settings": {"host": "127.0.0.1", "port": free_port()}}
            first.v1("POST", "/trunks", trunk)
            shown = until(lambda: stands_well(first), "the node")
            assert (shown["name"], shown["is_remote"], shown["most_calls"], shown["calls"]) == ("berlin-1", True, 7, 0)
            assert first.request("POST", "/v1/voice-nodes/berlin-1/drain", {})[1]["is_draining"]
            pid = pid_of(data)
            first.stop(signal.SIGKILL)

        with server(tmp_path / "data", **settings) as second:
            shown = until(lambda: stands_well(second), "the node, after the server was killed")
            assert shown["is_draining"]
            assert pid_of(data) == pid

            assert node.stop() == 0, node.output
            assert not pid_of(data)
            until(lambda: node_of(second)["state"] == "away", "the news")
    assert KEY not in "".join(path.read_text(errors="replace") for path in (data / "asterisk/node/etc").iterdir())


def test_the_doctor_looks_for_no_asterisk_where_there_is_to_be_none(tmp_path):
    (tmp_path / "data").mkdir(mode=0o700, exist_ok=True)
    said = callsheet("doctor", data=tmp_path / "data", VOICE_NODE_LOCAL="false")

    assert "voice nodes on other hosts" in said.stdout


def test_what_a_node_cannot_join_with_is_said_at_once(tmp_path):
    said = callsheet("voice-node", "--join", "example.com", "--name", "local", data=tmp_path / "node")

    assert said.returncode == 2
    assert [line.partition(":")[0] for line in said.stderr.splitlines()] == [
        "CALLSHEET_VOICE_NODE_KEY", "--join", "--name",
    ]  # fmt: skip
    short = callsheet("voice-node", "--join", "http://x", data=tmp_path / "node", VOICE_NODE_KEY="too short")
    assert (short.returncode, "CALLSHEET_VOICE_NODE_KEY" in short.stderr) == (2, True)
