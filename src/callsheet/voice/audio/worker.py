"""Worker: the process that decodes audio files. A file that breaks the library breaks this process alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from callsheet.voice.audio.question import write_answer
from callsheet.voice.child.serving import serve

CPU_SECONDS: Final = 10.0
"""Ten minutes of MP3 take about a second."""
_MEMORY_BYTES: Final = 2 * 1024**3


def main() -> None:
    """Decode files until nobody asks any more."""
    serve(_make, cpu_seconds=CPU_SECONDS, memory_bytes=_MEMORY_BYTES)


def _make() -> Callable[[bytes], bytes]:
    # Loaded behind the bounds: libraries of others.
    from callsheet.voice.audio.decoding import convert  # noqa: PLC0415

    return lambda file: write_answer(convert(file))


if __name__ == "__main__":
    main()
