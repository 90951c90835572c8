"""The ringing that a caller hears while somebody else's phone rings: that of the North American tone plan."""

from __future__ import annotations

import math
import struct
from functools import lru_cache
from typing import Final

from callsheet.voice.audio.wave import BYTES_PER_SECOND, RATE, write_wav

HERTZ: Final = (440, 480)
SOUNDS_SECONDS: Final = 2
RESTS_SECONDS: Final = 4
_LEVEL: Final = 2561
"""Of each of the two: -19 dBm0, where the loudest sine has 3.14."""


@lru_cache(maxsize=1)
def ringing() -> bytes:
    """Return one ring and the rest after it, a file as `write_wav` makes them: played again and again, it rings on."""
    turns = [2 * math.pi * hertz / RATE for hertz in HERTZ]
    tone = [round(sum(_LEVEL * math.sin(turn * at) for turn in turns)) for at in range(RATE * SOUNDS_SECONDS)]
    return write_wav(struct.pack(f"<{len(tone)}h", *tone) + bytes(BYTES_PER_SECOND * RESTS_SECONDS))
