"""Registrations: how trunks that register stand with their providers, as a node says.

A node tells nobody by itself how its registrations stand, so it is asked, at its console, every few moments.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

import structlog

from callsheet.clock import Clock
from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.control import NoControl
from callsheet.voice.asterisk.place import Registration

log = structlog.get_logger()

LOOK_SECONDS: Final = 2.0
COMMAND: Final = "pjsip show registrations"
_LINE: Final = re.compile(rf"^\s*([^/\s]+)/\S+\s+(?:\S+\s+)?({'|'.join(Registration)})\b", re.MULTILINE)


def read_registrations(said: str) -> Mapping[str, Registration]:
    """Return how each registration stands, by its trunk, of what a console says."""
    return {found[1]: Registration(found[2]) for found in _LINE.finditer(said)}


class Registrations:
    """Watches those of one node."""

    def __init__(self, clock: Clock, ask: Callable[[str], Awaitable[str]], tell: Callable[[], None]) -> None:
        """`ask` puts a question to the node's console, and raises NoControl; `tell` is called when one stands anew."""
        self._clock = clock
        self._ask = ask
        self._tell = tell
        self._trunks: Mapping[str, SipTrunk] = {}
        self.stands: Mapping[str, Registration] = {}
        """How they stand, by trunk, as far as is known."""
        self._task: asyncio.Task[None] | None = None

    def use(self, trunks: Iterable[SipTrunk]) -> None:
        """Watch those of these trunks. What is known of one that changed may have been said of another password."""
        before, self._trunks = self._trunks, {trunk.id: trunk for trunk in trunks if trunk.registers}
        same = {trunk_id for trunk_id, trunk in self._trunks.items() if before.get(trunk_id) == trunk}
        self._take({trunk_id: stands for trunk_id, stands in self.stands.items() if trunk_id in same})

    def open(self) -> None:
        """Begin to look."""
        self._task = asyncio.get_running_loop().create_task(self._watch(), name="registrations")

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _watch(self) -> None:
        while True:
            if self._trunks:
                await self._look()
            await self._clock.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        asked = self._trunks
        try:
            found = read_registrations(await self._ask(COMMAND))
        except NoControl:
            # Who does not answer is looked after by others.
            return
        if asked is self._trunks:
            self._take({trunk_id: stands for trunk_id, stands in found.items() if trunk_id in asked})

    def _take(self, stands: Mapping[str, Registration]) -> None:
        before, self.stands = self.stands, stands
        for trunk_id, one in stands.items():
            if before.get(trunk_id) is not one:
                log.info("asterisk.registration", trunk=trunk_id, stands=one.lower())
        if before != stands:
            self._tell()
