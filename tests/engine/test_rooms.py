"""Classes and pools: every limit holds, the slow hold up nobody else, and each contact keeps its sender."""

from bisect import bisect_left
from collections import Counter, defaultdict
from datetime import timedelta
from pathlib import Path

import pytest

from callsheet.carriers.base import NotConnected, Outbound
from callsheet.core.allowance import UNLIMITED, Allowance, CarrierClass
from callsheet.core.asking import nobody_forbids
from callsheet.core.campaign import Status
from callsheet.core.pools import Pool
from callsheet.engine.tuning import Tuning
from callsheet.engine.virtual_time import VirtualClock, run
from engine.world import Passing, World, world
from factories import MONDAY_NOON, SENDER, make_definition, make_list, number

SECOND = timedelta(seconds=1)
DAY_SECONDS = 86_400
SLOW = tuple(number(serial) for serial in range(0, 300, 3))
"""A third of the contacts, each a class prefix of its own."""


def slow_class(**limits: float) -> CarrierClass:
    return CarrierClass("slow", prefixes=SLOW, **limits)  # type: ignore[arg-type]


async def limit(w: World, allowance: Allowance, label: str = SENDER) -> None:
    sender = await w.store.apps.find_sender(w.app.no, label, w.clock.now())
    assert sender is not None
    await w.store.senders.change(w.app.no, sender.id, {"allowance": allowance}, w.clock.now())


async def begin(w: World, clock: VirtualClock, contacts: int, **changes: object):
    people = await make_list(w.store, w.app, clock, contacts)
    definition = make_definition([people], **changes)
    campaign = await w.store.campaigns.create(w.app.no, definition, clock.now(), unique_names=True)
    return await w.run_campaign(campaign, "Hello")


async def make_pool(w: World, *labels: str, fail_over: bool = False) -> dict[str, int]:
    members = {}
    for label in labels:
        sender = await w.store.apps.find_sender(w.app.no, label, w.clock.now())
        assert sender is not None
        members[label] = sender.no
    pool = await w.store.apps.find_sender(w.app.no, "Summer pool", w.clock.now())
    assert pool is not None
    await w.store.senders.change(w.app.no, pool.id, {"pool": Pool(tuple(members.values()), fail_over)}, w.clock.now())
    return members


def most_in_a_second(instants: list) -> int:
    return max(bisect_left(instants, at + SECOND) - i for i, at in enumerate(instants))


@pytest.mark.parametrize("base", [UNLIMITED, Allowance(segments_per_second=50)])
def test_a_slow_class_obeys_its_rate_and_does_not_hold_up_the_others(tmp_path: Path, base: Allowance) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            rate = base.segments_per_second
            await limit(w, Allowance(rate, classes=(slow_class(segments_per_second=4.5),)))
            began = clock.now()
            campaign = await begin(w, clock, 300)
            await w.until(campaign, Status.completed, longest_seconds=600)

            sent = w.sent()
            slow = [message.accepted_at for message in sent if message.to in SLOW]
            others = [message.accepted_at for message in sent if message.to not in SLOW]
            assert (len(slow), len(others)) == (100, 200)
            assert most_in_a_second(slow) <= 5 + 1
            assert (others[-1] - began) / SECOND <= (10 if rate else 5)
            assert (slow[-1] - slow[0]) / SECOND <= 100 / 4.5 * 1.25

    run(main, start=MONDAY_NOON)


def test_the_cap_of_a_class_keeps_only_its_contacts_until_the_next_day(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=Tuning(tick_seconds=1800.0, lease_seconds=3600.0)) as w:
            await limit(w, Allowance(classes=(slow_class(segments_per_day=60),)))
            campaign = await begin(w, clock, 300)
            await clock.sleep(120)
            first = Counter(message.to in SLOW for message in w.sent())
            await w.until(campaign, Status.completed, longest_seconds=2 * DAY_SECONDS, step=600)

            assert first == {True: 60, False: 200}
            assert len({message.to for message in w.sent()}) == len(w.sent()) == 300

    run(main, start=MONDAY_NOON)


