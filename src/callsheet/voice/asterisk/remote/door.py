"""The door for nodes on other hosts: they know a key, and each has a name.

All that a node needs comes in here, and it is always the node that connects: its Asterisk for calls and audio, its own
process for its configuration, sounds and recordings.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Final

from aiohttp import StreamReader, web

from callsheet.clock import Clock
from callsheet.core.run import MOST_LONGEST_CALL_SECONDS
from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.engine import AsteriskEngine
from callsheet.voice.asterisk.link import Link
from callsheet.voice.asterisk.place import NodePlace
from callsheet.voice.asterisk.remote.files import BRING_SECONDS, RemoteFiles
from callsheet.voice.asterisk.remote.helm import Helm
from callsheet.voice.asterisk.remote.key import secret_of
from callsheet.voice.asterisk.remote.words import JOIN_PATH, RECORDINGS_PATH, SAFE_NAME, SOUNDS_PATH
from callsheet.voice.asterisk.server import NodeServer, Route
from callsheet.voice.nodes import VoiceNode

_PART_OCTETS: Final = 1 << 16
_PARTIAL: Final = ".partial"
_HEARTBEAT_SECONDS: Final = 10.0
_MOST_OCTETS: Final = 16_000 * (MOST_LONGEST_CALL_SECONDS + 600)
"""Of a recording: no call is longer, however long it rang."""
_KEPT_SECONDS: Final = 7 * 86_400
"""So long a recording stays here that a process of ours had, and did not keep, because it died."""


@dataclass(frozen=True, slots=True)
class DoorPlace:
    """Where nodes come in."""

    host: str
    port: int
    key: str = field(repr=False)
    recordings: Path
    """Where recordings come to, until they are kept."""
    tls: ssl.SSLContext | None = None
    trunks: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Which trunks a node may have, by its name; one that is not named may have all."""


