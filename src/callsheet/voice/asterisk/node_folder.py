"""The folder of a node: what it is told, what it writes, and the sounds and recordings that we share with it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

from callsheet.voice.asterisk.configuration import LOG, RECORDS, RUN_FOLDER
from callsheet.voice.asterisk.secret_file import Owner, write_secret
from callsheet.voice.asterisk.shelf import SOUNDS
from callsheet.voice.asterisk.tree import Tree

_FOLDERS = ("etc", "lib", "lib/keys", "run", "log", "log/cdr-custom", "spool", "spool/recording", "data", "data/sounds")
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
        self.said = path / "log/said"
        """What it says before its log is open."""
        self._log = path / LOG

    def make(self, tree: Tree, owner: Owner | None) -> None:
        """Make the folder and all in it, unless it is there; it belongs to the user as whom the node runs."""
        for name in ("", *_FOLDERS):
            folder = self.path / name
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _give(folder, owner)
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

    def take_log(self) -> list[str]:
        """Return what the node complained about since the last time, and empty its log: it may hold numbers."""
        try:
            with self._log.open("r+b") as file:
                written = file.read(_MOST_LOG_OCTETS)
                if written:
                    # The node appends, so it goes on at the new end.
                    file.truncate(0)
        except OSError:
            return []
        return written.decode(errors="replace").splitlines()

    def rotate_records(self) -> None:
        """Put full call records aside; those before them go. The node opens the file for each call."""
        try:
            if self.records.stat().st_size > _MOST_RECORDS_OCTETS:
                self.records.replace(self.records.with_suffix(".old.csv"))
        except OSError:
            return


def let_pass(folders: tuple[Path, ...], owner: Owner) -> None:
    """Let the node's group pass through folders of ours, without a look at what is in them."""
    for folder in folders:
        found = folder.stat()
        if found.st_uid == os.geteuid() and not found.st_mode & 0o001:
            os.chown(folder, -1, owner.gid)
            folder.chmod(found.st_mode & 0o777 | 0o010)


def _give(path: Path, owner: Owner | None) -> None:
    if owner is not None:
        os.chown(path, owner.uid, owner.gid)


def _link(link: Path, target: Path) -> None:
    if not link.is_symlink() or link.readlink() != target:
        link.unlink(missing_ok=True)
        link.symlink_to(target)


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError):
        return None
