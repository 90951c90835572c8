"""Fetches the tree, once: from Debian, through the mirror that the machine already uses."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Final

from callsheet.voice.asterisk.apt import Apt, Commands, NotFetched, known_mirrors
from callsheet.voice.asterisk.architecture import Architecture, this_architecture
from callsheet.voice.asterisk.modules import MODULES
from callsheet.voice.asterisk.tree import Tree

SUITES: Final = ("forky", "sid")
"""Where Debian has an Asterisk, in the order in which they are tried."""
PACKAGES: Final = (
    "asterisk", "asterisk-modules", "asterisk-core-sounds-en", "asterisk-core-sounds-en-gsm",
    "libbsd0", "libc6", "libcap2", "libcrypt1", "libedit2", "libgcc-s1", "libgsm1", "libjansson4", "libmd0", "libnspr4",
    "libnss3", "libopus0", "libpopt0", "libsqlite3-0", "libsrtp2-1", "libssl3t64", "libstdc++6", "libsystemd0",
    "libtinfo6", "liburiparser1", "libuuid1", "libxml2-16", "libxslt1.1", "libzstd1", "zlib1g",
)  # fmt: skip
"""What is enough. The names of libraries drift: where one is gone, or is not enough any more, apt says what is."""

_STAMP = "stamp.json"
_VERSION = re.compile(r"^asterisk_([^_]+)_[^_]+\.deb$")


class Step(StrEnum):
    """What is being done."""

    waits = "waits"
    """Another process fetches it."""
    lists = "lists"
    packages = "packages"
    all_packages = "all_packages"
    """The short list is not enough: everything that Debian's Asterisk names is fetched."""
    unpacks = "unpacks"
    checks = "checks"


Tell = Callable[[Step], None]


def find_tree(folder: Path) -> Tree | None:
    """Return the tree that was fetched into a folder; None: none was, or it is for another machine."""
    architecture = this_architecture()
    try:
        stamp = json.loads((folder / _STAMP).read_text("utf-8"))
        fits = architecture is not None and stamp["architecture"] == architecture.debian
        return Tree(folder / "root", architecture, str(stamp["version"])) if architecture and fits else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def fetch_tree(
    folder: Path,
    tell: Tell = lambda _: None,
    given_up: threading.Event | None = None,
    *,
    mirror: str = "",
    packages: Sequence[str] = PACKAGES,
) -> Tree:
    """Return the tree in a folder, fetched when it is not there; it takes seconds, and blocks.

    Two processes that want the same folder fetch it once. What is not whole is never seen: the folder appears in one
    step. `mirror` is for a machine that knows no mirror of Debian. Raises NotFetched.
    """
    # apt reads relative paths as below folders of its own.
    folder = folder.absolute()
    if tree := find_tree(folder):
        return tree
    commands = Commands(given_up)
    architecture = this_architecture()
    if architecture is None:
        raise NotFetched(
            "Asterisk cannot be fetched for this kind of machine: run Callsheet on Linux, on amd64 or arm64, or"
            " `callsheet voice-node` on such a machine."
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder.with_name(f"{folder.name}.lock"), tell, commands):
            if tree := find_tree(folder):
                return tree
            return _fetch(folder, mirror, packages, architecture, tell, commands)
    except OSError as error:
        raise NotFetched(f"Asterisk cannot be unpacked into {folder}: {error.strerror} ({error.filename}).") from error


@contextmanager
def _alone(path: Path, tell: Tell, commands: Commands) -> Iterator[None]:
    """Let one process at a time do it; the others wait."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        has_told = False
        while not _take(descriptor):
            if not has_told:
                tell(Step.waits)
                has_told = True
            commands.wait()
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _fetch(
    folder: Path, mirror: str, packages: Sequence[str], architecture: Architecture, tell: Tell, commands: Commands
) -> Tree:
    """Try each mirror and suite until one gives a whole tree."""
    new = folder.with_name(f"{folder.name}.new")
    _remove(new)
    new.mkdir()
    # The node may run as another user than we do.
    new.chmod(0o755)
    mirrors = [mirror] if mirror else known_mirrors(commands, new)
    if not mirrors:
        raise NotFetched(
            "This machine's apt knows no mirror, so Asterisk cannot be fetched: name one of Debian with the setting"
            " debian_mirror."
        )
    refusals = []
    try:
        for address, suite in [(address, suite) for suite in SUITES for address in mirrors]:
            try:
                version = _fill(new, address, suite, packages, architecture, tell, commands)
            except NotFetched as refusal:
                commands.refuse_if_given_up()
                refusals.append(f"{suite}: {refusal}")
                continue
            (new / _STAMP).write_text(
                json.dumps({"version": version, "suite": suite, "architecture": architecture.debian}) + "\n"
            )
            _remove(folder)
            new.rename(folder)
            return Tree(folder / "root", architecture, version)
    finally:
        _remove(new)
    raise NotFetched(
        "Asterisk could not be fetched from the mirrors that this machine uses. Let it reach one of Debian, or name"
        f" one with the setting debian_mirror. What went wrong: {'; '.join(refusals)}"
    )


def _fill(
    new: Path,
    mirror: str,
    suite: str,
    packages: Sequence[str],
    architecture: Architecture,
    tell: Tell,
    commands: Commands,
) -> str:
    """Fetch and unpack from one suite; return the version. What the short list lacks, apt's own resolution finds."""
    apt = Apt(commands, new / "apt", architecture.debian)
    _remove(apt.folder)
    tell(Step.lists)
    apt.open(mirror, suite)
    try:
        with suppress(_NotWhole):
            tell(Step.packages)
            try:
                fetched = apt.download(packages)
            except NotFetched as refusal:
                raise _NotWhole(str(refusal)) from refusal
            return _unpack(new, fetched, architecture, tell, commands)
        tell(Step.all_packages)
        return _unpack(new, apt.resolve("asterisk"), architecture, tell, commands)
    finally:
        _remove(apt.folder)


class _NotWhole(NotFetched):
    """What was unpacked does not run."""


def _unpack(new: Path, fetched: Sequence[Path], architecture: Architecture, tell: Tell, commands: Commands) -> str:
    """Unpack packages, check that nothing is missing, and return Asterisk's version."""
    tell(Step.unpacks)
    root = new / "root"
    _remove(root)
    for package in fetched:
        commands.run("dpkg-deb", "-x", str(package), str(root), cwd=new)
    version = next((found[1] for path in fetched if (found := _VERSION.match(path.name))), "")
    tree = Tree(root, architecture, version.replace("%3a", ":"))
    tell(Step.checks)
    if lacked := tree.lacks(MODULES):
        raise _NotWhole(f"Debian's Asterisk {version} lacks here: {', '.join(lacked)}.")
    return tree.version


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)
