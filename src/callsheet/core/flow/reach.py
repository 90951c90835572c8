"""Reach: what a flow may say before it waits, to whomever: along some way to some contact."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime

from callsheet.core.flow.amiss import Amiss
from callsheet.core.flow.blocks.kind import End, Fail, Outcome, RunFlow, Wait
from callsheet.core.flow.blocks.kinds import kind_named
from callsheet.core.flow.document import Block, Container, Content, Flow
from callsheet.core.flow.languages import choose_language
from callsheet.core.flow.session import Awaits, Frame, Mode, Session
from callsheet.core.flow.turn import MakingTurn


def find_message(container: Container, mode: Mode, at: datetime) -> Sequence[Content]:
    """Return what the nearest block says to which some way leads without a reply; empty: no way leads to any."""
    first = container.first, container.flows[container.first].first
    near, seen = deque([first]), {first}
    while near:
        flow = container.flows[near[0][0]]
        block = flow.blocks.get(near.popleft()[1])
        if block is None:
            continue
        said, outcome = _enter(container, flow, block, mode, at)
        if any(content.source.strip() for content in said):
            return said
        for place in _following(container, flow, block, outcome):
            if place not in seen:
                seen.add(place)
                near.append(place)
    return ()


def _enter(
    container: Container, flow: Flow, block: Block, mode: Mode, at: datetime
) -> tuple[Sequence[Content], Outcome]:
    """Come to one block, as a contact of whom nothing is known would."""
    frame = Frame(flow.uuid, block.uuid, at, at)
    session = Session(choose_language(flow, ""), mode, {}, "", {}, (frame,), Awaits.nothing, 0)
    making = MakingTurn(container, session, at)
    try:
        outcome = kind_named(block.kind).enter(making, block)
    except Amiss as error:
        outcome = Fail(str(error))
    return making.said, outcome


def _following(container: Container, flow: Flow, block: Block, outcome: Outcome) -> list[tuple[str, str]]:
    """Return where some contact may come to next without a reply."""
    if isinstance(outcome, Wait | End):
        return []
    found = [(flow.uuid, way.to) for way in block.exits if way.to is not None]
    if isinstance(outcome, RunFlow) and outcome.flow in container.flows:
        found.insert(0, (outcome.flow, container.flows[outcome.flow].first))
    if isinstance(outcome, Fail) and flow.exit_block is not None:
        found.append((flow.uuid, flow.exit_block))
    return found
