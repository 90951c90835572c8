"""Circles in which a flow would run for ever, as nothing in them waits; also over flows that run each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Place = tuple[str, str]
"""A flow and a block of it, by their uuids."""


@dataclass(slots=True)
class Way:
    """How it goes on from a block."""

    waits: bool
    """For the contact, or for somebody: a circle may go through it."""
    pauses: bool
    """A step ends there: it waits, if perhaps for an answer that comes at once."""
    to: Sequence[str]
    """The blocks that its exits lead to."""
    ends: bool
    """One of its exits leads nowhere: the flow ends there."""
    runs: str = ""
    """The flow that it runs; empty: none."""


@dataclass(slots=True)
class Ways:
    """How it goes on from the blocks of a flow."""

    first: str
    blocks: Mapping[str, Way]


@dataclass(slots=True)
class _Passing:
    """Which flows can be gone through without waiting."""

    passes: set[str] = field(default_factory=set)
    reached: set[Place] = field(default_factory=set)
    held: dict[str, list[Place]] = field(default_factory=dict)
    """The blocks from which it goes on once a flow is known to pass, by that flow."""


def circles(flows: Mapping[str, Ways]) -> Iterator[list[Place]]:
    """Yield the blocks of each circle without a block that waits, in linear time."""
    after = following_of(flows)
    for part in parts(after):
        if len(part) > 1 or part[0] in after[part[0]]:
            yield part


def following_of(flows: Mapping[str, Ways]) -> Mapping[Place, Sequence[Place]]:
    """Return what follows on each block that does not wait."""
    passes = _passing(flows)
    after: dict[Place, list[Place]] = {}
    for uuid, flow in flows.items():
        for block, way in flow.blocks.items():
            if way.waits:
                continue
            following = [(uuid, to) for to in way.to] if not way.runs or way.runs in passes else []
            if way.runs in flows:
                following.append((way.runs, flows[way.runs].first))
            after[uuid, block] = following
    return after


def _passing(flows: Mapping[str, Ways]) -> set[str]:
    """Return the flows that can come from their first block to an end without waiting."""
    known = _Passing()
    todo = [(uuid, flow.first) for uuid, flow in flows.items()]
    while todo:
        place = todo.pop()
        uuid, block = place
        way = flows[uuid].blocks.get(block)
        if way is None or way.waits or place in known.reached:
            continue
        if way.runs and way.runs not in known.passes:
            known.held.setdefault(way.runs, []).append(place)
            continue
        known.reached.add(place)
        todo += [(uuid, to) for to in way.to]
        if way.ends and uuid not in known.passes:
            known.passes.add(uuid)
            todo += known.held.pop(uuid, [])
    return known.passes


def parts(after: Mapping[Place, Sequence[Place]]) -> Iterator[list[Place]]:
    """Yield the strongly connected parts of a graph, what follows first (Tarjan's algorithm, without recursion)."""
    numbers: dict[Place, int] = {}
    lowest: dict[Place, int] = {}
    stack: list[Place] = []
    on_stack: set[Place] = set()
    for start in after:
        if start in numbers:
            continue
        path: list[tuple[Place, Iterator[Place]]] = [(start, iter(after[start]))]
        numbers[start] = lowest[start] = len(numbers)
        stack.append(start)
        on_stack.add(start)
        while path:
            place, following = path[-1]
            open_ones = (each for each in following if each in after and (each not in numbers or each in on_stack))
            other = next(open_ones, None)
            if other is None:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[place])
                if lowest[place] == numbers[place]:
                    yield _taken_off(stack, on_stack, place)
            elif other in numbers:
                lowest[place] = min(lowest[place], numbers[other])
            else:
                numbers[other] = lowest[other] = len(numbers)
                stack.append(other)
                on_stack.add(other)
                path.append((other, iter(after[other])))


def _taken_off(stack: list[Place], on_stack: set[Place], last: Place) -> list[Place]:
    part: list[Place] = []
    while not part or part[-1] != last:
        part.append(stack.pop())
        on_stack.discard(part[-1])
    return part[::-1]
