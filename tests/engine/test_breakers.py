"""Trunks that die, come back, and are changed while messages flow. In virtual time."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from callsheet.carriers.base import Accepted, AccountRefused, Hear, Limits, NoAnswer, Outbound, Probe, SendError, Unwell
from callsheet.carriers.one_by_one import AwaitedCarrier
from callsheet.core.asking import nobody_forbids
from callsheet.core.breaker import FIRST_ROOM, IN_ROW, Position
from callsheet.core.campaign import Campaign, Status
from callsheet.core.condition import Condition
from callsheet.core.errors import Conflict
from callsheet.core.notice import NoticeKind
from callsheet.engine.lines import _Tell
from callsheet.engine.virtual_time import VirtualClock, run
from callsheet.store.apps import Trunk
from callsheet.store.trunks import Settled
from engine.world import MINUTES, World
from engine.world import world as any_world
from factories import MONDAY_NOON, make_definition, make_list

SENDER = "+12125550199"
world = partial(any_world, tuning=MINUTES)


@dataclass
class Moody:
    """A carrier that takes messages, or takes them and says nothing, or says what is wrong."""

    behind: AwaitedCarrier
    silent: bool = False
    says: SendError | None = None
    link: asyncio.Event | None = None
    """What is on it when it is there falls with it."""
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.limits: Limits = self.behind.limits

    async def open(self, hear: Hear) -> None:
        await self.behind.open(hear)

    async def send(self, message: Outbound, leave: Callable[[], bool] = nobody_forbids) -> Accepted:
        self.asked.append(message.to)
        if self.silent:
            await asyncio.Event().wait()
        if self.link is not None:
            await self.link.wait()
            raise NoAnswer("link_dropped", cut_off=True)
        if self.says is not None:
            raise self.says
        return await self.behind.send(message, leave)

    def condition(self) -> Condition:
        return self.behind.condition()

    async def probe(self) -> Probe:
        return await self.behind.probe()

    async def close(self) -> None:
        await self.behind.close()


async def add_trunk(w: World, **mood: object) -> tuple[Trunk, Moody]:
    """Make a second trunk with a sender of its own, whose carrier has moods."""
    made: list[Moody] = []

    def wrap(asked: AwaitedCarrier) -> AwaitedCarrier:
        made.append(Moody(asked, **mood))  # type: ignore[arg-type]
        return made[-1]

    w.wrap = wrap
    now = w.clock.now()
    trunk = await w.store.apps.create_trunk(w.app.no, name="Second", carrier="sandbox", takes_any_sender=False, now=now)
    await w.store.senders.put(w.app.no, SENDER, trunk.no, {}, now)
    w.conductor.look_at_trunks()
    await w.clock.sleep(1)
    (moody,) = made
    return trunk, moody


async def change(w: World, trunk: Trunk, serial: int) -> None:
    """Change a trunk's settings, as an API call does."""
    settled = Settled({"serial": serial}, {}, trunk.writing)
    await w.store.trunks.change(w.app.no, trunk.id, {}, w.clock.now(), lambda *_: settled)
    w.conductor.look_at_trunks()


async def start(w: World, contacts: int, sender: str = SENDER) -> Campaign:
    contact_list = await make_list(w.store, w.app, w.clock, contacts)
    definition = make_definition([contact_list], sender=sender)
    return await w.run_campaign(await w.store.campaigns.create(w.app.no, definition, w.clock.now(), unique_names=True))


async def told(w: World) -> list[str]:
    """Return what webhooks are told of trunks, oldest first."""
    (webhook,) = await w.store.webhooks.of_app(w.app.no, after=0, limit=1)
    found = await w.store.deliveries.of_webhook(w.app.no, webhook.no, before=None, limit=100)
    return [one.kind for one in reversed(found)]


async def want_to_be_told(w: World) -> None:
    kinds = NoticeKind.trunk_broken, NoticeKind.trunk_mended
    await w.store.webhooks.create(
        w.app.no, url="https://example.com/", kinds=kinds, description="", enabled=True, now=w.clock.now()
    )


def twice(numbers: Collection[str]) -> list[str]:
    return [number for number, count in Counter(numbers).items() if count > 1]


