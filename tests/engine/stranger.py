"""A carrier whose receipts name its own ids, and nothing of ours: what most of the world looks like."""

from collections.abc import Callable, Sequence
from itertools import count

from callsheet.carriers.base import Accepted, Hear, Limits, NoAnswer, Outbound, Probe, Receipt
from callsheet.core.asking import nobody_forbids
from callsheet.core.attempt import Kind
from callsheet.core.condition import Condition, State
from callsheet.core.ids import hint_of
from callsheet.engine.virtual_time import VirtualClock


class Stranger:
    """Takes every message, and tells receipts when the test says so; it outlives the engines that it speaks to."""

    def __init__(self, clock: VirtualClock, *, parts: int = 1, answer_seconds: float = 0.05) -> None:
        self.limits = Limits(window=100)
        self.taken: list[tuple[Outbound, tuple[str, ...]]] = []
        self.parts = parts
        self.answer_seconds = answer_seconds
        self.loses = 0
        """How often an answer is lost: every so many messages; 0: never."""
        self.lost: list[tuple[Outbound, tuple[str, ...]]] = []
        self.on_taken: Callable[[Outbound, tuple[str, ...]], None] = lambda *_: None
        self._clock = clock
        self._ids = count(0xABC01)
        self.hear: Hear

    async def open(self, hear: Hear) -> None:
        self.hear = hear

    async def send(self, message: Outbound, leave: Callable[[], bool] = nobody_forbids) -> Accepted:
        ids = tuple(f"{next(self._ids):X}" for _ in range(self.parts))
        self.taken.append((message, ids))
        assert leave()
        self.on_taken(message, ids)
        is_lost = self.loses and len(self.taken) % self.loses == 0
        await self._clock.sleep(self.answer_seconds)
        if is_lost:
            self.lost.append((message, ids))
            # Of a text in parts, the answer to the first of them came.
            raise NoAnswer(carrier_ids=(ids[0], *[""] * (self.parts - 1)) if self.parts > 1 else ())
        return Accepted(ids[0], self.parts, ids)

    def receipts(self, kind: Kind = Kind.delivered, *, spelled: str = "X", hinted: bool = False) -> list[Receipt]:
        """Return the receipts of all that was taken, their ids spelled in hexadecimal or decimal."""
        return [
            self.receipt(message, one, kind, spelled=spelled, hinted=hinted)
            for message, ids in self.taken
            for one in ids
        ]

    def receipt(
        self, message: Outbound, one: str, kind: Kind = Kind.delivered, *, spelled: str = "X", hinted: bool = False
    ) -> Receipt:
        written = format(int(one, 16), spelled)
        others = () if spelled == "X" else (one,)
        hint = hint_of(message.reference) if hinted else None
        number = message.to.removeprefix("+")
        return Receipt("", written, kind, self._clock.now(), "", others, number, hint)

    async def tell(self, receipts: Sequence[Receipt]) -> None:
        await self.hear(receipts)

    def condition(self) -> Condition:
        return Condition(State.open)

    async def probe(self) -> Probe:
        return Probe(ok=True, said="It is a test.")

    async def close(self) -> None:
        return None
