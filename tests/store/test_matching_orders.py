"""Whatever order answers and receipts come in, and however they are cut into batches, the end is the same."""

import random

from callsheet.core.attempt import Kind
from callsheet.core.ids import AttemptKey
from callsheet.core.matching import Carried, LooseReceipt
from callsheet.store.apps import App
from callsheet.store.protocol import Batch
from callsheet.store.store import Store
from factories import Node, StillClock, happening, start_run

ORDERS = 12
ENDS = (Kind.delivered, Kind.undelivered, None)


async def play(store: Store, app: App, clock: StillClock, node: Node, rng: random.Random) -> list[str]:
    """Tell one story in some order, and return how each attempt stands at its end."""
    (trunk,) = await store.apps.trunks(app.no)
    run = await start_run(store, app, clock, 12)
    intents = sorted(await node.walk_all(run), key=lambda intent: intent.pos)
    told: list[tuple[int, object]] = []
    for i, intent in enumerate(intents):
        ids = tuple(f"{run.no:x}f{i:x}{part:x}" for part in range(1 + i % 3))
        key = AttemptKey(run.no, intent.person, intent.n)
        taken = happening(intent, Kind.accepted, clock.now())
        told.append((0, (taken, Carried(app.no, trunk.no, key, ids, clock.now()))))
        for part, one in enumerate(ids):
            kind = ENDS[i % 3] if part == 0 else Kind.delivered
            if kind is not None:
                receipt = LooseReceipt(
                    app.no, trunk.no, (str(int(one, 16)), one), intent.person, kind, clock.now(), clock.now()
                )
                told += [(1, receipt), (1, receipt)]
    rng.shuffle(told)
    while told:
        size = rng.randint(1, 8)
        batch, told = told[:size], told[size:]
        answers = [one for what, one in batch if what == 0]
        receipts = [one for what, one in batch if what == 1]
        await store.hot.record(
            Batch(
                node.no, next(node._batches), [taken for taken, _ in answers], (), (),
                [carried for _, carried in answers], receipts,
            ),
            lambda: 0.0,
        )  # fmt: skip
    for _ in range(3):
        clock.advance(hours=1)
        taken = await store.parked_receipts.take(clock.now(), 1000)
        await store.hot.record(Batch(node.no, next(node._batches), receipts=taken.receipts), lambda: 0.0)
    attempts = await store.reports.attempts(app.no, run.no)
    states = {attempt.person: attempt.state for attempt in attempts}
    assert await store.parked_receipts.of_app(app.no, after=0, limit=10) == []
    return [states[intent.person] for intent in intents]


async def test_every_order_ends_the_same(store: Store, app: App, clock: StillClock, node: Node):
    ends = [await play(store, app, clock, node, random.Random(seed)) for seed in range(ORDERS)]

    assert ends[0].count("delivered") == 4
    assert ends[0].count("undelivered") == 4
    assert ends == [ends[0]] * ORDERS
