"""Jasmin (its newest release), the SMS gateway in Python, with the Redis and the RabbitMQ that it needs: a peer.

Only the benchmark asks for it: `make strangers` does not fetch it. Jasmin lives in a Python environment of its own,
the servers are unpacked like Kannel; all of it lies in `.cache/`. Where a step fails, its error tells which and why.
"""

import os
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ports import free_ports
from strangers.debian import environment, run, unpack
from strangers.kannel import PASSWORD, USER, await_port
from strangers.packages import CACHE, alone

SERVERS = ("redis-server", "rabbitmq-server")
RELEASE = "0.11.1"
INSTALL_SECONDS = 600
ANSWER_SECONDS = 20
END_SECONDS = 10

CHANGES = (
    # It looks for the answer on the message that was sent, so each answer is an error and no receipt is matched.
    ("jasmin/managers/listeners.py", "_pdu.response.", "r.response."),
    # It has one message on its way at a time.
    ("jasmin/managers/clients.py", "basic_qos(prefetch_count=1)", "basic_qos(prefetch_count=100)"),
    # Its lock is one for the machine, and stays where it is when it is killed.
    ("jasmin/bin/jasmind.py", 'FileLock("/tmp/jasmind")', 'FileLock("jasmind")'),
)
"""What is changed in the release: a file, what stands there, and what is put in its place."""


PORTS = ("http-api", "jcli", "redis", "rabbit", "epmd", "erlang")
UNASKED = ("router", "client-management", "smpp-server", "smpp-server-pb")
"""What Jasmin listens for beside: any port will do."""


def jasmin() -> Path:
    """Return the folder into which Jasmin is unpacked; unpacked when it was not."""
    folder = CACHE / "jasmin"
    if not (folder / "done").exists():
        with alone("jasmin"):
            if not (folder / "done").exists():
                _unpack(folder)
    return folder


def _source(folder: Path) -> Path:
    return folder / f"jasmin-{RELEASE}"


