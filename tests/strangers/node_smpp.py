"""An SMSC that others wrote: node-smpp behind `smsc.js`, whose head lists the options."""

import json
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from strangers.script import running


class NodeSmpp:
    """A running SMSC: `port` speaks SMPP; the rest is asked and told on its control port."""

    def __init__(self, pid: int, port: int, control: int) -> None:
        self.pid = pid
        self.port = port
        self._control = f"http://127.0.0.1:{control}"

    def counters(self) -> dict[str, int]:
        """Return what happened so far, among it `taken`, `destinations`, `duplicates` and `cpu_us`."""
        return dict(self._ask("/counters"))

    def destinations(self) -> dict[str, int]:
        """Return how many messages (parts count) it took for each number."""
        return dict(self._ask("/destinations"))

    def submits(self) -> list[dict[str, Any]]:
        """Return what it took, oldest first; only with the option `record`."""
        return list(self._ask("/submits"))

    def replies(self) -> list[dict[str, Any]]:
        """Return what scripted handsets wrote (`number`, `text`, `told`, `acknowledged`), oldest first."""
        return list(self._ask("/replies"))

    def sources(self) -> dict[str, int]:
        """Return how many messages (parts count) it took from each sender."""
        return dict(self._ask("/sources"))

    def begin_flood(self, lines: Sequence[tuple[str, str]], to: str, per_second: float) -> None:
        """Let handsets write, each line by a number, at a rate."""
        self._ask("/flood", {"lines": lines, "to": to, "per_second": per_second})

    def flood(self) -> dict[str, float]:
        """Return how a flood stands: `offered`, `acknowledged`, `answered`, `p50_ms`, `p95_ms`, `seconds`."""
        return dict(self._ask("/flood"))

    def set(self, **options: Any) -> None:
        """Change options while it runs."""
        self._ask("/options", options)

    def drop(self) -> None:
        """Cut every link."""
        self._ask("/drop", {})

    def deliver(self, sender: str, to: str, text: str, **fields: Any) -> bool:
        """Send what a handset wrote to whoever is bound; false when nobody is."""
        return bool(self._ask("/deliver", {"from": sender, "to": to, "text": text, **fields})["delivered"])

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self._control + path, data), timeout=30) as answer:
            return json.load(answer)


@contextmanager
def running_smsc(**options: Any) -> Iterator[NodeSmpp]:
    """Run an SMSC on a free port until the block ends. `port` picks one, to come back where another was."""
    with running("smsc.js", options) as (process, said):
        yield NodeSmpp(process.pid, said["port"], said["control"])
