"""Debian's packages, fetched by apt into a folder of ours: nothing is installed, and root is not needed.

apt keeps its lists, its cache and its idea of what is installed (nothing) in our folder; the machine's own stay as
they are. Its proxies and certificates are the machine's. It checks the signatures of what it fetches.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

KEYRING: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
"""Debian's keys, where Debian keeps them; elsewhere the keys that apt trusts on that machine."""

_COMMAND_SECONDS: Final = 600.0
_LOOK_SECONDS: Final = 0.2
_RELEASE = re.compile(r"^'(\S+)/dists/([^/\s]+)/InRelease'", re.MULTILINE)
_COMPLAINT_LETTERS = 600


class NotFetched(Exception):
    """Asterisk could not be fetched. The sentence says why, and what can be done."""


class Commands:
    """Runs one program after the other, until somebody gives up."""

    def __init__(self, given_up: threading.Event | None = None) -> None:
        self._given_up = given_up or threading.Event()

    def refuse_if_given_up(self) -> None:
        """Raise NotFetched when nobody waits for the outcome any more."""
        if self._given_up.is_set():
            raise NotFetched("Fetching Asterisk was broken off: it begins again at the next start.")

    def run(self, *command: str, cwd: Path, seconds: float = _COMMAND_SECONDS) -> str:
        """Return what a program prints. Raises NotFetched with what it complained about."""
        self.refuse_if_given_up()
        name = " ".join(command[:1])
        environment = {**os.environ, "LC_ALL": "C"}
        try:
            process = subprocess.Popen(  # noqa: S603 - words of ours, without a shell
                command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                stdin=subprocess.DEVNULL, text=True, start_new_session=True,
            )  # fmt: skip
        except FileNotFoundError:
            raise NotFetched(
                f"There is no {name} on this machine, so Asterisk cannot be fetched: run Callsheet on Debian or"
                " Ubuntu, or `callsheet voice-node` on such a machine."
            ) from None
        with process:
            said, complaint = self._await(process, name, seconds)
        if process.returncode:
            raise NotFetched(f"{' '.join((name, *_words(command)))} failed: {complaint.strip()[-_COMPLAINT_LETTERS:]}")
        return said

    def _await(self, process: subprocess.Popen[str], name: str, seconds: float) -> tuple[str, str]:
        for _ in range(int(seconds / _LOOK_SECONDS)):
            with suppress(subprocess.TimeoutExpired):
                return process.communicate(timeout=_LOOK_SECONDS)
            if self._given_up.is_set():
                break
        process.kill()
        process.communicate()
        self.refuse_if_given_up()
        raise NotFetched(f"{name} did not come to an end within {seconds:.0f} s: is the mirror reachable?")

    def wait(self) -> None:
        """Wait a moment. Raises NotFetched when somebody gave up."""
        self._given_up.wait(_LOOK_SECONDS)
        self.refuse_if_given_up()


def _words(command: Sequence[str]) -> list[str]:
    """Return what a command is asked to do, without its options."""
    return [word for word in command[1:] if not word.startswith("-")][:1]


def known_mirrors(commands: Commands, cwd: Path) -> list[str]:
    """Return the addresses of the mirrors that this machine uses, in its order; those of security updates last."""
    releases = _RELEASE.findall(commands.run("apt-get", "update", "--print-uris", cwd=cwd))
    main = [site for site, suite in releases if not suite.endswith("-security")]
    return list(dict.fromkeys(main or [site for site, _ in releases]))


@dataclass(frozen=True, slots=True)
class Apt:
    """An apt that knows one suite of one mirror, and keeps all it needs in a folder."""

    commands: Commands
    folder: Path
    architecture: str

    def open(self, mirror: str, suite: str) -> None:
        """Fetch the list of a suite's packages. Raises NotFetched when the mirror has no such suite, or is away."""
        for folder in ("lists/partial", "cache/archives/partial", "sources", "preferences"):
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        signed_by = f"signed-by={KEYRING} " if KEYRING.is_file() else ""
        source = f"deb [{signed_by}arch={self.architecture}] {mirror} {suite} main\n"
        (self.folder / "sources.list").write_text(source)
        self._get("update", "-q", "-oAPT::Update::Error-Mode=any")

    def download(self, packages: Sequence[str]) -> list[Path]:
        """Fetch just these packages. Raises NotFetched when one is not there."""
        into = self.folder / "packages"
        into.mkdir(exist_ok=True)
        self._get("download", "-q", *packages, cwd=into)
        return sorted(into.glob("*.deb"))

    def resolve(self, package: str) -> list[Path]:
        """Fetch a package and all that it needs, as apt sees it."""
        self._get("install", "-q", "-y", "--no-install-recommends", "--download-only", package)
        return sorted((self.folder / "cache/archives").glob("*.deb"))

    def _get(self, *arguments: str, cwd: Path | None = None) -> None:
        self.commands.run("apt-get", *self._options(), *arguments, cwd=cwd or self.folder)

    def _options(self) -> list[str]:
        places = {
            "Dir::State": ".", "Dir::State::lists": "lists", "Dir::State::status": "status", "Dir::Cache": "cache",
            "Dir::Etc::sourcelist": "sources.list", "Dir::Etc::sourceparts": "sources",
            "Dir::Etc::preferencesparts": "preferences",
        }  # fmt: skip
        options = {name: str(self.folder / place) for name, place in places.items()}
        options |= {
            "Acquire::Languages": "none", "Debug::NoLocking": "1", "APT::Architecture": self.architecture,
            "APT::Architectures": self.architecture, "Acquire::Retries": "2", "Dir::Etc::preferences": "",
        }  # fmt: skip
        if os.geteuid() == 0:
            # apt's own user may not write into our folder.
            options["APT::Sandbox::User"] = "root"
        return [f"-o{name}={value}" for name, value in options.items()]
