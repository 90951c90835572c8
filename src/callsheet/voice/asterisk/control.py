"""The control socket of a running Asterisk: its console, and the proof of which process it is."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

SOCKET: Final = "asterisk.ctl"
ANSWER_SECONDS: Final = 10.0
_PEER = struct.Struct("3i")
_MOST_OCTETS = 1 << 20
_CHANNELS = re.compile(r"(\d+) active channel")


class NoControl(Exception):
    """Nobody answers at the control socket, or not in time."""


def listening_pid(run: Path) -> int | None:
    """Return the process that listens at the socket in a folder; None: none does.

    The kernel remembers who listens, so that a process that hangs is found as well. Raises BlockingIOError: one does,
    and so many wait for it already that no more can.
    """
    try:
        with _short(run) as path, socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(ANSWER_SECONDS)
            asking.connect(path)
            return _peer(asking) or None
    except BlockingIOError:
        raise
    except OSError:
        return None


async def ask(run: Path, command: str, seconds: float = ANSWER_SECONDS, *, of: int | None = None) -> str:
    """Return what the console answers to a command. `of`: it must be that process. Raises NoControl."""
    try:
        async with asyncio.timeout(seconds):
            with _short(run) as path:
                reader, writer = await asyncio.open_unix_connection(path)
            try:
                if of is not None and _peer(writer.get_extra_info("socket")) != of:
                    raise NoControl("another process listens")
                # The first line says who it is.
                await reader.readline()
                writer.write(f"cli quit after {command}".encode() + b"\0")
                await writer.drain()
                return (await reader.read(_MOST_OCTETS)).decode(errors="replace").replace("\0", "")
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError) as error:
        raise NoControl(str(error) or "no answer in time") from error


async def count_channels(run: Path) -> int | None:
    """Return how many channels there are, of calls and what belongs to them; None: it does not say."""
    try:
        found = _CHANNELS.search(await ask(run, "core show channels count"))
    except NoControl:
        return None
    return int(found[1]) if found else None


def _peer(asking: socket.socket) -> int:
    """Return the process at the other end."""
    pid, _, _ = _PEER.unpack(asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return int(pid)


@contextmanager
def _short(run: Path) -> Iterator[str]:
    """Give a path of the socket that is short enough for the kernel, however deep its folder lies."""
    folder = os.open(run, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)
