"""The SMPP port of the handset simulator."""

from __future__ import annotations

import asyncio

from callsheet.carriers.sandbox.handsets import Handsets
from callsheet.carriers.sandbox.smpp_session import Account, SmppSession


class SmppPort:
    """Listens for those who bind."""

    def __init__(self, handsets: Handsets, account: Account) -> None:
        self._handsets = handsets
        self._account = account
        self._sessions: set[SmppSession] = set()
        self._server: asyncio.Server | None = None

    @property
    def bound(self) -> int:
        """How many sessions are bound."""
        return sum(session.is_bound for session in self._sessions)

    async def open(self, host: str, port: int) -> int:
        """Listen, and return the port. Raises OSError."""
        self._server = await asyncio.get_running_loop().create_server(self._meet, host, port)
        self._handsets.cut_links.append(self._cut)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Listen no more, and say goodbye to everybody."""
        if self._server is not None:
            self._server.close()
        for session in list(self._sessions):
            session.close()
        await asyncio.sleep(0)

    def _meet(self) -> SmppSession:
        session = SmppSession(self._handsets, self._account, self._sessions.discard)
        self._sessions.add(session)
        return session

    def _cut(self) -> None:
        for session in list(self._sessions):
            session.cut()
