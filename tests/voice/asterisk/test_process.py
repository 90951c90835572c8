"""The process of a node: it is found however little is seen of it, and nobody speaks to another one in its place."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from callsheet.clock import SystemClock
from callsheet.voice.asterisk.control import listening_pid
from callsheet.voice.asterisk.embedded import EmbeddedAsterisk
from callsheet.voice.asterisk.fetching import fetch_tree
from callsheet.voice.asterisk.node_folder import NodeFolder
from callsheet.voice.asterisk.process import (
    NodeProcess,
    NotStarted,
    _stat,
    await_ready,
    end_process,
    find_process,
    start_process,
)
from callsheet.voice.asterisk.tree import Tree
from voice.asterisk.test_supervisor import ROOT, kill_one_that_calls
from voice_nodes import local, running_home, trunk_to

FOUND = Path(__file__).parent / "found_home.py"
MOST_WAITING = 64
"""Its socket lets only a few wait."""
HIDING = 'mount -t proc -o hidepid=invisible proc /proc && exec unshare --user --map-user=1000 "$@"'
"""As a systemd unit with `ProtectProc=invisible` and `PrivateUsers=yes` sees the world."""


HIDDEN = ("unshare", "--mount", "sh", "-c", HIDING, "sh")


def can_hide() -> bool:
    """Tell whether a process can be hidden here; where it cannot, it is found in plain sight."""
    is_there = shutil.which("unshare") is not None
    return is_there and not subprocess.run([*HIDDEN, "true"], capture_output=True, check=False).returncode


def test_one_that_is_hidden_from_us_is_found_gone_on_with_and_stopped(tmp_path, phone_network):
    number = phone_network.number("0001")
    _, pid = kill_one_that_calls(tmp_path, phone_network, number)
    folders = os.pathsep.join(str(ROOT / name) for name in ("src", "tests"))

    done = subprocess.run(
        [*(HIDDEN if can_hide() else ()), sys.executable, FOUND, tmp_path, str(phone_network.port)],
        env={**os.environ, "PYTHONPATH": folders}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        check=False,
    )  # fmt: skip

    assert done.stderr.split()[:1] == [pid], done.stderr
    assert has_ended(pid)


def has_ended(pid: str) -> bool:
    """Tell whether a process has ended, whether or not somebody has asked about it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


async def test_one_that_finds_another_in_its_place_did_not_start_and_the_other_lives(tmp_path, phone_network):
    async with running_home(tmp_path, trunk_to(phone_network)) as home:
        folder = NodeFolder(tmp_path / "node")
        second = start_process(tree_of(tmp_path), folder, None)

        with pytest.raises(NotStarted):
            await await_ready(second, folder, SystemClock())
        await end_process(second, folder, SystemClock())

        first = find_process(folder)
        assert first is not None
        assert (first.pid, second.is_alive()) == (home.standing.pid, False)


def tree_of(folder: Path) -> Tree:
    tree = local(folder).tree
    assert tree is not None
    return fetch_tree(tree)


async def test_one_that_hangs_and_takes_no_connection_any_more_is_found(tmp_path, phone_network):
    async with running_home(tmp_path, trunk_to(phone_network)) as home:
        folder = NodeFolder(tmp_path / "node")
        pid = home.standing.pid
        os.kill(pid, signal.SIGSTOP)
        waiting = []
        try:
            while not is_full(folder) and len(waiting) < MOST_WAITING:
                waiting.append(knock(folder))

            found = find_process(folder)

            assert found is not None
            assert found.pid == pid
        finally:
            os.kill(pid, signal.SIGCONT)
            for asking in waiting:
                asking.close()


def is_full(folder: NodeFolder) -> bool:
    try:
        listening_pid(folder.run)
    except BlockingIOError:
        return True
    return False


def knock(folder: NodeFolder) -> socket.socket:
    asking = socket.socket(socket.AF_UNIX)
    asking.setblocking(False)
    run = os.open(folder.run, os.O_PATH)
    try:
        asking.connect(f"/proc/self/fd/{run}/asterisk.ctl")
    except BlockingIOError:
        pass
    finally:
        os.close(run)
    return asking


async def test_a_stop_ends_what_an_earlier_process_left_even_where_no_node_is_to_be(tmp_path, phone_network):
    _, pid = kill_one_that_calls(tmp_path, phone_network, phone_network.number("0001"))
    home = EmbeddedAsterisk(local(tmp_path), SystemClock(), has_own=False)
    await home.open()

    await home.close()

    assert has_ended(pid)


async def test_a_stop_ends_what_an_earlier_process_left_even_where_we_never_got_to_listen(tmp_path, phone_network):
    _, pid = kill_one_that_calls(tmp_path, phone_network, phone_network.number("0001"))
    keep = tmp_path / "keep.json"
    keep.rename(tmp_path / "away")
    keep.mkdir()
    home = EmbeddedAsterisk(local(tmp_path), SystemClock())
    await home.open()

    await home.close()

    assert has_ended(pid)


HALF_GONE = """
import ctypes, os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0))).start()
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
"""
"""Its first thread ends at once, by itself; another one when it is told to."""


def test_one_whose_first_thread_is_gone_lives_until_its_last_is(tmp_path):
    started = subprocess.Popen([sys.executable, "-c", HALF_GONE], stdin=subprocess.PIPE)
    started.returncode = 0
    proc = Path(f"/proc/{started.pid}")
    process = NodeProcess(started.pid, tmp_path, _stat(started.pid).born)
    while not has_ended(str(started.pid)):
        assert process.is_alive()

    assert process.is_alive()
    started.stdin.close()
    while process.is_alive():
        assert proc.exists()
    assert not proc.exists()
