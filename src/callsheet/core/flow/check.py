"""Checking a flow's document: what it cannot run with, and what its author will want to know, each where it stands.

Errors keep a document from being stored; a flow runs with a warning. Drafts of the specification are taken: a bare
flow with its resources inside, no languages, prompts as texts, namespaces written with a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from callsheet.core.fence import Fence
from callsheet.core.flow.belongings import Belongings
from callsheet.core.flow.blocks.kind import Finding
from callsheet.core.flow.blocks.kinds import KINDS
from callsheet.core.flow.document import (
    LONGEST_TIMEOUT_SECONDS,
    TOO_DEEP,
    Json,
    as_list,
    is_too_deep,
    kind_of,
    objects,
    part_of,
    settings_of,
    text_of,
    timeout_of,
)
from callsheet.core.flow.looking import DocumentLook, Shown, find_in_resources
from callsheet.core.flow.oddities import find_odd_keys, find_odd_values
from callsheet.core.flow.session import Mode
from callsheet.core.flow.ways import find_in_ways, first_of, targets_of

MOST_BLOCKS: Final = 10_000
"""A document has at most so many blocks, all its flows together."""
MOST_FINDINGS: Final = 200
"""So many findings are told at most, errors first."""
COLLECTING: Final = frozenset(
    {"Core.Output"} | {name for name in KINDS if name.startswith("MobilePrimitives.") and KINDS[name].waits}
)
"""The kinds that write a result under the name of the block."""

_WORD: Final = re.compile(r"\w+")


def check(document: object, fence: Fence | None = None, belongings: Belongings | None = None) -> tuple[Finding, ...]:
    """Return everything that is wrong with a document; of many findings the first ones, and how many more there are.

    With a fence, URLs that are not called from here are warned of; with belongings, what the app does not have.
    """
    if is_too_deep(document):
        return (Finding("document", TOO_DEEP),)
    found = list(_findings(document, fence, belongings))
    if len(found) <= MOST_FINDINGS:
        return tuple(found)
    ordered = sorted(found, key=lambda one: one.is_warning)
    rest = ordered[MOST_FINDINGS - 1 :]
    more = Finding("document", f"There are {len(rest):,} more findings.", is_warning=rest[0].is_warning)
    return (*ordered[: MOST_FINDINGS - 1], more)


def _findings(document: object, fence: Fence | None, belongings: Belongings | None) -> Iterator[Finding]:
    if not isinstance(document, Mapping):
        yield Finding("document", "A flow's document is an object.")
        return
    if "flows" in document and not objects(document["flows"]):
        yield Finding("document.flows", "Give a list with at least one flow.")
        return
    if "flows" not in document and "blocks" not in document:
        yield Finding("document", "Give flows, or one flow with its blocks; there are neither.")
        return
    flows = list(_flows(document))
    blocks = sum(len(as_list(flow.get("blocks"))) for flow, _ in flows)
    if blocks > MOST_BLOCKS:
        yield Finding("document", f"A document has at most {MOST_BLOCKS:,} blocks; this one has {blocks:,}.")
        return
    for number, each in enumerate(as_list(document.get("flows"))):
        if not isinstance(each, Mapping):
            yield Finding(f"document.flows[{number}]", "A flow is an object with blocks.")
    shown: dict[str, Shown] = {}
    yield from find_in_resources(document, "document", shown, belongings)
    for flow, at in flows:
        if at != "document":
            yield from find_in_resources(flow, at, shown, belongings)
    yield from _find_doubles(flows)
    known = frozenset(text_of(flow, "uuid") for flow, _ in flows) - {""}
    for flow, at in flows:
        yield from _FlowCheck(flow, at, shown, known, fence, belongings).run()
        yield from find_odd_values(flow, at, shown)
    yield from find_in_ways(flows)
    yield from find_odd_keys(document, flows)


def _flows(document: Json) -> Iterator[tuple[Json, str]]:
    """Yield each flow of a container, or the bare flow, and where it stands."""
    if "flows" not in document:
        yield document, "document"
    for number, flow in enumerate(as_list(document.get("flows"))):
        if isinstance(flow, Mapping):
            yield flow, f"document.flows[{number}]"


def _find_doubles(flows: list[tuple[Json, str]]) -> Iterator[Finding]:
    known: set[str] = set()
    for flow, at in flows:
        uuid = text_of(flow, "uuid")
        if uuid and uuid in known:
            yield Finding(f"{at}.uuid", f"Another flow has the uuid {uuid[:80]} already; give each its own.")
        known.add(uuid)


class _FlowCheck:
    """Checks one flow."""

    def __init__(
        self,
        flow: Json,
        at: str,
        shown: Mapping[str, Shown],
        flows: frozenset[str],
        fence: Fence | None,
        belongings: Belongings | None,
    ) -> None:
        self._flow = flow
        self._at = at
        self._blocks = as_list(flow.get("blocks"))
        said = {str(mode).upper() for mode in as_list(flow.get("supported_modes"))}
        # A flow that names none of our modes is sent as text messages all the same.
        modes = tuple(mode for mode in Mode if mode.value in said) or (Mode.sms,)
        languages = (
            each.get("id", "") if isinstance(each, Mapping) else each for each in as_list(flow.get("languages"))
        )
        spoken = tuple(dict.fromkeys(each for each in languages if isinstance(each, str) and each))
        self._look = DocumentLook(shown, flows, modes, spoken, fence, belongings)
        self._known: dict[str, Json] = {}
        self._names: set[str] = set()

    def run(self) -> Iterator[Finding]:
        """Find everything."""
        at = self._at
        if not self._blocks:
            yield Finding(f"{at}.blocks", "Give a list with at least one block.")
            return
        yield from self._find_timeout()
        for number, block in enumerate(self._blocks):
            yield from self._find_uuid(block, f"{at}.blocks[{number}]")
        for key in ("first_block_id", "exit_block_id"):
            yield from self._find_target(self._flow.get(key), f"{at}.{key}")
        for number, block in enumerate(self._blocks):
            if isinstance(block, Mapping):
                yield from self._find_in_block(block, f"{at}.blocks[{number}]")
        yield from self._find_unreachable()

    def _find_timeout(self) -> Iterator[Finding]:
        said = self._flow.get("interaction_timeout")
        if said is not None and not timeout_of(said):
            what = f"Give whole seconds, from 1 to {LONGEST_TIMEOUT_SECONDS:,}."
            yield Finding(f"{self._at}.interaction_timeout", what)

    def _find_uuid(self, block: object, at: str) -> Iterator[Finding]:
        if not isinstance(block, Mapping):
            yield Finding(at, "A block is an object with uuid, type and exits.")
            return
        uuid = text_of(block, "uuid")
        if not uuid:
            yield Finding(f"{at}.uuid", "Give the block a uuid, by which exits name it.")
        elif uuid in self._known:
            yield Finding(f"{at}.uuid", f"Another block has the uuid {uuid[:80]} already; give each its own.")
        else:
            self._known[uuid] = block

    def _find_target(self, target: object, at: str) -> Iterator[Finding]:
        if target is not None and not (isinstance(target, str) and target in self._known):
            yield Finding(at, f"There is no block {str(target)[:80]} in this flow.")

    def _find_in_block(self, block: Json, at: str) -> Iterator[Finding]:
        name = kind_of(block)
        kind = KINDS.get(name)
        if not name:
            yield Finding(f"{at}.type", "Say what the block does, such as MobilePrimitives.Message.")
        elif kind is None:
            yield Finding(f"{at}.type", f"There is no type of block {name[:80]}.")
        yield from self._find_name(block, name, at)
        config = part_of(block, "config")
        if block.get("config") is not None and not isinstance(block["config"], Mapping):
            yield Finding(f"{at}.config", "A config is an object.")
        elif kind is not None:
            yield from kind.find(config, f"{at}.config", self._look)
        yield from self._find_settings(config, f"{at}.config")
        yield from self._find_in_exits(block, name, at)

    def _find_name(self, block: Json, kind: str, at: str) -> Iterator[Finding]:
        name, is_collecting = text_of(block, "name"), kind in COLLECTING
        if not name and is_collecting:
            yield Finding(f"{at}.name", "Without a name nothing that it collects is kept.", is_warning=True)
        elif name and not _WORD.fullmatch(name):
            what = "A name has only letters, digits and _: an expression cannot use this one."
            yield Finding(f"{at}.name", what, is_warning=True)
        if name and is_collecting:
            if name in self._names:
                what = f"Another block is called {name[:80]} too: the later result replaces the earlier one."
                yield Finding(f"{at}.name", what, is_warning=True)
            self._names.add(name)

    def _find_settings(self, config: Json, at: str) -> Iterator[Finding]:
        """Find what is wrong with the columns that a block sets."""
        said = config.get("set_contact_property")
        if said is not None and not isinstance(said, list | Mapping):
            yield Finding(f"{at}.set_contact_property", "Give a list of properties.")
        for number, setting in enumerate(settings_of(config)):
            path = f"{at}.set_contact_property[{number}]"
            if not text_of(setting, "property_key").strip():
                yield Finding(f"{path}.property_key", "Say which property of the contact is set.")
            yield from self._look.text(setting.get("property_value"), f"{path}.property_value")

    def _find_in_exits(self, block: Json, kind: str, at: str) -> Iterator[Finding]:
        exits = block.get("exits")
        if not isinstance(exits, list):
            yield Finding(f"{at}.exits", "Give a list of exits; where the flow ends it is empty.")
            return
        for number, way in enumerate(exits):
            path = f"{at}.exits[{number}]"
            if not isinstance(way, Mapping):
                yield Finding(path, "An exit is an object; destination_block says where it leads.")
                continue
            yield from self._find_target(way.get("destination_block"), f"{path}.destination_block")
            if way.get("test") not in (None, "") and way.get("default") is not True:
                yield from self._look.expression(way["test"], f"{path}.test")
            elif kind == "Core.Case" and way.get("default") is not True:
                yield Finding(f"{path}.test", "An exit of a Case has a test, or is the default.", is_warning=True)
        defaults = sum(way.get("default") is True for way in objects(exits))
        if defaults > 1:
            yield Finding(f"{at}.exits", "Only one exit can be the default.")
        elif kind == "Core.Case" and not defaults:
            yield Finding(f"{at}.exits", "A Case needs a default exit, for when no test holds.")
        elif not defaults and kind in COLLECTING - {"Core.Output"} and self._flow.get("exit_block_id") is None:
            what = "Without a default exit an invalid reply, or none in time, ends the flow."
            yield Finding(f"{at}.exits", what, is_warning=True)
        elif not defaults and exits and all(way.get("test") not in (None, "") for way in objects(exits)):
            what = "Where no test holds, or something is amiss, the flow ends here: give it a default exit."
            yield Finding(f"{at}.exits", what, is_warning=True)

    def _find_unreachable(self) -> Iterator[Finding]:
        """Find blocks that no way leads to."""
        todo = [first_of(self._flow), text_of(self._flow, "exit_block_id")]
        reached: set[str] = set()
        while todo:
            uuid = todo.pop()
            if uuid not in reached and uuid in self._known:
                reached.add(uuid)
                todo += targets_of(self._known[uuid])
        for number, block in enumerate(self._blocks):
            uuid = text_of(block, "uuid") if isinstance(block, Mapping) else ""
            if uuid and uuid not in reached:
                yield Finding(f"{self._at}.blocks[{number}]", "No way leads to this block.", is_warning=True)
