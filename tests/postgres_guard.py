"""Stops the PostgreSQL server of a run of the tests when every process that held it is gone. See `postgres.py`."""

import fcntl
import os
import shutil
import signal
import sys
import time
from pathlib import Path


def guard(folder: Path) -> None:
    with (folder / "users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        postmaster = folder / "data" / "postmaster.pid"
        if postmaster.exists():
            # SIGINT is a fast shutdown; the file goes with the server.
            os.kill(int(postmaster.read_text().split()[0]), signal.SIGINT)
            while postmaster.exists():
                time.sleep(0.05)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    guard(Path(sys.argv[1]))
