"""Registrations: how trunks that register stand with their providers, as a node says.

A node tells nobody by itself how its registrations stand, so it is asked, at its console, every few moments. Its
console says `Rejected` of a provider that refuses us and of one that is not there alike; which of them it is stands in
its log.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final

import structlog

from callsheet.clock import Clock
from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.control import NoControl
from callsheet.voice.asterisk.pjsip import registers_as
from callsheet.voice.asterisk.place import Registration

log = structlog.get_logger()

LOOK_SECONDS: Final = 2.0
COMMAND: Final = "pjsip show registrations"
REFUSALS: Final = frozenset({401, 402, 403, 404, 407, 410, 603, 604})
"""What a provider says that does not want us: our password, our account, or us (RFC 3261, section 21)."""
_NO_RESPONSE: Final = 0
_LOOKS_AGAIN: Final = 15
"""A cause that nobody told is asked for at the second look, and again after so many more."""
_LINE: Final = re.compile(rf"^\s*([^/\s]+)/\S+\s+(?:\S+\s+)?({'|'.join(Registration)})\b", re.MULTILINE)
_FAILURE: Final = re.compile(
    r"res_pjsip_outbound_registration\.c: (.*?) received from '(.+)'"
    r" on registration attempt to '(.+)', (?:retry|stopp)ing"
)
_CODE: Final = re.compile(r"\b\d{3}\b")


def read_registrations(said: str) -> Mapping[str, Registration]:
    """Return how each registration stands, by its trunk, of what a console says."""
    return {found[1]: Registration(found[2]) for found in _LINE.finditer(said)}


def read_failures(lines: Iterable[str]) -> Iterator[tuple[tuple[str, str], int]]:
    """Yield who did not register whom (`registers_as`), and with which code, of a node's log; 0: it did not answer."""
    for found in filter(None, map(_FAILURE.search, lines)):
        code = _CODE.search(found[1])
        yield (found[2], found[3]), int(code[0]) if code else _NO_RESPONSE


class Registrations:
    """Watches those of one node."""

    def __init__(self, clock: Clock, ask: Callable[[str], Awaitable[str]], tell: Callable[[], None]) -> None:
        """`ask` puts a question to the node's console, and raises NoControl; `tell` is called when one stands anew."""
        self._clock = clock
        self._ask = ask
        self._tell = tell
        self._trunks: Mapping[str, SipTrunk] = {}
        self.stands: Mapping[str, Registration] = {}
        """How they stand, by trunk, as far as is known. Only who was refused by its provider is `rejected`."""
        self._codes: dict[str, int] = {}
        """With which code those failed that did not register since."""
        self._riddles: Mapping[str, int] = {}
        """How often in a row those were looked at that failed, and of which nobody told us why."""
        self._task: asyncio.Task[None] | None = None

    def use(self, trunks: Iterable[SipTrunk]) -> None:
        """Watch those of these trunks. What is known of one that changed may have been said of another password."""
        before, self._trunks = self._trunks, {trunk.id: trunk for trunk in trunks if trunk.registers}
        same = {trunk_id for trunk_id, trunk in self._trunks.items() if before.get(trunk_id) == trunk}
        self._codes = {trunk_id: code for trunk_id, code in self._codes.items() if trunk_id in same}
        self._take({trunk_id: stands for trunk_id, stands in self.stands.items() if trunk_id in same})

    def hear(self, complaints: Iterable[str]) -> None:
        """Take what the node complained of: why it is not registered."""
        for registrar, code in read_failures(complaints):
            for trunk in self._trunks.values():
                if registers_as(trunk) == registrar:
                    self._codes[trunk.id] = code

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
        asked, codes = self._trunks, dict(self._codes)
        # Who does not answer is looked after by others.
        with suppress(NoControl):
            said = read_registrations(await self._ask(COMMAND))
            if asked is self._trunks:
                found = {trunk_id: stands for trunk_id, stands in said.items() if trunk_id in asked}
                failed = {trunk_id for trunk_id, stands in found.items() if stands is Registration.rejected}
                for trunk_id in codes.keys() - failed:
                    # What failed before says nothing of the next time. What was heard since the question is news.
                    if self._codes.get(trunk_id) == codes[trunk_id]:
                        del self._codes[trunk_id]
                self._take({trunk_id: self._judge(trunk_id, stands) for trunk_id, stands in found.items()})
                await self._ask_why(failed - self._codes.keys())

    def _judge(self, trunk_id: str, stands: Registration) -> Registration:
        """Return `rejected` for those only whose provider said so."""
        if stands is Registration.rejected and self._codes.get(trunk_id) not in REFUSALS:
            return Registration.unregistered
        return stands

    async def _ask_why(self, trunk_ids: Iterable[str]) -> None:
        """Let those register again of which nobody told us why they failed: before we came, or among too much else.

        Raises NoControl.
        """
        self._riddles = {trunk_id: self._riddles.get(trunk_id, 0) + 1 for trunk_id in trunk_ids}
        for trunk_id, looks in self._riddles.items():
            # At the first look its complaint may be on its way.
            if looks % _LOOKS_AGAIN == 2:
                await self._ask(f"pjsip send register {trunk_id}")

    def _take(self, stands: Mapping[str, Registration]) -> None:
        before, self.stands = self.stands, stands
        for trunk_id, one in stands.items():
            if before.get(trunk_id) is not one:
                log.info("asterisk.registration", trunk=trunk_id, stands=one.lower())
        if before != stands:
            self._tell()
