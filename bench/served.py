"""A real `callsheet serve` process, and a load generator in another, as the benchmarks of the API use them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from load import median_and_p99

from callsheet.folder import DataFolder
from callsheet.signing import sign

PATIENCE_SECONDS = 60.0
CONNECTIONS = 16
_TICKS = os.sysconf("SC_CLK_TCK")


class Call(NamedTuple):
    """A request that is made again and again. `{app}` in its path is the id of the app."""

    name: str
    method: str
    path: str
    body: Mapping[str, Any] | None = None
    has_token: bool = True


@dataclass(slots=True)
class Spent:
    """What so many requests of a kind took."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    server_cpu_seconds: float = 0.0
    load_cpu_seconds: float = 0.0

    def add(self, other: Spent) -> None:
        """Add another round."""
        self.latencies += other.latencies
        self.seconds += other.seconds
        self.server_cpu_seconds += other.server_cpu_seconds
        self.load_cpu_seconds += other.load_cpu_seconds

    @property
    def rate(self) -> float:
        """Requests in a second."""
        return len(self.latencies) / self.seconds

    @property
    def median_and_p99(self) -> tuple[float, float]:
        """Milliseconds."""
        return median_and_p99(self.latencies)

    @property
    def load_share(self) -> float:
        """How much of a core the load generator used."""
        return self.load_cpu_seconds / self.seconds if self.seconds else 0.0

    @property
    def server_share(self) -> float:
        """How much of a core the server used meanwhile."""
        return self.server_cpu_seconds / self.seconds

    @property
    def cpu_micros(self) -> float:
        """Return the CPU of the server process for one request, in microseconds."""
        return self.server_cpu_seconds / len(self.latencies) * 1e6


class Served:
    """A server that answers, and who asks it."""

    def __init__(self, server: subprocess.Popen[bytes], load: subprocess.Popen[str], data: Path) -> None:
        self._server = server
        self._load = load
        known = DataFolder(data).credentials()
        self.app_id = known.app_id
        self._base_url = json.loads((data / "server.json").read_text())["base_url"]
        self._headers = {"auth": sign(known), "iid": known.app_id, "accountId": known.account_id}

    def measure(
        self, call: Call, *, seconds: float, connections: int = CONNECTIONS, requests: int = sys.maxsize
    ) -> Spent:
        """Make a call again and again, for so many seconds or so many times."""
        headers = self._headers if call.has_token else {}
        order = {
            "method": call.method,
            "url": self._base_url + call.path.format(app=self.app_id),
            "headers": headers if call.body is None else {**headers, "content-type": "application/json"},
            "body": None if call.body is None else json.dumps(call.body),
            "seconds": seconds,
            "connections": connections,
            "requests": requests,
        }
        assert self._load.stdin is not None
        assert self._load.stdout is not None
        before = self._cpu_seconds()
        self._load.stdin.write(json.dumps(order) + "\n")
        self._load.stdin.flush()
        answer = self._load.stdout.readline()
        assert answer, f"the load generator gave up at: {call.name}"
        found = json.loads(answer)
        return Spent(found["latencies"], found["seconds"], self._cpu_seconds() - before, found["cpu_seconds"])

    def _cpu_seconds(self) -> float:
        """Return what the server process has used, all its threads and no other process."""
        fields = Path(f"/proc/{self._server.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def served(data: Path, database_url: str = "") -> Iterator[Served]:
    """Start a server on a free port and a load generator; both end with the block."""
    chosen = {name: value for name, value in os.environ.items() if not name.startswith("CALLSHEET_")}
    if database_url:
        chosen["CALLSHEET_DATABASE_URL"] = database_url
    command = [sys.executable, "-m", "callsheet", "serve", "--port", "0", "--data", str(data)]
    with (data.with_name(f"{data.name}.said")).open("wb") as said:
        server = subprocess.Popen(command, env=chosen, stdout=said, stderr=said)
        try:
            _wait_for(server, data)
            with _load() as load:
                yield Served(server, load, data)
        finally:
            server.terminate()
            server.wait()


@contextmanager
def _load() -> Iterator[subprocess.Popen[str]]:
    command: Sequence[str] = [sys.executable, str(Path(__file__).with_name("load.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as load:
        try:
            yield load
        finally:
            load.terminate()


def _wait_for(server: subprocess.Popen[bytes], data: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, data.with_name(f"{data.name}.said").read_text()
        try:
            if json.loads((data / "server.json").read_text())["pid"] == server.pid:
                return
        except FileNotFoundError:
            pass
        time.sleep(0.05)
    raise AssertionError("the server did not start")
