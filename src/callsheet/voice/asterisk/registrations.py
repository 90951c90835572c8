"""Registrations: how trunks that register stand with their providers, as the node beside us says.

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
from callsheet.core.condition import Condition, State
from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.control import NoControl

log = structlog.get_logger()

LOOK_SECONDS: Final = 2.0
COMMAND: Final = "pjsip show registrations"
REJECTED: Final = "Rejected"
_LINE: Final = re.compile(r"^\s*([^/\s]+)/\S+\s+(?:\S+\s+)?(Registered|Unregistered|Rejected|Stopped)\b", re.MULTILINE)
_REFUSED: Final = (
    "the provider refuses our registration: look at username, password and realm, and whether the account is locked "
    "there; a test call says more"
)
_NOT_YET: Final = "it is not registered: the provider has not answered yet, or does not; a test call says more"


def read_registrations(said: str) -> Mapping[str, str]:
    """Return how each registration stands in Asterisk's words, by its trunk, of what its console says."""
    return {found[1]: found[2] for found in _LINE.finditer(said)}


class Registrations:
    """Watches them."""

    def __init__(self, clock: Clock, ask: Callable[[str], Awaitable[str]], tell: Callable[[], None]) -> None:
        """`ask` puts a question to the node's console, and raises NoControl; `tell` is called when one stands anew."""
        self._clock = clock
        self._ask = ask
        self._tell = tell
        self._registering: frozenset[str] = frozenset()
        self._stands: Mapping[str, str] = {}
        self._task: asyncio.Task[None] | None = None

    def use(self, trunks: Iterable[SipTrunk]) -> None:
        """Watch those of these trunks. What was known of them may have been said of another password."""
        self._registering = frozenset(trunk.id for trunk in trunks if trunk.registers)
        self._stands = {}

    def judge(self, trunk_id: str, condition: Condition) -> Condition:
        """Return how a trunk stands that its nodes have: one that is refused takes no calls."""
        stands = self._stands.get(trunk_id)
        if stands is None or stands == "Registered":
            return condition
        if stands == REJECTED:
            return condition._replace(state=State.broken, why=_REFUSED)
        return condition._replace(why=_NOT_YET)

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
            if self._registering:
                await self._look()
            await self._clock.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        asked = self._registering
        try:
            found = read_registrations(await self._ask(COMMAND))
        except NoControl:
            # Who does not answer is looked after by others.
            return
        if asked is not self._registering:
            return
        before, self._stands = self._stands, {trunk: stands for trunk, stands in found.items() if trunk in asked}
        if before != self._stands:
            for trunk_id, stands in self._stands.items():
                if before.get(trunk_id) != stands:
                    log.info("asterisk.registration", trunk=trunk_id, stands=stands.lower())
            self._tell()
