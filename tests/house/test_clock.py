"""The time is asked in `clock.py`, and nowhere else: everything above it is handed a clock.

One forgotten `time.monotonic()` and a simulated week is no longer the real week: leases run out in the
wrong order, and the seed that found a fault does not find it again.
"""

import pytest

from house.tree import Module, modules_that_say, planted, references, unexcused

CLOCKS = {"src/callsheet/clock.py", "src/callsheet/engine/virtual_time.py"}
# path::name -> why this place may look at a clock of its own.
EXCUSES: dict[str, str] = {}
NAMES = {
    "datetime.date.today", "datetime.datetime.now", "datetime.datetime.today", "datetime.datetime.utcnow",
    "time.asctime", "time.clock_gettime", "time.clock_gettime_ns", "time.ctime", "time.gmtime",
    "time.localtime", "time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.perf_counter_ns",
    "time.sleep", "time.strftime", "time.time", "time.time_ns",
}  # fmt: skip


def looks(module: Module) -> dict[str, str]:
    return {
        f"{module.path}::{name}": f"{module.path}:{line}: {name} belongs to clock.py"
        for name, line in references(module)
        if name in NAMES
    }


def test_only_the_clock_asks_the_time():
    suspects = [module for module in modules_that_say(r"\b(date)?time\b") if module.path not in CLOCKS]
    found = {key: text for module in suspects for key, text in looks(module).items()}

    assert not unexcused(found, EXCUSES)


@pytest.mark.parametrize(
    "text",
    [
        "import time\nx = time.time()",
        "from time import monotonic as tick\nx = tick()",
        "import time\ndef f(clock=time.monotonic): ...",
        "from datetime import UTC, datetime\nx = datetime.now(UTC)",
        "import datetime\nx = datetime.date.today()",
    ],
)
def test_the_rule_sees_a_hidden_clock(text):
    assert looks(planted(text))
