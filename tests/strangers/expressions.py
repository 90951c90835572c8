"""The evaluator of expressions of those who wrote the flow specification, asked about many texts at once."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from strangers.packages import NODE, environment

SCRIPT = Path(__file__).parent / "expressions.js"


def floip_says(texts: Sequence[str], context: Mapping[str, object]) -> list[str | None]:
    """Return what each text with expressions says; None: it cannot be evaluated there."""
    asked = json.dumps([(text, context) for text in texts])
    done = subprocess.run(
        [NODE, SCRIPT], input=asked, env={**environment(), "TZ": "UTC"}, capture_output=True, text=True, check=True
    )
    return [answer.get("said") for answer in json.loads(done.stdout)]
