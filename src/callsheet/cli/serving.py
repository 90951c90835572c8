"""Serve: the engine and the HTTP API in one event loop, on a port that is bound before anything starts."""

from __future__ import annotations

import asyncio
import shlex
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from callsheet.api.app import build
from callsheet.bootstrap import address, open_runtime
from callsheet.cli.options import own_name
from callsheet.clock import Clock
from callsheet.console.first_campaign import Step, first_campaign
from callsheet.console.welcome import Welcome
from callsheet.core.errors import Conflict
from callsheet.engine.runtime import Runtime
from callsheet.folder import Credentials, DataFolder
from callsheet.settings import Settings

GRACE_SECONDS = 10
"""How long requests under way may take once the server stops."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that answers."""

    runtime: Runtime
    known: Credentials
    """The default app, at the address of this server."""
    invitation: str
    """The one-time sign-in link."""
    steps: tuple[Step, ...]
    """A first campaign, by hand."""


class _Server(uvicorn.Server):
    """Uvicorn inside our loop: signals are ours, and it says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: the engine has to drain before the process ends."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        self.listening.set()


@asynccontextmanager
async def serving(
    settings: Settings, *, passing: bool = False, start_engine: bool = True, clock: Clock | None = None
) -> AsyncIterator[Serving]:
    """Answer requests while inside; then stop listening, drain the engine, and close.

    `clock`: another one than the machine's. A `passing` server takes a free port that only this machine reaches, and no
    other command knows of it. Without `start_engine` files are imported and nobody is contacted. Raises Conflict when
    the port is taken.
    """
    folder = DataFolder(settings.data)
    host, port = ("127.0.0.1", 0) if passing else (settings.host, settings.port)
    with _bound(host, port, folder) as listener:
        base_url = address(host, listener.getsockname()[1])
        async with open_runtime(settings, clock=clock, start_engine=start_engine) as runtime:
            known = replace(folder.credentials(), base_url=base_url)
            steps = first_campaign(base_url, known.app_id, known.account_id, _token_command(folder.path))
            welcome = Welcome(runtime.sign_in.invitation)
            invitation = base_url + welcome.invite(_facts(known), steps)
            server = Serving(runtime, known, invitation, steps)
            async with _listening(build(runtime, home=welcome), listener, settings.trusted_proxies):
                if passing:
                    yield server
                    return
                folder.write_credentials(known)
                with folder.serving(base_url):
                    yield server


@contextmanager
def _bound(host: str, port: int, folder: DataFolder) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, or asyncio does not know that these are TCP connections and leaves Nagle's algorithm on: an
    # answer's body would wait for the other side to acknowledge its head, which takes 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            # Most often it is ourselves who listen there: then the folder is the better reason.
            folder.refuse_if_owned()
            raise Conflict(f"Cannot listen on {host}:{port}: {error.strerror}. Choose with --host, --port.") from error
        yield listener


@asynccontextmanager
async def _listening(front: ASGIApp, listener: socket.socket, trusted_proxies: str) -> AsyncIterator[None]:
    config = uvicorn.Config(
        front,
        log_config=None,
        access_log=False,  # paths may hold names, and the sign-in link
        server_header=False,
        forwarded_allow_ips=trusted_proxies,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    listening = asyncio.create_task(server.listening.wait())
    await asyncio.wait({task, listening}, return_when=asyncio.FIRST_COMPLETED)
    listening.cancel()
    try:
        yield
    finally:
        server.should_exit = True
        await task


def _facts(known: Credentials) -> tuple[tuple[str, str], ...]:
    return (
        ("Address", known.base_url),
        ("Account id (header accountId)", known.account_id),
        ("App id (header iid)", known.app_id),
        ("Client id", known.client_id),
    )


def _token_command(data: Path) -> str:
    return f"{own_name()} token --data {shlex.quote(str(data))}"
