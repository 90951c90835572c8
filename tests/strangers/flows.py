"""The reference runner of flows (npm @floip/flow-runner), given many sessions at once."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from strangers.packages import NODE, environment

SCRIPT = Path(__file__).parent / "flows.js"


def run_flows(sessions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what became of each session; what it is asked and says stands at the head of `flows.js`."""
    lines = "".join(f"{json.dumps(session)}\n" for session in sessions)
    done = subprocess.run([NODE, SCRIPT], input=lines, env=environment(), capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]
