"""The folder of a node: what it is told, what it writes, and the sounds and recordings that we share with it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from callsheet.voice.asterisk.configuration import LOG, PJSIP, RECORDS, RUN_FOLDER
from callsheet.voice.asterisk.files import TAKEN
from callsheet.voice.asterisk.guarded import open_folder, open_plain
from callsheet.voice.asterisk.records import OLD
from callsheet.voice.asterisk.secret_file import Owner, write_secret
from callsheet.voice.asterisk.shelf import SOUNDS
from callsheet.voice.asterisk.tree import Tree

_OURS = ("", "etc", "data", "data/sounds", "spool")
"""What the node only reads: it can put nothing in the place of a file, or of one of its own folders."""
_ITS_OWN = ("lib", "lib/keys", "run", "log", "log/cdr-custom", "spool/recording")
_RECORDING_KEPT_SECONDS = 3600.0
"""Whoever wants a recording takes it when it is whole. One that was not written to for so long is nobody's: those who
wanted it were killed."""
_SHARED = ("documentation", "rest-api", "static-http")
_MOST_RECORDS_OCTETS = 8 << 20
_MOST_LOG_OCTETS = 64 << 10
_NOBODY = "nobody"


def unprivileged() -> Owner | None:
    """Return as whom a node runs when we are root; None: as we do."""
    if os.geteuid() != 0:
        return None
    try:
        nobody = pwd.getpwnam(_NOBODY)
    except KeyError:
        return None
    return Owner(nobody.pw_uid, nobody.pw_gid)


class NodeFolder:
    """A node's folder by its path; nothing is made before `make`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = path / RUN_FOLDER
        self.etc = path / "etc"
        self.sounds = path / "data/sounds"
        self.recordings = path / "spool/recording"
        self.records = path / RECORDS
        self.said = path / "said"
        """What it says before its log is open."""
        self._log = path / LOG

    def make(self, tree: Tree, owner: Owner | None) -> None:
        """Make the folder and all in it, unless it is there; it belongs to the user as whom the node runs."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in _OURS:
            with open_folder(self.path, name, is_made=True) as folder:
                _give(folder, owner and Owner(os.geteuid(), owner.gid), 0o750)
        for name in _ITS_OWN:
            with open_folder(self.path, name, is_made=True) as folder:
                _give(folder, owner, 0o700)
        ours = self.sounds / SOUNDS
        ours.mkdir(mode=0o755, exist_ok=True)
        _link(self.sounds / "en", tree.sounds)
        for name in _SHARED:
            _link(self.path / "data" / name, tree.share / name)

    def write(self, files: Mapping[str, str], owner: Owner | None) -> frozenset[str]:
        """Write the files of `etc`, each whole or not at all, for the node's eyes only; return the names of the new."""
        new = {name: text for name, text in files.items() if _read(self.etc / name) != text}
        for name, text in new.items():
            write_secret(self.etc / name, text, owner)
        return frozenset(new)

    def forget_trunks(self) -> None:
        """Delete what the node was told of trunks: a node that does not run keeps no password of a trunk that went."""
        for path in (self.etc / PJSIP, *self.etc.glob("*.pem")):
            path.unlink(missing_ok=True)

    def take_log(self) -> list[str]:
        """Return what the node complained about since the last time, and empty its log: it may hold numbers."""
        with suppress(OSError):
            # What it says beside its log is for who starts it, and for nobody later.
            os.truncate(self.said, 0)
        try:
            with open_plain(self._log) as file:
                written = file.read(_MOST_LOG_OCTETS)
                if written:
                    # The node appends, so it goes on at the new end.
                    file.truncate(0)
        except OSError:
            return []
        return written.decode(errors="replace").splitlines()

    def tidy(self, now: datetime) -> None:
        """Put full call records aside, and delete those before them and recordings that nobody came for.

        The node opens the file of its records for each call.
        """
        with suppress(OSError), open_folder(self.path, Path(RECORDS).parent.as_posix()) as folder:
            name = self.records.name
            if os.stat(name, dir_fd=folder, follow_symlinks=False).st_size > _MOST_RECORDS_OCTETS:
                os.rename(name, OLD, src_dir_fd=folder, dst_dir_fd=folder)
        for path in (*_files(self.recordings), *_files(self.recordings.parent / TAKEN)):
            with suppress(OSError):
                if path.lstat().st_mtime < now.timestamp() - _RECORDING_KEPT_SECONDS:
                    path.unlink()


def let_pass(folders: tuple[Path, ...], owner: Owner) -> None:
    """Let the node's group pass through folders of ours, without a look at what is in them."""
    for folder in folders:
        found = folder.stat()
        if found.st_uid == os.geteuid() and not found.st_mode & 0o001:
            os.chown(folder, -1, owner.gid)
            folder.chmod(found.st_mode & 0o777 | 0o010)


def _give(folder: int, owner: Owner | None, mode: int) -> None:
    if owner is not None:
        os.fchown(folder, owner.uid, owner.gid)
        os.fchmod(folder, mode)


def _files(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _link(link: Path, target: Path) -> None:
    if not link.is_symlink() or link.readlink() != target:
        link.unlink(missing_ok=True)
        link.symlink_to(target)


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError):
        return None
