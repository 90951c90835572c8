"""Serving: the child's end of the pipe. It ends when nobody asks any more, or when one question takes too much.

Whatever becomes of the process that asks, no child is left: its input ends with that process, and a question that goes
in circles is ended by a signal that nothing catches.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from callsheet.voice.child.frames import BROKE, DONE, LENGTH_BYTES, pack


def serve(make: Callable[[], Callable[[bytes], bytes]], *, cpu_seconds: float, memory_bytes: int) -> None:
    """Answer questions until there are no more, each in so much of the processor's time.

    `make` loads what answers them, once the process is bounded.
    """
    # An interrupt at the terminal reaches the whole group; whoever asks decides what becomes of this process.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    _bound_memory(memory_bytes)
    # What a library might print must not end up among the frames.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    answering = _Answering(make)
    try:
        while (body := _take(sys.stdin.buffer)) is not None:
            # Of the processor, and not of the clock: a machine that stands still is nobody's fault.
            signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
            answer = answering(body)
            signal.setitimer(signal.ITIMER_PROF, 0)
            answers.write(pack(answer))
            answers.flush()
    except BrokenPipeError:
        # Nobody listens any more; nor must the interpreter say so at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), answers.fileno())


class _Answering:
    def __init__(self, make: Callable[[], Callable[[bytes], bytes]]) -> None:
        self._make = make
        self._answer: Callable[[bytes], bytes] | None = None

    def __call__(self, body: bytes) -> bytes:
        try:
            if self._answer is None:
                self._answer = self._make()
            return DONE + self._answer(body)
        except Exception as error:  # noqa: BLE001 (whoever asks must learn of it, whatever it is)
            return BROKE + f"{type(error).__name__} at {_place_of(error)}".encode()


def _bound_memory(most_bytes: int) -> None:
    """Bound what this process may take; some systems do not know how."""
    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, hard))


def _take(asked: BinaryIO) -> bytes | None:
    head = asked.read(LENGTH_BYTES)
    return asked.read(int.from_bytes(head, "big")) if len(head) == LENGTH_BYTES else None


def _place_of(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else "nowhere"
