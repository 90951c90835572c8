"""Twilio's own calculator (npm sms-segments-calculator), asked about many texts at once."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from strangers.packages import NODE, environment

SCRIPT = Path(__file__).parent / "segments.js"


def twilio_segments(texts: Sequence[str]) -> list[tuple[str, int]]:
    """Return encoding ("GSM-7" or "UCS-2") and count of segments of each text."""
    done = subprocess.run(
        [NODE, SCRIPT], input=json.dumps(texts), env=environment(), capture_output=True, text=True, check=True
    )
    return [(encoding, count) for encoding, count in json.loads(done.stdout)]
