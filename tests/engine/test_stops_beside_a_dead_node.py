"""A STOP that has to wait for a node that died holds up nobody: no other STOP, no receipt, no opt-out of a carrier."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from callsheet.carriers.smpp import commands as c
from callsheet.carriers.smpp.account import SmppAccount
from callsheet.carriers.smpp.commands import Status
from callsheet.carriers.smpp.ear import Ear
from callsheet.carriers.smpp.pdu import Message, Pdu
from callsheet.clock import to_micros
from callsheet.engine.tuning import Tuning
from callsheet.engine.virtual_time import VirtualClock, run
from callsheet.store import tables as t
from engine.world import World, world
from factories import MONDAY_NOON, make_definition, make_list, number, person_of, trunk_of

LEASE_SECONDS = 30.0
TUNING = Tuning(tick_seconds=0.5, lease_seconds=LEASE_SECONDS)
ACCOUNT = SmppAccount.model_validate({"host": "smsc.example.com", "system_id": "us", "password": "secret"})
RECEIPT = b"id:77 sub:001 dlvrd:001 submit date:2611211230 done date:2611211231 stat:DELIVRD err:000 text:"


class Carrier:
    """A session: what it said, and when that was acknowledged, by the first word of it."""

    def __init__(self, clock: VirtualClock, ear: Ear) -> None:
        self._clock, self._ear = clock, ear
        self._began = clock.monotonic()
        self.answered: dict[int, float] = {}

    def say(self, sequence: int, text: bytes, of: str = number(0), esm_class: int = 0) -> None:
        source = of.removeprefix("+")
        message = Message("", 1, 1, source, 1, 1, "447700900999", esm_class, short_message=text)
        assert self._ear.hear(self, Pdu(c.DELIVER_SM, sequence, 0, message), message)

    def answer(self, pdu: Pdu, status: int = Status.OK) -> bool:
        assert status == Status.OK
        self.answered[pdu.sequence] = self._clock.monotonic() - self._began
        return True


async def campaign_beside_the_dead(w: World, people: int, rate: float) -> None:
    """Run a campaign of which a node that died a moment ago holds an arm, with everybody in it."""
    await w.conductor.stop()
    w.sole_owner = False
    await w.start()
    contact_list = await make_list(w.store, w.app, w.clock, people)
    campaign = await w.store.campaigns.create(
        w.app.no, make_definition([contact_list]), w.clock.now(), unique_names=True
    )
    await w.limit(campaign, rate)
    campaign = await w.run_campaign(campaign)
    until = to_micros(w.clock.now() + timedelta(seconds=LEASE_SECONDS))
    members = b"".join(person_of(w.store, w.app, number(i)) + b"\0\0" for i in range(people))
    key = {"app": w.app.no, "run_no": campaign.run_no, "node_no": 77, "arm_no": 1}
    row = {**key, "lease_until": until, "members": members}
    await w.store._database.write(lambda conn: conn.execute(sa.insert(t.arm), [row]))


@asynccontextmanager
async def carrier_beside_the_dead(w: World, people: int, rate: float) -> AsyncIterator[Carrier]:
    """Tell what a carrier says while a campaign runs beside the dead."""
    await campaign_beside_the_dead(w, people, rate)
    ear = Ear(ACCOUNT, w.clock, random.Random(1))
    hearing = w.conductor.hearing(await trunk_of(w.store, w.app))
    task = asyncio.create_task(ear.run(hearing.hear))
    yield Carrier(w.clock, ear)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def texted(w: World, to: str) -> bool:
    return any(message.to == to and message.campaign_id for message in w.sent())


def test_a_stop_that_waits_for_the_dead_holds_up_no_other_and_no_receipt(tmp_path: Path) -> None:
    people = 100

    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING) as w, carrier_beside_the_dead(w, people, 10) as carrier:
            await clock.sleep(1)
            carrier.say(1, b"STOP", number(people - 1))
            await clock.sleep(1)
            carrier.say(2, b"STOP", number(people - 2))
            carrier.say(3, RECEIPT, number(0), 4)
            await clock.sleep(0.9)
            for gone in (1, 2):
                person = person_of(w.store, w.app, number(people - gone))
                assert await w.store.opt_outs.find(w.app.no, person), "committed within a second"
            assert carrier.answered.keys() == {3}, "a receipt waits for nobody; who says STOP is promised more"
            await clock.sleep(60)
            assert carrier.answered.keys() == {1, 2, 3}
            assert max(carrier.answered.values()) < LEASE_SECONDS + 4
            assert [texted(w, number(people - gone)) for gone in (1, 2, 3)] == [False, False, True]

    run(main, start=MONDAY_NOON)


def test_a_flood_of_stops_beside_the_dead_is_committed_within_a_second_each(tmp_path: Path) -> None:
    people = 150

    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING) as w, carrier_beside_the_dead(w, people, 1) as carrier:
            for i in range(100):
                carrier.say(i, b"STOP", number(i))
                await clock.sleep(0.1)
                if i >= 9:
                    person = person_of(w.store, w.app, number(i - 9))
                    assert await w.store.opt_outs.find(w.app.no, person)

    run(main, start=MONDAY_NOON)


def test_start_is_heard_after_the_stop_of_the_same_person_that_waits(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING) as w, carrier_beside_the_dead(w, 50, 1) as carrier:
            carrier.say(1, b"STOP", number(49))
            await clock.sleep(0.001)
            carrier.say(2, b"START", number(49))
            await clock.sleep(5)
            person = person_of(w.store, w.app, number(49))
            assert await w.store.opt_outs.find(w.app.no, person)
            await clock.sleep(LEASE_SECONDS)
            assert carrier.answered.keys() == {1, 2}
            assert not await w.store.opt_outs.find(w.app.no, person)

    run(main, start=MONDAY_NOON)


@pytest.mark.parametrize("how", ["a refusal", "a receipt"])
def test_what_a_carrier_knows_of_stops_waits_for_nobody(tmp_path: Path, how: str) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING) as w:
            await campaign_beside_the_dead(w, 50, 1)
            listener, began = w.conductor.listener, clock.monotonic()
            if how == "a receipt":
                await listener.opt_out(w.app.no, [person_of(w.store, w.app, number(48))])
            else:
                listener.hear_stopped(w.app.no, person_of(w.store, w.app, number(48)))
                await clock.sleep(0.5)
                listener.hear_stopped(w.app.no, person_of(w.store, w.app, number(49)))
                await clock.sleep(0.4)
                assert await w.store.opt_outs.find(w.app.no, person_of(w.store, w.app, number(49)))
            assert await w.store.opt_outs.find(w.app.no, person_of(w.store, w.app, number(48)))
            assert clock.monotonic() - began < 1

    run(main, start=MONDAY_NOON)


def test_what_waits_inside_a_carrier_does_not_leave_for_who_said_stop_to_another(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, wire_seconds=10, window=100, tuning=TUNING) as w:
            await campaign_beside_the_dead(w, 50, 50)
            await clock.sleep(2)
            holds = w.conductor.holds
            inside = {key.person for key in holds._held if holds.is_handed(key)}
            assert len(inside) > 10
            left = len(w.sent())
            await w.conductor.listener.opt_out(w.app.no, inside)
            await clock.sleep(30)
            assert not [one.to for one in w.sent()[left:] if person_of(w.store, w.app, one.to) in inside]

    run(main, start=MONDAY_NOON)
