"""Single messages, in virtual time: they stop with everything else, however many wait at the same time."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from callsheet.core.campaign import Campaign, Move, Named, Status
from callsheet.core.contacts import PHONE_NUMBER, Contact, columns_of, read_contact
from callsheet.core.errors import ListInUse
from callsheet.engine import campaigns, singles, stopping
from callsheet.engine.virtual_time import VirtualClock, run
from callsheet.store.sqlite.database import SqliteDatabase
from engine.world import World, world
from factories import MONDAY_NOON, SENDER, number

PEOPLE = 5
DOCUMENT = (
    '{"blocks": [{"uuid": "b", "name": "hello", "type": "MobilePrimitives.Message", "config": {"prompt": "Hello"},'
    ' "exits": []}], "first_block_id": "b"}'
)


async def flow_of(w: World) -> Named:
    flow = await w.store.flows.create(w.app.no, "Hello", DOCUMENT, w.clock.now())
    return flow.named


async def send_all(w: World, serials: Iterable[int] = range(PEOPLE), flow: Named | None = None) -> Campaign:
    """Ask for single messages to several people through a sender that takes a minute for each."""
    trunk = (await w.store.apps.trunks(w.app.no))[0]
    await w.store.senders.put(w.app.no, SENDER, trunk.no, {"segments_per_second": 1 / 60}, w.clock.now())
    sender = await w.store.apps.find_sender(w.app.no, SENDER, w.clock.now())
    assert sender is not None
    flow = flow or await flow_of(w)
    for serial in serials:
        contact = read_contact({PHONE_NUMBER: number(serial)}, columns_of((PHONE_NUMBER,)), None)
        assert isinstance(contact, Contact)
        await singles.send(w.runtime, w.app, sender, flow, contact)
    found = await w.store.campaigns.find(w.app.no, name=f"Outbound SMS {SENDER}")
    assert found is not None
    return found


async def settled_at(w: World, seconds: float = 3600.0) -> int:
    """Wait, and return how many messages left in all."""
    await asyncio.sleep(seconds)
    return len(w.sent())


def test_no_single_message_leaves_after_a_stop_of_everything(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            campaign = await send_all(w)
            await asyncio.sleep(90)
            await stopping.stop_all(w.runtime, w.app, "a wrong text", "somebody")
            before = len(w.sent())
            assert 0 < before < PEOPLE
            assert await settled_at(w) == before

            await stopping.allow(w.runtime, w.app)
            await campaigns.move(w.runtime, campaign, Move.resume)
            assert await settled_at(w) == PEOPLE
            await w.until(campaign, Status.completed, longest_seconds=10)

    run(play, start=MONDAY_NOON)


@pytest.mark.parametrize("move", [Move.pause, Move.stop])
def test_no_single_message_leaves_after_its_campaign_was_halted(tmp_path: Path, move: Move) -> None:
    async def play(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            campaign = await send_all(w)
            await asyncio.sleep(90)
            await campaigns.move(w.runtime, campaign, move)
            before = len(w.sent())
            assert 0 < before < PEOPLE
            assert await settled_at(w) == before

    run(play, start=MONDAY_NOON)


def test_the_campaign_of_single_messages_is_active_until_the_last_has_ended(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            campaign = await send_all(w)
            while len(w.sent()) < PEOPLE:
                found = await w.store.campaigns.find(w.app.no, campaign_id=campaign.id)
                assert found is not None
                assert found.status is Status.active
                await asyncio.sleep(1)
            await w.until(campaign, Status.completed, longest_seconds=60)

    run(play, start=MONDAY_NOON)


def test_the_list_of_single_messages_is_not_deleted_under_them(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            campaign = await send_all(w)
            numbers = await w.store.lists.find(w.app.no, name=campaign.definition.name)
            assert numbers is not None
            with pytest.raises(ListInUse):
                await w.store.lists.delete(numbers)
            await w.until(campaign, Status.completed, longest_seconds=3600, step=10)
            await w.store.lists.delete(numbers)

    run(play, start=MONDAY_NOON)


def test_a_look_asks_as_much_for_many_waiting_messages_as_for_few(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            flow, counts = await flow_of(w), []
            for serials in (range(5), range(5, 50)):
                await send_all(w, serials, flow)
                await asyncio.sleep(5)
                counts.append(await asked_in_a_look(w))
            assert counts[0] == counts[1]

    run(play, start=MONDAY_NOON)


async def asked_in_a_look(w: World) -> int:
    """Count the statements of a look."""
    assert isinstance(w.store._database, SqliteDatabase)
    told: list[str] = []
    raw = w.store._database._writer.raw
    raw.set_trace_callback(told.append)
    await w.conductor._scheduler.look()
    raw.set_trace_callback(None)
    return len(told)