def _unpack(folder: Path) -> None:
    unpack(folder, SERVERS)
    erl = folder / "root" / "usr" / "lib" / "erlang"
    _change(erl / "bin" / "erl", "ROOTDIR=/usr/lib/erlang", f"ROOTDIR={erl}")
    run(sys.executable, "-m", "venv", "python", cwd=folder)
    pip = ("python/bin/python", "-m", "pip", "--disable-pip-version-check", "-q")
    run(*pip, "download", "--no-deps", "--no-binary=jasmin", f"jasmin=={RELEASE}", cwd=folder, seconds=INSTALL_SECONDS)
    with tarfile.open(folder / f"jasmin-{RELEASE}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    for path, old, new in CHANGES:
        _change(_source(folder) / path, old, new)
    run(*pip, "install", f"./jasmin-{RELEASE}", cwd=folder, seconds=INSTALL_SECONDS)
    (folder / "done").touch()


def _change(path: Path, old: str, new: str) -> None:
    """Replace what stands in a file; an error when it does not stand there."""
    text = path.read_text()
    if old not in text:
        raise RuntimeError(f"{path.name} is not the one we know: it has no {old!r}")
    path.write_text(text.replace(old, new))


class Jasmin:
    """A running Jasmin, bound to an SMSC: takes messages by HTTP at `/send`."""

    def __init__(self, ports: dict[str, int]) -> None:
        self.send_port = ports["http-api"]
        self.pids: dict[str, int] = {}
        self._console = ports["jcli"]

    def bind(self, port: int) -> None:
        """Make a connector to the SMSC on a port, a user, and a route from one to the other; wait for the link."""
        link = {"cid": "one", "host": "127.0.0.1", "port": port, "username": USER, "password": PASSWORD}
        with socket.create_connection(("127.0.0.1", self._console), ANSWER_SECONDS) as console:
            _until(console, "Session ref")
            _tell(console, "smppccm -a", {**link, "submit_throughput": 0})
            _tell(console, "group -a", {"gid": "all"})
            _tell(console, "user -a", {"username": USER, "password": PASSWORD, "gid": "all", "uid": "one"})
            route = {"type": "DefaultRoute", "rate": 0, "connector": "smppc(one)"}
            _tell(console, "mtrouter -a", route)
            _say(console, "smppccm -1 one", "Successfully")
            deadline = time.monotonic() + ANSWER_SECONDS
            while "BOUND" not in _say(console, "smppccm -l", "Total"):
                if time.monotonic() > deadline:
                    raise RuntimeError("Jasmin does not bind to the SMSC")
                time.sleep(0.05)


def _tell(console: socket.socket, command: str, fields: dict[str, object]) -> None:
    """Make one thing of the console: its fields line by line, then `ok`."""
    _say(console, command, "> ")
    for name, value in fields.items():
        _say(console, f"{name} {value}", "> ")
    _say(console, "ok", "Successfully")


def _say(console: socket.socket, line: str, answer: str) -> str:
    console.sendall(f"{line}\r\n".encode())
    return _until(console, answer, line)


def _until(console: socket.socket, wanted: str, asked: str = "") -> str:
    """Read until the console says what is wanted, and return all that it said."""
    said = ""
    with suppress(TimeoutError):
        while wanted not in said:
            piece = console.recv(4096)
            if not piece:
                break
            said += piece.decode("latin-1")
    if wanted not in said:
        raise RuntimeError(f"Jasmin's console, asked {asked!r}, says {said[-1000:]!r}")
    return said


def _configure(folder: Path, ports: dict[str, int]) -> None:
    here = {"bind": "127.0.0.1"}
    sections: dict[str, dict[str, object]] = {
        "http-api": {**here, "port": ports["http-api"]},
        "jcli": {**here, "port": ports["jcli"], "authentication": "no"},
        "redis-client": {"port": ports["redis"]},
        "amqp-broker": {"port": ports["rabbit"]},
        # A receipt may come before Jasmin has noted the answer; else it looks again after ten seconds.
        "dlr": {"dlr_lookup_retry_delay": 1, "dlr_lookup_max_retries": 20},
        **{name: {**here, "port": 0} for name in UNASKED},
    }
    lines = [f"[{name}]\n" + "\n".join(f"{key} = {fields[key]}" for key in fields) for name, fields in sections.items()]
    (folder / "jasmin.cfg").write_text("\n".join(lines))
    (folder / "store").mkdir()


def _environment(unpacked: Path, folder: Path, ports: dict[str, int]) -> dict[str, str]:
    programs = unpacked / "root" / "usr"
    path = os.pathsep.join([str(programs / "bin"), str(programs / "lib" / "erlang" / "bin"), os.environ["PATH"]])
    here = str(folder)
    return {
        **environment(unpacked),
        "PATH": path,
        "HOME": here,
        "ERL_EPMD_PORT": str(ports["epmd"]),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"jasmin{ports['rabbit']}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(ports["rabbit"]),
        "RABBITMQ_DIST_PORT": str(ports["erlang"]),
        "RABBITMQ_MNESIA_BASE": here,
        "RABBITMQ_LOG_BASE": here,
        "RABBITMQ_CONFIG_FILE": f"{here}/rabbitmq",
        "RABBITMQ_CONF_ENV_FILE": f"{here}/rabbitmq-env.conf",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{here}/plugins",
        # With it, and without input all the same, the script becomes the server, whose pid we then have.
        "RABBITMQ_ALLOW_INPUT": "1",
        "ROOT_PATH": here,
        "CONFIG_PATH": here,
        "LOG_PATH": here,
        "RESOURCE_PATH": str(_source(unpacked) / "misc" / "config" / "resource"),
    }


def _commands(unpacked: Path, ports: dict[str, int]) -> Iterator[tuple[str, int, Sequence[str | Path]]]:
    """Yield name, port and command of each process, in the order in which they are started."""
    usr = unpacked / "root" / "usr"
    port = str(ports["redis"])
    redis = (usr / "bin" / "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", ".")
    yield "redis", ports["redis"], redis
    (epmd,) = (usr / "lib" / "erlang").glob("erts-*/bin/epmd")
    yield "epmd", ports["epmd"], (epmd,)
    (rabbit,) = (usr / "lib" / "rabbitmq" / "lib").glob("*/sbin/rabbitmq-server")
    yield "rabbit", ports["rabbit"], (rabbit, "-noinput")
    python = unpacked / "python" / "bin"
    options = ("--enable-dlr-lookup", "--enable-dlr-thrower")
    yield "jasmin", ports["jcli"], (python / "python", python / "jasmind.py", *options)


@contextmanager
def running_jasmin(folder: Path, port: int) -> Iterator[Jasmin]:
    """Run Jasmin and its servers against the SMSC on a port until the block ends; their files lie in `folder`."""
    unpacked = jasmin()
    folder.mkdir(parents=True, exist_ok=True)
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    _configure(folder, ports)
    env = _environment(unpacked, folder, ports)
    gateway = Jasmin(ports)
    with ExitStack() as stack:
        for name, listens, command in _commands(unpacked, ports):
            said = folder / f"{name}.out"
            process = stack.enter_context(_process(command, folder, env, said))
            gateway.pids[name] = process.pid
            await_port(listens, process, said)
        gateway.bind(port)
        yield gateway


@contextmanager
def _process(
    command: Sequence[str | Path], folder: Path, env: dict[str, str], said: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with said.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(END_SECONDS)
