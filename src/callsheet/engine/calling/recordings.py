"""Keep what was recorded of calls, for as long as the app says."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from callsheet.engine.calling.live_call import LiveCall
from callsheet.store.recordings import Purpose, new_recording_id
from callsheet.store.store import Store
from callsheet.voice.audio.wave import BYTES_PER_SECOND, HEADER_BYTES
from callsheet.voice.base import Recording


class RecordingKeeper:
    """Keeps recordings of calls."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, live: LiveCall, made: str, recording: Recording, purpose: Purpose, at: datetime) -> None:
        """Keep a recording; its file is left where it is. Raises Unavailable, OSError.

        `made`: its id. What was kept, though nobody said so, is kept once, however often that is tried again.
        """
        audio = await asyncio.to_thread(recording.path.read_bytes)
        await self._keep(live, made, audio, recording.seconds, purpose, at)

    async def keep_audio(self, live: LiveCall, audio: bytes, purpose: Purpose, at: datetime) -> None:
        """Keep a whole WAV file of ours. Raises Unavailable."""
        seconds = (len(audio) - HEADER_BYTES) / BYTES_PER_SECOND
        await self._keep(live, new_recording_id(), audio, seconds, purpose, at)

    async def _keep(
        self, live: LiveCall, made: str, audio: bytes, seconds: float, purpose: Purpose, at: datetime
    ) -> None:
        until = at + timedelta(days=live.run.settings.recording_days)
        await self._store.recordings.keep(
            live.run.app, made, live.key, purpose, audio, round(seconds * 1000), at=at, until=until
        )
