"""A process that has loaded the whole program once, and splits off copies of itself that become its commands.

`starting.py` runs it and sends it orders. A copy begins where `python -m callsheet` is when it has imported everything:
nothing was read yet (no settings, no folder), and there is no thread, no loop and no connection.
"""

import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path

HEADER = struct.Struct("!I")
"""How many bytes of JSON follow: arguments, environment and folder, and a script to run in place of the program."""

HANDLES = 4
"""Standard input, output and error, and where the stem tells the copy's process id and then its exit code."""

ROOTS = ("callsheet.bootstrap", "callsheet.client", "callsheet.store.postgres.hot", "callsheet.store.postgres.looking")
"""What commands import late, next to the modules of `callsheet.cli`."""

STRANGERS = (
    "aiosqlite", "alembic.command", "asyncpg", "rich.filesize", "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.sqlite.pysqlite", "uvicorn.lifespan.on", "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto",
)  # fmt: skip
"""What the packages that we use import late."""


def load() -> None:
    """Import whatever a command may want."""
    import callsheet.cli as verbs  # noqa: PLC0415

    for module in pkgutil.iter_modules(verbs.__path__, f"{verbs.__name__}."):
        importlib.import_module(module.name)
    for name in (*ROOTS, *STRANGERS):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            # Then the program does without it too.
            assert name in STRANGERS, name
    from callsheet.api.v1.app import build  # noqa: PLC0415

    # What a route takes is looked at when it is first asked for: here once, for all copies.
    build(None).openapi()  # type: ignore[arg-type]
    # What is never looked at again is never written to, and stays shared by all copies.
    gc.collect()
    gc.freeze()


class Stem:
    """Takes orders, and tells how copies ended."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._awake, self._woken = socket.socketpair()
        self._awake.setblocking(False)
        self._woken.setblocking(False)
        self._told: dict[int, int] = {}

    def grow(self) -> Callable[[], None] | None:
        """Split off copies; return only in a copy, with what it has to become, or when nobody orders any more."""
        signal.set_wakeup_fd(self._woken.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # Whoever interrupts the tests means the copies, which take it as the program does.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # No `select`: whoever plants us may have more than a thousand files open, and our handle a number beyond that.
        waiting = select.poll()
        for one in (self._orders, self._awake):
            waiting.register(one, select.POLLIN)
        while True:
            ready = {handle for handle, _ in waiting.poll()}
            if self._awake.fileno() in ready:
                self._awake.recv(4096)
                self._bury()
            if self._orders.fileno() in ready:
                header, handles, _, _ = socket.recv_fds(self._orders, HEADER.size, HANDLES)
                if not header:
                    return None
                order = json.loads(self._orders.recv(*HEADER.unpack(header), socket.MSG_WAITALL))
                if not self._split(handles):
                    return lambda: become(order, handles)

    def _split(self, handles: list[int]) -> bool:
        """Split off a copy: false in the copy."""
        pid = os.fork()
        if not pid:
            self._forget()
            return False
        *given, told = handles
        for handle in given:
            os.close(handle)
        os.write(told, b"%d\n" % pid)
        self._told[pid] = told
        return True

    def _forget(self) -> None:
        """Let go of what is the stem's alone."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for held in (self._orders, self._awake, self._woken):
            held.close()
        for told in self._told.values():
            os.close(told)

    def _bury(self) -> None:
        while self._told:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            told = self._told.pop(pid)
            os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
            os.close(told)


def become(order: dict, handles: list[int]) -> None:
    """Be the command from here on."""
    for standard, handle in enumerate(handles[:-1]):
        os.dup2(handle, standard)
    for handle in handles:
        os.close(handle)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    script = order.get("script")
    sys.argv = [script or "callsheet", *order["arguments"]]
    # Where Python looks first; here is what this file lies beside.
    sys.path[0] = str(Path(script).parent) if script else order["folder"]
    if script:
        runpy.run_path(script, run_name="__main__")
    else:
        runpy.run_module("callsheet", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    load()
    with socket.socket(fileno=int(sys.argv[1])) as orders:
        grown = Stem(orders).grow()
    if grown is not None:
        grown()
