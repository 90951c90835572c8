"""Back up: copy what a data folder holds while it is in use, and pack it into one file."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from callsheet import __version__, archive
from callsheet.cli.progress import Bar
from callsheet.clock import Clock, SystemClock
from callsheet.core.errors import Conflict, NotFound
from callsheet.folder import DataFolder
from callsheet.settings import Settings
from callsheet.store import migrate as steps
from callsheet.store.sqlite.copying import copy, count_rows


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made."""

    file: Path
    manifest: archive.Manifest
    pg_dump: str
    """The line that backs up the database itself; empty on SQLite, where it is in the file."""

    def document(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {"file": str(self.file), **asdict(self.manifest), "pg_dump": self.pg_dump or None}


def back_up(
    settings: Settings, file: Path, *, with_key: bool, force: bool, show: bool, clock: Clock | None = None
) -> Backup:
    """Write a backup. Raises Conflict when the file is there already, NotFound when there is nothing to back up."""
    clock, folder = clock or SystemClock(), DataFolder(settings.data)
    _refuse_existing(file, force=force)
    url = settings.database_url.get_secret_value()
    if not url and not folder.database.exists():
        raise NotFound(f"There is nothing in {folder.path} yet: run `callsheet serve` first.")
    with _staging(file) as staging:
        # Before the copy begins: what is said to be in the backup is.
        at = clock.now()
        counts: dict[str, int] = {}
        if not url:
            with _bar("database", show=show) as shown:
                copy(folder.database, staging / archive.DATABASE, shown)
            counts = count_rows(staging / archive.DATABASE)
        schema = asyncio.run(steps.current(url or staging / archive.DATABASE))
        _collect(settings, folder, staging, with_key=with_key)
        members = {
            str(path.relative_to(staging)): archive.digest(path)
            for path in sorted(staging.rglob("*"))
            if path.is_file()
        }
        manifest = archive.Manifest(
            __version__, schema or "", "postgresql" if url else "sqlite", at.isoformat(), counts, members
        )
        _refuse_existing(file, force=force)
        with _bar("file", show=show) as shown:
            archive.write(file, manifest, staging, _adding_up(staging, shown))
    return Backup(
        file, manifest, f"pg_dump --format=custom --file={file}.dump '{_without_password(url)}'" if url else ""
    )


def _collect(settings: Settings, folder: DataFolder, staging: Path, *, with_key: bool) -> None:
    """Copy the ledgers after the database: what the database knows of, they have. And the key, if it is wanted."""
    (staging / archive.LEDGERS).mkdir(mode=0o700)
    for ledger in sorted(folder.sandbox.glob("*.db")):
        copy(ledger, staging / archive.LEDGERS / ledger.name)
    if with_key:
        text = settings.master_key.get_secret_value()
        if not text and not folder.key.exists():
            raise NotFound(f"There is no master key in {folder.path} yet.")
        text = text or folder.master_key().hex()
        (staging / archive.KEY).write_text(text + "\n", "ascii")
        if folder.credentials_file.exists():
            shutil.copyfile(folder.credentials_file, staging / archive.CREDENTIALS)


def _refuse_existing(file: Path, *, force: bool) -> None:
    if file.exists() and not force:
        raise Conflict(f"{file} is there already. Give another name, or --force to replace it.")


@contextmanager
def _staging(file: Path) -> Iterator[Path]:
    """Give an empty folder beside the file, for its owner only: there is room where the file is to be."""
    try:
        path = Path(tempfile.mkdtemp(prefix=f".{file.name}.", dir=file.parent))
    except OSError as error:
        raise Conflict(f"{file} cannot be written: {error.strerror}. Give a folder that is there.") from error
    try:
        yield path
    except OSError as error:
        raise Conflict(f"{file} cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _bar(title: str, *, show: bool) -> Iterator[Callable[[int, int], None]]:
    if not show:
        yield lambda _done, _total: None
        return
    with Bar(title) as bar:
        yield lambda done, total: bar.show(done, total, "")


def _adding_up(staging: Path, shown: Callable[[int, int], None]) -> archive.OnBytes:
    total = sum(path.stat().st_size for path in staging.rglob("*") if path.is_file())
    done = 0

    def add(more: int) -> None:
        nonlocal done
        done += more
        shown(done, total)

    return add


def _without_password(url: str) -> str:
    """Return a database's URL without the password: pg_dump asks for it, or finds it in ~/.pgpass."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    return f"{parts.scheme}://{name + '@' if name else ''}{host}{parts.path}"
