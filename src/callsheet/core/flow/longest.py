"""The longest way that a flow can go in one step, counted as `step.py` counts; also over flows that run each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from callsheet.core.flow.circles import Place, Way, Ways, following_of, parts


@dataclass(slots=True)
class _Lengths:
    """How far it goes from blocks on."""

    most: int
    """Nothing is counted further."""
    until: dict[Place, int] = field(default_factory=dict)
    """From coming to a block until something waits, or all has ended."""
    through: dict[Place, int] = field(default_factory=dict)
    """From coming to a block until its flow ends; none: something waits before, whatever way it goes."""

    def after(self, uuid: str, way: Way) -> int:
        """Return how far it goes from a block that is left."""
        return max([self.until.get((uuid, to), 0) for to in way.to] + [1] * way.ends, default=0)

    def out(self, uuid: str, way: Way) -> int | None:
        """Return how far it is from a block that is left to the end of its flow; None: something waits before."""
        found = [length for to in way.to if (length := self.through.get((uuid, to))) is not None]
        return max(found + [0] * way.ends, default=None)


def longest(flows: Mapping[str, Ways], first: str, rounds: int, most: int) -> tuple[Place, int] | None:
    """Return from where it goes farthest in one step, and how far, in linear time. None: there is no such flow.

    There is no circle in the flows, and `first` begins. `rounds`: so many flows run in each other. It is counted up to
    a little more than `most`.
    """
    if first not in flows:
        return None
    after = following_of(flows)
    lengths = _Lengths(most + 1)
    for uuid, flow in flows.items():
        lengths.until |= {(uuid, block): 1 for block, way in flow.blocks.items() if way.pauses}
    for part in parts(after):
        # What follows on a block comes before it.
        uuid, block = part[0]
        way = flows[uuid].blocks[block]
        if not way.pauses:
            _measure(flows, part[0], way, lengths)
    begins = first, flows[first].first
    starts = {begins: lengths.until.get(begins, 0)}
    for place, come in _resumed(flows, lengths, rounds).items():
        left = come + lengths.after(place[0], flows[place[0]].blocks[place[1]])
        starts[place] = max(starts.get(place, 0), left)
    return max(starts.items(), key=lambda start: start[1])


def _measure(flows: Mapping[str, Ways], place: Place, way: Way, lengths: _Lengths) -> None:
    """Measure from a block on, whose followers are measured."""
    uuid, most = place[0], lengths.most
    until, out = 1 + lengths.after(uuid, way), lengths.out(uuid, way)
    through = None if out is None else 1 + out
    if way.runs:
        # The block counts when it runs the other flow, and when it is left.
        inner = (way.runs, flows[way.runs].first) if way.runs in flows else place
        passing = lengths.through.get(inner)
        until = 1 + max(lengths.until.get(inner, 0), passing + until if passing is not None else 0)
        through = 1 + passing + through if passing is not None and through is not None else None
    lengths.until[place] = min(until, most)
    if through is not None:
        lengths.through[place] = min(through, most)


def _resumed(flows: Mapping[str, Ways], lengths: _Lengths, rounds: int) -> Mapping[Place, int]:
    """Return how far it has come when a block is left in the step in which what it waited for came.

    A block that runs another flow is left so when that has ended after a reply.
    """
    all_ways = [((uuid, block), way) for uuid, flow in flows.items() for block, way in flow.blocks.items()]
    runs = [(place, way) for place, way in all_ways if way.runs]
    resumed = {place: 1 for place, way in all_ways if way.pauses}
    ended: dict[str, int] = {}
    for place, way in all_ways:
        if way.pauses:
            _end(ended, place, way, 1, lengths)
    for _ in range(rounds):
        before = dict(ended)
        for place, way in runs:
            if way.runs in before:
                resumed[place] = come = min(before[way.runs] + 1, lengths.most)
                _end(ended, place, way, come, lengths)
        if ended == before:
            break
    return resumed


def _end(ended: dict[str, int], place: Place, way: Way, come: int, lengths: _Lengths) -> None:
    """Note how far it has come at the end of a flow in which a block is left."""
    out = lengths.out(place[0], way)
    if out is not None:
        ended[place[0]] = min(max(ended.get(place[0], 0), come + out), lengths.most)
