"""Restore: bring a backup into a data folder, or mark a database that was put back by other means.

Everything is done to files that stand aside: the digests are compared, the key is tried, the database gets the schema
of this program and its runs are paused. Only then it takes its place, so that no moment has a database that would
contact anybody. What was there before is moved aside, not deleted.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from callsheet import archive
from callsheet.bootstrap import opened_store
from callsheet.carriers.sandbox.ledger import Ledger, Message, Status
from callsheet.clock import Clock, SystemClock
from callsheet.core.attempt import Happening, Kind
from callsheet.core.errors import Conflict
from callsheet.core.ids import decode_attempt
from callsheet.folder import DataFolder
from callsheet.settings import Settings
from callsheet.store import migrate as steps
from callsheet.store.protocol import Batch
from callsheet.store.restoring import Marked, MarkedRun
from callsheet.store.store import Store

_LOOK_BACK = timedelta(hours=1)
"""So long before the backup a message may have been taken whose answer is not recorded."""
_PAGE = 1000
_ASIDE = ".restoring"


@dataclass(frozen=True, slots=True)
class Restore:
    """A restore that was done."""

    backup_at: datetime
    runs: Sequence[MarkedRun]
    """Those that went on at the backup: they are Paused."""
    unscheduled: int
    uncertain: int
    """Attempts that were in the air."""
    evidence: int
    """Messages that the sandbox ledgers show and the database did not know."""
    replaced: Path | None
    """Where the files are that were there before."""

    def document(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "backup_at": self.backup_at.isoformat(),
            "runs": [run._asdict() for run in self.runs],
            "unscheduled": self.unscheduled,
            "uncertain": self.uncertain,
            "evidence": self.evidence,
            "replaced": str(self.replaced) if self.replaced else None,
        }


async def restore(settings: Settings, file: Path, *, force: bool, clock: Clock | None = None) -> Restore:
    """Bring a backup into the data folder.

    Raises Conflict when the folder holds something already, or the backup is damaged, of a newer program, of the other
    kind of database, or without a key that opens it; FolderInUse.
    """
    clock, folder = clock or SystemClock(), DataFolder(settings.data)
    manifest = archive.read_manifest(file)
    await _refuse_strange(manifest, settings)
    folder.create()
    with folder.owned(), ExitStack() as stack:
        if not force:
            _refuse_full(folder)
        if settings.is_shared:
            await _refuse_working(settings, force=force)
        aside = stack.enter_context(_aside(folder))
        archive.unpack(file, aside.path)
        _find_key(settings, folder, aside)
        ledgers = _effective_ledgers(folder, aside)
        done = await _mark(settings, aside, ledgers, datetime.fromisoformat(manifest.at), clock)
        return replace(done, replaced=_place(folder, aside, clock.now()))


async def mark(settings: Settings, backup_at: datetime, *, force: bool, clock: Clock | None = None) -> Restore:
    """Mark a database that was put back by other means: pg_restore, or a copy of the disk. Raises Conflict."""
    clock, folder = clock or SystemClock(), DataFolder(settings.data)
    if not settings.is_shared and not folder.database.exists():
        raise Conflict(f"There is no database in {folder.path}: put it there first.")
    folder.create()
    with folder.owned():
        if settings.is_shared:
            await _refuse_working(settings, force=force)
        return await _mark(settings, folder, sorted(folder.sandbox.glob("*.db")), backup_at, clock)


async def _mark(
    settings: Settings, folder: DataFolder, ledgers: Sequence[Path], backup_at: datetime, clock: Clock
) -> Restore:
    now = clock.now()
    if backup_at > now:
        raise Conflict(f"The backup is of {backup_at.isoformat()}, which has not come yet: see this machine's clock.")
    async with opened_store(settings, folder, clock) as store:
        marked: Marked = await store.restoring.mark(backup_at, now)
        node_no = await store.hot.enter("restore")
        uncertain = await store.hot.reap(node_no, random.random, all_arms=True)
        evidence = await _tell(store, node_no, ledgers, backup_at)
    return Restore(backup_at, marked.runs, marked.unscheduled, uncertain, evidence, None)


async def _tell(store: Store, node_no: int, ledgers: Sequence[Path], backup_at: datetime) -> int:
    """Record what the sandbox took, as its books show it, and let it tell its receipts and replies again."""
    batch_no, events = 0, 0
    for path in ledgers:
        ledger = Ledger(path)
        try:
            for page in _pages(ledger):
                batch_no += 1
                found = [heard for message in page for heard in _evidence(message, backup_at - _LOOK_BACK)]
                events += (await store.hot.record(Batch(node_no, batch_no, found), random.random)).events
            await ledger.retell(backup_at)
        finally:
            ledger.close()
    return events


def _pages(ledger: Ledger) -> Iterator[Sequence[Message]]:
    after = 0
    while page := ledger.outbox(after, _PAGE):
        yield page
        after = page[-1].id


def _evidence(message: Message, since: datetime) -> Iterator[Happening]:
    key = decode_attempt(message.reference)
    if key is None or message.accepted_at < since:
        return
    # One without an answer was taken all the same; who sent it cannot know.
    kind = Kind.uncertain if message.status == Status.unanswered else Kind.accepted
    yield Happening(*key, kind, message.accepted_at, "", message.carrier_id, message.segments)


async def _refuse_strange(manifest: archive.Manifest, settings: Settings) -> None:
    """Refuse a backup of a newer program, or of the other kind of database."""
    if manifest.schema not in [step.number for step in await steps.pending(":memory:")]:
        raise Conflict(f"A newer Callsheet ({manifest.callsheet}) made this backup: run that version.")
    if manifest.database == "postgresql" and not settings.is_shared:
        raise Conflict(
            "This backup is of a PostgreSQL database, which is not in it. Bring that back with pg_restore, set"
            " CALLSHEET_DATABASE_URL, and restore again."
        )
    if manifest.database == "sqlite" and settings.is_shared:
        raise Conflict("This backup is of a SQLite database: unset CALLSHEET_DATABASE_URL to restore it.")


def _refuse_full(folder: DataFolder) -> None:
    """Refuse a folder that holds more than a master key, which has to come from somewhere."""
    found = [folder.database, folder.credentials_file, *folder.sandbox.glob("*.db"), *folder.imports.iterdir()]
    there = [path for path in found if path.exists()]
    if there:
        raise Conflict(
            f"{folder.path} is not empty ({there[0].name}). Name another folder with --data, or give --force: what is"
            " there is moved aside then."
        )


async def _refuse_working(settings: Settings, *, force: bool) -> None:
    """Refuse a PostgreSQL database that is empty, or that nodes work on."""
    from callsheet.store.postgres.looking import look

    url = settings.database_url.get_secret_value()
    if await steps.current(url) is None:
        raise Conflict("The database is empty: bring it back with pg_restore first.")
    nodes = (await look(url)).nodes
    if nodes and not force:
        raise Conflict(f"Programs work on this database ({nodes} connections): stop them first.")


@contextmanager
def _aside(folder: DataFolder) -> Iterator[DataFolder]:
    """Give an empty folder on the same disk."""
    path = folder.path / _ASIDE
    # One that was left is of a restore that was killed.
    shutil.rmtree(path, ignore_errors=True)
    aside = DataFolder(path)
    aside.create()
    try:
        yield aside
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _find_key(settings: Settings, folder: DataFolder, aside: DataFolder) -> None:
    """Let the folder aside have the key: the setting's, the backup's, or that of the folder. Raises Conflict."""
    if settings.master_key.get_secret_value():
        return
    if aside.key.exists():
        return
    if not folder.key.exists():
        raise Conflict(
            f"The backup holds no master key. Put your copy of it into {folder.key}, or set CALLSHEET_MASTER_KEY."
        )
    shutil.copyfile(folder.key, aside.key)


def _effective_ledgers(folder: DataFolder, aside: DataFolder) -> list[Path]:
    """Return the ledgers that will count: one that is there knows more than its copy, because it is the world outside.

    Those of the backup that are not wanted are dropped.
    """
    found = []
    for copied in sorted(aside.sandbox.glob("*.db")):
        there = folder.sandbox / copied.name
        if there.exists():
            copied.unlink()
        found.append(there if there.exists() else copied)
    return found


def _place(folder: DataFolder, aside: DataFolder, now: datetime) -> Path | None:
    """Move the files to their places, the database last; what was there goes into a folder of its own."""
    replaced = folder.path / f"replaced-{now:%Y%m%dT%H%M%SZ}"
    moved = False
    for fresh in (*sorted(aside.sandbox.glob("*.db")), aside.key, aside.credentials_file, aside.database):
        if not fresh.exists():
            continue
        place = folder.path / fresh.relative_to(aside.path)
        # A WAL that is left beside another database would be read into it.
        for old in (place, *place.parent.glob(f"{place.name}-*")):
            if old.exists():
                replaced.mkdir(mode=0o700, exist_ok=True)
                old.rename(replaced / old.name)
                moved = True
        fresh.rename(place)
        archive.sync_folder(place.parent)
    return replaced if moved else None
