"""Carry calls for code that does not await: on an event loop of our own, in a thread of its own.

The standard library's `http.client` was the other choice. It would have needed a pool of connections, since one of them
serves one thread, and every rule of tries, time-outs and files a second time. A loop thread keeps connections alive and
serves any number of threads at once by the very code that the asynchronous client runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from threading import Lock, Thread
from typing import Any, TypeVar

from callsheet.client.call import Call
from callsheet.client.record import Page
from callsheet.client.transport import Transport, page_after

T = TypeVar("T")


class LoopThread:
    """Carries calls while their callers wait. Any thread may use it; close it at the end."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._loop = asyncio.new_event_loop()
        self._is_closed = False
        self._closing = Lock()
        # A daemon: a program that forgot to close its client ends all the same.
        self._thread = Thread(target=self._loop.run_forever, name="callsheet-client", daemon=True)
        self._thread.start()

    def carry(self, call: Call[T]) -> T:
        """Make a call and wait for its answer."""
        if self._is_closed:
            raise RuntimeError("This client is closed.")
        return self._wait_for(self._transport.carry(call))

    def walk(self, call: Call[Page[T]]) -> Iterator[T]:
        """Yield the items of all pages, each asked for when the one before is used up."""
        following: Call[Page[T]] | None = call
        while following is not None:
            page = self.carry(following)
            yield from page.items
            following = page_after(following, page)

    def close(self) -> None:
        """Close the connections and end the thread."""
        with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
            self._wait_for(self._transport.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            # Ctrl-C ends the waiting; the call must end with it.
            future.cancel()
            raise
