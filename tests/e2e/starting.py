"""Starts the program as a process: by `python -m callsheet`, or as a copy of one that has loaded it already.

Loading it is most of what a command costs. The quick suite loads it once and splits off copies (`stem.py`); the full
one starts each anew, as an operator does. To the test it makes no difference.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Protocol

from e2e.stem import HEADER

_planted: list[subprocess.Popen[bytes]] = []


class Running(Protocol):
    """A process, as `subprocess.Popen` has it."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int) -> None: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


class Copy:
    """A copy that the stem split off."""

    def __init__(self, told: IO[bytes]) -> None:
        self._told = told
        self.pid = int(told.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return its exit code if it has ended; of a signal it is negative."""
        if self.returncode is None and self._is_told(0):
            self._end()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code once it has ended."""
        if self.returncode is None:
            if not self._is_told(timeout):
                raise subprocess.TimeoutExpired("callsheet", timeout or 0)
            self._end()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _is_told(self, timeout: float | None) -> bool:
        # No `select`: a process that runs many tests has more than a thousand files open.
        told = select.poll()
        told.register(self._told, select.POLLIN)
        return bool(told.poll(None if timeout is None else timeout * 1000))

    def _end(self) -> None:
        self.returncode = int(self._told.readline())
        self._told.close()


class _Choice:
    anew = True


def copy_processes() -> None:
    """Split copies off one process from now on."""
    _Choice.anew = False


def start(
    arguments: Sequence[str],
    *,
    stdout: IO[bytes],
    stderr: IO[bytes],
    env: Mapping[str, str],
    script: Path | None = None,
) -> Running:
    """Start a command of the program, or a script that runs it otherwise."""
    if _Choice.anew:
        what = [str(script)] if script else ["-m", "callsheet"]
        return subprocess.Popen([sys.executable, *what, *arguments], stdout=stdout, stderr=stderr, env=env)
    told, tell = os.pipe()
    order = {"arguments": [*arguments], "environment": dict(env), "folder": str(Path.cwd())}
    if script:
        order["script"] = str(script)
    content = json.dumps(order).encode()
    try:
        stem = _stem()
        socket.send_fds(stem, [HEADER.pack(len(content))], [0, stdout.fileno(), stderr.fileno(), tell])
        stem.sendall(content)
    finally:
        os.close(tell)
    return Copy(os.fdopen(told, "rb", buffering=0))


def for_a_shell() -> tuple[str, tuple[int, ...]]:
    """Return the words that are the program in a shell, and the handles that whoever runs it has to pass on."""
    if _Choice.anew:
        return f"{sys.executable} -m callsheet", ()
    handle = _stem().fileno()
    return f"{sys.executable} -IS {Path(__file__).with_name('limb.py')} {handle}", (handle,)


@cache
def _stem() -> socket.socket:
    """Plant the stem of this process; it goes when this end is closed."""
    ours, its = socket.socketpair()
    with its:
        command = [sys.executable, str(Path(__file__).with_name("stem.py")), str(its.fileno())]
        _planted.append(subprocess.Popen(command, pass_fds=[its.fileno()], stdin=subprocess.DEVNULL))
    return ours
