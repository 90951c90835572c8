"""Speaking: what a process needs to make sounds, put together. Nothing runs before the first file or text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from callsheet.clock import Clock
from callsheet.core.asking import Ask
from callsheet.engine.calling.prompts import Prompts
from callsheet.engine.calling.speech import Speech
from callsheet.store.store import Store
from callsheet.voice.audio.converter import Converter
from callsheet.voice.audio.shelf import SoundShelf


@asynccontextmanager
async def speaking(store: Store, ask: Ask, folder: Path, clock: Clock) -> AsyncIterator[tuple[Converter, Prompts]]:
    """Convert audio and speak texts while inside; `folder` is this process's alone.

    Calls, people who listen to texts, and uploads have processes of their own: whatever breaks one holds up no other.
    """
    async with AsyncExitStack() as stack:
        uploads, speech, trial, shelf = Converter(), Speech(store, ask), Speech(store, ask), SoundShelf(folder, clock)
        for one in (uploads, speech, trial, shelf):
            stack.push_async_callback(one.close)
        prompts = Prompts(store, speech, shelf, trial)
        stack.push_async_callback(prompts.close)
        yield uploads, prompts
