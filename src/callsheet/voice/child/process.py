"""A child process as those see it who ask it something."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from typing import Final

import structlog

from callsheet.clock import outside
from callsheet.voice.child.frames import DONE, LENGTH_BYTES, MOST_BYTES, pack

log = structlog.get_logger()

LONGEST_SECONDS: Final = 60.0
"""After so long without an answer a child is ended. What keeps the processor busy it ends by itself, much sooner."""
IDLE_SECONDS: Final = 60.0
"""A child that nobody asked for so long is ended: it keeps some memory, and starts in less than a second."""
# Libraries for arithmetic would take address space for threads that nobody needs here.
_PASSED_ON: Final = frozenset({"PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH"})
_PASSED_ON_BEGIN: Final = ("PYTHON", "LC_")
"""What a child needs of our environment. What we are told in secret is none of its business: it reads strange files."""
_ONE_THREAD: Final[Mapping[str, str]] = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class ChildBroke(Exception):
    """The child died, hung, or met something that nobody foresaw. It says which, and quotes nothing that was asked."""


class Child:
    """Runs a module of ours as a process: it is started when it is needed, and again when it died.

    Questions are asked one after the other, in the order in which they came. When the child dies over one, that one is
    asked once more; the others wait here meanwhile and are not touched.
    """

    def __init__(
        self, module: str, *, longest_seconds: float = LONGEST_SECONDS, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        """Run `module`, whose `main` serves."""
        self._module = module
        self._longest_seconds = longest_seconds
        self._idle_seconds = idle_seconds
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._rest: asyncio.TimerHandle | None = None
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        """Return the process's number while there is one."""
        return self._process.pid if self._process is not None else None

    async def ask(self, body: bytes) -> bytes:
        """Return the answer to a question. Raises ChildBroke when the child failed twice."""
        async with self._turn:
            try:
                return await self._ask(body)
            except ChildBroke as error:
                if self._is_closed:
                    raise
                log.warning("child.broke", child=self._module, reason=str(error))
            finally:
                self._begin_rest()
            try:
                return await self._ask(body)
            finally:
                self._begin_rest()

    async def close(self) -> None:
        """End the process, whatever it does: it keeps nothing. Who asks it, now or later, is told that it broke."""
        self._is_closed = True
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        # Whoever asks at this moment reads what the process says, and finds that it ended.
        async with self._turn:
            await self._end()
            if self._rest is not None:
                self._rest.cancel()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        with outside(self._module):
            # Not `wait`: an answer that nobody takes keeps the pipe open, and `wait` waits for the pipe too.
            await process.communicate()

    async def _ask(self, body: bytes) -> bytes:
        is_whole = False
        try:
            process = await self._running()
            with outside(self._module):
                async with asyncio.timeout(self._longest_seconds):
                    answer = await _exchange(process, body)
            is_whole = True
        except TimeoutError:
            raise ChildBroke("It took too long.") from None
        except (asyncio.IncompleteReadError, OSError):
            raise ChildBroke("It ended.") from None
        finally:
            if not is_whole:
                # Whoever asks next must not hear this answer.
                await asyncio.shield(self._end())
        if not answer.startswith(DONE):
            raise ChildBroke(answer[1:].decode("utf-8", "replace"))
        return answer[1:]

    async def _running(self) -> Process:
        if self._process is not None and self._process.returncode is not None:
            await self._end()
        if self._is_closed:
            raise ChildBroke("It was ended.")
        if self._process is None:
            with outside(self._module):
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", self._module, stdin=PIPE, stdout=PIPE, env=_environment()
                )
        return self._process

    def _begin_rest(self) -> None:
        """End the process when nobody asks for a while."""
        if self._rest is not None:
            self._rest.cancel()
        self._rest = asyncio.get_running_loop().call_later(self._idle_seconds, self._end_idle)

    def _end_idle(self) -> None:
        # Who is asked at this moment is not idle, and begins to rest later.
        if self._process is not None and self._process.returncode is None and not self._turn.locked():
            self._process.kill()


def _environment() -> dict[str, str]:
    """Return what a child is told."""
    passed = {
        name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith(_PASSED_ON_BEGIN)
    }
    return {**passed, **_ONE_THREAD}


async def _exchange(process: Process, body: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(pack(body))
    await process.stdin.drain()
    head = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES), "big")
    if head > MOST_BYTES:
        raise ChildBroke("It answered nonsense.")
    return await process.stdout.readexactly(head)
