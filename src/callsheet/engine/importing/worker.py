"""Worker: the process that reads files for the importer, on a core of its own.

Checking a phone number is arithmetic, some 15 µs of it for a row. In a thread it would hold the interpreter's lock
against the API and the dispatcher of the same process; here it does not. It knows no database and writes nothing, so
it may be killed at any moment. It ends when its standard input does: whatever became of the importer, it is not left.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from callsheet.engine.importing.blocks import Block, Source, read_blocks
from callsheet.engine.importing.frames import LENGTH_BYTES, Answer, Broke, Opened, Refused, pack, read_source
from callsheet.engine.importing.layout import UnreadableFile
from callsheet.engine.importing.opening import open_table

_NICE = 5
"""The dispatcher goes first where cores are few."""
_MOST_MEMORY_BYTES = 4 * 1024**3
"""Whatever a file does to the library that reads it: better this process ends than the machine stands still."""


def main() -> None:
    """Read files until nobody asks any more."""
    # An interrupt at the terminal reaches the whole group; the importer decides what becomes of it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.nice(_NICE)
    _bound_memory()
    # What a library might print must not end up among the frames.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    reading = _Reading()
    try:
        while (body := _take(sys.stdin.buffer)) is not None:
            answers.write(pack(reading.answer(body)))
            answers.flush()
    except BrokenPipeError:
        # Nobody listens any more; nor must the interpreter say so at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), answers.fileno())


def _bound_memory() -> None:
    """Bound what this process may take; some systems do not know how."""
    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY_BYTES, hard))


class _Reading:
    """The file that is being read."""

    def __init__(self) -> None:
        self._file: BinaryIO | None = None
        self._blocks: Iterator[Block] = iter(())

    def answer(self, body: bytes) -> Answer:
        """Open the file that `body` names; without a body, read the next block."""
        try:
            return self._open(read_source(body)) if body else next(self._blocks)
        except UnreadableFile as refused:
            return Refused(str(refused))
        except Exception as error:  # noqa: BLE001 - the importer must learn of it, whatever it is
            return Broke(type(error).__name__, _place_of(error))

    def _open(self, source: Source) -> Opened:
        if self._file is not None:
            self._file.close()
        self._file = file = Path(source.path).open("rb", buffering=0)  # noqa: SIM115 - closed when the next one opens
        layout, rows = open_table(Path(source.path), file, numbers_only=source.numbers_only)
        self._blocks = read_blocks(source, rows, layout)
        return Opened(layout.kept)


def _take(asked: BinaryIO) -> bytes | None:
    head = asked.read(LENGTH_BYTES)
    return asked.read(int.from_bytes(head, "big")) if len(head) == LENGTH_BYTES else None


def _place_of(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else ""


if __name__ == "__main__":
    main()
