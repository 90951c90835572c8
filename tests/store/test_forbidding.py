"""What forbids is effective when it answers: whoever was armed before is known, and nobody is armed after."""

import asyncio

import pytest

from callsheet.core.campaign import Move, Named
from callsheet.core.run import Run
from callsheet.store.apps import App
from callsheet.store.protocol import ArmKey
from callsheet.store.store import Store
from databases import Place
from factories import Node, StillClock, forbid, make_campaign, make_list, number, opt_out, start

PEOPLE = 60


async def arm_all(node: Node, run: Run, armed: dict[str, ArmKey]) -> None:
    """Arm one by one and remember in which arm everybody is."""
    async for one in node.walk(run, size=7, limit=1):
        for intent in one.intents:
            armed[intent.number] = ArmKey(intent.app, intent.run_no, node.no, intent.arm_no)
        await asyncio.sleep(0)


async def nodes(place: Place, store: Store, clock: StillClock) -> list[Node]:
    """Enter two nodes, on PostgreSQL as two programs."""
    other = await place.open() if place.kind == "postgres" else store
    return [await Node.enter(store, clock), await Node.enter(other, clock)]


@pytest.mark.parametrize("means", ["dnc", "opt_out"])
async def test_whoever_is_forbidden_is_either_held_when_it_answers_or_never_armed(
    place: Place, store: Store, app: App, clock: StillClock, means: str
):
    dnc = await store.dnc_lists.create(app.no, "Ours", clock.now())
    contact_list = await make_list(store, app, clock, PEOPLE)
    campaign = await make_campaign(store, app, clock, [contact_list], dnc_lists=(Named(dnc.no, dnc.id, dnc.name),))
    run = await start(store, app, clock, campaign)
    armed: dict[str, ArmKey] = {}
    held: dict[str, set[ArmKey]] = {}

    async def prohibit() -> None:
        for i in range(0, PEOPLE, 3):
            if means == "dnc":
                await forbid(store, app, dnc.no, [number(i)])
            else:
                await opt_out(store, app, clock, number(i))
            held[number(i)] = set(await store.hot.unhanded(app.no))

    walkers = [arm_all(node, run, armed) for node in await nodes(place, store, clock)]
    await asyncio.gather(prohibit(), *walkers)

    assert {key for to, key in armed.items() if to in held and key not in held[to]} == set()
    counters = await store.reports.counters(app.no, run.no)
    assert counters["armed"] == len(armed)
    assert sum(counters.values()) == PEOPLE


@pytest.mark.parametrize("move", [Move.pause, Move.stop])
async def test_nobody_is_armed_after_a_pause_or_a_stop_has_answered(
    place: Place, store: Store, app: App, clock: StillClock, move: Move
):
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, PEOPLE)])
    run = await start(store, app, clock, campaign)
    armed: dict[str, ArmKey] = {}
    held: set[ArmKey] = set()
    enough, forbidden = asyncio.Event(), asyncio.Event()

    async def forbid_all() -> None:
        await enough.wait()
        await store.campaigns.move(campaign, move, clock.now())
        forbidden.set()
        held.update(await store.hot.unhanded(app.no, run.no))

    async def walk(node: Node) -> None:
        while chunk := await node.take(run, size=7):
            while chunk is not None:
                one = await node.arm(run, chunk, 1)
                for intent in one.intents:
                    armed[intent.number] = ArmKey(intent.app, intent.run_no, node.no, intent.arm_no)
                chunk = one.left
                if len(armed) >= PEOPLE // 4:
                    enough.set()
                if len(armed) >= PEOPLE // 2:
                    # However long the call takes: there is somebody left to arm after it has answered.
                    await forbidden.wait()

    walkers = [walk(node) for node in await nodes(place, store, clock)]
    await asyncio.gather(forbid_all(), *walkers)

    assert set(armed.values()) == held
    assert 0 < len(armed) < PEOPLE


async def test_what_a_node_withdrew_or_handed_over_is_not_waited_for(
    store: Store, app: App, clock: StillClock, node: Node
):
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, 2)])
    run = await start(store, app, clock, campaign)
    async for one in node.walk(run, limit=1):
        (intent,) = one.intents
        await node.record(handed=[ArmKey(app.no, run.no, node.no, intent.arm_no)])

    await store.campaigns.move(campaign, Move.pause, clock.now())

    assert not await store.hot.unhanded(app.no, run.no)
