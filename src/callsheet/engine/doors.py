"""Doors: where carriers call us back, one per trunk, and who answers.

The address of a door has a secret in it, which is made of the trunk's id: nobody who was not given it finds one. A
carrier that signs what it says is believed by its signature besides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from callsheet.carriers.base import Heard
from callsheet.carriers.callback import Acknowledgement, BadSignature, Callback, Doors, Ears, Unreadable
from callsheet.carriers.known import unheard
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


@dataclass(slots=True)
class _Door:
    trunk: Trunk
    ears: Ears | None
    hearing: Hearing
    read_at: float


def doors_of(store: Store, public_url: str, trunk: Trunk) -> Doors:
    """Return where a trunk is called back; without a public URL nowhere."""
    secret = store.vault.door_secret(trunk.app, trunk.id)
    return Doors(f"{public_url}{PATH}/{trunk.id}/{secret}" if public_url else "")


class Ingest:
    """The doors of all trunks, on one node."""

    def __init__(self, store: Store, trunks: Trunks, conductor: Conductor, clock: Clock, *, public_url: str) -> None:
        self._store = store
        self._trunks = trunks
        self._conductor = conductor
        self._clock = clock
        self._doors: dict[str, _Door] = {}
        self.public_url = public_url

    def doors(self, trunk: Trunk) -> Doors:
        """Return where a trunk is called back."""
        return doors_of(self._store, self.public_url, trunk)

    def amiss(self, trunk: Trunk) -> str:
        """Say that what a trunk's carrier tells reaches nobody; empty: it does, or it is not told by calling us."""
        return unheard(trunk.carrier, trunk.settings, self.public_url)

    async def amiss_with(self, app: int, label: str) -> list[str]:
        """Say the same of the trunks through which a sender speaks, each by its name."""
        if self.public_url:
            return []
        trunks = await self._store.trunks.of_sender(app, label)
        return [f"{trunk.name}: {amiss}" for trunk in trunks if (amiss := self.amiss(trunk))]

    def app_of(self, trunk_id: str, secret: str) -> int | None:
        """Return whose door this is; None when nobody was given this address. Nothing is read for it."""
        return self._store.vault.app_of_door(trunk_id, secret)

    async def take(self, app: int, trunk_id: str, callback: Callback) -> Acknowledgement:
        """Store what a callback tells, and return what to answer; only then is it durable.

        Raises NotFound when no trunk is called back there, BadSignature, Unreadable, and Unavailable when it has to be
        told again: the store is away, or the engine of this node does not run.
        """
        if not self._conductor.is_running():
            raise Unavailable
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                door = await self._door(app, trunk_id)
                if door.ears is None:
                    raise NotFound
                heard = _read(door.trunk, door.ears, callback)
                if heard:
                    await door.hearing.hear(heard)
                return door.ears.acknowledgement
        except TimeoutError:
            raise Unavailable from None

    async def _door(self, app: int, trunk_id: str) -> _Door:
        """Return a door as it was a moment ago: not every callback looks into the store. Raises NotFound."""
        now = self._clock.monotonic()
        door = self._doors.get(trunk_id)
        if door is not None and now - door.read_at < FRESH_SECONDS:
            return door
        trunk = await self._store.trunks.find(app, trunk_id)
        if trunk is None:
            self._doors.pop(trunk_id, None)
            raise NotFound
        if door is None or door.trunk != trunk:
            door = self._doors[trunk_id] = _Door(trunk, self._ears(trunk), self._conductor.hearing(trunk), now)
        door.read_at = now
        return door

    def _ears(self, trunk: Trunk) -> Ears | None:
        try:
            return self._trunks.ears(trunk)
        except CallsheetError:
            # What is stored of it cannot be read: its line says so too.
            return None


def _read(trunk: Trunk, ears: Ears, callback: Callback) -> Sequence[Heard]:
    try:
        return ears.read(callback)
    except (BadSignature, Unreadable) as error:
        log.warning("callback.refused", trunk=trunk.id, reason=type(error).__name__)
        raise
