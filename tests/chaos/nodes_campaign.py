"""A voice campaign over two voice nodes of other hosts: real processes of the real program, in folders of their own.

One node is emptied on the way, and filled again; then its process and its Asterisk are killed, as when its host dies.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from callsheet.voice.asterisk.remote.key import secret_of

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from voice_books import Books
from voice_campaign import (
    PATIENCE_SECONDS,
    LaterServer,
    asterisks_of,
    open_books,
    prepare,
    until_called,
    until_completed,
)

from callsheet.client import AsyncClient
from callsheet.client.v1.calls import PlacedCall
from callsheet.client.v1.voice_nodes import VoiceNode
from ports import free_port
from strangers.asterisk import asterisk
from strangers.packages import CACHE
from strangers.phone_network import PhoneNetwork, running_phone_network

KEY = "a key of voice nodes, for exercises only"
MIX = ("0021", "0010", "0021", "0022", "0021")


@dataclass
class NodeBooks:
    """What a campaign over nodes left."""

    books: Books
    calls: Sequence[PlacedCall] = ()
    emptied: tuple[datetime, datetime] | None = None
    """From when until when the first node was to get no calls."""
    killed_at: datetime | None = None
    left_recordings: list[Path] = field(default_factory=list)
    """On the disk of the node that lives."""


class NodeProcess:
    """`callsheet voice-node`, with its Asterisk."""

    def __init__(self, folder: Path, name: str, port: int) -> None:
        self.name = name
        self.folder = folder / name
        self.log = folder / f"{name}.log"
        env = {key: value for key, value in os.environ.items() if not key.startswith("CALLSHEET_")}
        env |= {**settings(), "CALLSHEET_VOICE_NODE_KEY": secret_of(KEY, name)}
        command = [sys.executable, "-m", "callsheet", "voice-node", "--join", f"http://127.0.0.1:{port}"]
        command += ["--name", name, "--data", str(self.folder), "--drain-seconds", "0"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=env)

    def kill(self) -> None:
        """Kill it, and its Asterisk: no handler runs."""
        self._process.kill()
        self._process.wait()
        for pid in asterisks_of(self.folder):
            os.kill(pid, signal.SIGKILL)

    def stop(self) -> int:
        """Stop it kindly, and return how it ended."""
        self._process.terminate()
        return self._process.wait(60)


def settings() -> dict[str, str]:
    """Return what any process needs that has to do with Asterisk here."""
    asterisk()
    return {"CALLSHEET_ASTERISK_TREE": str(CACHE / "asterisk" / "tree"), "CALLSHEET_SIP_ADDRESS": "127.0.0.1"}


@contextmanager
def running(folder: Path, port: int) -> Iterator[tuple[LaterServer, list[NodeProcess]]]:
    """Have a server without an Asterisk of its own, not started yet, and two nodes that try to join it."""
    more = {
        "CALLSHEET_VOICE_NODE_LOCAL": "false", "CALLSHEET_VOICE_NODE_KEY": KEY, "CALLSHEET_VOICE_NODE_PORT": str(port),
    }  # fmt: skip
    server = LaterServer(folder / "data", {**settings(), **more})
    nodes = [NodeProcess(folder, name, port) for name in ("east", "west")]
    try:
        yield server, nodes
    finally:
        server.stop()
        for node in nodes:
            node.kill()


async def until(ready: Callable[[dict[str, VoiceNode]], object], client: AsyncClient, what: str) -> None:
    """Wait until the nodes stand so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not ready(nodes := {node.name: node async for node in client.voice_nodes.list()}):
        assert time.monotonic() < deadline, f"waited in vain for {what}: {nodes}"
        await asyncio.sleep(0.2)


def are_there(nodes: dict[str, VoiceNode]) -> bool:
    return sum(node.is_connected and node.state == "running" for node in nodes.values()) == 2


async def call_over_nodes(contacts: int, most_calls: int = 8) -> NodeBooks:
    """Run a campaign over two nodes; return the books."""
    with running_phone_network() as network, tempfile.TemporaryDirectory(prefix="callsheet-nodes-") as name:
        folder = Path(name)
        with running(folder, free_port()) as (server, nodes):
            try:
                return await _call(server, nodes, network, contacts, most_calls)
            except BaseException:
                for log in folder.glob("*.log"):
                    print(log.name, log.read_text()[-10_000:])
                raise


async def _call(
    server: LaterServer, nodes: Sequence[NodeProcess], network: PhoneNetwork, contacts: int, most_calls: int
) -> NodeBooks:
    everybody = [network.number(MIX[i % len(MIX)]) for i in range(contacts)]
    east, west = nodes
    await server.start()
    async with server.client() as client:
        campaign_id = await prepare(client, network, everybody, most_calls)
        await client.settings.change(machine_sample_share=1.0)
        await until(
            lambda all_: sum(n.is_connected and n.state == "running" for n in all_.values()) == 2, client, "both"
        )
        await client.compat.campaigns.start(campaign_id)
        await until(lambda all_: all(node.calls for node in all_.values()), client, "calls on both")

        began_at = datetime.now(UTC)
        await client.voice_nodes.drain("east")
        await until(lambda all_: not all_["east"].calls, client, "an empty node")
        await until_called(network, len(network.calls()) + 3)
        ended_at = datetime.now(UTC)
        await client.voice_nodes.resume("east")
        await until(lambda all_: all(node.calls for node in all_.values()), client, "calls on both again")

        killed_at = datetime.now(network.calls()[0].at.tzinfo)
        east.kill()
        due = await until_completed(server, client, network, campaign_id)
        books = await open_books(client, network, everybody)
        books.kills, books.due = [killed_at], due
        calls = [call async for call in client.calls.list()]
    left = list((west.folder / "asterisk/node/spool/recording").iterdir())
    assert west.stop() == 0
    assert not asterisks_of(west.folder)
    return NodeBooks(books, calls, (began_at, ended_at), killed_at, left)
