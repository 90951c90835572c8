"""Keep what was recorded of calls, for as long as the app says."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from callsheet.engine.calling.live_call import LiveCall
from callsheet.store.recordings import Purpose
from callsheet.store.store import Store
from callsheet.voice.base import Recording


class RecordingKeeper:
    """Keeps recordings of calls."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, live: LiveCall, recording: Recording, purpose: Purpose, at: datetime) -> str:
        """Keep a recording, and return its id; its file is left where it is. Raises Unavailable, OSError."""
        audio = await asyncio.to_thread(recording.path.read_bytes)
        until = at + timedelta(days=live.run.settings.recording_days)
        return await self._store.recordings.keep(
            live.run.app, live.key, purpose, audio, round(recording.seconds * 1000), at=at, until=until
        )
