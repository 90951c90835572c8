"""How soon a call ends, or is led on, after something broke: what is set adds up to what is promised and documented.

No test waits for it with a watch: a busy machine would be late. That calls do end is in `test_breaking.py`.
"""

import re
from pathlib import Path

import pytest

from callsheet.engine.calling import call_records
from callsheet.voice.asterisk.configuration import configure
from callsheet.voice.asterisk.link import GREETING_SECONDS
from callsheet.voice.asterisk.local import Watch
from callsheet.voice.asterisk.patience import Patience
from voice.asterisk.test_configuration import TRUNK, plan

PROMISED_SECONDS = 5.0
PAGE = Path(__file__).parents[3] / "docs/reference/asterisk.md"
WATCH, PATIENCE = Watch(), Patience()


def reconnect_seconds() -> float:
    """Return after how long a node tries to connect again."""
    (dispatcher, *_) = re.findall(r"reconnect_interval *= *(\d+)", configure(plan(TRUNK))["websocket_client.conf"])
    return int(dispatcher) / 1000


QUICK = {
    "Asterisk beside us died": WATCH.look_seconds,
    "Callsheet is back after a kill": reconnect_seconds() + GREETING_SECONDS + PATIENCE.late_seconds,
    "an end that was not told": PATIENCE.watch_seconds + PATIENCE.late_seconds,
}
SLOW = {
    "Asterisk hangs": WATCH.most_silent * (WATCH.looks_a_question * WATCH.look_seconds + WATCH.answer_seconds),
    "another host": PATIENCE.away_seconds,
    "Callsheet and Asterisk died together": call_records.FIND_SECONDS,
    "Callsheet died and does not come back": call_records.LEASE_SECONDS + call_records.TICK_SECONDS,
    "no media comes any more": TRUNK.media_timeout_seconds,
}


def documented(what: str) -> float:
    """Return within how many seconds, as the page says."""
    row = next(
        line for line in PAGE.read_text().partition("### How soon")[2].splitlines() if line.startswith(f"| {what}")
    )
    found = re.match(r"([\d.]+) s", row.split("|")[2].strip())
    assert found
    return float(found[1])


def test_a_node_that_is_not_heard_is_ended_long_after_its_calls_were_given_up():
    seconds = WATCH.most_unheard * WATCH.looks_a_question * WATCH.look_seconds
    assert seconds >= 2 * PATIENCE.away_seconds
    said = f"back within {PATIENCE.away_seconds:.0f} seconds. After {seconds:.0f} seconds or more it is ended in order"
    assert said in PAGE.read_text()


@pytest.mark.parametrize(("what", "seconds"), QUICK.items())
def test_what_is_promised_adds_up(what: str, seconds: float):
    assert seconds <= PROMISED_SECONDS


@pytest.mark.parametrize(("what", "seconds"), [*QUICK.items(), *SLOW.items()])
def test_the_page_says_how_soon(what: str, seconds: float):
    assert documented(what) == seconds
