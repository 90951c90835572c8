"""Examine: measure what an operator should know; `core.checkup` says what to think of it."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

import aiohttp

from callsheet.bootstrap import address, look_into, waiting_steps
from callsheet.carriers.known import KNOWN, unheard
from callsheet.cli.live_trunks import ask_lines
from callsheet.clock import Clock, SystemClock
from callsheet.core.checkup import (
    Finding,
    fail,
    judge_callbacks,
    judge_clock,
    judge_imports,
    judge_postgres,
    judge_runs,
    judge_space,
    judge_sync,
    judge_wal,
    ok,
    warn,
)
from callsheet.core.errors import CallsheetError
from callsheet.folder import DataFolder
from callsheet.settings import CONFIG, Settings, unknown_names
from callsheet.store.looking import Seen
from callsheet.store.sqlite.copying import quick_check
from callsheet.voice.asterisk.architecture import this_architecture
from callsheet.voice.asterisk.fetching import find_tree

SYNCS = 15
_BLOCK = b"\0" * 4096
_PATIENCE_SECONDS = 10.0
"""A server that is only busy is not called ill."""
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


async def examine(settings: Settings, clock: Clock | None = None) -> list[Finding]:
    """Look at everything; what needs something that is missing is left out."""
    clock, folder = clock or SystemClock(), DataFolder(settings.data)
    findings = [*_settings(), ok("zones", f"Time zones are those of tzdata {version('tzdata')}.")]
    if not folder.path.exists():
        advice = "`callsheet serve` makes it; or name another one with --data."
        return [*findings, warn("folder", f"There is no data folder {folder.path} yet.", advice), _port(settings)]
    server = await _server(settings, folder)
    findings += [*_folder(folder), *_disk(folder, clock), _asterisk(settings, folder), server.finding, *server.lines]
    if settings.is_shared:
        found, seen, is_served = await _postgres(settings, folder, clock)
    elif folder.database.exists():
        found, seen, is_served = *await _sqlite(settings, folder, clock), server.is_there
    else:
        return [*findings, warn("database", "There is no database yet.", "`callsheet serve` makes it.")]
    findings += found
    if seen is not None:
        findings += _work(seen, is_served=is_served)
        # A server that says how its trunks stand knows better than we whether it has a public URL.
        findings += _trunks(seen, "unknown" if server.lines else settings.public_url)
    return findings


def _settings() -> Iterator[Finding]:
    unknown = unknown_names()
    if unknown:
        advice = f"See the spelling: `callsheet config show` lists what there is. The file is the one of {CONFIG}."
        yield warn("settings", f"These mean nothing: {', '.join(unknown)}.", advice)
    else:
        yield ok("settings", "Every setting means something.")


def _folder(folder: DataFolder) -> Iterator[Finding]:
    """Look whether others may read what is secret, and whether we may write."""
    if not os.access(folder.path, os.R_OK | os.W_OK | os.X_OK):
        yield fail("folder", f"{folder.path} cannot be written.", "Let the user who runs Callsheet own it.")
        return
    secret = (folder.path, folder.key, folder.credentials_file, folder.database)
    open_to_others = [path for path in secret if path.exists() and path.stat().st_mode & _others(path)]
    if open_to_others:
        names = ", ".join(map(str, open_to_others))
        yield warn("folder", f"Other users may read {names}.", f"chmod go= {names.replace(', ', ' ')}")
    else:
        yield ok("folder", f"{folder.path} is for its owner only.")


def _others(path: Path) -> int:
    """Return what others may not do with a path; through a folder, Asterisk's group may pass when we are root."""
    return _OTHERS & ~stat.S_IXGRP if path.is_dir() else _OTHERS


def _asterisk(settings: Settings, folder: DataFolder) -> Finding:
    """Look whether Asterisk is there, or can be fetched when a SIP trunk wants it."""
    if not settings.voice_node_local:
        return ok("asterisk", "Calls through SIP trunks go through voice nodes on other hosts.")
    tree = find_tree(Path(settings.asterisk_tree) if settings.asterisk_tree else folder.asterisk / "tree")
    if tree is not None:
        return ok("asterisk", f"Asterisk {tree.version} is there, for calls through SIP trunks.")
    if this_architecture() is None or not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        advice = "Only SIP trunks need it: run Callsheet on Debian or Ubuntu, on amd64 or arm64, for these."
        return warn("asterisk", "Asterisk cannot be fetched on this machine.", advice)
    return ok("asterisk", "Asterisk is not there yet; it is fetched when there is a SIP trunk.")


def _disk(folder: DataFolder, clock: Clock) -> Iterator[Finding]:
    size = folder.database.stat().st_size if folder.database.exists() else 0
    yield judge_space(shutil.disk_usage(folder.path).free, size)
    probe = folder.path / f".doctor.{os.getpid()}"
    try:
        yield judge_sync(_time_sync(probe, clock))
    except OSError as error:
        yield fail("sync", f"{folder.path} takes no file: {error.strerror}.", "See the disk and its mount options.")
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)


