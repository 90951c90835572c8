"""How fast calls begin: a call is one segment of its trunk's rate, whoever else speaks through the trunk."""

import itertools
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from callsheet.carriers.sandbox.ledger import Ledger
from callsheet.clock import Clock
from callsheet.core.allowance import Allowance
from callsheet.core.campaign import Status
from callsheet.core.run import AppSettings
from callsheet.engine.pace import LONGEST_SLICE_SECONDS
from callsheet.store.apps import App
from callsheet.store.store import Store
from databases import Place
from engine.calls import call, play
from engine.test_two_engines import CLOCK, TUNING, until_completed
from engine.world import World
from factories import make_app, make_definition, make_list, number, trunk_of

RATE = 2.0
"""Calls a second."""
MANY = AppSettings(agentless_concurrent_calls=1000)
"""Slots that nobody has to wait for."""
PEOPLE = [number(i) for i in range(120)]
SMALL_CHUNKS = replace(TUNING, chunk_size=10)
"""No engine takes all people of a run at once."""


async def slow_down(store: Store, app: App, clock: Clock, rate: float = RATE) -> None:
    """Let the trunk of an app bear so many segments a second, texts and calls together."""
    trunk = await trunk_of(store, app)
    await store.trunks.change(app.no, trunk.id, {"allowance": Allowance(rate)}, clock.now())


def begun(*worlds: World) -> list[float]:
    """Note from now on when each call is begun, on the monotonic clock."""
    instants: list[float] = []

    def note(w: World) -> None:
        dial = w.phones.dial

        async def noted(*args: object) -> object:
            instants.append(w.clock.monotonic())
            return await dial(*args)  # type: ignore[arg-type]

        w.phones.dial = noted  # type: ignore[method-assign,assignment]

    for world in worlds:
        note(world)
    return instants


def crowded(instants: Iterable[float], rate: float) -> list[tuple[float, int]]:
    """Return the spans in which more began than the rate allows: their seconds, and how many it were."""
    at = sorted(instants)
    return [
        (at[last] - at[first], last - first + 1)
        for first, last in itertools.combinations(range(len(at)), 2)
        if last - first > rate * (at[last] - at[first]) + 1e-6
    ]


def used(instants: Iterable[float]) -> float:
    """Return how many began a second."""
    at = sorted(instants)
    return (len(at) - 1) / (at[-1] - at[0])


def test_two_runs_of_a_trunk_together_begin_no_more_calls_than_its_rate(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await slow_down(w.store, w.app, w.clock)
        instants = begun(w)
        labels = [f"+1212555010{i}" for i in (0, 1, 1)]
        runs = [await call(w, PEOPLE[i * 40 : (i + 1) * 40], sender=label) for i, label in enumerate(labels)]
        for run in runs:
            await w.until(run, Status.completed, longest_seconds=3600, step=5.0)

        assert len(instants) == len(PEOPLE)
        assert crowded(instants, RATE) == []
        assert used(instants) >= 0.98 * RATE

    play(tmp_path, main, settings=MANY)


def test_texts_and_calls_of_a_trunk_share_its_rate(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await slow_down(w.store, w.app, w.clock, 4.0)
        instants = begun(w)
        people = await make_list(w.store, w.app, w.clock, 60)
        texts = await w.store.campaigns.create(w.app.no, make_definition([people]), w.clock.now(), unique_names=True)
        origin = w.clock.now()
        texts = await w.run_campaign(texts, "x" * 170)
        calls = await call(w, PEOPLE[:60], sender="+12125550102")
        for run in (texts, calls):
            await w.until(run, Status.completed, longest_seconds=3600, step=5.0)

        sent = w.sent()
        offset = w.clock.monotonic() - (w.clock.now() - origin).total_seconds()
        assert {message.segments for message in sent} == {2}
        # A text of two segments leaves at the instant of its first, and spends its second ahead.
        texted = [offset + (message.accepted_at - origin).total_seconds() + i / 4 for message in sent for i in (0, 1)]
        assert len(instants) == 60
        assert crowded([*instants, *texted], 4.0) == []

    play(tmp_path, main, settings=MANY)


def test_messages_per_minute_of_an_app_does_not_slow_down_its_calls(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await slow_down(w.store, w.app, w.clock)
        instants = begun(w)
        run = await call(w, PEOPLE[:60])
        await w.until(run, Status.completed, longest_seconds=3600, step=5.0)

        assert crowded(instants, RATE) == []
        assert used(instants) >= 0.98 * RATE

    play(tmp_path, main, settings=AppSettings(agentless_concurrent_calls=1000, messages_per_minute=6))


@asynccontextmanager
async def engine(place: Place, app: App, folder: Path) -> AsyncIterator[World]:
    """Run an engine of its own, with a phone network of its own, in real time."""
    store = await place.open()
    folder.mkdir()
    world = World(
        CLOCK,  # type: ignore[arg-type] # the loops take any clock
        store, app, Ledger(folder / "ledger.db"), random.Random(1), folder, SMALL_CHUNKS, sole_owner=False, calls=True,
    )  # fmt: skip
    await world.start()
    try:
        yield world
    finally:
        await world.conductor.stop()
        world.ledger.close()


async def test_two_engines_together_begin_no_more_calls_than_the_rate_of_the_trunk(
    postgres_place: Place, tmp_path: Path
) -> None:
    people, rate = PEOPLE[:60], 10.0
    store = await postgres_place.open()
    app = await make_app(store, CLOCK, MANY)
    await slow_down(store, app, CLOCK, rate)
    async with engine(postgres_place, app, tmp_path / "a") as a, engine(postgres_place, app, tmp_path / "b") as b:
        of_a, of_b = begun(a), begun(b)
        began = CLOCK.monotonic()
        runs = [await call(world, people[i::2], sender=f"+1212555010{i}") for i, world in enumerate((a, b))]
        for run in runs:
            await until_completed(a, run)

    instants = sorted(of_a + of_b)
    assert len(instants) == len(people)
    # A busy machine may use an instant late, and none earlier than a slice before it was due.
    early = [i for i, at in enumerate(instants) if at < began + i / rate - LONGEST_SLICE_SECONDS]
    assert early == []
