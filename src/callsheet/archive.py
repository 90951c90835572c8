"""The file that a backup is: a tar with a manifest in front, which holds a digest of every other member.

It is written under a passing name, forced to the disk and renamed, so that a file with the right name is whole. When it
is read nothing is believed that the manifest does not name, and nothing whose digest differs.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final

from callsheet.core.errors import Conflict

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
DATABASE: Final = "callsheet.db"
KEY: Final = "master.key"
CREDENTIALS: Final = "credentials.json"
LEDGERS: Final = "sandbox"

_MEMBER: Final = re.compile(rf"{re.escape(DATABASE)}|{re.escape(KEY)}|{re.escape(CREDENTIALS)}|{LEDGERS}/[\w-]+\.db")
_CHUNK_BYTES: Final = 1 << 20
_MOST_MANIFEST_BYTES: Final = 1 << 20
_FILE_MODE: Final = 0o600

OnBytes = Callable[[int], None]
"""Is told how many more bytes were read or written."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself."""

    callsheet: str
    """The version of the program that made it."""
    schema: str
    """The last step of the schema that its database walked."""
    database: str
    """`sqlite`: the database is a member; `postgresql`: it is not, pg_dump has it."""
    at: str
    """The instant, ISO 8601: what was committed before is in it."""
    counts: Mapping[str, int]
    """Rows of the database, by table."""
    members: Mapping[str, str]
    """SHA-256 of each other member, in hexadecimal digits."""
    format: int = FORMAT

    @property
    def has_key(self) -> bool:
        """Tell whether the master key is in it: then it is a secret."""
        return KEY in self.members


def digest(path: Path, on_bytes: OnBytes = lambda _: None) -> str:
    """Return the SHA-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            found.update(chunk)
            on_bytes(len(chunk))
    return found.hexdigest()


def write(file: Path, manifest: Manifest, folder: Path, on_bytes: OnBytes = lambda _: None) -> None:
    """Write the members that the manifest names, from a folder. A name that ends with `gz` is compressed."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _FILE_MODE)
        with os.fdopen(descriptor, "wb") as out:
            with tarfile.open(fileobj=out, mode="w:gz" if _is_compressed(file) else "w") as tar:
                text = json.dumps(asdict(manifest), indent=2).encode()
                tar.addfile(_entry(MANIFEST, len(text)), io.BytesIO(text))
                for name in manifest.members:
                    path = folder / name
                    with path.open("rb") as member:
                        tar.addfile(_entry(name, path.stat().st_size), _Counted(member, on_bytes))
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(file)
        sync_folder(file.parent)
    finally:
        fresh.unlink(missing_ok=True)


def read_manifest(file: Path) -> Manifest:
    """Return what a backup says of itself. Raises Conflict when it is none, or a newer program made it."""
    with _opened(file) as tar:
        return _manifest(tar, file)


def unpack(file: Path, folder: Path, on_bytes: OnBytes = lambda _: None) -> Manifest:
    """Unpack a backup into an empty folder and compare every digest. Raises Conflict when anything is not as told."""
    with _opened(file) as tar:
        manifest = _manifest(tar, file)
        missing = dict(manifest.members)
        while (entry := tar.next()) is not None:
            expected = missing.pop(entry.name, None)
            if expected is None or not entry.isreg():
                raise _damaged(file, f"{entry.name} should not be in it")
            path = folder / entry.name
            path.parent.mkdir(mode=0o700, exist_ok=True)
            member = tar.extractfile(entry)
            assert member is not None, "a regular member has content"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
            with os.fdopen(descriptor, "wb") as out:
                while chunk := member.read(_CHUNK_BYTES):
                    out.write(chunk)
                    on_bytes(len(chunk))
                out.flush()
                os.fsync(out.fileno())
            if digest(path) != expected:
                raise _damaged(file, f"{entry.name} is not what was written")
        if missing:
            raise _damaged(file, f"{', '.join(missing)} is missing")
        return manifest


class _Counted(io.RawIOBase):
    """A file that tells how much was read of it."""

    def __init__(self, file: IO[bytes], on_bytes: OnBytes) -> None:
        self._file = file
        self._on_bytes = on_bytes

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self._on_bytes(len(chunk))
        return chunk


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, "r:*") as tar:
            yield tar
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise _damaged(file, str(error).partition("\n")[0].rstrip(":") or "it ends too early") from error
    except OSError as error:
        # What gzip says of a wrong checksum is one too.
        raise Conflict(f"The backup {file} cannot be read: {error.strerror or error}.") from error


def _manifest(tar: tarfile.TarFile, file: Path) -> Manifest:
    entry = tar.next()
    if entry is None or entry.name != MANIFEST or entry.size > _MOST_MANIFEST_BYTES:
        raise Conflict(f"{file} is no backup of Callsheet.")
    member = tar.extractfile(entry)
    assert member is not None, "the manifest has content"
    try:
        found = json.loads(member.read())
        if found["format"] != FORMAT:
            raise Conflict(f"A newer Callsheet ({found['callsheet']}) made the backup {file}: run that version.")
        manifest = Manifest(**found)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(file, "its manifest cannot be read") from error
    if not all(map(_MEMBER.fullmatch, manifest.members)):
        raise _damaged(file, "its manifest names files that no backup has")
    return manifest


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, _FILE_MODE
    return entry


def _damaged(file: Path, why: str) -> Conflict:
    return Conflict(f"The backup {file} is damaged: {why}. Nothing was changed; take another one.")


def _is_compressed(file: Path) -> bool:
    return file.name.endswith(("gz", "tgz"))


def sync_folder(folder: Path) -> None:
    """Make a rename durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