def test_a_contact_keeps_its_sender_over_campaigns_and_members_keep_their_rates(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            labels = ("+12125550111", "+12125550112", "+12125550113")
            await make_pool(w, *labels)
            await limit(w, Allowance(segments_per_second=5), labels[0])
            people = await make_list(w.store, w.app, clock, 150)
            for name in ("First", "Second"):
                definition = make_definition([people], sender="Summer pool", name=name)
                campaign = await w.store.campaigns.create(w.app.no, definition, clock.now(), unique_names=True)
                await w.until(await w.run_campaign(campaign), Status.completed, longest_seconds=600)
                # A fourth member takes nobody away from those who have had a sender.
                await make_pool(w, *labels, "+12125550114")

            heard = defaultdict(set)
            for message in w.sent():
                heard[message.to].add(message.sender)
            assert len(w.sent()) == 300
            assert all(len(senders) == 1 for senders in heard.values())
            shares = Counter(sender for senders in heard.values() for sender in senders)
            assert set(shares) == set(labels)
            assert min(shares.values()) > 25
            slow = [message.accepted_at for message in w.sent() if message.sender == labels[0]]
            assert most_in_a_second(slow) <= 5 + 1

    run(main, start=MONDAY_NOON)


class Dying(Passing):
    """A carrier that is not there for the messages of some senders."""

    dead: set[str] = set()  # noqa: RUF012 (one for each test)

    async def send(self, message: Outbound, leave=nobody_forbids):
        if message.sender in self.dead:
            raise NotConnected
        return await self.carrier.send(message, leave)


@pytest.mark.parametrize("fail_over", [True, False])
def test_contacts_of_a_member_whose_trunk_dies_wait_for_it_or_go_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail_over: bool
) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            monkeypatch.setattr(Dying, "dead", set())
            await w.conductor.stop()
            w.wrap = Dying
            await w.start()
            labels = ("+12125550111", "+12125550112")
            members = await make_pool(w, *labels, fail_over=fail_over)
            second = await w.store.apps.create_trunk(
                w.app.no, name="Second", carrier="sandbox", takes_any_sender=False, now=clock.now()
            )
            sender = next(one for one in await w.store.apps.senders(w.app.no) if one.no == members[labels[1]])
            await w.store.senders.change(w.app.no, sender.id, {"trunk_no": second.no}, clock.now())

            # The first time everybody gets a sender, and the second time one of the trunks is dead.
            people = await make_list(w.store, w.app, clock, 20)
            definition = make_definition([people], sender="Summer pool", name="First")
            first = await w.store.campaigns.create(w.app.no, definition, clock.now(), unique_names=True)
            await w.until(await w.run_campaign(first), Status.completed, longest_seconds=600)
            known = {message.to: message.sender for message in w.sent()}
            assert set(known.values()) == set(labels)

            Dying.dead.add(labels[1])
            definition = make_definition([people], sender="Summer pool", name="Second")
            campaign = await w.store.campaigns.create(w.app.no, definition, clock.now(), unique_names=True)
            campaign = await w.run_campaign(campaign)
            await clock.sleep(150)
            again = {message.to: message.sender for message in w.sent()[20:]}
            waiting = [to for to, label in known.items() if label == labels[1]]
            assert set(again.values()) == {labels[0]}
            assert set(again) == (set(known) if fail_over else set(known) - set(waiting))

            Dying.dead.clear()
            await w.until(campaign, Status.completed, longest_seconds=3600, step=10)
            assert Counter(message.to for message in w.sent()) == dict.fromkeys(known, 2)
            if not fail_over:
                assert {message.to: message.sender for message in w.sent()[20:]} == known

    run(main, start=MONDAY_NOON)
