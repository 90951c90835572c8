"""Keep what was recorded of calls, for as long as the app says."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from callsheet.engine.calling.live_call import LiveCall
from callsheet.store.recordings import Purpose
from callsheet.store.store import Store
from callsheet.voice.audio.wave import BYTES_PER_SECOND, HEADER_BYTES
from callsheet.voice.base import Recording


class RecordingKeeper:
    """Keeps recordings of calls."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, live: LiveCall, recording: Recording, purpose: Purpose, at: datetime) -> str:
        """Keep a recording, and return its id; its file is left where it is. Raises Unavailable, OSError."""
        audio = await asyncio.to_thread(recording.path.read_bytes)
        return await self._keep(live, audio, recording.seconds, purpose, at)

    async def keep_audio(self, live: LiveCall, audio: bytes, purpose: Purpose, at: datetime) -> str:
        """Keep a whole WAV file of ours, and return its id. Raises Unavailable."""
        return await self._keep(live, audio, (len(audio) - HEADER_BYTES) / BYTES_PER_SECOND, purpose, at)

    async def _keep(self, live: LiveCall, audio: bytes, seconds: float, purpose: Purpose, at: datetime) -> str:
        until = at + timedelta(days=live.run.settings.recording_days)
        return await self._store.recordings.keep(
            live.run.app, live.key, purpose, audio, round(seconds * 1000), at=at, until=until
        )
