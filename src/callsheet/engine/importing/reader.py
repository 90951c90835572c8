"""Reader: the importer's end of the process that reads files."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence

from callsheet.clock import outside
from callsheet.engine.importing.blocks import Block, Source
from callsheet.engine.importing.frames import ASK, LENGTH_BYTES, Answer, Broke, Opened, Refused, pack, read_answer
from callsheet.engine.importing.layout import UnreadableFile

_WORKER = "callsheet.engine.importing.worker"
_OUTSIDE = "import worker"


class ReaderBroke(Exception):
    """The process that reads files ended, or met something that nobody foresaw; the file may be read again."""


class Reader:
    """Reads one file after the other in a process that starts when it is needed."""

    def __init__(self) -> None:
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """Return the process's number while there is one."""
        return self._process.pid if self._process is not None else None

    async def open(self, source: Source) -> Sequence[str]:
        """Open a file and return the names of its columns. Raises UnreadableFile and ReaderBroke."""
        if self._process is None:
            with outside(_OUTSIDE):
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", _WORKER, stdin=PIPE, stdout=PIPE
                )
        self._say(pack(source))
        answer = await self._hear()
        assert isinstance(answer, Opened), "a source is answered by opening it"
        return answer.columns

    def ask(self) -> None:
        """Have the next block read; `take` gives it."""
        self._say(ASK)

    async def take(self) -> Block:
        """Return the block that was asked for. Raises ReaderBroke."""
        answer = await self._hear()
        assert isinstance(answer, Block), "who asks for a block gets one"
        return answer

    async def close(self) -> None:
        """End the process, wherever it is: it keeps nothing that is not in the file."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        with outside(_OUTSIDE):
            # Not `wait`: a block that nobody takes keeps the pipe open, and `wait` waits for the pipe too.
            await process.communicate()

    def _say(self, frame: bytes) -> None:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.write(frame)

    async def _hear(self) -> Answer:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        try:
            with outside(_OUTSIDE):
                head = await process.stdout.readexactly(LENGTH_BYTES)
                body = await process.stdout.readexactly(int.from_bytes(head, "big"))
        except (asyncio.IncompleteReadError, OSError) as error:
            raise ReaderBroke("ended") from error
        answer = read_answer(body)
        if isinstance(answer, Refused):
            raise UnreadableFile(answer.problem)
        if isinstance(answer, Broke):
            raise ReaderBroke(f"{answer.error} at {answer.place}")
        return answer
