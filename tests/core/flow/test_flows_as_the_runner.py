"""The same flows and the same replies in the reference runner and here: prompts, exits, values, columns and groups.

The runner is the one of those who wrote the specification. Its dialect is narrower than ours, and where it differs from
its own specification the flows avoid it: docs/explanation/flow-oracle.md tells each such place.
"""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from callsheet.core.flow.effects import Say, Step
from callsheet.core.flow.given import Reply
from callsheet.core.flow.reading import read
from callsheet.core.flow.session import Awaits, Mode
from callsheet.core.flow.step import begin, step
from core.flow.flows_made import Made, make
from strangers.flows import run_flows

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
SAMPLE = range(60)
ALL = range(1_000, 1_400)


def talk(made: Made) -> list[Step]:
    """Run a document as we do."""
    container = read(made.for_us)
    steps = [
        begin(container, contact=made.contact, number="+447700900001", mode=Mode.sms, at=AT, language=made.language)
    ]
    asked: Counter[str] = Counter()
    while steps[-1].session.awaits is Awaits.reply:
        block = steps[-1].session.frames[-1].block
        replies = made.replies[block]
        reply = replies[min(asked[block], len(replies) - 1)]
        asked[block] += 1
        steps.append(step(container, steps[-1].session, Reply(reply.text, AT)))
    return steps


def as_text(value: Any) -> Any:
    """Write a value as the runner keeps that of an output: always as a text."""
    return str(value).upper() if isinstance(value, bool) else str(value)


def ours(made: Made, refused: str | None) -> dict[str, Any]:
    """Say what became of a document here, as `flows.js` does; up to the reply that the runner cannot take."""
    exits = {
        (block["uuid"], way["name"]): way["uuid"]
        for flow in made.document["flows"]
        for block in flow["blocks"]
        for way in block["exits"]
    }
    said: list[Any] = []
    left: list[Any] = []
    steps = talk(made)
    for one in steps:
        turned = next((v for v in one.visits if v.block == refused and v.why and v.has_left), None)
        if turned is None:
            said += [[effect.block, effect.text] for effect in one.effects if isinstance(effect, Say)]
            left += [
                [v.block, exits[v.block, v.exit], as_text(v.value) if v.kind == "Core.Output" else v.value]
                for v in one.visits
                if v.has_left
            ]
        else:
            return {"said": said, "left": left, "refused": refused}
    last = steps[-1].session
    return {"said": said, "left": left, "refused": None, "contact": last.contact, "groups": sorted(last.groups)}


def compare(seeds: range) -> list[dict[str, Any]]:
    """Run the flows of some seeds in both; return what the runner made of them, when all is the same."""
    made = {seed: make(seed) for seed in seeds}
    theirs = run_flows([one.for_the_runner for one in made.values()])
    for (seed, one), their in zip(made.items(), theirs, strict=True):
        our = ours(one, their.get("refused"))
        expected = {name: sorted(their[name]) if name == "groups" else their[name] for name in our}
        assert our == expected, f"Flow {seed} goes another way."
    return theirs


@pytest.mark.parametrize("seeds", [SAMPLE, pytest.param(ALL, marks=pytest.mark.full)], ids=["some", "all"])
def test_flows_go_the_same_way_as_in_the_reference_runner(seeds):
    theirs = compare(seeds)

    assert not [their for their in theirs if "failed" in their]
    assert sum(len(their["left"]) for their in theirs) > 10 * len(seeds)
    assert [their for their in theirs if their["refused"]]
