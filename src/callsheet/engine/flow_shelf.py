"""The flows that this node works with, each version read once: none ever changes. And what campaigns send by them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

import msgspec

from callsheet.clock import Clock
from callsheet.core.errors import FlowNotFound
from callsheet.core.flow.document import Container
from callsheet.core.flow.opening import Opening
from callsheet.core.flow.reading import read
from callsheet.core.run import PinnedFlow
from callsheet.core.template import PersonalMessage, compile_text
from callsheet.store.documents import Documents

MOST_KEPT: Final = 64
"""So many versions are kept, those that were asked for last."""
LARGE: Final = 64 * 1024
"""A larger body is read beside everything else, as that takes long."""


async def read_body(body: str) -> Container:
    """Return a flow as it is stored, read. Raises BadExpression."""
    return await asyncio.to_thread(_read, body) if len(body) > LARGE else _read(body)


def _read(body: str) -> Container:
    return read(msgspec.json.decode(body))


class FlowShelf:
    """Versions of flows, read."""

    def __init__(self, flows: Documents, clock: Clock) -> None:
        self._flows = flows
        self._clock = clock
        self._kept: OrderedDict[tuple[int, int, int], Container] = OrderedDict()

    async def message(self, app: int, text: str, flow: PinnedFlow, zone: str) -> PersonalMessage:
        """Return what makes the message of each contact: a text, or the opening of a flow in a campaign of a zone.

        Raises BadTemplate; FlowNotFound and BadExpression as `get` does.
        """
        if not flow.no:
            return compile_text(text)
        return Opening(await self.get(app, flow.no, flow.version), self._clock.now, zone=zone)

    async def get(self, app: int, flow_no: int, version: int) -> Container:
        """Return a version of a flow.

        Raises FlowNotFound where it was deleted, and BadExpression where a later release cannot read it any more.
        """
        key = app, flow_no, version
        found = self._kept.get(key)
        if found is None:
            body = await self._flows.body(app, flow_no, version)
            if not body:
                raise FlowNotFound
            found = self._kept[key] = await read_body(body)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return found