def _time_sync(probe: Path, clock: Clock) -> float:
    """Return how long a small write takes to be on the disk, in seconds."""
    spent = []
    with probe.open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            began = clock.monotonic()
            file.write(_BLOCK)
            os.fsync(file.fileno())
            spent.append(clock.monotonic() - began)
    return median(spent)


class _Server(NamedTuple):
    """The server that runs on the folder."""

    is_there: bool
    """Some program works on the folder."""
    finding: Finding
    lines: Sequence[Finding] = ()
    """How it says that its trunks stand; empty: it was not asked."""


async def _server(settings: Settings, folder: DataFolder) -> _Server:
    """Look whether a program works on the folder, whether its server answers, and what it says of its trunks."""
    url = folder.server()
    if url is None:
        return _Server(folder.is_owned(), _port(settings))
    try:
        timeout = aiohttp.ClientTimeout(total=_PATIENCE_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(f"{url}/readyz") as answer:
            checks = (await answer.json())["checks"]
    except (aiohttp.ClientError, TimeoutError, KeyError, ValueError):
        return _Server(True, fail("server", f"The server at {url} does not answer.", "Read its log; start it anew."))
    ill = sorted(name for name, well in checks.items() if not well)
    if ill:
        return _Server(True, fail("server", f"The server at {url} is not ready: {', '.join(ill)}.", "Read its log."))
    return _Server(True, ok("server", f"The server at {url} is ready."), await ask_lines(folder, url))


def _port(settings: Settings) -> Finding:
    """Look whether the port is free for a server."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            advice = "Choose another with --port, or CALLSHEET_PORT."
            return fail("server", f"No server can listen on {where}: {error.strerror}.", advice)
    return ok("server", f"No server runs here; {address(settings.host, settings.port)} is free for one.")


async def _sqlite(settings: Settings, folder: DataFolder, clock: Clock) -> tuple[list[Finding], Seen | None]:
    whole = quick_check(folder.database)
    if whole != "ok":
        advice = "Stop the server, keep a copy of the file, and restore the latest backup."
        return [fail("database", f"The database is damaged: {whole}.", advice)], None
    wal = folder.database.with_name(f"{folder.database.name}-wal")
    findings = [
        ok("database", "SQLite finds the database whole."),
        judge_wal(wal.stat().st_size if wal.exists() else 0),
    ]
    seen = await _look(settings, folder, clock, findings)
    if seen is not None:
        findings.append(judge_clock(clock.now(), None, seen.latest_at))
    return findings, seen


async def _postgres(settings: Settings, folder: DataFolder, clock: Clock) -> tuple[list[Finding], Seen | None, bool]:
    from callsheet.store.postgres.looking import look

    try:
        facts = await look(settings.database_url.get_secret_value())
    except CallsheetError as error:
        advice = "See that PostgreSQL runs, and CALLSHEET_DATABASE_URL."
        return [fail("database", error.message, advice)], None, False
    findings = judge_postgres(facts.version_num, facts.version, facts.encoding, facts.settings)
    findings.append(judge_clock(clock.now(), facts.now, None))
    return findings, await _look(settings, folder, clock, findings), facts.nodes > 0


async def _look(settings: Settings, folder: DataFolder, clock: Clock, findings: list[Finding]) -> Seen | None:
    """Look into the database, if it has our schema and our key opens it; what stands in the way is a finding."""
    try:
        waiting = await waiting_steps(settings)
    except CallsheetError as error:
        findings.append(fail("schema", error.message, "Run the newest version that worked on it."))
        return None
    if waiting:
        advice = "`callsheet migrate`, or the next start of `serve`, takes them."
        findings.append(warn("schema", f"The database waits for {len(waiting)} steps.", advice))
        return None
    findings.append(ok("schema", "The database has the schema of this program."))
    try:
        seen = await look_into(settings, folder, clock)
    except CallsheetError as error:
        findings.append(fail("key", error.message, "Put back the master key of this database."))
        return None
    findings.append(ok("key", "The master key opens the database. Is there a copy of it elsewhere?"))
    return seen


def _work(seen: Seen, *, is_served: bool) -> Iterator[Finding]:
    yield judge_runs(seen.active, seen.overdue, is_served=is_served)
    yield judge_imports(seen.imports, seen.stuck_imports, is_served=is_served)


def _trunks(seen: Seen, public_url: str) -> Iterator[Finding]:
    for trunk in seen.trunks:
        if amiss := unheard(trunk.carrier, trunk.settings, public_url):
            yield judge_callbacks(f"The trunk {trunk.name} ({trunk.id})", amiss)
    strange = [trunk for trunk in seen.trunks if trunk.carrier not in KNOWN]
    for trunk in strange:
        sentence = f"The trunk {trunk.name} ({trunk.id}) is of the carrier {trunk.carrier}."
        yield fail("trunks", sentence, "This release does not speak it: its senders contact nobody.")
    if not strange:
        carriers = ", ".join(f"{name} ({count})" for name, count in Counter(t.carrier for t in seen.trunks).items())
        yield ok("trunks", f"{len(seen.trunks)} trunks: {carriers}." if seen.trunks else "There is no trunk.")
