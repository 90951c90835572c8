"""Two nodes on one PostgreSQL, an SMSC that others wrote behind each: what one forbids leaves the other no more.

The SMSC answers when it is told to, so that messages wait inside the carrier of the node that has them: the store
regards them as armed, and the node's line as handed over. What left is the SMSC's own record.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from callsheet.carriers.base import Inbound
from callsheet.carriers.sandbox.ledger import Ledger
from callsheet.carriers.smpp.carrier import SmppCarrier
from callsheet.clock import SystemClock
from callsheet.core.campaign import Campaign, Channel, Move, Named, Status
from callsheet.engine import campaigns, contacts, opt_outs
from callsheet.engine.recorder import Recorder
from callsheet.engine.sms_line import SmsLine
from callsheet.engine.stopping import stop_all
from callsheet.engine.tuning import Tuning
from callsheet.store.apps import App, Trunk
from carriers.smpp.rig import make, until
from databases import Place, rows
from engine.world import World
from factories import SENDER, make_app, make_definition, make_list, number, trunk_of
from strangers.node_smpp import NodeSmpp

CLOCK = SystemClock()
A_WHILE = 2.0
"""So many seconds whatever must not leave has to leave all the same."""
PEOPLE = 18
WINDOW = 3


class Greedy(SmsLine):
    """Takes more than its carrier bears: what several senders do that saw the same room."""

    def free(self, segments: float = 1.0) -> int:
        return PEOPLE if super().free(segments) else 0


class Mute(SmsLine):
    """Hands over nothing."""

    def free(self, segments: float = 1.0) -> int:
        return 0

    def takes_reply(self) -> bool:
        return False


@dataclass
class OverSmpp(World):
    """An engine whose trunks speak SMPP with one SMSC."""

    port: int = 0
    kind: type[SmsLine] = SmsLine
    carriers: list[SmppCarrier] = field(default_factory=list)

    def _line(self, trunk: Trunk, recorder: Recorder) -> SmsLine:
        self.carriers.append(make(self.port, window=self.window, bind="transceiver"))
        return self.kind(self.carriers[-1], recorder, self.clock, self.conductor.hearing(trunk), self.rng)

    def asked(self) -> int:
        """Return how many messages the SMSC has that it has not answered, and that were not given up."""
        return sum(len(session.out._window) for one in self.carriers for session in one._sessions)

    def least_room(self) -> int:
        """Return the room of its fullest session: less than zero, so many parts wait inside."""
        return min((session.out.room() for one in self.carriers for session in one._sessions), default=0)


@asynccontextmanager
async def node(
    place: Place, app: App, folder: Path, smsc: NodeSmpp, kind: type[SmsLine] = SmsLine, window: int = WINDOW
) -> AsyncIterator[OverSmpp]:
    """Run a node."""
    folder.mkdir()
    world = OverSmpp(
        CLOCK, await place.open(), app, Ledger(folder / "ledger.db"), random.Random(1), folder,  # type: ignore[arg-type]
        Tuning(tick_seconds=0.5), sole_owner=False, window=window, port=smsc.port, kind=kind,
    )  # fmt: skip
    await world.start()
    try:
        await until(lambda: all(one.condition().sessions for one in world.carriers))
        yield world
    finally:
        smsc.set(hold_answers=False)
        await world.conductor.stop()
        world.ledger.close()


async def campaign_of(world: World, people: int) -> Campaign:
    contact_list = await make_list(world.store, world.app, CLOCK, people)
    dnc = await world.store.dnc_lists.create(world.app.no, "Never", CLOCK.now())
    definition = make_definition([contact_list], dnc_lists=(Named(dnc.no, dnc.id, dnc.name),))
    return await world.store.campaigns.create(world.app.no, definition, CLOCK.now(), unique_names=True)


def taken_by(smsc: NodeSmpp) -> Counter[str]:
    """Return how many messages the SMSC has of whom, by its own record."""
    return Counter({f"+{to}": times for to, times in smsc.destinations().items()})


async def put_on_dnc(w: World, _: Campaign, people: list[str]) -> None:
    dnc = await w.store.dnc_lists.find(w.app.no, name="Never")
    assert dnc is not None
    await contacts.forbid(w.runtime, w.app, dnc, people)


async def opt_out(w: World, _: Campaign, people: list[str]) -> None:
    await opt_outs.add(w.runtime, w.app, Channel.sms, people)


async def say_stop(w: World, _: Campaign, people: list[str]) -> None:
    hearing = w.conductor.hearing(await trunk_of(w.store, w.app))
    await hearing.hear([Inbound(f"in-{to}", to, SENDER, "STOP", CLOCK.now()) for to in people])


async def pause(w: World, campaign: Campaign, _: list[str]) -> None:
    await campaigns.move(w.runtime, campaign, Move.pause)


async def stop_everything(w: World, _: Campaign, __: list[str]) -> None:
    await stop_all(w.runtime, w.app, "Wrong list", "me")


Forbid = Callable[[World, Campaign, list[str]], Awaitable[None]]


@pytest.mark.parametrize(
    "forbid",
    # A STOP that is said is an opt-out too.
    [put_on_dnc, pytest.param(opt_out, marks=pytest.mark.full), say_stop, pause, stop_everything],
)
async def test_what_waits_inside_the_carrier_of_another_node_does_not_leave_after_the_commit(
    postgres_place: Place, tmp_path: Path, node_smpp: Callable[..., NodeSmpp], forbid: Forbid
) -> None:
    smsc = node_smpp(hold_answers=True, receipt_delay_ms=-1)
    app = await make_app(await postgres_place.open(), CLOCK)
    async with (
        node(postgres_place, app, tmp_path / "a", smsc, Mute) as a,
        node(postgres_place, app, tmp_path / "b", smsc, Greedy) as b,
    ):
        campaign = await b.run_campaign(await campaign_of(b, PEOPLE))
        await until(lambda: smsc.counters()["submits"] == WINDOW and b.least_room() < -WINDOW)
        before = taken_by(smsc)
        people = [number(i) for i in range(PEOPLE) if number(i) not in before]
        forbidden = people[::2]

        await forbid(a, campaign, forbidden)

        assert b.asked() == WINDOW, "it waited for the carrier"
        assert taken_by(smsc) == before
        smsc.set(hold_answers=False)
        if forbid is pause:
            await asyncio.sleep(A_WHILE)
            assert taken_by(smsc) == before
            await campaigns.move(a.runtime, campaign, Move.resume)
            forbidden = []
        if forbid is not stop_everything:
            spared = set(people) - set(forbidden)
            async with asyncio.timeout(60):
                while not spared <= set(taken_by(smsc)):
                    await asyncio.sleep(0.05)
        await asyncio.sleep(A_WHILE)
        texts = taken_by(smsc)
        if forbid is say_stop:
            texts -= Counter(forbidden)  # the confirmations
        assert set(texts) & set(forbidden) == set()
        assert set(texts.values()) == {1}
        if forbid is stop_everything:
            assert texts == before


@pytest.mark.parametrize("forbid", [opt_out, stop_everything])
async def test_an_answer_that_another_node_took_does_not_leave_after_the_commit(
    postgres_place: Place, tmp_path: Path, node_smpp: Callable[..., NodeSmpp], forbid: Forbid
) -> None:
    smsc = node_smpp(receipt_delay_ms=-1)
    app = await make_app(await postgres_place.open(), CLOCK)
    me, other = number(1), number(2)
    async with (
        node(postgres_place, app, tmp_path / "a", smsc, Mute) as a,
        node(postgres_place, app, tmp_path / "b", smsc, window=1) as b,
    ):
        hearing = b.conductor.hearing(await trunk_of(b.store, app))

        async def say(to: str, text: str) -> None:
            await hearing.hear([Inbound(f"in-{to}-{text}", to, SENDER, text, CLOCK.now())])

        async def states() -> list[str]:
            return [row.state for row in await rows(b.store, "select state from reply order by no")]

        async def until_states(*wanted: str) -> None:
            async with asyncio.timeout(60):
                while await states() != list(wanted):
                    await asyncio.sleep(0.02)

        campaign = await campaign_of(b, 1)
        await say(me, "STOP")
        await until_states("accepted")
        smsc.set(hold_answers=True)
        await say(other, "HELP")
        await until(lambda: smsc.counters()["submits"] == 2)
        await say(me, "START")
        await until_states("accepted", "taken", "taken")
        await until(lambda: b.least_room() < 0)

        await forbid(a, campaign, [me])

        assert b.asked() == 1, "it waited for the carrier"
        smsc.set(hold_answers=False)
        # While all sending is stopped it waits, as long as it is worth it.
        await until_states("accepted", "accepted", "waiting" if forbid is stop_everything else "expired")
        assert taken_by(smsc) == {me: 1, other: 1}


async def test_texts_in_parts_leave_no_more_waiting_inside_the_carrier_than_their_own_parts(
    postgres_place: Place, tmp_path: Path, node_smpp: Callable[..., NodeSmpp]
) -> None:
    people, parts = 60, 3
    smsc = node_smpp(answer_delay_ms=20, receipt_delay_ms=-1)
    app = await make_app(await postgres_place.open(), CLOCK)
    async with node(postgres_place, app, tmp_path / "a", smsc, window=12) as w:
        campaign = await w.run_campaign(await campaign_of(w, people), "x" * 400)
        least, is_done = 0, False
        async with asyncio.timeout(60):
            while not is_done:
                least = min(least, w.least_room())
                is_done = smsc.counters()["submits"] == people * parts
                await asyncio.sleep(0.002)
        assert least > -parts
        await until(lambda: not len(w.conductor.holds))
        found = await w.store.campaigns.find(app.no, campaign_id=campaign.id)
        assert found is not None
        assert found.status in (Status.active, Status.completed)
        assert set(taken_by(smsc).values()) == {parts}
