"""The process of a node: started in a session of its own, so that it outlives us, and found again by its socket."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from callsheet.clock import Clock
from callsheet.voice.asterisk.control import NoControl, ask, listening_pid
from callsheet.voice.asterisk.node_folder import NodeFolder
from callsheet.voice.asterisk.secret_file import Owner
from callsheet.voice.asterisk.tree import Tree, bare_environment

READY_SECONDS: Final = 60.0
END_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.05
_STATE, _THREADS, _START_TIME = 0, 17, 19
"""Fields of `/proc/PID/stat`, counted after the name."""
_ENDED = "ZX"


class _Stat(NamedTuple):
    """What the kernel tells of a process."""

    has_ended: bool
    """All of it: a node whose first thread is gone holds its ports for as long as another one runs."""
    born: int


class NotStarted(Exception):
    """The node did not start. The sentence says what it said."""


@dataclass(frozen=True, slots=True)
class NodeProcess:
    """A process; one that has its number later is another."""

    pid: int
    run: Path
    """The folder of its socket."""
    born: int | None
    """When it was started, in ticks of the kernel; None: `/proc` hides it from us, as it may one of another sandbox."""

    def is_alive(self) -> bool:
        """Tell whether it runs. One that ended and that nobody has asked about yet does not."""
        found = _stat(self.pid)
        if found is None and self.born is None:
            return _is_there(self.pid)
        if found is None or found.born != self.born:
            return False
        if found.has_ended:
            _take_leave(self.pid)
        return not found.has_ended

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs. One that is hidden must listen still: its number alone proves nothing."""
        if self.is_alive() and (self.born is not None or _listening(self.run) == self.pid):
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def find_process(folder: NodeFolder) -> NodeProcess | None:
    """Return the node's process that runs, whoever started it: it listens at the socket in the node's own folder."""
    try:
        pid = listening_pid(folder.run)
    except BlockingIOError:
        pid = _started_with(_configured(folder))
    return _process(pid, folder) if pid and _is_there(pid) else None


def start_process(tree: Tree, folder: NodeFolder, owner: Owner | None) -> NodeProcess:
    """Start a node. Raises NotStarted."""
    folder.said.unlink(missing_ok=True)
    # It appends, so that what is emptied begins anew.
    with folder.said.open("ab") as said:
        try:
            started = subprocess.Popen(  # noqa: S603 - words of ours, without a shell
                tree.command("-C", _configured(folder), "-f", "-n"),
                cwd=folder.path, env={**bare_environment(), "TZ": "UTC"}, stdin=subprocess.DEVNULL, stdout=said,
                stderr=subprocess.STDOUT, start_new_session=True,
                user=owner.uid if owner else None, group=owner.gid if owner else None,
                extra_groups=[] if owner else None,
            )  # fmt: skip
        except OSError as error:
            raise NotStarted(f"Asterisk cannot be started: {error}") from error
    # From now on the kernel is asked about it, as about one that an earlier process started.
    started.returncode = 0
    process = _process(started.pid, folder)
    # Each call opens a dozen files.
    with suppress(OSError, ValueError):
        _, most = resource.prlimit(started.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(started.pid, resource.RLIMIT_NOFILE, (most, most))
    return process


async def await_ready(process: NodeProcess, folder: NodeFolder, clock: Clock, seconds: float = READY_SECONDS) -> None:
    """Wait until a node takes calls: this one, whoever else listens. Raises NotStarted with what it said."""
    deadline = clock.monotonic() + seconds
    while process.is_alive() and clock.monotonic() < deadline:
        with suppress(NoControl):
            if "fully booted" in await ask(folder.run, "core waitfullybooted", of=process.pid):
                return
        await clock.sleep(_LOOK_SECONDS)
    said = " / ".join([*folder.said.read_text(errors="replace").splitlines()[-5:], *folder.take_log()[-5:]])
    raise NotStarted(f"Asterisk did not start: {said or 'it said nothing'}")


async def end_process(process: NodeProcess, folder: NodeFolder, clock: Clock, *, hangs: bool = False) -> None:
    """End a node: asked first, then told, then killed; one that `hangs` is killed."""
    steps: tuple[signal.Signals | None, ...] = (None, signal.SIGTERM, signal.SIGKILL)
    for step in steps[-1:] if hangs else steps:
        if step is None:
            with suppress(NoControl):
                await ask(folder.run, "core stop now", END_SECONDS, of=process.pid)
        else:
            process.send(step)
        deadline = clock.monotonic() + END_SECONDS
        while clock.monotonic() < deadline:
            if not process.is_alive():
                return
            await clock.sleep(_LOOK_SECONDS)


def can_reach(path: Path, owner: Owner) -> bool:
    """Tell whether another user may pass through all the folders that lead to a path, and through it."""
    for folder in (path.resolve(), *path.resolve().parents):
        found = folder.stat()
        passes = found.st_mode & 0o001 or (found.st_gid == owner.gid and found.st_mode & 0o010)
        if not passes and found.st_uid != owner.uid:
            return False
    return True


def _configured(folder: NodeFolder) -> str:
    """Return the word by which a process is known to be the node's."""
    return str(folder.etc / "asterisk.conf")


def _process(pid: int, folder: NodeFolder) -> NodeProcess:
    found = _stat(pid)
    return NodeProcess(pid, folder.run, found.born if found else None)


def _listening(run: Path) -> int | None:
    try:
        return listening_pid(run)
    except BlockingIOError:
        return None


def _started_with(word: str) -> int | None:
    """Return the process that was started with a word; None: we see none."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if word.encode() in path.read_bytes().split(b"\0"):
                return int(path.parent.name)
    return None


def _is_there(pid: int) -> bool:
    """Tell whether there is a process of a number, seen or not."""
    _take_leave(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _take_leave(pid: int) -> None:
    """Let a child that has ended go."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _stat(pid: int) -> _Stat | None:
    """Return what the kernel tells of a process; None: there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return _Stat(fields[_STATE] in _ENDED and int(fields[_THREADS]) <= 1, int(fields[_START_TIME]))
    except (OSError, IndexError, ValueError):
        return None
