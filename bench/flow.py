"""How fast a flow is stepped through, beside the reference runner on the same flow and the same replies; then replies.

A talk through a flow of 30 blocks, from `begin` to its end: ten questions of four kinds, with the messages, branches,
outputs and columns between them. Ours and the runner take turns; figures are medians of the rounds, in seconds of CPU.
Both must go through the same blocks, or there is no figure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import flow_replies
from row import Row

from callsheet.core.flow.given import Reply
from callsheet.core.flow.reading import read
from callsheet.core.flow.session import Awaits, Mode
from callsheet.core.flow.step import begin, step

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from strangers.packages import NODE, environment

ROUNDS = int(os.environ.get("CALLSHEET_BENCH_ROUNDS", "7"))
TALKS = 200
TALKS_OF_THE_RUNNER = 20
AIM = 20_000
ADDITIONS = 2_000_000
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
CONTACT = {"name": "Ada", "city": "Pune", "plan": "gold", "age": "42", "answer": ""}


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


class Made:
    """A flow of five times six blocks, and what is replied to it."""

    def __init__(self) -> None:
        self.blocks: list[dict[str, Any]] = []
        self.resources: list[dict[str, Any]] = []
        self.texts: dict[str, str] = {}
        self.values: dict[str, list[Any]] = {}
        for turn in range(5):
            self.six(turn)
        for block in self.blocks[-1]["exits"]:
            block["destination_block"] = None

    def six(self, turn: int) -> None:
        """Add a message, a choice, a branch on it, a number or a text, an output of it, and a column."""
        thanks = f"Thank you, @contact.name. Question {turn + 1} of 5 is about the plan @UPPER(contact.plan)."
        self.add("MobilePrimitives.Message", {"prompt": self.prompt(thanks)})
        choices = {choice: self.prompt(choice) for choice in ("yes", "no", "maybe")}
        config = {"prompt": self.prompt("Do you like it? Answer yes, no or maybe."), "choices": choices}
        self.add("MobilePrimitives.SelectOneResponse", config, ['@(block.value = "yes")', '@(block.value = "no")'])
        self.reply("yes" if turn % 2 else "Maybe", "yes" if turn % 2 else "maybe")
        self.add(
            "Core.Case", {}, [f'@(AND(contact.age > 50, flow.{self.name()}.value = "yes"))', "@(contact.age >= 18)"]
        )
        if turn % 2:
            self.add("MobilePrimitives.NumericResponse", {"prompt": self.prompt("How many, @contact.name?")})
            self.reply(str(turn), turn)
            self.add("Core.Output", {"value": f"@(flow.{self.name()}.value * 2 + 1)"})
        else:
            self.add("MobilePrimitives.OpenResponse", {"prompt": self.prompt("Tell us why.")})
            self.reply("It is warm there", "It is warm there")
            self.add("Core.Output", {"value": f'@(CONCATENATE(LEFT(flow.{self.name()}.value, 10), "…"))'})
        value = {"property_key": "answer", "property_value": f"@(flow.{self.name()}.value)"}
        self.add("Core.SetContactProperty", {"set_contact_property": [value]})

    def name(self) -> str:
        """Return the name of the block that was added last."""
        return str(self.blocks[-1]["name"])

    def prompt(self, text: str) -> str:
        known = uuid(1_000 + len(self.resources))
        value = {"language_id": "eng", "content_type": "TEXT", "modes": ["SMS"], "value": text}
        self.resources.append({"uuid": known, "values": [value]})
        return known

    def add(self, kind: str, config: dict[str, Any], tests: list[str] | None = None) -> None:
        number = len(self.blocks) + 1
        to = uuid(number + 1)
        exits: list[dict[str, Any]] = [
            {"uuid": uuid(100 * number + at), "name": f"exit {at}", "destination_block": to, "test": test}
            for at, test in enumerate(tests or [], 1)
        ]
        exits.append({"uuid": uuid(100 * number), "name": "Default", "destination_block": to, "default": True})
        self.blocks.append({"uuid": uuid(number), "name": f"b{number}", "type": kind, "config": config, "exits": exits})

    def reply(self, text: str, value: Any) -> None:
        """Reply to the block that was added last: our text, and the value that the runner is given for it."""
        self.texts[self.blocks[-1]["uuid"]] = text
        self.values[self.blocks[-1]["uuid"]] = [value]

    @property
    def document(self) -> dict[str, Any]:
        flow = {
            "uuid": uuid(99_999), "name": "bench", "interaction_timeout": 3600, "supported_modes": ["SMS"],
            "languages": [{"id": "eng", "iso_639_3": "eng", "label": "English"}], "first_block_id": uuid(1),
            "blocks": self.blocks,
        }  # fmt: skip
        return {"uuid": uuid(99_998), "name": "bench", "flows": [flow], "resources": self.resources}


class Ours:
    """Our interpreter."""

    def __init__(self, made: Made) -> None:
        self.container = read(made.document)
        self.texts = made.texts

    def talk(self) -> tuple[int, list[str]]:
        """Talk once; return how often a step was asked for, and the blocks that were left."""
        container, texts = self.container, self.texts
        calls = 1
        made = begin(container, contact=CONTACT, number="+447700900001", mode=Mode.sms, at=AT, language="eng")
        left = [visit.block for visit in made.visits if visit.has_left]
        while made.session.awaits is Awaits.reply:
            calls += 1
            made = step(container, made.session, Reply(texts[made.session.frames[-1].block], AT))
            left += [visit.block for visit in made.visits if visit.has_left]
        return calls, left

    def round(self) -> tuple[float, float]:
        """Return blocks left, and calls of `step`, in a second of CPU."""
        begun = time.process_time()
        calls = blocks = 0
        for _ in range(TALKS):
            more, left = self.talk()
            calls += more
            blocks += len(left)
        seconds = time.process_time() - begun
        return blocks / seconds, calls / seconds


class Theirs:
    """The reference runner."""

    def __init__(self, made: Made, process: subprocess.Popen[str]) -> None:
        self.process = process
        document = made.document
        self.session = {
            "flows": document["flows"], "resources": document["resources"], "groups": [], "contact": CONTACT,
            "language": "eng", "mode": "SMS", "replies": made.values,
        }  # fmt: skip

    def ask(self, **more: int) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(self.session | more) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def round(self) -> float:
        """Return blocks left in a second of CPU."""
        answer = self.ask(times=TALKS_OF_THE_RUNNER)
        return float(answer["left"] / answer["seconds"])


@contextmanager
def runner(made: Made) -> Iterator[Theirs]:
    script = Path(__file__).parents[1] / "tests" / "strangers" / "flows.js"
    with subprocess.Popen(
        [NODE, script], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Theirs(made, process)


def additions() -> float:
    """Return how many integers Python adds in a second of CPU: how fast the machine is just now."""
    begun = time.process_time()
    total = 0
    for number in range(ADDITIONS):
        total += number
    return ADDITIONS / (time.process_time() - begun)


def steps() -> Iterator[Row]:
    """Measure."""
    made = Made()
    ours = Ours(made)
    with runner(made) as theirs:
        assert ours.talk()[1] == [block for block, _, _ in theirs.ask()["left"]]
        ours.round()
        theirs.round()
        rounds = [(*ours.round(), theirs.round(), additions()) for _ in range(ROUNDS)]
    blocks, calls, beside, yard = (median(each) for each in zip(*rounds, strict=True))
    ratio = median(our / their for our, _, their, _ in rounds)
    yield Row("flow: steps, 30 blocks", f"{blocks:,.0f}/s", f"flow-runner: {beside:,.0f}/s", ratio)
    yield Row("the same beside the aim", f"{blocks:,.0f}/s", f"aim: {AIM:,}/s", blocks / AIM)
    yield Row("calls of `step`", f"{calls:,.0f}/s", f"aim: {AIM:,}/s", calls / AIM)
    yield Row("additions for one step", f"{yard / blocks:,.0f}", f"additions: {yard / 1e6:,.1f} M/s", yard / blocks)


def rows() -> Iterator[Row]:
    """Measure steps, then replies."""
    yield from steps()
    yield from flow_replies.rows()
