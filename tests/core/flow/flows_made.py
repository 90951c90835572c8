"""Flows with replies, made at random from a seed: documents that both we and the reference runner can run.

A flow is a row of blocks, of which some branch into rows of their own that come back, or end. An expression asks only
for what was collected on every way to it. What the runner gets wrong is left out, where it would be made, and told in
docs/explanation/flow-oracle.md.
"""

import json
import re
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from core.flow.expressions_made import Expressions, Known

LANGUAGES = ("eng", "hin", "fra")
CHOICES = ("yes", "no", "maybe", "red wine", "late", "Zoë", "call me", "पानी")
GROUPS = ("vip", "trial", "north")
PROPERTIES = ("plan", "city", "answer")
NUMBERED = ("age", "balance")
MOST_DEPTH = 2


@dataclass(frozen=True)
class Given:
    """A reply: as the contact writes it, and the value that the runner is given for it."""

    text: str
    value: Any


@dataclass
class Made:
    """A document and all that is needed to run it."""

    document: dict[str, Any]
    contact: dict[str, str]
    language: str
    replies: dict[str, list[Given]]
    """By block: one at each visit, the last one again."""

    @property
    def for_us(self) -> dict[str, Any]:
        """The same document; in every second one results are asked for as the specification has it since its 1.0."""
        if self.document["uuid"][-1] in "02468ace":
            return self.document
        made: dict[str, Any] = json.loads(re.sub(r"\bflow\.(b\d+\.value)", r"results.\1", json.dumps(self.document)))
        return made

    @property
    def for_the_runner(self) -> dict[str, Any]:
        return {
            "flows": self.document["flows"],
            "resources": self.document["resources"],
            "groups": list(GROUPS),
            "contact": self.contact,
            "language": self.language,
            "mode": "SMS",
            "replies": {block: [each.value for each in given] for block, given in self.replies.items()},
        }


@dataclass
class Maker:
    """Makes one document."""

    random: Random
    flows: list[dict[str, Any]] = field(default_factory=list)
    resources: list[dict[str, Any]] = field(default_factory=list)
    replies: dict[str, list[Given]] = field(default_factory=dict)
    blocks: list[dict[str, Any]] = field(default_factory=list)
    languages: tuple[str, ...] = LANGUAGES
    named: int = 0

    def made(self, length: int) -> Made:
        """Make a document with up to three flows, each of which can run those after it."""
        r = self.random
        self.languages = tuple(r.sample(LANGUAGES, r.randint(1, 3)))
        inner: list[str] = []
        for number in reversed(range(r.choice([1, 1, 2, 3]))):
            inner.insert(0, self._flow(inner, max(length - 2 * number, 3)))
        contact = {"name": r.choice(["Ada", "ada lovelace", "Ñuño", "O'Neil"]), "city": r.choice(["Pune", "Lyon"])}
        contact |= {"plan": r.choice(["gold", "free"]), "age": str(r.randint(1, 99)), "balance": str(r.randint(-9, 9))}
        document = {
            "specification_version": "1.0.0-rc4", "uuid": self.uuid(), "name": "Made", "description": "",
            "vendor_metadata": {}, "flows": self.flows, "resources": self.resources,
        }  # fmt: skip
        return Made(document, contact, r.choice(self.languages), self.replies)

    def uuid(self) -> str:
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def _flow(self, inner: list[str], length: int) -> str:
        """Make a flow that can run inner ones; return its uuid."""
        r = self.random
        self.blocks = []
        first = self.row(length, Known(), None, inner, is_first=True)
        start = next(block for block in self.blocks if block["uuid"] == first)
        others = [block for block in self.blocks if block is not start]
        r.shuffle(others)
        flow = {
            "uuid": self.uuid(), "name": f"flow{len(self.flows)}", "label": "", "last_modified": "2026-01-01T00:00:00Z",
            "interaction_timeout": 3600, "supported_modes": ["SMS"], "first_block_id": first,
            "languages": [{"id": each, "iso_639_3": each, "label": each} for each in self.languages],
            # The runner begins with the first one of the list.
            "blocks": [start, *others],
        }  # fmt: skip
        self.flows.insert(0, flow)
        return str(flow["uuid"])

    def row(
        self, length: int, known: Known, after: str | None, inner: list[str], depth: int = 0, *, is_first: bool = False
    ) -> str:
        """Make blocks one after the other, and return the first one's uuid."""
        uuids = [self.uuid() for _ in range(length)]
        for number, uuid in enumerate(uuids):
            to = uuids[number + 1] if number + 1 < length else after
            # The runner does not run a flow from a flow's first block.
            runnable = inner if not (is_first and number == 0) else []
            back = uuids[self.random.randrange(number + 1)] if self.random.random() < 0.2 else None
            known += Block(self, uuid, known, to, runnable, depth, back).make()
        return uuids[0]

    def text(self, known: Known) -> str:
        """Make a resource and return its uuid, or a text that stands for itself."""
        r = self.random
        expressions = Expressions(r, known)
        if r.random() < 0.1:
            return expressions.prose()
        uuid = self.uuid()
        values: list[dict[str, Any]] = []
        for language in self.languages:
            said = [("TEXT", ["SMS", "TEXT"], expressions.prose())]
            said += [("AUDIO", ["IVR"], "hello.wav")] * (r.random() < 0.2)
            said += [("IMAGE", ["SMS", "RICH_MESSAGING"], "hello.png")] * (r.random() < 0.2)
            said += [("TEXT", ["IVR"], "Press one.")] * (r.random() < 0.2)
            r.shuffle(said)
            values += [
                {"language_id": language, "content_type": kind, "modes": modes, "value": value}
                for kind, modes, value in said
            ]
        r.shuffle(values)
        self.resources.append({"uuid": uuid, "values": values})
        return uuid


