"""Whatever order answers and receipts come in, and however they are cut into batches, the end is the same."""

import asyncio
import random
import shutil
from collections import Counter
from collections.abc import Coroutine, Sequence
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from callsheet.carriers.smpp.receipts import as_answers_wrote
from callsheet.core.attempt import PENDING, Intent, Kind, fold
from callsheet.core.ids import AttemptKey
from callsheet.core.matching import (
    ORPHAN_SPAN,
    PARKED_SPAN,
    Carried,
    LooseReceipt,
    canonical_ids,
    day_of,
)
from callsheet.store.apps import App
from callsheet.store.protocol import Batch
from callsheet.store.store import Store
from databases import Place, rows
from factories import MONDAY_NOON, Node, StillClock, happening, make_app, start_run
from store.test_matching import Trunk

T = TypeVar("T")
ENDS = (Kind.delivered, Kind.undelivered, None)
KINDS = (Kind.delivered, Kind.undelivered, Kind.accepted)
ANY = st.integers(0, 59)
SPELLED = st.sampled_from(["06x", "d"])
STRANGE = b"s" * 16
"""A person whom nobody knows."""
FILES = count(1)


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


@pytest.mark.parametrize("orders", [5, pytest.param(12, marks=pytest.mark.full)])
async def test_every_order_ends_the_same(store: Store, app: App, clock: StillClock, node: Node, orders: int):
    ends = [await play(store, app, clock, node, random.Random(seed)) for seed in range(orders)]

    assert ends[0].count("delivered") == 4
    assert ends[0].count("undelivered") == 4
    assert ends == [ends[0]] * orders


class Text:
    """What the test knows of a text, and what the store should."""

    def __init__(self, intent: Intent, at: datetime, ids: tuple[str, ...]) -> None:
        self.key = AttemptKey(intent.run_no, intent.person, intent.n)
        self.intent = intent
        self.at = at
        self.ids = ids
        """As the carrier names its parts."""
        self.kinds: set[str] = set()
        self.known: dict[str, datetime] = {}
        """By which ids receipts find it, and since when."""
        self.parts: dict[str, str] | None = None
        """How each part stands whose id is known, where it is known that there are several."""

    @property
    def state(self) -> str:
        return fold(self.kinds)

    def written(self, part: int, spelled: str) -> str:
        """Return the id of a part as a receipt writes it."""
        return format(int(self.ids[part % len(self.ids)], 16), spelled)

    def learn(self, ids: Sequence[str], at: datetime) -> None:
        """Take the ids of an answer."""
        self.known |= dict.fromkeys(ids, at)
        if ids and len(self.ids) > 1:
            self.parts = {one: (self.parts or {}).get(one, "") for one in ids}

    def attach(self, receipt: LooseReceipt) -> bool:
        """Take a receipt whose id nobody knows; false: each part is another's."""
        one = receipt.ids[0]
        if self.parts is None:
            self.known.setdefault(one, receipt.heard_at)
        elif one not in self.parts:
            if len(self.parts) == len(self.ids):
                return False
            self.parts[one] = ""
            self.known[one] = next(iter(self.known.values()))
        self.tell(receipt, one)
        return True

    def tell(self, receipt: LooseReceipt, one: str) -> None:
        """Take a receipt by an id that is known."""
        if self.parts is None:
            self.kinds.add(receipt.kind)
            return
        self.parts[one] = fold((self.parts[one] or PENDING, receipt.kind))
        stand = {*self.parts.values(), *[""][: len(self.ids) - len(self.parts)]}
        if stand >= {Kind.delivered, Kind.undelivered}:
            self.kinds.add(Kind.undelivered)
        elif stand == {receipt.kind} != {Kind.accepted}:
            self.kinds.add(receipt.kind)


