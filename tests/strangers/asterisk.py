"""An Asterisk of the tests' own: the tree that the program itself fetches, kept in `.cache/`.

Where it cannot be fetched, whoever needs it fails, or is not run, with the reason (`lacking.py`).
"""

import ctypes
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from callsheet.voice.asterisk.fetching import fetch_tree
from callsheet.voice.asterisk.tree import Tree, bare_environment
from strangers.lacking import require
from strangers.packages import CACHE

START_SECONDS = 60
END_SECONDS = 10
_PR_SET_PDEATHSIG = 1


def asterisk() -> Tree:
    """Return the tree; fetched when it was not."""
    require("asterisk")
    return fetch_tree(CACHE / "asterisk" / "tree")


def directories(tree: Tree, folder: Path) -> str:
    """Return `asterisk.conf`: everything in one folder."""
    places = {
        "astetcdir": folder / "etc", "astmoddir": tree.modules, "astvarlibdir": folder / "lib",
        "astdbdir": folder / "lib", "astkeydir": folder / "lib", "astdatadir": folder / "data",
        "astagidir": folder / "lib",
        "astspooldir": folder / "spool", "astrundir": folder / "run", "astlogdir": folder / "log",
    }  # fmt: skip
    lines = "\n".join(f"{name} => {place}" for name, place in places.items())
    return f"[directories]\n{lines}\n[options]\nhideconnect = yes\n"


@contextmanager
def running_asterisk(folder: Path, files: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run one until the block ends; `files` are those of its `etc`. The path of the folder is to be short."""
    tree = asterisk()
    for name in ("etc", "lib", "spool", "run", "log", "data/sounds"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    shipped = {"sounds/en": tree.sounds, **{name: tree.share / name for name in ("documentation", "rest-api")}}
    for name, target in shipped.items():
        link = folder / "data" / name
        if not link.exists():
            link.symlink_to(target)
    for name, text in {"asterisk.conf": directories(tree, folder), **files}.items():
        (folder / "etc" / name).write_text(text)
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            tree.command("-C", str(folder / "etc/asterisk.conf"), "-f", "-n"),
            cwd=folder,
            env=bare_environment(),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            preexec_fn=_die_with_us,  # noqa: PLW1509 - it asks the kernel for one thing, and tests start no thread before
        )
    try:
        _await_ready(folder, process)
        yield process
    finally:
        process.kill()
        process.wait(END_SECONDS)


def ask(folder: Path, command: str) -> str:
    """Return what a running one answers to a command of its console; empty: it did not."""
    words = asterisk().command("-C", str(folder / "etc/asterisk.conf"), "-rx", command)
    done = subprocess.run(words, env=bare_environment(), capture_output=True, text=True, check=False, timeout=30)
    return "" if done.returncode else done.stdout


def _await_ready(folder: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if "fully booted" in ask(folder, "core waitfullybooted"):
            return
        time.sleep(0.05)
    said = (folder / "said").read_text(errors="replace")
    raise RuntimeError(f"Asterisk did not start: {said[-2000:]}")


def _die_with_us() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
