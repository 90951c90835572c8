from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from callsheet.carriers.base import Accepted, Outbound
from callsheet.carriers.one_by_one import AwaitedCarrier
from callsheet.core.allowance import Allowance
from callsheet.core.asking import nobody_forbids
from callsheet.core.campaign import Move, Status
from callsheet.core.run import AppSettings, Execution, Launch
from callsheet.engine.campaigns import move
from callsheet.engine.trunks import Wanted
from callsheet.engine.virtual_time import VirtualClock, run
from engine.world import Passing, World, world
from factories import MONDAY_NOON, make_definition, make_list

SECOND = timedelta(seconds=1)


def most_in_a_second(w: World) -> int:
    """Return the largest number of segments in any sliding second, as the carrier saw them."""
    sent = w.sent()
    instants = [message.accepted_at for message in sent]
    sums = [0]
    for message in sent:
        sums.append(sums[-1] + message.segments)
    return max(sums[bisect_left(instants, at + SECOND)] - sums[i] for i, at in enumerate(instants))


async def rate_of(w: World, clock: VirtualClock, rate: int, contacts: int) -> float:
    """Run a campaign at a rate, which no second exceeds, and return how many segments a second left."""
    contact_list = await make_list(w.store, w.app, clock, contacts)
    campaign = await w.store.campaigns.create(w.app.no, make_definition([contact_list]), clock.now(), unique_names=True)
    await w.limit(campaign, rate)
    await w.run_campaign(campaign)
    await w.until(campaign, Status.completed, longest_seconds=10 * contacts / rate + 60)

    sent = w.sent()
    assert len(sent) == contacts
    assert most_in_a_second(w) <= rate + 1
    return (contacts - 1) / ((sent[-1].accepted_at - sent[0].accepted_at) / SECOND)


@pytest.mark.parametrize(
    ("rate", "contacts"),
    [
        (1, 60),
        (100, 800),
        (1000, 2500),
        *(pytest.param(*large, marks=pytest.mark.full) for large in ((10, 400), (100, 2000), (1000, 6000))),
    ],
)
def test_a_sender_never_exceeds_its_rate_and_uses_nearly_all_of_it(tmp_path: Path, rate: int, contacts: int) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            assert await rate_of(w, clock, rate, contacts) >= 0.98 * rate

    run(main, start=MONDAY_NOON)


@pytest.mark.parametrize(
    ("of_app", "least", "most"), [(None, 0.85, 1.01), pytest.param(6000, 0.5, 0.8, id="a rate that others use too")]
)
def test_a_rate_is_used_though_the_store_is_slow_where_nobody_else_uses_it(
    tmp_path: Path, of_app: int | None, least: float, most: float
) -> None:
    rate, contacts = 100, 800

    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, settings=AppSettings(messages_per_minute=of_app)) as w:
            for slow in ("lease_rate", "arm"):
                wait_before(w, clock, slow, seconds=0.15)
            assert least * rate <= await rate_of(w, clock, rate, contacts) <= most * rate

    run(main, start=MONDAY_NOON)


def wait_before(w: World, clock: VirtualClock, name: str, *, seconds: float) -> None:
    """Let a call of the store wait, as behind the writes of others."""
    call = getattr(w.store.hot, name)

    async def waiting(*args: object, **kwargs: object) -> object:
        await clock.sleep(seconds)
        return await call(*args, **kwargs)

    setattr(w.store.hot, name, waiting)


