"""The two clients: the same calls, awaited or not."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from callsheet.client.loop_thread import LoopThread
from callsheet.client.method import Async, Sync
from callsheet.client.rooms import Rooms
from callsheet.client.transport import Transport


class AsyncClient(Rooms[Async]):
    """Calls for one app, to be awaited; pages are walked with `async for`. An asynchronous context manager."""

    def _carrier_on(self, transport: Transport) -> Transport:
        self._transport = transport
        return transport

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class Client(Rooms[Sync]):
    """Calls for one app that wait for their answers. Any thread may use it. A context manager."""

    def _carrier_on(self, transport: Transport) -> LoopThread:
        self._thread = LoopThread(transport)
        return self._thread

    def close(self) -> None:
        """Close the connections."""
        self._thread.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
