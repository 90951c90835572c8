"""A node's own side of its files: sounds that it fetches, recordings that it brings, call records that it reads."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout

from callsheet.voice.asterisk.files import TAKEN, LocalFiles
from callsheet.voice.asterisk.node_folder import NodeFolder
from callsheet.voice.asterisk.records import Record
from callsheet.voice.asterisk.remote.words import RECORDINGS_PATH, SOUNDS_PATH
from callsheet.voice.asterisk.shelf import shelve, touch
from callsheet.voice.base import Sound

log = structlog.get_logger()

_PART_OCTETS: Final = 1 << 16
_NO_SECONDS: Final = 0.0
_TAKEN: Final = 204
_PAUSES_SECONDS: Final = (1.0, 5.0)
_FOR_FILES: Final = ClientTimeout(total=None, sock_connect=10.0, sock_read=60.0)
"""A long recording over a slow line takes its time."""


class Larder:
    """The files of the node of this process."""

    def __init__(self, folder: NodeFolder, incoming: Path, session: ClientSession, url: str) -> None:
        """`incoming`: where a sound is until it is whole."""
        self._folder = folder
        self._files = LocalFiles(folder.sounds, folder.recordings, folder.records)
        self._incoming = incoming
        self._session = session
        self._url = url
        self._fetching: dict[str, asyncio.Task[bool]] = {}

    async def fetch(self, sound: str) -> bool:
        """Have a sound; several that want the same wait for one. False: it cannot be had."""
        task = self._fetching.get(sound)
        if task is None:
            task = self._fetching[sound] = asyncio.get_running_loop().create_task(self._fetch(sound))
            task.add_done_callback(lambda _: self._fetching.pop(sound, None))
        return await asyncio.shield(task)

    async def bring(self, recording: str) -> bool:
        """Bring a recording, and delete it when it has been taken; False: it stays here."""
        path = self._folder.recordings.parent / TAKEN / f"{recording}.wav"
        if not await asyncio.to_thread(path.exists) and await self._files.take_recording(recording) is None:
            return False
        for pause in (*_PAUSES_SECONDS, None):
            why = await self._put(recording, path)
            if not why:
                await asyncio.to_thread(path.unlink, missing_ok=True)
                return True
            log.warning("asterisk.recording_stays", why=why)
            if pause is not None:
                await asyncio.sleep(pause)
        return False

    async def _put(self, recording: str, path: Path) -> str:
        """Bring a file; return why it was not taken, empty: it was."""
        url = self._url + RECORDINGS_PATH + recording
        try:
            async with self._session.put(url, data=_parts(path), timeout=_FOR_FILES) as answer:
                return "" if answer.status == _TAKEN else f"the server answered {answer.status}"
        except (ClientError, OSError, TimeoutError) as error:
            return type(error).__name__

    async def records(self, ids: Collection[str]) -> Mapping[str, Record]:
        """Return what the call records say of calls."""
        return await self._files.find_records(ids)

    async def _fetch(self, sound: str) -> bool:
        if await asyncio.to_thread(touch, self._folder.sounds, sound):
            return True
        partial_file = self._incoming / f"{os.urandom(8).hex()}.wav"
        try:
            await asyncio.to_thread(partial(self._incoming.mkdir, mode=0o700, parents=True, exist_ok=True))
            async with self._session.get(self._url + SOUNDS_PATH + sound) as answer:
                answer.raise_for_status()
                await asyncio.to_thread(partial_file.write_bytes, await answer.read())
            await shelve(self._folder.sounds, Sound(sound, partial_file, _NO_SECONDS))
        except (ClientError, OSError, TimeoutError) as error:
            log.warning("asterisk.sound_missed", why=type(error).__name__)
            return False
        finally:
            await asyncio.to_thread(partial_file.unlink, missing_ok=True)
        return True


async def _parts(path: Path) -> AsyncIterator[bytes]:
    """Read a file bit by bit, beside the loop. Raises OSError."""
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while part := await asyncio.to_thread(file.read, _PART_OCTETS):
            yield part
    finally:
        await asyncio.to_thread(file.close)
