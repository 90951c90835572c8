"""sipp (Debian's package `sip-tester`): a provider that answers many calls, and one that throws what nobody can read.

It is unpacked into `.cache/`, never installed, and runs with the libraries beside it. Where that fails, whoever needs
it fails, or is not run, with the reason (`lacking.py`).
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ports import free_port
from strangers.debian import environment, run, unpack
from strangers.lacking import require
from strangers.packages import CACHE, alone

SCENARIOS = Path(__file__).parent / "sipp"
START_SECONDS = 30
RUN_SECONDS = 200
_PROGRAM = "root/usr/bin/sipp"
_MEDIA_PORT = 50_000
"""Far from the ports of nodes and of tests: each call takes four more, and they wander."""


def sipp() -> Path:
    """Return the folder into which it is unpacked; unpacked when it was not."""
    require("sipp")
    folder = CACHE / "sipp"
    if not (folder / "done").exists():
        with alone("sipp"):
            if not (folder / "done").exists():
                _unpack(folder)
    return folder


def throw(scenario: str, port: int, folder: Path, *, times: int, times_a_second: int) -> None:
    """Send what a scenario says to a port of this machine, so many times. Raises RuntimeError: it could not."""
    words = _words(
        scenario,
        folder,
        free_port(),
        "-m",
        str(times),
        "-r",
        str(times_a_second),
        "-default_behaviors",
        "none",
        f"127.0.0.1:{port}",
    )
    run(*words, cwd=folder, env=environment(sipp()), seconds=RUN_SECONDS)


@contextmanager
def answering(scenario: str, folder: Path) -> Iterator[int]:
    """Answer calls as a scenario says until the block ends; gives the port."""
    port = free_port()
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            _words(scenario, folder, port),
            cwd=folder, env=environment(sipp()), stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        _await(process, port, folder)
        yield port
    finally:
        process.kill()
        process.wait()


def _words(scenario: str, folder: Path, port: int, *more: str) -> list[str]:
    return [
        str(sipp() / _PROGRAM), "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", "127.0.0.1", "-p", str(port),
        "-mi", "127.0.0.1", "-mp", str(_MEDIA_PORT), "-nostdin", "-nd", "-trace_err",
        "-error_file", str(folder / "errors"), *more,
    ]  # fmt: skip


def _await(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    """Wait until it listens: the kernel says so, as it answers nothing but calls."""
    wanted = f"0100007F:{port:04X}"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if wanted in Path("/proc/net/udp").read_text():
            return
        time.sleep(0.02)
    raise RuntimeError(f"sipp did not start: {(folder / 'said').read_text(errors='replace')[-1000:]}")


def _unpack(folder: Path) -> None:
    unpack(folder, ("sip-tester",))
    missing = run("ldd", _PROGRAM, cwd=folder, env=environment(folder))
    if "not found" in missing:
        raise RuntimeError(f"sipp lacks libraries: {missing}")
    (folder / "done").touch()
