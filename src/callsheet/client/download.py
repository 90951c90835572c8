"""A file on its way from the server, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class Download:
    """Where the answer of one call is written. A path has the whole file, or what it had before."""

    def __init__(self, to: Path | BinaryIO) -> None:
        self._to = to
        self._has_begun = False

    @property
    def is_repeatable(self) -> bool:
        """Tell whether it can be written from the beginning."""
        return isinstance(self._to, Path) or not self._has_begun

    @contextmanager
    def writing(self) -> Iterator[Callable[[bytes], object]]:
        """Give what takes the chunks. Raises OSError where they cannot be written."""
        if not isinstance(self._to, Path):
            self._has_begun = True
            yield self._to.write
            return
        fresh = self._to.with_name(f".{self._to.name}.part")
        try:
            with fresh.open("wb") as file:
                yield file.write
            fresh.replace(self._to)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
