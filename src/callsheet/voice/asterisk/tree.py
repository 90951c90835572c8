"""The tree: an Asterisk as Debian packs it, unpacked into a folder of ours.

It brings its own libraries and its own loader, so it runs beside whatever the machine has, and nothing of the
machine is touched.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from callsheet.voice.asterisk.architecture import Architecture

_LIST_SECONDS = 60
_NOT_FOUND = re.compile(r"error while loading shared libraries: ([^:]+):")
_FOUND = re.compile(r"^\s*(\S+) => (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Tree:
    """An unpacked Asterisk."""

    root: Path
    architecture: Architecture
    version: str
    """Debian's version of the package."""

    @property
    def libraries(self) -> Path:
        """Where its libraries and its loader are."""
        return self.root / "usr/lib" / self.architecture.libraries

    @property
    def modules(self) -> Path:
        """Where its modules are."""
        return self.libraries / "asterisk/modules"

    @property
    def share(self) -> Path:
        """What it ships besides programs: documentation, sounds, the description of its REST API."""
        return self.root / "usr/share/asterisk"

    @property
    def sounds(self) -> Path:
        """The English sounds that it ships."""
        return self.share / "sounds/en_US_f_Allison"

    def command(self, *arguments: str) -> list[str]:
        """Return the words that start Asterisk from the tree."""
        return [*self._loading(), "--argv0", "asterisk", str(self.root / "usr/sbin/asterisk"), *arguments]

    def _loading(self) -> list[str]:
        return [str(self._loader), "--library-path", f"{self.libraries}:{self.libraries / 'asterisk'}"]

    @property
    def _loader(self) -> Path:
        return self.libraries / self.architecture.loader

    def lacks(self, modules: Iterable[str]) -> list[str]:
        """Return what is missing for Asterisk to start and load its modules: files, and libraries by name."""
        files = [self.root / "usr/sbin/asterisk", *(self.modules / f"{name}.so" for name in modules)]
        missing = [str(path.relative_to(self.root)) for path in (self._loader, *files) if not path.is_file()]
        return missing or self._lacked_libraries(files)

    def _lacked_libraries(self, files: Sequence[Path]) -> list[str]:
        """Return the libraries that the loader does not find in the tree for programs or modules.

        Those of the machine do not count: they were made for another libc. Symbols that a module takes from Asterisk
        itself are no libraries, and not looked at here.
        """
        lacked: set[str] = set()
        for file in files:
            try:
                done = subprocess.run(  # noqa: S603 - words of ours, without a shell
                    [*self._loading(), "--list", str(file)],
                    capture_output=True, text=True, check=False, timeout=_LIST_SECONDS, env=bare_environment(),
                )  # fmt: skip
            except (OSError, subprocess.TimeoutExpired) as error:
                return [f"{file.name}: {error}"]
            if done.returncode:
                complaint = _NOT_FOUND.search(done.stderr)
                lacked.add(complaint[1] if complaint else f"{file.name}: {done.stderr.strip()[-200:]}")
            lacked |= {name for name, path in _FOUND.findall(done.stdout) if not path.startswith(f"{self.root}/")}
        return sorted(lacked)


def bare_environment() -> dict[str, str]:
    """Return what a program of the tree may know of ours: where programs are, and the time zone, and no secrets."""
    return {name: os.environ[name] for name in ("PATH", "TZ", "LANG") if name in os.environ}
