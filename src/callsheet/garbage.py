"""Garbage: how often Python looks for objects that only each other keep, in a process that serves.

By default it looks at what is new after every 700 objects, and soon at everything, modules and schemas included. A
campaign has tens of thousands of messages on their way at any time, none of them garbage: an eighth of the CPU time of
a message went there. What nobody refers to is freed at once either way.
"""

from __future__ import annotations

import gc

NEW_OBJECTS = 20_000
"""So many more objects than before, and the new ones are looked at."""
TIMES = 20
"""So often at the new ones, and those of before are looked at too."""


def look_seldom() -> None:
    """Look seldom from here on. Call it first: a seventh of what a start takes went into looking at imports."""
    gc.set_threshold(NEW_OBJECTS, TIMES, TIMES)


def collect_seldom() -> None:
    """Never look again at what is here now, and seldom at the rest. Call it once, when the program is imported."""
    look_seldom()
    gc.collect()
    gc.freeze()
