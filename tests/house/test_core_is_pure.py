"""The core does no I/O, owns no clock and rolls no dice: time and chance are arguments.

Whatever it decides can then be tested in milliseconds, replayed from a seed, and run in virtual time.
import-linter forbids whole modules; this rule also sees `datetime.now()` and `open()`, which come with
modules that are allowed.
"""

import sys

import pytest

from house.tree import Module, modules, planted, references

LIBRARIES = {"phonenumbers", "dateutil", "liquid"}
MODULES = {
    "asyncio", "concurrent", "ctypes", "http.client", "http.server", "logging", "multiprocessing", "os",
    "pathlib", "random", "secrets", "select", "selectors", "shutil", "signal", "socket", "sqlite3", "ssl",
    "subprocess", "tempfile", "threading", "time", "urllib.request",
}  # fmt: skip
NAMES = {
    "builtins.breakpoint", "builtins.eval", "builtins.exec", "builtins.input", "builtins.open",
    "builtins.print", "datetime.date.today", "datetime.datetime.now", "datetime.datetime.today",
    "datetime.datetime.utcnow", "io.open", "sys.stderr", "sys.stdin", "sys.stdout", "uuid.getnode",
    "uuid.uuid1", "uuid.uuid4", "uuid.uuid6", "uuid.uuid7",
}  # fmt: skip


def stains(module: Module) -> list[str]:
    found = []
    for name, line in references(module):
        root = name.partition(".")[0]
        ours = name.startswith("callsheet.core") or name in {"callsheet", "callsheet.__version__"}
        known = root in sys.stdlib_module_names or root in LIBRARIES or root == "builtins"
        if name in NAMES or any(f"{name}.".startswith(f"{stain}.") for stain in MODULES):
            found.append(f"{module.path}:{line}: {name} is time, chance or I/O")
        elif not (ours or known):
            found.append(f"{module.path}:{line}: {name} is no business of the core")
    return found


def test_the_core_asks_no_clock_no_dice_and_no_disk():
    assert not [stain for module in modules("src/callsheet/core") for stain in stains(module)]


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import datetime\nat = datetime.now(tz=None)",
        "import datetime as dt\nat = dt.datetime.utcnow()",
        "from datetime import date\ndef f(today=date.today): ...",
        "from time import monotonic",
        "import os.path",
        "import random\nx = random.random()",
        "text = open('x').read()",
        "from uuid import uuid4\nx = uuid4()",
        "import sqlalchemy",
        "from callsheet.clock import Clock",
    ],
)
def test_the_rule_sees_what_it_forbids(text):
    assert stains(planted(text))


def test_the_rule_lets_honest_arithmetic_be():
    text = (
        "from datetime import datetime, time\nfrom urllib.parse import unquote\nimport dateutil.rrule\n"
        "def f(open): return open and time(9) and datetime.combine and sum([1])"
    )

    assert not stains(planted(text))
