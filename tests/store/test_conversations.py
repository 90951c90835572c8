"""A report of a period has everything that was said in it, the newest first, whatever run it belongs to."""

from datetime import timedelta

import pytest

from callsheet.core.attempt import Kind
from callsheet.core.campaign import Channel
from callsheet.store.apps import App
from callsheet.store.conversations import Conversation, Wanted
from callsheet.store.store import Store
from factories import MONDAY_NOON, Node, StillClock, make_app, number, opt_out, start_run

BOTH = frozenset(Channel)


def period(first_day: float, last_day: float, **changes) -> Wanted:
    """Ask for the days after the first Monday's noon."""
    start, end = (MONDAY_NOON + timedelta(days=day) for day in (first_day, last_day))
    return Wanted(**{"start": start, "end": end, "outbound": True, "inbound": True, "channels": BOTH, **changes})


async def everything(store: Store, app: App, wanted: Wanted, limit: int = 3) -> list[Conversation]:
    """Walk all pages, and see that each tells the same total."""
    found: list[Conversation] = []
    while True:
        total, page = await store.conversations.page(app.no, wanted, offset=len(found), limit=limit)
        found += page
        if len(page) < limit:
            assert total == len(found)
            return found


@pytest.fixture
async def week(store: Store, app: App, clock: StillClock, node: Node) -> list[bytes]:
    """Run three campaigns on three days, the first going on to the last of them; return who was attempted, in order."""
    told: list[bytes] = []
    slow = await start_run(store, app, clock, 4)
    chunk = await node.take(slow, size=4)
    assert chunk is not None
    first = await node.arm(slow, chunk, limit=2)
    told += [intent.person for intent in first.intents]
    await node.tell(first.intents, Kind.delivered)
    for _ in range(2):
        clock.advance(days=1)
        run = await start_run(store, app, clock, 3)
        intents = await node.walk_all(run)
        await node.tell(intents, Kind.undelivered)
        assert await store.hot.complete(run)
        told += [intent.person for intent in intents]
    clock.advance(hours=1)
    assert first.left is not None
    last = await node.arm(slow, first.left)
    await node.tell(last.intents, Kind.accepted)
    told += [intent.person for intent in last.intents]
    return told


async def test_every_attempt_is_told_once_and_the_newest_first(store: Store, app: App, week: list[bytes]):
    found = await everything(store, app, period(-1, 4))

    assert sorted(one.person for one in found) == sorted(week)
    assert [one.at for one in found] == sorted((one.at for one in found), reverse=True)
    assert [one.state for one in found] == ["accepted"] * 2 + ["undelivered"] * 6 + ["delivered"] * 2
    assert {one.attributes["first_name"] for one in found} == {"Ada"}
    assert {one.number for one in found} == {number(i) for i in range(4)}


@pytest.mark.parametrize(
    ("first_day", "last_day", "expected"),
    [(0, 0.5, 2), (0.5, 1.5, 3), (1, 2, 3), (1.5, 4, 5), (2.01, 4, 2), (3, 4, 0), (-2, 0, 0)],
)
async def test_what_lies_before_or_after_the_period_is_not_told(
    store: Store, app: App, week: list[bytes], first_day: float, last_day: float, expected: int
):
    assert len(await everything(store, app, period(first_day, last_day))) == expected


async def test_replies_stand_between_the_attempts(
    store: Store, app: App, clock: StillClock, node: Node, week: list[bytes]
):
    clock.advance(hours=1)
    await opt_out(store, app, clock, number(0))
    await opt_out(store, app, clock, number(77))

    found = await everything(store, app, period(-1, 4))
    replies = await everything(store, app, period(-1, 4, outbound=False))
    voice = await everything(store, app, period(-1, 4, channels=frozenset({Channel.voice})))

    assert [one.source is None for one in found] == [True] * 2 + [False] * 10
    assert {(one.number, one.sender) for one in replies} == {(number(0), "+12125550100"), (number(77), "+12125550100")}
    assert voice == []


async def test_another_app_is_told_nothing(store: Store, clock: StillClock, week: list[bytes]):
    other = await make_app(store, clock, name="Rival")

    assert await everything(store, other, period(-1, 4)) == []


async def test_a_deleted_campaign_leaves_its_conversations(store: Store, app: App, week: list[bytes]):
    before = await everything(store, app, period(0.5, 1.5))
    source = before[0].source
    assert source is not None
    campaign = await store.campaigns.find(app.no, campaign_id=source.campaign_id)
    assert campaign is not None

    await store.campaigns.delete(campaign)
    after = await everything(store, app, period(0.5, 1.5))

    assert [one.id for one in after] == [one.id for one in before]
    assert {one.source.campaign_id for one in after if one.source} == {""}
