"""Ways that are too long for one step are found before, and just those."""

from __future__ import annotations

from typing import Any

import pytest

from callsheet.core.flow.check import check
from callsheet.core.flow.session import Ending
from callsheet.core.flow.step import MOST_BLOCKS
from callsheet.core.flow.ways import EARLY
from core.flow.documents import OPEN, block, container, converse, flow, other, start, way


def paths(document: object) -> list[str]:
    return [one.path for one in check(document) if not one.is_warning]


def runs(uuid: str, other_flow: str, *exits: dict[str, Any]) -> dict[str, Any]:
    return block(uuid, "Core.RunFlow", *(exits or (other(),)), flow_id=other_flow)


# In one step: so many blocks, and the end, which counts as one.
@pytest.mark.parametrize("blocks", [MOST_BLOCKS - 1, MOST_BLOCKS, 10_000])
def test_a_way_that_is_too_long_for_one_step_is_found_where_it_fails(blocks: int) -> None:
    fails = blocks >= MOST_BLOCKS
    ways = [other(f"b{n + 1}" if n + 1 < blocks else None) for n in range(blocks)]
    document = container(flow("f", *(block(f"b{n}", "Core.Log", ways[n]) for n in range(blocks))))
    assert paths(document) == ["document.flows[0].blocks[0]"] * fails
    assert (start(document).session.ending is Ending.failed) == fails


def around(inner: dict[str, Any], logs: int) -> dict[str, Any]:
    before = [block(f"b{n}", "Core.Log", other(f"b{n + 1}")) for n in range(logs)]
    after = [block(f"a{n}", "Core.Log", other(f"a{n + 1}" if n + 1 < logs else None)) for n in range(logs)]
    return container(flow("f", *before, runs(f"b{logs}", "g", other("a0")), *after), inner)


@pytest.mark.parametrize("more", [0, 1])
def test_a_way_goes_through_flows_that_run_in_each_other(more: int) -> None:
    passes = flow("g", block("l", "Core.Log", other()))
    # 498 + the run + 1 + the run that is left + 498 + the end
    document = around(passes, 498 + more)
    assert paths(document) == ["document.flows[0].blocks[0]"] * more
    assert (start(document).session.ending is Ending.failed) == bool(more)
    asks = flow("g", block("q", OPEN, other(), prompt="?"))
    # the reply + the run that is left + 997 + the end
    document = around(asks, 997 + more)
    # From the run, or from the question in it: what follows on the reply is as long.
    assert paths(document) == ["document.flows[0].blocks[998]"] * more
    *_, last = converse(document, "yes")
    assert (last.session.ending is Ending.failed) == bool(more)


def test_flows_that_double_each_other_are_found_at_once() -> None:
    flows = [flow(f"f{n}", runs("a", f"f{n + 1}", other("b")), runs("b", f"f{n + 1}")) for n in range(40)]
    document = container(*flows, flow("f40", block("a", "Core.Log", other())))
    assert paths(document) == ["document.flows[0].blocks[0]"]


def test_a_test_of_groups_before_the_first_question_is_warned_of() -> None:
    member, at = way("q", test="contact.groups[0].id = 'vip'"), "document.flows[0].blocks[1].exits[0].test"
    asks, case = block("q", OPEN, other("case"), prompt="?"), block("case", "Core.Case", member, other())
    early = container(flow("f", block("l", "Core.Log", other("case")), case, asks))
    late = container(flow("f", asks, case))
    assert [(one.path, one.message, one.is_warning) for one in check(early)] == [(at, EARLY, True)]
    assert check(late) == ()
    assert [one.path for one in check(container(flow("outer", runs("r", "f")), *early["flows"]))] == [
        at.replace("flows[0]", "flows[1]")
    ]
