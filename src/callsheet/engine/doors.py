"""Doors: where carriers call us back, one per trunk, and who answers.

The address of a door has a secret in it, which is made of the trunk's id: nobody who was not given it finds one. A
carrier that signs what it says is believed by its signature besides.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from callsheet.carriers.base import Heard
from callsheet.carriers.callback import BadSignature, Callback, Doors, Ears, Reply, Unreadable
from callsheet.clock import Clock
from callsheet.core.errors import CallsheetError, NotFound, Unavailable
from callsheet.engine.conductor import Conductor
from callsheet.engine.hearing import Hearing
from callsheet.engine.trunks import Trunks
from callsheet.store.apps import Trunk
from callsheet.store.store import Store

log = structlog.get_logger()

PATH: Final = "/ingest"
FRESH_SECONDS: Final = 5.0
"""So long what was read of the trunks is taken for what they are."""
COMMIT_SECONDS: Final = 10.0
"""So long a carrier waits at our door; then it is told to come again."""


@dataclass(frozen=True, slots=True)
class _Door:
    trunk: Trunk
    ears: Ears | None
    hearing: Hearing


def doors_of(store: Store, public_url: str, trunk_id: str) -> Doors:
    """Return where a trunk is called back; without a public URL nowhere."""
    return Doors(f"{public_url}{PATH}/{trunk_id}/{store.vault.door_secret(trunk_id)}" if public_url else "")


class Ingest:
    """The doors of all trunks, on one node."""

    def __init__(self, store: Store, trunks: Trunks, conductor: Conductor, clock: Clock, *, public_url: str) -> None:
        self._store = store
        self._trunks = trunks
        self._conductor = conductor
        self._clock = clock
        self._doors: Mapping[str, _Door] = {}
        self._read_at: float | None = None
        self._reading = asyncio.Lock()
        self.public_url = public_url

    def doors(self, trunk_id: str) -> Doors:
        """Return where a trunk is called back."""
        return doors_of(self._store, self.public_url, trunk_id)

    def is_address(self, trunk_id: str, secret: str) -> bool:
        """Tell whether we gave out this address. Nothing is read, and how long it takes tells nothing."""
        return hmac.compare_digest(self._store.vault.door_secret(trunk_id).encode(), secret.encode())

    async def take(self, trunk_id: str, callback: Callback) -> Reply:
        """Store what a callback tells, and return what to answer; only then is it durable.

        Raises NotFound when no trunk is called back there, BadSignature, Unreadable, and Unavailable when it has to be
        told again: the store is away, or the engine of this node does not run.
        """
        if not self._conductor.is_running():
            raise Unavailable
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                door = await self._door(trunk_id)
                if door is None or door.ears is None:
                    raise NotFound
                heard = _read(door.trunk, door.ears, callback)
                if heard:
                    await door.hearing.hear(heard)
                return door.ears.reply
        except TimeoutError:
            raise Unavailable from None

    async def _door(self, trunk_id: str) -> _Door | None:
        if self._is_stale():
            async with self._reading:
                if self._is_stale():
                    self._doors = {trunk.id: self._opened(trunk) for trunk in await self._store.apps.trunks()}
                    self._read_at = self._clock.monotonic()
        return self._doors.get(trunk_id)

    def _is_stale(self) -> bool:
        return self._read_at is None or self._clock.monotonic() - self._read_at > FRESH_SECONDS

    def _opened(self, trunk: Trunk) -> _Door:
        """Return the door of a trunk: the one of before, unless the trunk was changed since."""
        before = self._doors.get(trunk.id)
        if before is not None and before.trunk == trunk:
            return before
        try:
            ears = self._trunks.ears(trunk)
        except CallsheetError:
            # What is stored of it cannot be read: its line says so too.
            ears = None
        return _Door(trunk, ears, self._conductor.hearing(trunk))


def _read(trunk: Trunk, ears: Ears, callback: Callback) -> Sequence[Heard]:
    try:
        return ears.read(callback)
    except (BadSignature, Unreadable) as error:
        log.warning("callback.refused", trunk=trunk.id, reason=type(error).__name__)
        raise