def test_a_carrier_that_dies_leaves_few_in_doubt_and_its_run_goes_on_when_it_is_back(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            await want_to_be_told(w)
            trunk, moody = await add_trunk(w, silent=True)
            dead = await start(w, 400)
            healthy = await start(w, 400, sender="+12125550100")
            await w.until(healthy, Status.completed, longest_seconds=60)
            await clock.sleep(600)

            standing = w.conductor.standing(trunk.no)
            assert standing.breaker.position is Position.open
            assert "in a row" in standing.breaker.why or "tried again" in standing.breaker.why
            assert "The carrier never answered: it may have taken the message or not." in standing.breaker.why
            assert standing.breaker.since is not None
            assert f"since {standing.breaker.since.isoformat(timespec='seconds')}." in standing.trouble
            tried_in_vain = (await w.counters(dead))["uncertain"]
            # One window, and one for each time that it was tried again: after 20, 40, 80, 160 and 320 seconds.
            assert tried_in_vain <= IN_ROW + FIRST_ROOM + 6
            assert len(set(moody.asked)) == len(moody.asked) == tried_in_vain

            moody.silent = False
            await w.until(dead, Status.completed, longest_seconds=2000)
            await clock.sleep(60)
            counters = await w.counters(dead)
            assert counters["delivered"] == 400 - counters["uncertain"]
            assert counters["uncertain"] <= tried_in_vain + 1
            assert (await w.counters(healthy))["delivered"] == 400
            assert not twice(moody.asked)
            assert w.conductor.standing(trunk.no).breaker.position is Position.closed
            assert await told(w) == ["trunk.broken", "trunk.mended"]

    run(main, start=MONDAY_NOON)


def test_a_carrier_that_dies_in_full_flow_leaves_no_more_than_its_window_in_doubt(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, window=100) as w:
            _, moody = await add_trunk(w)
            campaign = await start(w, 3000)
            while len(moody.asked) < 1000:
                await clock.sleep(0.05)
            moody.silent = True
            await clock.sleep(15)
            in_doubt = (await w.counters(campaign)).get("uncertain", 0)
            assert 1 <= in_doubt <= 100 + IN_ROW
            moody.silent = False
            await w.until(campaign, Status.completed, longest_seconds=2000)
            await clock.sleep(60)
            counters = await w.counters(campaign)
            assert counters["delivered"] + counters["uncertain"] == 3000
            assert not twice([message.to for message in w.sent()])

    run(main, start=MONDAY_NOON)


def test_many_senders_of_a_dead_trunk_leave_few_in_doubt_together(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            trunk, moody = await add_trunk(w, silent=True)
            senders = [f"+121255502{i:02}" for i in range(8)]
            for sender in senders:
                await w.store.senders.put(w.app.no, sender, trunk.no, {}, clock.now())
            dead = [await start(w, 100, sender=sender) for sender in senders]
            await clock.sleep(300)
            assert len(moody.asked) <= 2 * FIRST_ROOM + IN_ROW + 5
            moody.silent = False
            for campaign in dead:
                await w.until(campaign, Status.completed, longest_seconds=2000)
            await clock.sleep(60)
            counters = [await w.counters(campaign) for campaign in dead]
            assert sum(one["delivered"] + one.get("uncertain", 0) for one in counters) == 800
            assert not twice([f"{message.campaign_id} {message.to}" for message in w.sent()])

    run(main, start=MONDAY_NOON)


def test_an_account_that_is_refused_costs_nobody_an_attempt(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            trunk, moody = await add_trunk(w, says=AccountRefused("20003"))
            campaign = await start(w, 200)
            await clock.sleep(300)
            assert "20003" in w.conductor.standing(trunk.no).breaker.why
            assert len(moody.asked) <= FIRST_ROOM + 6
            moody.says = None
            w.conductor.try_trunk(trunk.no)
            await w.until(campaign, Status.completed, longest_seconds=120)
            await clock.sleep(60)
            assert (await w.counters(campaign))["delivered"] == 200

    run(main, start=MONDAY_NOON)


def test_one_lost_connection_does_not_stop_a_trunk(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, window=100) as w:
            trunk, moody = await add_trunk(w)
            campaign = await start(w, 1000)
            while len(moody.asked) < 300:
                await clock.sleep(0.05)
            moody.link = link = asyncio.Event()
            await clock.sleep(1)
            moody.link = None
            link.set()
            await clock.sleep(1)
            assert w.conductor.standing(trunk.no).breaker.position is Position.closed
            await w.until(campaign, Status.completed, longest_seconds=60)
            await clock.sleep(60)
            counters = await w.counters(campaign)
            assert counters["uncertain"] > IN_ROW
            assert counters["delivered"] + counters["uncertain"] == 1000
            assert not twice([message.to for message in w.sent()])

    run(main, start=MONDAY_NOON)


def test_what_a_carrier_wrote_for_a_code_is_told_only_where_it_is_a_word() -> None:
    assert AccountRefused("20003").word == "20003"
    for written in ("+12125550123 is barred", "12125550123", "Hello Asha", "x" * 41):
        assert AccountRefused(written).word == "account_refused"


def test_a_carrier_that_is_out_of_order_is_left_alone(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            _, moody = await add_trunk(w, says=Unwell())
            campaign = await start(w, 200)
            await clock.sleep(300)
            assert len(moody.asked) <= IN_ROW + FIRST_ROOM + 6
            moody.says = None
            await w.until(campaign, Status.completed, longest_seconds=2000)
            await clock.sleep(60)
            assert (await w.counters(campaign))["delivered"] == 200

    run(main, start=MONDAY_NOON)


def test_a_trunk_that_is_changed_again_and_again_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, wire_seconds=0.5, window=50) as w:
            (trunk,) = await w.store.apps.trunks(w.app.no)
            campaign = await start(w, 2000, sender="+12125550100")
            for serial in range(8):
                await clock.sleep(w.rng.random() * 2)
                await change(w, trunk, serial)
            await w.until(campaign, Status.completed, longest_seconds=600)
            # The sandbox tells what a closed line left untold when it is opened the next time.
            await change(w, trunk, 8)
            await clock.sleep(60)
            counters = await w.counters(campaign)
            assert (counters["delivered"], counters["armed"]) == (2000, 2000)
            assert not twice([message.to for message in w.sent()])
            assert w.ledger.count() == 2000

    run(main, start=MONDAY_NOON)


def test_a_broken_trunk_whose_settings_change_is_tried_at_once_with_one_message(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            await want_to_be_told(w)
            trunk, _ = await add_trunk(w, says=AccountRefused())
            campaign = await start(w, 200)
            await clock.sleep(5)
            w.wrap = lambda asked: asked
            await change(w, trunk, 1)
            await w.until(campaign, Status.completed, longest_seconds=120)
            await clock.sleep(60)
            assert (await w.counters(campaign))["delivered"] == 200
            assert await told(w) == ["trunk.broken", "trunk.mended"]

    run(main, start=MONDAY_NOON)


def test_a_change_that_another_node_made_is_noticed(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            trunk, moody = await add_trunk(w)
            opened: list[AwaitedCarrier] = []
            w.wrap = lambda asked: opened.append(asked) or asked
            settled = Settled({"serial": 1}, {}, trunk.writing)
            await w.store.trunks.change(w.app.no, trunk.id, {}, clock.now(), lambda *_: settled)
            await clock.sleep(2 * w.tuning.tick_seconds)
            assert len(opened) == 1
            assert moody.condition().state == "closed"
            await w.store.trunks.change(w.app.no, trunk.id, {"name": "Renamed"}, clock.now())
            await clock.sleep(2 * w.tuning.tick_seconds)
            assert len(opened) == 1

    run(main, start=MONDAY_NOON)


def test_a_trunk_that_cannot_be_opened_holds_up_no_other_and_is_told_of(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            await want_to_be_told(w)

            def refuse(_: AwaitedCarrier) -> AwaitedCarrier:
                raise Conflict("What is stored of it cannot be read.")

            now = clock.now()
            w.wrap = refuse
            trunk = await w.store.apps.create_trunk(
                w.app.no, name="Second", carrier="sandbox", takes_any_sender=False, now=now
            )
            await w.store.senders.put(w.app.no, SENDER, trunk.no, {}, now)
            w.conductor.look_at_trunks()
            waiting, other = await start(w, 50), await start(w, 50, sender="+12125550100")
            await w.until(other, Status.completed, longest_seconds=60)
            assert w.conductor.standing(trunk.no).trouble == "What is stored of it cannot be read."
            w.wrap = lambda asked: asked
            w.conductor.try_trunk(trunk.no)
            await w.until(waiting, Status.completed, longest_seconds=60)
            await clock.sleep(120)
            assert await told(w) == ["trunk.broken", "trunk.mended"]

    run(main, start=MONDAY_NOON)


def test_a_trunk_that_was_deleted_is_closed(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            trunk = await w.store.apps.create_trunk(
                w.app.no, name="Third", carrier="sandbox", takes_any_sender=False, now=clock.now()
            )
            w.conductor.look_at_trunks()
            await clock.sleep(1)
            assert w.conductor.standing(trunk.no).condition.state == "open"
            await w.store.trunks.delete(w.app.no, trunk.id)
            w.conductor.look_at_trunks()
            await clock.sleep(1)
            assert w.conductor.standing(trunk.no).condition.state == "closed"

    run(main, start=MONDAY_NOON)


def test_what_is_being_told_when_the_engine_stops_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            await want_to_be_told(w)
            (trunk,) = await w.store.apps.trunks(w.app.no)
            tell = w.store.trunks.tell

            async def slowly(*what: Any) -> None:
                await clock.sleep(1)
                await tell(*what)

            monkeypatch.setattr(w.store.trunks, "tell", slowly)
            lines = w.conductor.lines
            lines._tells += [_Tell(trunk, NoticeKind.trunk_broken, "off"), _Tell(trunk, NoticeKind.trunk_mended, "")]
            await asyncio.gather(lines._tell(), lines._tell())
            await clock.sleep(120)
            assert await told(w) == [NoticeKind.trunk_broken, NoticeKind.trunk_mended]

    run(main, start=MONDAY_NOON)
