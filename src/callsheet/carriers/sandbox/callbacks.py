"""Calls back whoever handed a message in by HTTP, again and again until he says that he heard it."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any, Final

import aiohttp

from callsheet.carriers.sandbox.behaviour import REPLY
from callsheet.carriers.sandbox.handsets import Handsets
from callsheet.carriers.sandbox.ledger import Telling
from callsheet.carriers.sandbox.origin import Origin

_CALLERS: Final = 16
_ANSWER_SECONDS: Final = 10.0
_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 30.0


class Callbacks:
    """A few callers, who take what is due in turn; a URL that does not answer holds up no other for long."""

    def __init__(self, handsets: Handsets) -> None:
        self._handsets = handsets
        self._due: asyncio.Queue[tuple[Origin, Telling, float]] = asyncio.Queue()
        self._session: aiohttp.ClientSession | None = None
        self._callers: list[asyncio.Task[None]] = []

    def open(self) -> None:
        """Begin to call."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_ANSWER_SECONDS))
        self._callers = [asyncio.create_task(self._call_on()) for _ in range(_CALLERS)]
        self._handsets.call_back = self.put

    async def close(self) -> None:
        """Stop; the ledger keeps what was not heard."""
        for caller in self._callers:
            caller.cancel()
        await asyncio.gather(*self._callers, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def put(self, origin: Origin, telling: Telling, pause_seconds: float = _FIRST_PAUSE_SECONDS) -> None:
        """Call about this next."""
        self._due.put_nowait((origin, telling, pause_seconds))

    async def _call_on(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            origin, telling, pause_seconds = await self._due.get()
            if await self._call(origin, telling):
                self._handsets.acknowledge(telling)
            else:
                longer = min(_LONGEST_PAUSE_SECONDS, pause_seconds * 2)
                loop.call_later(pause_seconds, self.put, origin, telling, longer)

    async def _call(self, origin: Origin, telling: Telling) -> bool:
        assert self._session is not None
        try:
            url = origin.reply_url if telling.kind == REPLY else origin.who
            async with self._session.post(url, json=_say(origin, telling), allow_redirects=False) as answer:
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError):
            return False


def _say(origin: Origin, telling: Telling) -> dict[str, Any]:
    at = telling.due_at.isoformat()
    if telling.kind == REPLY:
        return {
            "event": "reply", "id": _name(telling), "from": telling.number,
            "to": telling.sender, "text": telling.text, "at": at,
        }  # fmt: skip
    return {
        "event": "receipt", "id": telling.carrier_id, "reference": origin.reference, "to": telling.number,
        "from": telling.sender, "status": telling.kind, "code": telling.text, "at": at,
    }  # fmt: skip


def _name(telling: Telling) -> str:
    """Name a reply, shortly, and so that a ledger that begins anew does not use a name twice."""
    return f"sb-in-{hashlib.sha256(telling.reference.encode()).hexdigest()[:16]}-{abs(telling.id)}"
