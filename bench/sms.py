"""The whole way of a campaign's texts, beside Kannel and Jasmin: from the list to receipts that are stored.

Ours: a list in the store, the gate, rendering, SMPP to node-smpp, which sends a receipt after 300 ms, and receipts
stored, on SQLite and on PostgreSQL, there also with two nodes of one campaign: a node is one process, and mostly uses
one core. Kannel (Debian's) does what a campaign's user asks of it: each message comes by
`sendsms` over connections that stay open, goes by SMPP to node-smpp, and its receipt leaves by `dlr-url`; Jasmin does
the same by `/send`, with a Redis and a RabbitMQ of its own. So they, gateways, pay for a request and a callback for
each message where ours pays for its database; the process that makes the requests and takes the callbacks counts for
nobody. Jasmin's newest release matches no receipt and sends one message at a time: both are mended first
(`tests/strangers/jasmin.py`). It gets a twentieth of the messages, at least 500. Where it cannot be fetched or started,
or loses a message, the reason is printed.

Each system has an SMSC of its own and runs alone; the systems take turns, round by round, so that other work on the
machine falls on all alike. Figures are medians of the rounds, and the ratio is the median of the rounds' ratios. CPU
is that of all processes of a system (PostgreSQL's among ours), and node-smpp's beside it, because it is what every
system waits for in the end.

`CALLSHEET_BENCH_MESSAGES` is the size of the list (20,000), `CALLSHEET_BENCH_ROUNDS` how often all take their turn (3),
`CALLSHEET_BENCH_WINDOW` the messages that may wait for an answer (500, for Kannel too). About five minutes; the first
time also a minute to fetch Jasmin (240 MB in `.cache/`).
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from processes import cpu_seconds
from row import Row

from store import fresh_database, postgres

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from strangers.jasmin import jasmin, running_jasmin  # noqa: E402
from strangers.kannel import Kannel, running_kannel  # noqa: E402
from strangers.node_smpp import running_smsc  # noqa: E402

MESSAGES = int(os.environ.get("CALLSHEET_BENCH_MESSAGES", "20000"))
ROUNDS = int(os.environ.get("CALLSHEET_BENCH_ROUNDS", "3"))
WINDOW = int(os.environ.get("CALLSHEET_BENCH_WINDOW", "500"))
RECEIPT_DELAY_MS = 300
TWO = "PostgreSQL, two nodes"
KANNEL = "Kannel"
JASMIN = "Jasmin"
JASMIN_MESSAGES = max(500, MESSAGES // 20)
Result = TypeVar("Result")


class Spent(NamedTuple):
    """What a system took for all messages of a round."""

    seconds: float
    """From the first step to the last receipt stored, or called back."""
    submit_seconds: float
    """Until the SMSC had taken the last message."""
    cpu: float
    node_cpu: float
    parts: dict[str, float]
    """CPU seconds of each part, where it was profiled."""


@contextmanager
def _child(script: str, **given: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a script of this folder; it says that it is ready, and begins when told."""
    command = [sys.executable, str(Path(__file__).with_name(script)), json.dumps(given)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            if _line(process) != "ready":
                raise RuntimeError(f"{script} did not become ready")
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _play(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    line = _line(process)
    if not line:
        raise RuntimeError("a benchmark's process broke off")
    return dict(json.loads(line))


def _measure(process: subprocess.Popen[str], node: Any, *pids: int, messages: int = MESSAGES) -> Spent:
    """Let a child play, and read what these processes used meanwhile."""
    before, node_before = cpu_seconds(*pids), node.counters()["cpu_us"]
    told = _play(process)
    used, counters = cpu_seconds(*pids) - before, node.counters()
    if (counters["taken"], counters["duplicates"]) != (messages, 0) or told["receipts"] != messages:
        raise RuntimeError(f"not every message arrived once: {counters}, {told}")
    node_cpu = (counters["cpu_us"] - node_before) / 1e6
    return Spent(told["seconds"], counters["last_taken_ms"] / 1e3, used, node_cpu, told.get("parts", {}))


def _ours(url: str, *server_pids: int, nodes: int = 1, profiled: bool = False) -> Spent:
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        smsc = stack.enter_context(running_smsc(receipt_delay_ms=RECEIPT_DELAY_MS))
        given = {
            "url": url, "key": secrets.token_hex(32), "messages": MESSAGES, "window": WINDOW, "profiled": profiled,
        }  # fmt: skip
        leader, *others = (
            # Only the first one makes the trunk, and starts the campaign.
            stack.enter_context(_child("sms_ours.py", data=str(data / str(no)), port=0 if no else smsc.port, **given))
            for no in range(nodes)
        )
        return _measure(leader, smsc, leader.pid, *(other.pid for other in others), *server_pids)


def _kannel() -> Spent:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        node = stack.enter_context(running_smsc(receipt_delay_ms=RECEIPT_DELAY_MS))
        gateway: Kannel = stack.enter_context(running_kannel(folder, node.port, max_pending_submits=WINDOW))
        given = {"gateway": KANNEL, "port": gateway.sendsms_port, "messages": MESSAGES}
        process = stack.enter_context(_child("sms_gateway.py", **given))
        return _measure(process, node, *gateway.pids.values())


def _jasmin() -> Spent:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        node = stack.enter_context(running_smsc(receipt_delay_ms=RECEIPT_DELAY_MS))
        gateway = stack.enter_context(running_jasmin(folder, node.port))
        given = {"gateway": JASMIN, "port": gateway.send_port, "messages": JASMIN_MESSAGES}
        process = stack.enter_context(_child("sms_gateway.py", **given))
        return _measure(process, node, *gateway.pids.values(), messages=JASMIN_MESSAGES)


class Rounds:
    """What the systems took, round by round."""

    def __init__(self, server: str) -> None:
        self.spent: list[dict[str, Spent]] = []
        self.without_jasmin = ""
        """Why a round has no figure of Jasmin."""
        self._server = server
        self._server_pid = _postmaster(server)
        self._has_jasmin = self._tried(jasmin) is not None

    def play(self) -> None:
        """Let each system take its turn."""
        url = asyncio.run(fresh_database(self._server))
        spent = {
            "SQLite": _ours(""),
            "PostgreSQL": _ours(url, self._server_pid),
            TWO: _ours(asyncio.run(fresh_database(self._server)), self._server_pid, nodes=2),
            KANNEL: _kannel(),
        }
        if self._has_jasmin and (its := self._tried(_jasmin)):
            spent[JASMIN] = its
        self.spent.append(spent)

    def _tried(self, step: Callable[[], Result]) -> Result | None:
        try:
            return step()
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            reason = " ".join(str(error).split())
            # What failed stands first, and a program's last words at the end.
            self.without_jasmin = reason if len(reason) < 400 else f"{reason[:100]} … {reason[-300:]}"
            return None


def _postmaster(server: str) -> int:
    """Return the process of the server whose socket stands in its URL."""
    folder = Path(server.rpartition("host=")[2])
    return int((folder / "postmaster.pid").read_text().split()[0])


def _rows(rounds: list[dict[str, Spent]]) -> Iterator[Row]:
    def median(name: str, what: str) -> float:
        return statistics.median(getattr(one[name], what) for one in rounds)

    def ratio(name: str, what: str) -> float:
        return statistics.median(getattr(one[KANNEL], what) / getattr(one[name], what) for one in rounds)

    for name in ("SQLite", "PostgreSQL", TWO):
        for label, what in (("with receipts", "seconds"), ("submitted", "submit_seconds")):
            ours, theirs = MESSAGES / median(name, what), MESSAGES / median(KANNEL, what)
            yield Row(f"{label}, {name}", f"{ours:.0f}/s", f"Kannel {theirs:.0f}/s", ratio(name, what))
        ours, theirs = (median(one, "cpu") / MESSAGES * 1e6 for one in (name, KANNEL))
        yield Row(f"CPU a message, {name}", f"{ours:.0f} µs", f"Kannel {theirs:.0f} µs", ours / theirs)
        ours, theirs = (median(one, "node_cpu") / MESSAGES * 1e6 for one in (name, KANNEL))
        yield Row(f"node-smpp's CPU a message, {name}", f"{ours:.0f} µs", f"Kannel {theirs:.0f} µs", ours / theirs)


def _beside_jasmin(all_rounds: list[dict[str, Spent]]) -> Iterator[Row]:
    def rate(spent: Spent, messages: int) -> float:
        return messages / spent.seconds

    rounds = [one for one in all_rounds if JASMIN in one]
    for name in ("SQLite", "PostgreSQL") if rounds else ():
        pairs = [(rate(one[name], MESSAGES), rate(one[JASMIN], JASMIN_MESSAGES)) for one in rounds]
        ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(mine / other for mine, other in pairs)
        yield Row(f"with receipts, beside Jasmin, {name}", f"{ours:.0f}/s", f"Jasmin {theirs:.0f}/s", ratio)


def _profile(spent: Spent) -> Iterator[Row]:
    whole = spent.cpu / MESSAGES * 1e6
    for part, seconds in spent.parts.items():
        each = seconds / MESSAGES * 1e6
        yield Row(f"of it, {part}", f"{each:.1f} µs", f"all, watched, {whole:.0f} µs", each / whole)


def rows() -> Iterator[Row]:
    """Measure all systems in turns."""
    with postgres() as server:
        rounds = Rounds(server)
        for _ in range(ROUNDS):
            rounds.play()
    yield from _rows(rounds.spent)
    yield from _beside_jasmin(rounds.spent)
    if rounds.without_jasmin:
        print(f"Jasmin gave no figure in a round: {rounds.without_jasmin}")
    yield from _profile(_ours("", profiled=True))
