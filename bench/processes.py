"""What processes used: CPU of a process with all that it started, read from /proc."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(*pids: int) -> float:
    """Return the CPU seconds of these processes and of their children, those that have ended too."""
    return sum(_ticks(pid) for pid in pids) / _TICKS


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in _children(task)]
    except OSError:
        return 0
    # utime, stime, and those of children that were waited for.
    return sum(map(int, fields[11:15])) + sum(_ticks(child) for child in children)


def _children(task: Path) -> list[str]:
    return (task / "children").read_text().split()
