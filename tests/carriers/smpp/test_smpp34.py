"""Our carrier against the SMSC of another hand: smpp34's server, which answers and tells in one breath."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import smpp34

from callsheet.carriers.base import Accepted, Inbound, Receipt
from callsheet.core.attempt import Kind
from carriers.smpp.rig import bound, message, until
from ports import free_port


@asynccontextmanager
async def smsc() -> AsyncIterator[tuple[int, list[str]]]:
    """Run an SMSC that answers each message, and sends its receipt at once: often before the answer arrives."""
    port = free_port()
    server = smpp34.Server("127.0.0.1", port, system_id="rust")
    await server.start()
    taken: list[str] = []
    sessions: dict[int, smpp34.Esme] = {}

    async def serve() -> None:
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                sessions[event.session_id] = event
            elif isinstance(event, smpp34.SubmitSmEvent):
                await attend(event)

    async def attend(event: smpp34.SubmitSmEvent) -> None:
        taken.append(event.destination_addr)
        number = len(taken)
        receipt = (
            f"id:{number:x} sub:001 dlvrd:001 submit date:2611211200 done date:2611211200 stat:DELIVRD err:000 text:"
        )
        event.accept(f"{number:x}")
        for esme in list(sessions.values())[:1]:
            await esme.deliver_sm(
                event.source_addr, receipt.encode(), source_addr=event.destination_addr, source_addr_ton=1, esm_class=4
            )

    task = asyncio.create_task(serve())
    try:
        yield port, taken
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        server.stop()


async def test_every_message_is_taken_once_and_every_receipt_is_heard():
    async with smsc() as (port, taken), bound(port, window=50) as rig:
        answers = await rig.send_all([message(n) for n in range(50)])
        await until(lambda: len(rig.heard) == 50)

    assert all(isinstance(one, Accepted) for one in answers)
    assert len(set(taken)) == len(taken) == 50
    assert not any(isinstance(one, Inbound) for one in rig.heard)
    told = {one.carrier_id for one in rig.heard if isinstance(one, Receipt) and one.kind is Kind.delivered}
    assert told == {one.carrier_id for one in answers if isinstance(one, Accepted)}
