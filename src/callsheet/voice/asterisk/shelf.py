"""The shelf: our sounds in the folder where a node looks for sounds, each put there once.

What was said to one person may name them, so no copy stays for long: one that was not played for an hour goes when the
next is put there.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import Final

from callsheet.voice.base import Sound

SOUNDS: Final = "callsheet"
"""The folder of our sounds, inside the node's `sounds`."""
KEPT_SECONDS: Final = 3600.0


async def shelve(sounds: Path, sound: Sound) -> str:
    """Put a sound into a node's folder, if it is not there yet; return what it is called in a request to play it."""
    if not await asyncio.to_thread(touch, sounds, sound.id):
        await asyncio.to_thread(_put, sound.path, sounds / SOUNDS / f"{sound.id}.wav")
    return f"sound:{SOUNDS}/{sound.id}"


def touch(sounds: Path, sound_id: str) -> bool:
    """Note that a sound is played now; False: it is not there."""
    try:
        os.utime(sounds / SOUNDS / f"{sound_id}.wav")
    except FileNotFoundError:
        return False
    return True


def _put(source: Path, target: Path) -> None:
    """Copy a file so that it is there whole or not at all; the node may run as another user, who reads it."""
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    # Several calls may want the same sound at once.
    partial = target.with_suffix(f".{os.urandom(8).hex()}.partial")
    try:
        shutil.copyfile(source, partial)
        partial.chmod(0o644)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    _sweep(target)


def _sweep(newest: Path) -> None:
    """Take away what was not played for long. What plays at this moment is heard to its end: the node has it open."""
    now = newest.stat().st_mtime
    for path in newest.parent.glob("*.wav"):
        try:
            if path.stat().st_mtime < now - KEPT_SECONDS:
                path.unlink()
        except FileNotFoundError:
            continue
