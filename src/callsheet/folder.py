"""The data folder: the lock that makes one process its owner, the master key, and who may call whom.

Everything in it is for its owner's eyes: the folder is 0700, files are 0600.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from callsheet.core.errors import Conflict, FolderInUse, NotFound

_FOLDER_MODE = 0o700
_FILE_MODE = 0o600
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where the API is, and what the default app's client signs its tokens with."""

    base_url: str
    account_id: str
    app_id: str
    client_id: str
    client_secret: str


class DataFolder:
    """A data folder by its path; nothing is made before `create`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = path / "callsheet.db"
        self.imports = path / "imports"
        self.sandbox = path / "sandbox"
        self.asterisk = path / "asterisk"
        self.sounds = path / "sounds"
        self.key = path / "master.key"
        self.credentials_file = path / "credentials.json"
        self._lock = path / "lock"
        self._server = path / "server.json"

    def create(self) -> None:
        """Make the folder and those inside it, unless they are there.

        This and everything below raises Conflict when the system does not let us.
        """
        with self._explaining():
            for folder in (self.path, self.imports, self.sandbox, self.sounds):
                folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)

    @contextmanager
    def _explaining(self, *, may_lack: bool = False) -> Iterator[None]:
        """Make a sentence of what the system refuses. A file that it `may_lack` is for the caller to explain."""
        try:
            yield
        except OSError as error:
            if may_lack and isinstance(error, FileNotFoundError):
                raise
            raise Conflict(
                f"The data folder {self.path} cannot be used: {error.strerror} ({error.filename}). Let the user who"
                " runs Callsheet read and write there, or name another folder with --data."
            ) from error

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Own the folder while inside. Raises FolderInUse when another process does."""
        with self._explaining():
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
        try:
            if not _take(descriptor):
                raise FolderInUse(self._in_use(os.read(descriptor, 32).decode("ascii", "replace")))
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
            yield
        finally:
            # The file stays: one that is deleted while another process waits for it would be locked twice.
            os.close(descriptor)

    def _in_use(self, pid: str) -> str:
        owner = f"process {pid}" if pid else "another process"
        return f"The data folder {self.path} belongs to {owner}: stop it first, or name another folder with --data."

    def is_owned(self) -> bool:
        """Tell whether some process owns the folder now."""
        try:
            with self._explaining(may_lack=True):
                descriptor = os.open(self._lock, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            # A shared lock, so that two who look do not see each other.
            return not _take(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def refuse_if_owned(self) -> None:
        """Raise FolderInUse when some process owns the folder now; take nothing."""
        if self.is_owned():
            raise FolderInUse(self._in_use(self._lock.read_text("ascii", "replace")))

    def prepare_database(self) -> None:
        """Make the database's file before the driver does: its WAL inherits the mode."""
        with self._explaining():
            self.database.touch(mode=_FILE_MODE)

    def master_key(self) -> bytes:
        """Return the key that opens every app's key; the first start makes it.

        Raises Conflict when it is gone, although there is a database that only it opens.
        """
        try:
            with self._explaining(may_lack=True):
                key = bytes.fromhex(self.key.read_text("ascii").strip())
        except FileNotFoundError:
            if self.database.exists():
                raise Conflict(
                    f"{self.key} is gone, and nothing else opens the database: put it back from a copy."
                ) from None
            key = secrets.token_bytes(_KEY_BYTES)
            self._write(self.key, key.hex() + "\n")
        except ValueError:
            key = b""
        if len(key) != _KEY_BYTES:
            raise Conflict(f"{self.key} does not hold a key of {2 * _KEY_BYTES} hexadecimal digits.")
        return key

    def credentials(self) -> Credentials:
        """Return what the last start wrote. Raises NotFound before the first, Conflict when it is damaged."""
        try:
            with self._explaining(may_lack=True):
                return Credentials(**json.loads(self.credentials_file.read_text("utf-8")))
        except FileNotFoundError:
            raise NotFound(f"There is nothing in {self.path} yet: run `callsheet serve` first.") from None
        except (TypeError, ValueError):
            raise Conflict(
                f"{self.credentials_file} is damaged: `callsheet serve` writes it anew when it starts."
            ) from None

    def write_credentials(self, credentials: Credentials) -> None:
        """Write down who may call, for `callsheet credentials` and `callsheet token`."""
        self._write(self.credentials_file, json.dumps(asdict(credentials), indent=2) + "\n")

    def server(self) -> str | None:
        """Return the address of the server that runs on this folder, or None."""
        if not self.is_owned():
            return None
        with suppress(FileNotFoundError, ValueError, KeyError):
            return str(json.loads(self._server.read_text("utf-8"))["base_url"])
        return None

    @contextmanager
    def serving(self, base_url: str) -> Iterator[None]:
        """Say while inside that a server runs at an address."""
        self._write(self._server, json.dumps({"pid": os.getpid(), "base_url": base_url}) + "\n")
        try:
            yield
        finally:
            self._server.unlink(missing_ok=True)

    def _write(self, path: Path, text: str) -> None:
        """Replace a file as a whole: whoever reads it sees the old one or the new one."""
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        with self._explaining():
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _FILE_MODE)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)


def _take(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True