@dataclass
class Block:
    """Makes one block."""

    maker: Maker
    uuid: str
    known: Known
    to: str | None
    inner: list[str]
    depth: int
    back: str | None
    """A block before it to which it may go back."""

    def __post_init__(self) -> None:
        self.random = self.maker.random
        self.maker.named += 1
        self.name = f"b{self.maker.named}"
        self.expressions = Expressions(self.random, self.known)

    def make(self) -> Known:
        """Make it, and return what is known after it."""
        kinds = ["message", "one", "one", "case", "output", "numeric", "open", "log", "many", "set", "group"]
        kind = self.random.choice(kinds + ["run"] * 3 * bool(self.inner))
        made: Known = getattr(self, f"_{kind}")()
        return made

    # -- blocks that only go on --------------------------------------------------------------------------------------

    def _message(self) -> Known:
        self._add("MobilePrimitives.Message", {"prompt": self.maker.text(self.known)}, self._straight())
        return Known()

    def _log(self) -> Known:
        # The runner sees nothing but the contact there, and takes the message for one expression.
        self._add("Core.Log", {"message": f"@({Expressions(self.random).text()})"}, self._straight())
        return Known()

    def _set(self) -> Known:
        self._add("Core.SetContactProperty", self._property(self.expressions), self._straight())
        return Known()

    def _group(self) -> Known:
        key = self.random.choice(GROUPS)
        config = {"group_key": key, "group_name": key.title(), "is_member": self.random.random() < 0.7}
        self._add("Core.SetGroupMembership", config, self._straight())
        return Known()

    def _run(self) -> Known:
        self._add("Core.RunFlow", {"flow_id": self.random.choice(self.inner)}, self._straight())
        return Known()

    def _output(self) -> Known:
        kind = self.random.choice(["text", "number", "truth"])
        make = {"text": self.expressions.text, "number": self.expressions.small_number, "truth": self.expressions.truth}
        config: dict[str, Any] = {"value": f"@({make[kind]()})"}
        config |= self._property(self.expressions) if self.random.random() < 0.3 else {}
        self._add("Core.Output", config, self._straight())
        match kind:
            case "text":
                return Known(texts=(self.name,))
            case "number":
                return Known(numbers=(self.name,))
        return Known(truths=(self.name,))

    # -- questions ---------------------------------------------------------------------------------------------------

    def _numeric(self) -> Known:
        low, high = self.random.randint(-5, 5), self.random.randint(6, 500)
        value = self.random.randint(low, high)
        config: dict[str, Any] = {"prompt": self.maker.text(self.known)}
        config |= {"validation_minimum": low, "validation_maximum": high} if self.random.random() < 0.7 else {}
        config |= self._property(self.expressions, "@(block.value)") if self.random.random() < 0.3 else {}
        given = [Given(self.random.choice([f"{value}", f" {value} "]), value)]
        if "validation_minimum" in config and self.random.random() < 0.05:
            given = [Given(f"{high + 1}", high + 1)]
        self._add("MobilePrimitives.NumericResponse", config, self._straight(), given)
        return Known(numbers=(self.name,))

    def _open(self) -> Known:
        said = self.random.choice(["I do not know", "नमस्ते", "two\nlines", "x" * 30, "So what?"])
        config: dict[str, Any] = {"prompt": self.maker.text(self.known)}
        config |= {"text": {"max_response_characters": 160}} if self.random.random() < 0.3 else {}
        config |= self._property(self.expressions, "@(block.value)") if self.random.random() < 0.3 else {}
        self._add("MobilePrimitives.OpenResponse", config, self._straight(), [Given(said, said)])
        return Known(texts=(self.name,))

    def _one(self) -> Known:
        choices = self.random.sample(CHOICES, self.random.randint(2, 4))
        config = self._choices(choices)
        config |= self._property(self.expressions, "@(block.value)") if self.random.random() < 0.3 else {}
        given = [self._said(self.random.choice(choices), choices)]
        tests = [f'@(block.value = "{choice}")' for choice in self.random.sample(choices, self.random.randint(1, 2))]
        if self.back is not None:
            # Once or twice back, and then on: nothing goes in a circle for ever.
            tests = [f'@(block.value = "{choices[0]}")']
            given = [self._said(choices[0], choices)] * self.random.randint(1, 2) + [self._said(choices[1], choices)]
        elif self.random.random() < 0.05:
            given = [Given("something else", "something else")]
        # The runner sets the property before it asks for the exit, so nothing but the value is asked for here.
        self._add("MobilePrimitives.SelectOneResponse", config, self._branches(tests), given)
        return Known(texts=(self.name,))

    def _many(self) -> Known:
        choices = self.random.sample(CHOICES, self.random.randint(2, 4))
        chosen = [choice for choice in choices if self.random.random() < 0.6] or [choices[0]]
        tests = [f'@(IN("{choices[0]}", block.value))', f"@(COUNT(block.value) > {self.random.randint(1, 3)})"]
        self.back = None
        given = [Given(", ".join(self._said(choice, choices).text for choice in chosen), chosen)]
        exits = self._branches(self.random.sample(tests, self.random.randint(1, 2)))
        self._add("MobilePrimitives.SelectManyResponses", self._choices(choices), exits, given)
        return Known(lists=((self.name, tuple(choices)),))

    def _case(self) -> Known:
        self.back = None
        tests = [f"@({self.expressions.truth()})" for _ in range(self.random.randint(1, 3))]
        exits = self._branches(tests)
        self.random.shuffle(exits)
        self._add("Core.Case", {}, exits)
        return Known()

    # -- parts -------------------------------------------------------------------------------------------------------

    def _choices(self, choices: list[str]) -> dict[str, Any]:
        # The runner knows choices as earlier drafts had them: resources by names.
        return {"prompt": self.maker.text(self.known), "choices": dict.fromkeys(choices, self._plain())}

    def _plain(self) -> str:
        uuid = self.maker.uuid()
        self.maker.resources.append({"uuid": uuid, "values": []})
        return uuid

    def _said(self, choice: str, choices: list[str]) -> Given:
        """Say a choice as people do."""
        ways = [choice, choice, choice.upper(), f" {choice}", str(choices.index(choice) + 1)]
        return Given(self.random.choice(ways), choice)

    def _property(self, expressions: Expressions, *more: str) -> dict[str, Any]:
        """Make a setting of a property: a text of a text one, a number of a number one."""
        if self.random.random() < 0.3:
            one = {"property_key": self.random.choice(NUMBERED), "property_value": f"@({expressions.small_number()})"}
        else:
            value = self.random.choice([f"@({expressions.text()})", *more])
            one = {"property_key": self.random.choice(PROPERTIES), "property_value": value}
        return {"set_contact_property": one if self.random.random() < 0.5 else [one]}

    def _exit(self, name: str, to: str | None, test: str | None = None, *, is_default: bool = False) -> dict[str, Any]:
        made: dict[str, Any] = {"uuid": self.maker.uuid(), "name": name, "destination_block": to}
        return made | ({} if test is None else {"test": test}) | ({"default": True} if is_default else {})

    def _straight(self) -> list[dict[str, Any]]:
        """Make the exits of a block that only goes on: the runner takes the first one."""
        if self.random.random() < 0.5:
            return [self._exit("Default", self.to, is_default=True)]
        return [self._exit("Default", self.to), self._exit("Error", None, is_default=True)]

    def _branches(self, tests: list[str]) -> list[dict[str, Any]]:
        """Make an exit for each test, and the default one as the last, which the runner takes."""
        exits = []
        for number, test in enumerate(tests):
            to = self.back if self.back is not None else self._branch()
            exits.append(self._exit(f"exit {number}", to, test))
        return [*exits, self._exit("Default", self.to, is_default=True)]

    def _branch(self) -> str | None:
        """Make a row that comes back, or ends; or return where it goes at once."""
        if self.depth < MOST_DEPTH and self.random.random() < 0.4:
            end = self.to if self.random.random() < 0.8 else None
            return self.maker.row(self.random.randint(1, 3), self.known, end, self.inner, self.depth + 1)
        return self.to if self.random.random() < 0.9 else None

    def _add(
        self, kind: str, config: dict[str, Any], exits: list[dict[str, Any]], given: list[Given] | None = None
    ) -> None:
        self.maker.blocks.append(
            {"uuid": self.uuid, "name": self.name, "label": "", "type": kind, "config": config, "exits": exits}
        )
        if given is not None:
            self.maker.replies[self.uuid] = given


def make(seed: int, length: int = 8) -> Made:
    """Make a document of a seed; the first flow has a row of so many blocks, and rows that branch off it."""
    return Maker(Random(seed)).made(length)
