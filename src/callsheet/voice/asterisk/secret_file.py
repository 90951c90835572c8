"""A file with secrets in it: for one user's eyes, and written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class Owner(NamedTuple):
    """A user of the machine, as whom the node runs."""

    uid: int
    gid: int


def write_secret(path: Path, text: str, owner: Owner | None = None) -> None:
    """Put a text into a file; `owner` None: it is ours."""
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    # By its number, not by its name: whoever could put another file in its place would be given that one.
    new = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(new, "w", encoding="utf-8") as file:  # noqa: PTH123 - it is open already
        file.write(text)
        if owner is not None:
            os.fchown(file.fileno(), owner.uid, owner.gid)
        # What is in it must be there before its name is: else it may be empty after a loss of power.
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
