"""A JavaScript server of this folder, run until a block ends."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from strangers.packages import NODE, environment

HERE = Path(__file__).parent
END_SECONDS = 10


@contextmanager
def running(script: str, options: Mapping[str, Any]) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Start a script with its options; yield its process and what it said when it was ready.

    It ends with its standard input as well, so that it does not outlive a test that is killed.
    """
    process = subprocess.Popen(
        [NODE, HERE / script, json.dumps(options)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise RuntimeError(f"{script} did not start: what it said is above")
            yield process, json.loads(line)
        finally:
            process.kill()
            process.wait(END_SECONDS)
