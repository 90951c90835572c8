"""The handset simulator as a whole: a ledger, the handsets, and the two ports before them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import NamedTuple

from callsheet.carriers.sandbox.callbacks import Callbacks
from callsheet.carriers.sandbox.handsets import Handsets
from callsheet.carriers.sandbox.http_port import HttpPort
from callsheet.carriers.sandbox.ledger import Ledger
from callsheet.carriers.sandbox.smpp_port import SmppPort
from callsheet.carriers.sandbox.smpp_session import Account
from callsheet.clock import Clock


class Listening(NamedTuple):
    """The ports that it listens on."""

    smpp_port: int
    http_port: int


@asynccontextmanager
async def simulating(
    ledger_path: Path,
    clock: Clock,
    *,
    host: str,
    smpp_port: int,
    http_port: int,
    account: Account,
    seed: int | None = None,
) -> AsyncIterator[Listening]:
    """Simulate handsets inside the block. Raises OSError where a port is taken."""
    async with AsyncExitStack() as stack:
        ledger = stack.enter_context(closing(Ledger(ledger_path)))
        handsets = Handsets(ledger, clock, random.Random(seed))  # noqa: S311 (it simulates, it keeps no secret)
        callbacks = Callbacks(handsets)
        callbacks.open()
        stack.push_async_callback(callbacks.close)
        smpp = SmppPort(handsets, account)
        http = HttpPort(handsets, smpp)
        # Backwards: what is under way is answered, the ports are closed, and what was heard last is written down.
        stack.push_async_callback(handsets.close)
        stack.push_async_callback(smpp.close)
        stack.push_async_callback(http.close)
        stack.push_async_callback(handsets.hang_up)
        listening = Listening(await smpp.open(host, smpp_port), await http.open(host, http_port))
        await handsets.open()
        yield listening