class Matching(RuleBasedStateMachine):
    """Answers, silences, receipts, sweeps and restarts in any order: the store says what a small model says."""

    def __init__(self, template: Path, folder: Path) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = StillClock()
        self.serial = count(1)
        self.path = folder / f"{next(FILES)}.db"
        shutil.copy(template, self.path)
        self.place = Place("sqlite", str(self.path), self.clock)
        self.texts: list[Text] = []
        self.runs = self.restarts = 0
        self.parked: dict[tuple[int, str, str, bytes], LooseReceipt] = {}
        self.trunk = self.do(self._open())

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def _open(self) -> Trunk:
        store = await self.place.open()
        trunk = await Trunk.open(
            store, await make_app(store, self.clock), self.clock, await Node.enter(store, self.clock)
        )
        self.astray = await store.apps.create_trunk(
            trunk.app.no, name="Other", carrier="sandbox", takes_any_sender=False, now=self.clock.now()
        )
        return trunk

    def teardown(self) -> None:
        self.do(self.place.close_all())
        self.runner.close()
        for path in self.path.parent.glob(f"{self.path.name}*"):
            path.unlink()

    # What happens.

    @initialize(parts=st.integers(1, 3))
    def begin(self, parts: int) -> None:
        self.arm(2, parts)

    @precondition(lambda self: self.runs < 3)
    @rule(people=st.integers(1, 2), parts=st.integers(1, 3))
    def arm(self, people: int, parts: int) -> None:
        _, intents = self.do(self.trunk.arm(people))
        self.runs += 1
        for intent in intents:
            ids = tuple(f"a{next(self.serial):05x}" for _ in range(parts))
            self.texts.append(Text(intent, self.clock.now(), ids))

    @precondition(lambda self: self.pick(0, PENDING))
    @rule(which=ANY)
    def accept(self, which: int) -> None:
        text = self.pick(which, PENDING)
        if text is not None:
            self.answer(text, Kind.accepted, text.ids)

    @precondition(lambda self: self.pick(0, PENDING))
    @rule(which=ANY, taken=st.integers(0, 2))
    def give_no_answer(self, which: int, taken: int) -> None:
        text = self.pick(which, PENDING)
        if text is not None:
            self.answer(text, Kind.uncertain, text.ids[:-1][:taken])

    @precondition(lambda self: self.pick(0, Kind.uncertain))
    @rule(which=ANY)
    def answer_late(self, which: int) -> None:
        text = self.pick(which, Kind.uncertain)
        # What a receipt spells otherwise, or on another day, is another id to us.
        days = {day_of(at) for at in text.known.values()} if text is not None else set()
        if text is not None and text.known.keys() <= set(text.ids) and days <= {day_of(self.clock.now())}:
            self.answer(text, Kind.accepted, text.ids)

    @rule(which=ANY, part=ANY, kind=st.sampled_from(KINDS), spelled=SPELLED, is_named=st.booleans())
    def tell(self, which: int, part: int, kind: Kind, spelled: str, *, is_named: bool) -> None:
        text = self.texts[which % len(self.texts)]
        person = text.key.person if is_named else b""
        for _ in range(2):
            self.hear(text.written(part, spelled), person, kind, self.trunk.no)

    @rule(which=ANY, kind=st.sampled_from(KINDS), spelled=SPELLED)
    def tell_all(self, which: int, kind: Kind, spelled: str) -> None:
        text = self.texts[which % len(self.texts)]
        for part in range(len(text.ids)):
            self.hear(text.written(part, spelled), text.key.person, kind, self.trunk.no)

    @rule(which=ANY, part=ANY, kind=st.sampled_from(KINDS), spelled=SPELLED)
    def tell_of_another_person(self, which: int, part: int, kind: Kind, spelled: str) -> None:
        text = self.texts[which % len(self.texts)]
        others = [one.key.person for one in self.texts if one.key.person != text.key.person]
        self.hear(text.written(part, spelled), [STRANGE, *others][part % 2], kind, self.trunk.no)

    @rule(which=ANY, part=ANY, kind=st.sampled_from(KINDS), spelled=SPELLED)
    def tell_through_another_trunk(self, which: int, part: int, kind: Kind, spelled: str) -> None:
        text = self.texts[which % len(self.texts)]
        self.hear(text.written(part, spelled), text.key.person, kind, self.astray.no)

    @rule(which=ANY, kind=st.sampled_from(KINDS))
    def tell_of_another_system(self, which: int, kind: Kind) -> None:
        text = self.texts[which % len(self.texts)]
        self.hear(f"x{next(self.serial)}", text.key.person, kind, self.trunk.no)

    @precondition(lambda self: self.parked)
    @rule()
    def sweep(self) -> None:
        now = self.clock.advance(hours=1)
        taken = self.do(self.trunk.store.parked_receipts.take(now, 1000))
        self.parked = {place: one for place, one in self.parked.items() if one.heard_at > now - PARKED_SPAN}
        assert {place_of(receipt) for receipt in taken.receipts} == self.parked.keys()
        for receipt in taken.receipts:
            self.do(self.trunk.hear(receipt))
            self.take(receipt, self.meant(receipt))

    @precondition(lambda self: self.clock.now() < MONDAY_NOON + timedelta(days=3))
    @rule(hours=st.sampled_from([1, 13, 30, 75]))
    def wait(self, hours: int) -> None:
        self.clock.advance(hours=hours)

    @precondition(lambda self: self.restarts < 2)
    @rule()
    def restart(self) -> None:
        self.restarts += 1
        store = self.do(self.place.reopen(self.trunk.store))
        node = self.do(Node.enter(store, self.clock))
        self.trunk = Trunk(store, self.clock, node, self.trunk.app, self.trunk.no)
        self.do(node.reap(all_arms=True))
        for text in self.texts:
            text.kinds = text.kinds or {Kind.uncertain}

    # What the model says.

    def pick(self, which: int, state: str) -> Text | None:
        """Return one of the texts that stand so, and whose answer may still come."""
        since = self.clock.now() - timedelta(hours=12)
        fit = [text for text in self.texts if text.state == state and text.at > since]
        return fit[which % len(fit)] if fit else None

    def answer(self, text: Text, kind: Kind, ids: tuple[str, ...]) -> None:
        now = self.clock.now()
        carried = self.trunk.took(text.intent, *ids)._replace(parts=0 if kind is Kind.accepted else len(text.ids))
        self.do(self.trunk.record([happening(text.intent, kind, now)], [carried] if ids else []))
        text.learn(ids, now)
        here = [one for one in self.parked.values() if one.trunk_no == self.trunk.no and set(one.ids) & set(ids)]
        # Whose they are is asked before anything of the batch happened.
        meant = [(receipt, self.meant(receipt)) for receipt in here]
        text.kinds.add(kind)
        for receipt, whose in meant:
            self.take(receipt, whose)

    def hear(self, written: str, person: bytes, kind: Kind, trunk_no: int) -> None:
        ids = canonical_ids(as_answers_wrote(written))
        receipt = self.trunk.receipt(*ids, person=person, kind=kind)._replace(trunk_no=trunk_no)
        self.do(self.trunk.hear(receipt))
        self.take(receipt, self.meant(receipt))

    def meant(self, receipt: LooseReceipt) -> tuple[Text, str] | None:
        """Return whose receipt it is, and by which id we know; empty: by its person alone."""
        if receipt.trunk_no != self.trunk.no:
            return None
        person, heard_at = receipt.person, receipt.heard_at
        hits = [
            (text.key.person == person, -place, text.known[one], text.key, text, one)
            for text in self.texts
            for place, one in enumerate(receipt.ids)
            if one in text.known and day_of(text.known[one]) <= day_of(heard_at) + 1
        ]
        text, one = max(hits)[-2:] if hits else (None, "")
        if text is not None and person in (b"", text.key.person):
            return text, one
        theirs = [one for one in self.texts if one.key.person == person]
        open_ones = [
            one
            for one in theirs
            if one.state in (PENDING, Kind.uncertain) and heard_at - ORPHAN_SPAN <= one.at <= heard_at
        ]
        if len(open_ones) == 1 and open_ones[0].state == Kind.uncertain:
            return open_ones[0], ""
        is_hasty = len(receipt.ids) > 1 and not receipt.parked_no
        return None if text is None or theirs or is_hasty else (text, one)

    def take(self, receipt: LooseReceipt, meant: tuple[Text, str] | None) -> None:
        """Give a receipt to the text that it means; else it waits, once."""
        if meant is not None:
            text, one = meant
            assert receipt.person in (b"", STRANGE, text.key.person)
            if one:
                text.tell(receipt, one)
            if one or text.attach(receipt):
                if receipt.parked_no:
                    del self.parked[place_of(receipt)]
                return
        self.parked.setdefault(place_of(receipt), receipt._replace(parked_no=1))

    # What the store says.

    @invariant()
    def the_store_says_the_same(self) -> None:
        self.do(self._compare())

    async def _compare(self) -> None:
        store = self.trunk.store
        told: dict[AttemptKey, set[str]] = {text.key: set() for text in self.texts}
        for run_no, person, n, kind in await rows(store, "select run_no, person, n, kind from event"):
            told[AttemptKey(run_no, person, n)].add(kind)
        assert told == {text.key: text.kinds for text in self.texts}
        counted = await rows(store, "select run_no, name, sum(value) from counter group by run_no, name")
        stand = Counter((text.key.run_no, text.state) for text in self.texts if text.kinds)
        assert {(no, name): value for no, name, value in counted if name in set(Kind) and value} == stand
        doubts = await rows(store, "select run_no, person, n from uncertain")
        assert {AttemptKey(*key) for key in doubts} == {text.key for text in self.texts if text.state == Kind.uncertain}
        waiting = await rows(store, "select trunk_no, carrier_id, kind, person from parked_receipt")
        assert {tuple(row) for row in waiting} == self.parked.keys()


def place_of(receipt: LooseReceipt) -> tuple[int, str, str, bytes]:
    return receipt.trunk_no, receipt.ids[0], receipt.kind.value, receipt.person


@pytest.mark.timeout(900)
@pytest.mark.parametrize("examples", [8, pytest.param(500, marks=pytest.mark.full)])
def test_whatever_happens_each_receipt_ends_where_it_belongs(sqlite_template: Path, tmp_path: Path, examples: int):
    run_state_machine_as_test(
        lambda: Matching(sqlite_template, tmp_path),
        settings=settings(max_examples=examples, stateful_step_count=40, suppress_health_check=list(HealthCheck)),
    )