def test_long_messages_spend_their_segments(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            contact_list = await make_list(w.store, w.app, clock, 100)
            campaign = await w.store.campaigns.create(
                w.app.no, make_definition([contact_list]), clock.now(), unique_names=True
            )
            await w.limit(campaign, 2)
            await w.run_campaign(campaign, "x" * 400)
            await w.until(campaign, Status.completed, longest_seconds=600)

            sent = w.sent()
            assert {message.segments for message in sent} == {3}
            assert most_in_a_second(w) <= 2 + 3
            lasted = (sent[-1].accepted_at - sent[0].accepted_at) / SECOND
            assert 0.98 * 2 <= 3 * 99 / lasted <= 1.02 * 2

    run(main, start=MONDAY_NOON)


def test_segments_are_counted_as_the_trunk_writes_them(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            settings = {"host": "smsc.test", "system_id": "us", "data_coding_0": "ascii"}
            trunk = await w.runtime.trunks.create(w.app.no, Wanted("SMSC", "smpp", settings, takes_any_sender=False))
            allowance = {"allowance": Allowance(2.0)}
            await w.store.senders.put(w.app.no, "+12125550101", trunk.no, allowance, clock.now())
            for name, zero, segments in (("First", None, 3), ("Second", "gsm", 1)):
                if zero is not None:
                    await w.runtime.trunks.change(w.app.no, trunk.id, {}, {"data_coding_0": zero})
                people = await make_list(w.store, w.app, clock, 20)
                definition = make_definition([people], sender="+12125550101", name=name)
                campaign = await w.store.campaigns.create(w.app.no, definition, clock.now(), unique_names=True)
                began, before = clock.now(), w.ledger.count()
                campaign = await w.run_campaign(campaign, "Votre colis est arrivé. " * 6)
                await w.until(campaign, Status.completed, longest_seconds=600)

                sent = w.sent()[before:]
                assert {message.segments for message in sent} == {segments}
                assert (sent[-1].accepted_at - began) / SECOND >= 0.95 * 19 * segments / 2

    run(main, start=MONDAY_NOON)


class Noted(Passing):
    """Notes when each message was handed."""

    def __init__(self, carrier: AwaitedCarrier, clock: VirtualClock, instants: list[datetime]) -> None:
        super().__init__(carrier)
        self._clock = clock
        self._instants = instants

    async def send(self, message: Outbound, leave: Callable[[], bool] = nobody_forbids) -> Accepted:
        self._instants.append(self._clock.now())
        return await self.carrier.send(message, leave)


@pytest.mark.parametrize(
    ("rate", "contacts", "wire_seconds"),
    [pytest.param(100, 250, 0.0, marks=pytest.mark.full), (10, 25, 0.0), (10, 25, 0.8)],
)
def test_the_limit_of_a_trunk_holds_over_many_senders(
    tmp_path: Path, rate: int, contacts: int, wire_seconds: float
) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, wire_seconds=wire_seconds) as w:
            handed: list[datetime] = []
            await w.conductor.stop()
            w.wrap = lambda carrier: Noted(carrier, clock, handed)
            await w.start()
            (trunk,) = await w.store.apps.trunks(w.app.no)
            await w.store.trunks.change(w.app.no, trunk.id, {"allowance": Allowance(float(rate))}, clock.now())
            campaigns = []
            for i in range(8):
                people = await make_list(w.store, w.app, clock, contacts)
                definition = make_definition([people], sender=f"+1212555010{i}", name=f"Campaign {i}")
                made = await w.store.campaigns.create(w.app.no, definition, clock.now(), unique_names=True)
                campaigns.append(await w.run_campaign(made))
            for campaign in campaigns:
                await w.until(campaign, Status.completed, longest_seconds=20 * contacts / rate * 8 + 60)

            assert w.ledger.count() == len(handed) == 8 * contacts
            assert max(bisect_left(handed, at + SECOND) - i for i, at in enumerate(handed)) <= rate + 1
            assert (len(handed) - 1) / ((handed[-1] - handed[0]) / SECOND) >= 0.98 * rate

    run(main, start=MONDAY_NOON)


def test_the_apps_limit_holds_over_all_its_senders(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, settings=AppSettings(messages_per_minute=300)) as w:
            campaigns = []
            for sender in ("+12125550101", "+12125550102", "+12125550103"):
                contact_list = await make_list(w.store, w.app, clock, 100)
                campaigns.append(
                    await w.store.campaigns.create(
                        w.app.no, make_definition([contact_list], sender=sender), clock.now(), unique_names=True
                    )
                )
            for campaign in campaigns:
                await w.run_campaign(campaign)
            for campaign in campaigns:
                await w.until(campaign, Status.completed, longest_seconds=300)

            sent = w.sent()
            assert len(sent) == 300
            assert 0.95 * 5 <= 299 / ((sent[-1].accepted_at - sent[0].accepted_at) / SECOND) <= 5.1

    run(main, start=MONDAY_NOON)


@pytest.mark.parametrize("rate", [1, *(pytest.param(rate, marks=pytest.mark.full) for rate in (0.2, 5))])
def test_a_slow_sender_is_shared_by_the_priorities_too(tmp_path: Path, rate: float) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            campaigns = []
            for priority in (5, 3):
                definition = make_definition([await make_list(w.store, w.app, clock, 200)], priority=priority)
                campaigns.append(await w.store.campaigns.create(w.app.no, definition, clock.now(), unique_names=True))
            await w.limit(campaigns[0], rate)
            for campaign in campaigns:
                await w.run_campaign(campaign)
            await clock.sleep(160 / rate)

            sent = w.sent()
            high = sum(message.campaign_id == campaigns[0].id for message in sent)
            assert len(sent) >= 155
            assert abs(high / len(sent) - 0.625) < 0.02

    run(main, start=MONDAY_NOON)


def test_a_run_that_was_paused_does_not_catch_up_at_the_cost_of_the_others(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            runs = []
            for _ in range(2):
                definition = make_definition([await make_list(w.store, w.app, clock, 1000)])
                runs.append(await w.store.campaigns.create(w.app.no, definition, clock.now(), unique_names=True))
            await w.limit(runs[0], 10)
            runs = [await w.run_campaign(campaign) for campaign in runs]
            await clock.sleep(10)
            paused = await move(w.runtime, runs[1], Move.pause)
            await clock.sleep(60)
            await move(w.runtime, paused, Move.resume)
            before = w.ledger.count()
            await clock.sleep(20)

            since = Counter(message.campaign_id for message in w.sent()[before:])
            assert abs(since[runs[0].id] - since[runs[1].id]) < 30

    run(main, start=MONDAY_NOON)


def test_campaigns_of_one_sender_share_it_by_their_priorities(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            campaigns = []
            for priority in (5, 3):
                contact_list = await make_list(w.store, w.app, clock, 800)
                campaigns.append(
                    await w.store.campaigns.create(
                        w.app.no, make_definition([contact_list], priority=priority), clock.now(), unique_names=True
                    )
                )
            await w.limit(campaigns[0], 20)
            for campaign in campaigns:
                await w.run_campaign(campaign)
            await clock.sleep(40)

            sent = w.sent()
            high = sum(message.campaign_id == campaigns[0].id for message in sent)
            assert len(sent) >= 765
            # 5 and 3 give 62.5 % and 37.5 %, as the documentation works out.
            assert abs(high / len(sent) - 0.625) < 0.02

    run(main, start=MONDAY_NOON)


@pytest.mark.parametrize(
    "jump_seconds", [-7200.0, 5.0, *(pytest.param(jump, marks=pytest.mark.full) for jump in (-5.0, 7200.0))]
)
def test_a_wall_clock_that_is_set_neither_bursts_nor_silences_a_sender(tmp_path: Path, jump_seconds: float) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            contact_list = await make_list(w.store, w.app, clock, 400)
            campaign = await w.store.campaigns.create(
                w.app.no, make_definition([contact_list]), clock.now(), unique_names=True
            )
            await w.limit(campaign, 10)
            await w.run_campaign(campaign)
            await clock.sleep(5)
            clock.step_wall(jump_seconds)
            counts = []
            for _ in range(200):
                counts.append(w.ledger.count())
                await clock.sleep(1)
            assert w.ledger.count() == 400
            # The store's row may still name the time before the jump: at most its furthest segments are waited out.
            assert max(after - before for before, after in pairwise(counts)) <= 10 + 1
            await w.until(campaign, Status.completed, longest_seconds=300)

    run(main, start=MONDAY_NOON)


def test_a_rate_holds_over_a_restart(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            contact_list = await make_list(w.store, w.app, clock, 300)
            campaign = await w.store.campaigns.create(
                w.app.no, make_definition([contact_list]), clock.now(), unique_names=True
            )
            await w.limit(campaign, 10)
            await w.run_campaign(campaign)
            for _ in range(5):
                await clock.sleep(2.05)
                await w.conductor.stop()
                await w.start()
            await w.until(campaign, Status.completed, longest_seconds=120)
            assert len(w.sent()) == 300
            assert most_in_a_second(w) <= 10 + 1

    run(main, start=MONDAY_NOON)


def test_an_emergency_has_its_sender_for_itself(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            campaigns = [
                await w.store.campaigns.create(
                    w.app.no,
                    make_definition([await make_list(w.store, w.app, clock, 300)]),
                    clock.now(),
                    unique_names=True,
                )
                for _ in range(2)
            ]
            await w.limit(campaigns[0], 10)
            await w.run_campaign(campaigns[0])
            await clock.sleep(5)
            await w.run_campaign(campaigns[1], launch=Launch(Execution.emergency, reason="Flood"))
            began_at = clock.now()
            urgent = await w.until(campaigns[1], Status.completed, longest_seconds=60)
            almost = began_at + 25 * SECOND

            meanwhile = Counter(m.campaign_id for m in w.sent() if began_at + SECOND < m.accepted_at < almost)
            assert set(meanwhile) == {urgent.id}
            await w.until(campaigns[0], Status.completed, longest_seconds=60)
            assert Counter(m.campaign_id for m in w.sent()) == {campaign.id: 300 for campaign in campaigns}

    run(main, start=MONDAY_NOON)
