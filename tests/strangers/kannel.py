"""Kannel (Debian's package), the free SMS gateway that most people know: a client of our ports, and a peer.

It is unpacked into `.cache/`, never installed, so root is not needed and the machine stays as it is. Where that
fails, whoever needs Kannel fails, or is not run, with the reason (`lacking.py`).
"""

import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ports import free_ports
from strangers.debian import environment, run, unpack
from strangers.lacking import require
from strangers.packages import CACHE, alone

PACKAGES = ("kannel", "kannel-extras")
USER, PASSWORD = "tester", "secret"
START_SECONDS = 60
ANSWER_SECONDS = 60
END_SECONDS = 10


def kannel() -> Path:
    """Return the folder into which Kannel is unpacked; unpacked when it was not."""
    require("kannel")
    folder = CACHE / "kannel"
    if not (folder / "done").exists():
        with alone("kannel"):
            if not (folder / "done").exists():
                _unpack(folder)
    return folder


def _unpack(folder: Path) -> None:
    unpack(folder, PACKAGES)
    missing = run("ldd", "root/usr/sbin/bearerbox", "root/usr/sbin/smsbox", cwd=folder, env=environment(folder))
    if "not found" in missing:
        raise RuntimeError(f"Kannel lacks libraries: {missing}")
    (folder / "done").touch()


class Kannel:
    """A running Kannel: bearerbox, bound to an SMSC, and smsbox, which takes messages by HTTP."""

    def __init__(self, folder: Path, admin: int, sendsms: int) -> None:
        self.folder = folder
        self.sendsms_port = sendsms
        self.pids: dict[str, int] = {}
        self._admin = admin

    def status(self) -> str:
        """Return bearerbox's own page of what it does."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._admin}/status.txt", timeout=ANSWER_SECONDS) as answer:
            return answer.read().decode("utf-8", "replace")

    def send_path(self, sender: str, to: str, text: str, **more: str) -> str:
        """Return the path of a `sendsms` call; `dlr_url` asks for receipts."""
        names = {"dlr_url": "dlr-url", "dlr_mask": "dlr-mask"}
        fields = {"username": USER, "password": PASSWORD, "from": sender, "to": to, "text": text, "charset": "UTF-8"}
        fields |= {names.get(name, name): value for name, value in more.items()}
        return f"/cgi-bin/sendsms?{urllib.parse.urlencode(fields)}"

    def send(self, sender: str, to: str, text: str, **more: str) -> str:
        """Hand a message to smsbox and return what it said."""
        url = f"http://127.0.0.1:{self.sendsms_port}{self.send_path(sender, to, text, **more)}"
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer:
            return answer.read().decode()


def _configure(folder: Path, ports: dict[str, int], smsc: dict[str, Any]) -> Path:
    core = {
        "group": "core", "admin-port": ports["admin"], "admin-password": PASSWORD, "smsbox-port": ports["smsbox"],
        "log-file": folder / "bearerbox.log", "log-level": 1, "box-allow-ip": "127.0.0.1", "store-type": "file",
        "store-location": folder / "kannel.store", "dlr-storage": "internal", "sms-resend-freq": 1,
    }  # fmt: skip
    link = {
        "group": "smsc", "smsc": "smpp", "smsc-id": "one", "host": "127.0.0.1", "smsc-username": USER,
        "smsc-password": PASSWORD, "system-type": "", "transceiver-mode": "true", "max-pending-submits": 100,
        "reconnect-delay": 1, **smsc,
    }  # fmt: skip
    box = {
        "group": "smsbox", "bearerbox-host": "127.0.0.1", "sendsms-port": ports["sendsms"],
        "log-file": folder / "smsbox.log", "log-level": 1,
    }  # fmt: skip
    user = {
        "group": "sendsms-user", "username": USER, "password": PASSWORD, "max-messages": 10, "concatenation": "true",
    }  # fmt: skip
    groups = ["\n".join(f"{name} = {value}" for name, value in group.items()) for group in (core, link, box, user)]
    path = folder / "kannel.conf"
    path.write_text("\n\n".join(groups) + "\n")
    return path


@contextmanager
def running_kannel(folder: Path, port: int, **smsc: Any) -> Iterator[Kannel]:
    """Run bearerbox and smsbox against the SMSC on a port until the block ends; their files lie in `folder`.

    `smsc` are further lines of the group of that name, with `_` for `-`.
    """
    unpacked = kannel()
    folder.mkdir(parents=True, exist_ok=True)
    ports = dict(zip(("admin", "smsbox", "sendsms"), free_ports(3), strict=True))
    lines = {"port": port, **{name.replace("_", "-"): value for name, value in smsc.items()}}
    conf = _configure(folder, ports, lines)
    gateway = Kannel(folder, ports["admin"], ports["sendsms"])
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for box, listens in (("bearerbox", "smsbox"), ("smsbox", "sendsms")):
            command = [unpacked / "root" / "usr" / "sbin" / box, "-v", "4", conf]
            with (folder / f"{box}.out").open("wb") as out:
                process = subprocess.Popen(
                    command, cwd=folder, env=environment(unpacked), stdout=out, stderr=subprocess.STDOUT
                )
            processes.append(process)
            gateway.pids[box] = process.pid
            await_port(ports[listens], process, folder / f"{box}.out")
        yield gateway
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait(END_SECONDS)


def await_port(port: int, process: subprocess.Popen[bytes], said: Path) -> None:
    """Wait until a process listens; raises RuntimeError with what it said when it does not."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{said.stem} did not start: {said.read_text(errors='replace')[-2000:]}")
