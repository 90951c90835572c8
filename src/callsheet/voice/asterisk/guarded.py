"""Files and folders where another user may write: what is put there in place of ours is not followed.

The node may run as a user with fewer rights than we have. A link that it planted must not make us empty, give away or
read what it may not touch itself.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def open_folder(root: Path, name: str, *, is_made: bool = False) -> Iterator[int]:
    """Open a folder below one of ours, made when it is not there. Raises OSError: also where a link leads to it."""
    folder = os.open(root, _FOLDER)
    try:
        for part in Path(name).parts:
            if is_made:
                with suppress(FileExistsError):
                    os.mkdir(part, 0o700, dir_fd=folder)
            inner = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        yield folder
    finally:
        os.close(folder)


def open_plain(path: Path) -> BinaryIO:
    """Open a file to read and empty it. Raises OSError: also where it is a link, a pipe, or has a second name."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "r+b")
    if not is_plain(os.fstat(file.fileno())):
        file.close()
        raise FileNotFoundError(path)
    return file


def is_plain(found: os.stat_result) -> bool:
    """Tell whether it is a file, and nothing else, that has one name."""
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1
