"""Look: find out whether a file can be imported, before it is handed over and a list is made for it."""

from __future__ import annotations

import io
from pathlib import Path

from callsheet.engine.importing.layout import UnreadableFile, read_layout
from callsheet.engine.importing.spool import MOST_BYTES, TOO_LARGE, Plain
from callsheet.engine.importing.workbook import is_workbook, open_workbook

_HEAD_BYTES = 1024**2
"""The first row is in it, whatever blank lines stand before."""


def look_into(path: Path, *, numbers_only: bool) -> str:
    """Return why no row of a file can be imported; nothing when one can."""
    if not path.is_file():
        return ""  # a pipe can be read once only
    if path.stat().st_size > MOST_BYTES:
        return TOO_LARGE
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    plain = Plain()
    try:
        if is_workbook(head):
            open_workbook(path, numbers_only=numbers_only)
            return ""
        read_layout(io.BytesIO(plain.take(head) + plain.finish()), numbers_only=numbers_only)
    except UnreadableFile as refused:
        return str(refused)
    return ""
