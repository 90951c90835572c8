"""The ways through a document that is checked: none goes in a circle without waiting, and none too far in one step."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from callsheet.core.flow.blocks.kind import Finding
from callsheet.core.flow.blocks.kinds import KINDS
from callsheet.core.flow.blocks.run_flow import flow_of
from callsheet.core.flow.circles import Place, Way, Ways, circles
from callsheet.core.flow.document import Json, as_list, kind_of, objects, part_of, text_of
from callsheet.core.flow.longest import longest
from callsheet.core.flow.step import MOST_BLOCKS, MOST_FRAMES

ASKING_OTHERS: Final = frozenset({"Callsheet.Webhook"})
"""The kinds that wait, but never for the contact: a circle of them would turn for ever."""

EARLY: Final = "The first message of a campaign does not know the groups of a contact: this test sees none there."
_GROUPS: Final = re.compile(r"\b(?:contact|campaignUserInfo)\s*\.\s*groups\b", re.IGNORECASE)


def find_in_ways(flows: Sequence[tuple[Json, str]]) -> Iterator[Finding]:
    """Find circles without a block that waits, and a way that is too long for one step."""
    ways: dict[str, Ways] = {}
    places: dict[Place, str] = {}
    names: dict[Place, str] = {}
    for flow, at in flows:
        key = text_of(flow, "uuid") or at
        blocks: dict[str, Way] = {}
        for number, block in enumerate(as_list(flow.get("blocks"))):
            uuid = text_of(block, "uuid") if isinstance(block, Mapping) else ""
            if not uuid or uuid in blocks or not isinstance(block, Mapping):
                continue
            blocks[uuid] = _way(block)
            places[key, uuid] = f"{at}.blocks[{number}]"
            names[key, uuid] = text_of(block, "name") or uuid
        ways.setdefault(key, Ways(first_of(flow), blocks))
    yield from _find_early(flows, ways)
    is_endless = False
    for circle in circles(ways):
        is_endless = True
        shown = [names[place][:40] for place in circle[:5]]
        through = ", ".join(shown) + (" and others" if len(circle) > len(shown) else "")
        what = f"The flow goes in a circle here, and nothing in it waits for the contact: {through}."
        yield Finding(places[circle[0]], what)
    far = None if is_endless else longest(ways, next(iter(ways), ""), MOST_FRAMES, MOST_BLOCKS)
    if far is not None and far[1] > MOST_BLOCKS:
        what = f"From here more than {MOST_BLOCKS:,} blocks can follow each other, and none of them waits."
        yield Finding(places[far[0]], what)


def _find_early(flows: Sequence[tuple[Json, str]], ways: Mapping[str, Ways]) -> Iterator[Finding]:
    """Find tests of groups before anything waits: the message of a campaign is written without asking for them."""
    reached = _reached_at_once(ways)
    for flow, at in flows:
        key = text_of(flow, "uuid") or at
        for number, block in enumerate(as_list(flow.get("blocks"))):
            if not isinstance(block, Mapping) or (key, text_of(block, "uuid")) not in reached:
                continue
            for place, way in enumerate(as_list(block.get("exits"))):
                if isinstance(way, Mapping) and _GROUPS.search(text_of(way, "test")):
                    yield Finding(f"{at}.blocks[{number}].exits[{place}].test", EARLY, is_warning=True)


def _reached_at_once(ways: Mapping[str, Ways]) -> set[Place]:
    """Return the blocks that may be left before anything waits."""
    reached: set[Place] = set()
    todo = [(uuid, ways[uuid].first) for uuid in list(ways)[:1]]
    while todo:
        uuid, block = place = todo.pop()
        way = ways[uuid].blocks.get(block)
        if way is None or way.pauses or place in reached:
            continue
        reached.add(place)
        todo += [(uuid, to) for to in way.to]
        if way.runs in ways:
            todo.append((way.runs, ways[way.runs].first))
    return reached


def first_of(flow: Json) -> str:
    """Return the uuid of the first block; drafts did not name it: the first in the list began."""
    return text_of(flow, "first_block_id") or next(
        (text_of(block, "uuid") for block in objects(flow.get("blocks"))), ""
    )


def targets_of(block: Json) -> list[str]:
    """Return the uuids of the blocks that a block's exits lead to."""
    return [target for way in objects(block.get("exits")) if (target := text_of(way, "destination_block"))]


def _way(block: Json) -> Way:
    name = kind_of(block)
    kind = KINDS.get(name)
    exits, to = objects(block.get("exits")), targets_of(block)
    runs = flow_of(part_of(block, "config")) if name == "Core.RunFlow" else ""
    pauses = kind is not None and kind.waits
    return Way(pauses and name not in ASKING_OTHERS, pauses, to, len(to) < len(exits) or not exits, runs)
