"""The shelf: our sounds in the folder where a node looks for sounds, each put there once."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from callsheet.voice.asterisk.place import SOUNDS
from callsheet.voice.base import Sound


async def shelve(sounds: Path, sound: Sound) -> str:
    """Put a sound into a node's folder, if it is not there yet; return what it is called in a request to play it."""
    target = sounds / SOUNDS / f"{sound.id}.wav"
    if not target.exists():
        await asyncio.to_thread(_put, sound.path, target)
    return f"sound:{SOUNDS}/{sound.id}"


def _put(source: Path, target: Path) -> None:
    """Copy a file so that it is there whole or not at all; the node may run as another user, who reads it."""
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}-{id(source):x}.partial")
    try:
        shutil.copyfile(source, partial)
        partial.chmod(0o644)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