class Door:
    """Lets nodes in to one engine."""

    def __init__(self, place: DoorPlace, engine: AsteriskEngine, clock: Clock) -> None:
        self._place = place
        self._engine = engine
        self._clock = clock
        self._helms: dict[str, Helm] = {}
        self._files: dict[str, RemoteFiles] = {}
        self._trunks: tuple[SipTrunk, ...] | None = None
        """None: nobody has said yet, and a node keeps those that it has."""
        self._telling: set[asyncio.Task[None]] = set()
        self._server = NodeServer(
            self._secret_of, self._serve, engine.ear_of, host=place.host, port=place.port, tls=place.tls,
            more=(
                Route("GET", JOIN_PATH, self._join),
                Route("GET", SOUNDS_PATH + "{name}", self._give_sound),
                Route("PUT", RECORDINGS_PATH + "{name}", self._take_recording),
            ),
        )  # fmt: skip

    @property
    def port(self) -> int:
        """Where it listens; 0: it does not."""
        return self._server.port

    async def open(self) -> None:
        """Begin to listen. Raises OSError."""
        before = self._clock.now() - timedelta(seconds=_KEPT_SECONDS)
        await asyncio.to_thread(_clear, self._place.recordings, before)
        await self._server.open()

    async def stop_listening(self) -> None:
        """Let nobody in any more."""
        await self._server.stop_listening()

    async def close(self) -> None:
        """End all connections."""
        for helm in self._helms.values():
            await helm.close()
        await self._server.close()

    def use(self, trunks: Sequence[SipTrunk]) -> None:
        """Tell all nodes of these trunks, instead of those before."""
        self._trunks = tuple(trunks)
        for helm in self._helms.values():
            task = asyncio.get_running_loop().create_task(helm.tell_trunks(self._trunks_of(helm.name) or ()))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    def _trunks_of(self, name: str) -> Sequence[SipTrunk] | None:
        """Return the trunks that a node may have; None: nobody has told us of any yet."""
        if self._trunks is None:
            return None
        allowed = self._place.trunks.get(name)
        return [trunk for trunk in self._trunks if allowed is None or trunk.id in allowed]

    def drain(self, name: str, *, is_draining: bool) -> bool:
        """Give a node no more calls, or calls again; False: there is no such node."""
        helm = self._helms.get(name)
        if helm is not None:
            helm.drain(is_draining=is_draining)
        return helm is not None

    def nodes(self) -> list[VoiceNode]:
        """Return all that ever came."""
        return [self._show(helm) for helm in self._helms.values()]

    def _show(self, helm: Helm) -> VoiceNode:
        node = self._engine.node(helm.name)
        hello, stands = helm.hello, helm.stands
        allowed, wanted = self._place.trunks.get(helm.name), hello.trunks
        trunks = wanted if allowed is None else sorted(allowed.intersection(allowed if wanted is None else wanted))
        return VoiceNode(
            helm.name, stands.state, stands.why, stands.version,
            is_remote=True,
            is_connected=node is not None and node.is_connected,
            is_draining=helm.is_draining,
            calls=0 if node is None else len(node.channels),
            most_calls=hello.most_calls,
            trunks=None if trunks is None else tuple(trunks),
        )  # fmt: skip

    # Who comes in.

    def _secret_of(self, login: str) -> str | None:
        name, _, instance = login.partition(".")
        helm = self._helms.get(name)
        if not re.fullmatch(SAFE_NAME, name) or name == "local":
            return None
        if instance and helm is not None and not helm.is_for(instance):
            return None
        return secret_of(self._place.key, name)

    def _has_asterisk(self, name: str) -> bool:
        """Tell whether an Asterisk of a name is there, or its calls are waited for."""
        node = self._engine.node(name)
        return node is not None and (node.is_connected or bool(node.channels))

    def _helm(self, name: str) -> Helm:
        if name not in self._helms:
            self._helms[name] = helm = Helm(name, self._engine, self._admit, self._has_asterisk)
            self._files[name] = RemoteFiles(helm, self._place.recordings, self._clock)
            self._admit(helm)
        return self._helms[name]

    def _admit(self, helm: Helm) -> None:
        """Say what the engine has to know of a node: one whose process is away cannot fetch a prompt."""
        hello = helm.hello
        self._engine.let_in(
            NodePlace(
                helm.name, secret_of(self._place.key, helm.name), self._files[helm.name],
                hello.most_calls if helm.is_there else 0, helm.known & self._place.trunks.get(helm.name, helm.known),
                helm.registrations,
            )
        )  # fmt: skip
        (self._engine.drain if helm.is_draining else self._engine.resume)(helm.name)

    async def _serve(self, login: str, link: Link) -> None:
        # Its Asterisk may be here before its process is.
        name, _, instance = login.partition(".")
        helm = self._helm(name)
        helm.instance = instance or helm.instance
        await self._engine.serve(name, link)

    async def _join(self, name: str, request: web.Request) -> web.StreamResponse:
        messages = web.WebSocketResponse(heartbeat=_HEARTBEAT_SECONDS, compress=False)
        await messages.prepare(request)
        await self._helm(name).serve(messages, lambda: self._trunks_of(name))
        await messages.close()
        return messages

    # What it fetches and brings.

    async def _give_sound(self, name: str, request: web.Request) -> web.StreamResponse:
        files = self._files.get(name)
        path = None if files is None else files.offered(request.match_info["name"])
        if path is None or not await asyncio.to_thread(path.is_file):
            raise web.HTTPNotFound
        return web.FileResponse(path)

    async def _take_recording(self, name: str, request: web.Request) -> web.StreamResponse:
        files, recording = self._files.get(name), request.match_info["name"]
        if files is not None and files.was_brought(recording):
            return web.Response(status=204)
        if files is None or not files.is_expected(recording):
            raise web.HTTPNotFound
        partial = self._place.recordings / f"{recording}.{os.urandom(8).hex()}{_PARTIAL}"
        try:
            async with asyncio.timeout(BRING_SECONDS):
                await _write(partial, request.content, lambda: files.is_expected(recording))
            if not await files.keep(recording, partial):
                raise web.HTTPConflict
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        except OSError:
            raise web.HTTPInsufficientStorage from None
        finally:
            await asyncio.to_thread(partial.unlink, missing_ok=True)
        return web.Response(status=204)


async def _write(path: Path, content: StreamReader, is_wanted: Callable[[], bool]) -> None:
    """Have what comes on the disk: its only other copy goes then. Raises OSError, HTTPConflict: nobody waits for it."""
    file = await asyncio.to_thread(path.open, "wb")
    octets = 0
    try:
        async for part in content.iter_chunked(_PART_OCTETS):
            octets += len(part)
            if octets > _MOST_OCTETS:
                raise web.HTTPRequestEntityTooLarge(_MOST_OCTETS, octets)
            if not is_wanted():
                raise web.HTTPConflict
            await asyncio.to_thread(file.write, part)
        await asyncio.to_thread(_settle, file)
    finally:
        await asyncio.to_thread(file.close)


def _clear(folder: Path, before: datetime) -> None:
    """Leave only recordings that are whole, and not older than an instant.

    Whoever wanted what is there was an earlier process. The node has deleted what it brought, so ours is the only copy.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.is_file() and (path.suffix == _PARTIAL or path.stat().st_mtime < before.timestamp()):
            path.unlink()


def _settle(file: IO[bytes]) -> None:
    """Have a file on the disk: its only other copy goes now."""
    file.flush()
    os.fsync(file.fileno())
