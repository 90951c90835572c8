"""Packages of Debian, unpacked into a folder and never installed: root is not needed, the machine stays as it is."""

import os
import shutil
import subprocess
from pathlib import Path

FETCH_SECONDS = 300


def unpack(folder: Path, packages: tuple[str, ...]) -> None:
    """Put packages, with those they need and this machine lacks, into `root/` of an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "lists" / "partial").mkdir(parents=True)
    (folder / "cache" / "archives" / "partial").mkdir(parents=True)
    # apt's own user may not write into our folder.
    options = ["-oAPT::Sandbox::User=root"] if os.geteuid() == 0 else []
    try:
        _fetch(folder, packages, options)
    except RuntimeError:
        # The machine's own lists of packages are missing or old: ask for new ones, and keep them apart.
        apart = [*options, f"-oDir::State::lists={folder}/lists/", f"-oDir::Cache={folder}/cache/"]
        run("apt-get", *apart, "update", cwd=folder)
        _fetch(folder, packages, apart)
    for package in folder.glob("*.deb"):
        run("dpkg-deb", "-x", package.name, "root", cwd=folder)
        package.unlink()


def _fetch(folder: Path, packages: tuple[str, ...], options: list[str]) -> None:
    """Download packages and those they need that this machine lacks; apt checks their signatures."""
    plan = run("apt-get", *options, "-s", "install", "--no-install-recommends", *packages, cwd=folder)
    lacking = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
    # Installed ones are not fetched with the rest, but those that were asked for are wanted here in any case.
    wanted = sorted({*lacking, *packages})
    run("apt-get", *options, "download", *wanted, cwd=folder)


def run(*command: str, cwd: Path, env: dict[str, str] | None = None, seconds: float = FETCH_SECONDS) -> str:
    """Return what a command prints; raises RuntimeError with what it complained about."""
    try:
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=True, timeout=seconds)
    except FileNotFoundError:
        raise RuntimeError(f"{cwd.name} cannot be unpacked: there is no {command[0]} here") from None
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{cwd.name} cannot be unpacked: {' '.join(command[:2])} takes too long") from None
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"{cwd.name} cannot be unpacked: {' '.join(command[:2])}: {error.stderr[-1000:]}") from error
    return done.stdout


def environment(folder: Path) -> dict[str, str]:
    """Return the environment in which programs of `root/` find their libraries."""
    libraries = {str(path.parent) for path in (folder / "root").rglob("lib*.so*")}
    return {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(sorted(libraries))}
