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
    partial.touch(mode=0o600, exist_ok=False)
    partial.write_text(text, "utf-8")
    if owner is not None:
        os.chown(partial, owner.uid, owner.gid)
    partial.replace(path)
