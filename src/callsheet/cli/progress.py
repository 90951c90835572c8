"""A progress bar in a terminal; elsewhere, as in the log of a build, a line at each tenth."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


class Bar:
    """Shows how far something has come. A context manager."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._progress: Progress | None = None
        self._tenths = 0
        if sys.stdout.isatty():
            self._progress = Progress(
                TextColumn("  {task.description}"),
                BarColumn(bar_width=30),
                TextColumn("{task.percentage:>3.0f} %  {task.fields[words]}"),
                TimeElapsedColumn(),
                console=Console(highlight=False),
            )
            self._task = self._progress.add_task(title, total=None, words="")

    def show(self, done: int, total: int, words: str) -> None:
        """Show that `done` of `total` is done, and say it in words."""
        if self._progress is not None:
            self._progress.update(self._task, completed=done, total=max(total, 1), words=words)
            return
        tenths = 10 * done // max(total, 1)
        if tenths > self._tenths:
            self._tenths = tenths
            print(f"  {self._title}  {10 * tenths:>3} %  {words}", flush=True)

    def __enter__(self) -> Self:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()
