from __future__ import annotations

import copy
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.flow.check import MOST_BLOCKS, MOST_FINDINGS, check
from callsheet.core.flow.reading import read
from core.flow.documents import (
    HELLO,
    MANY,
    MESSAGE,
    NOWHERE,
    NUMBER,
    ONE,
    OPEN,
    block,
    container,
    flow,
    other,
    resource,
    value,
    way,
)

SUPPORT = container(
    flow(
        "support",
        block("log", "Core.Log", way("case", default=True), message="started"),
        block("case", "Core.Case", way("vip", test="contact.vip"), way("hello", default=True)),
        block("vip", MESSAGE, way(None), prompt="Hello VIP"),
        block("hello", MESSAGE, way("ask", default=True), prompt=HELLO),
        block("ask", OPEN, way("log", default=True), prompt=HELLO),
        languages=[{"id": "eng", "iso_639_3": "eng"}],
        supported_modes=["SMS"],
    ),
    resources=[resource(HELLO, value("Hello @contact.first_name!", "SMS"))],
)
"""A document with nothing wrong in it."""


def paths(document: object, *, warnings: bool = False) -> list[str]:
    return [one.path for one in check(document) if one.is_warning is warnings]


def only(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return container(flow("f", *blocks, **more), resources=SUPPORT["resources"])


def at_first_block(*blocks: dict[str, Any], **more: Any) -> list[str]:
    prefix = "document.flows[0].blocks[0]"
    return [path.removeprefix(prefix) for path in paths(only(*blocks, **more))]


def test_a_good_document_has_no_findings() -> None:
    assert check(SUPPORT) == ()


def test_a_bare_flow_with_its_resources_inside_is_taken_too() -> None:
    bare = {**SUPPORT["flows"][0], "resources": SUPPORT["resources"]}
    assert check(bare) == ()
    assert read(bare).flows["support"].first == "log"


def test_drafts_are_taken() -> None:
    draft = copy.deepcopy(SUPPORT)
    draft["resources"] = {HELLO: {"values": [value("Hi", "sms")]}}
    del draft["flows"][0]["first_block_id"]
    draft["flows"][0]["languages"] = ["eng"]
    draft["flows"][0]["blocks"][3]["type"] = "MobilePrimitives\\Message"
    draft["flows"][0]["blocks"][3]["config"] = {"message": HELLO}
    assert check(draft) == ()


@pytest.mark.parametrize(
    "document", [None, [], "text", 7, {}, {"flows": []}, {"flows": {}}, {"blocks": []}, {"flows": [1]}]
)
def test_what_is_no_flow_is_refused(document: object) -> None:
    assert paths(document)


def test_every_wrong_thing_is_named_where_it_stands() -> None:
    broken = {
        "flows": [
            {
                "uuid": "one",
                "first_block_id": "zz",
                "exit_block_id": "yy",
                "interaction_timeout": "soon",
                "blocks": [
                    {"uuid": "a", "type": "Core.Log", "exits": [way("gone"), way(None), "odd"]},
                    {"uuid": "a", "exits": [other("a"), other("a")]},
                    {"type": MESSAGE, "config": {}},
                    "odd",
                    block("b", "Core.Log", way(["a"])),  # type: ignore[arg-type]
                    block("c", "Nobody.Knows", other()),
                    {"uuid": "d", "type": MESSAGE, "config": [], "exits": []},
                ],
            },
            {"uuid": "one", "blocks": []},
            7,
        ],
        "resources": [{"values": [7]}],
    }
    first = "document.flows[0]"
    assert paths(broken) == [
        "document.flows[2]",
        "document.resources[0].uuid",
        "document.resources[0].values[0].value",
        "document.flows[1].uuid",
        f"{first}.interaction_timeout",
        f"{first}.blocks[1].uuid",
        f"{first}.blocks[2].uuid",
        f"{first}.blocks[3]",
        f"{first}.first_block_id",
        f"{first}.exit_block_id",
        f"{first}.blocks[0].exits[0].destination_block",
        f"{first}.blocks[0].exits[2]",
        f"{first}.blocks[1].type",
        f"{first}.blocks[1].exits",
        f"{first}.blocks[2].config.prompt",
        f"{first}.blocks[2].exits",
        f"{first}.blocks[4].exits[0].destination_block",
        f"{first}.blocks[5].type",
        f"{first}.blocks[6].config",
        "document.flows[1].blocks",
    ]
    assert all(one.message[0].isupper() and one.message.endswith(".") for one in check(broken))


@pytest.mark.parametrize(
    ("made", "wrong"),
    [
        (block("a", MESSAGE, other(), prompt=NOWHERE), [".config.prompt"]),
        (block("a", MESSAGE, other(), prompt=7), [".config.prompt"]),
        (block("a", MESSAGE, other(), prompt="Hi {{name"), [".config.prompt"]),
        (block("a", MESSAGE, other(), prompt="@(1 + )"), [".config.prompt"]),
        (block("a", MESSAGE, other(), prompt="You pay @(contact.due / 0)."), [".config.prompt"]),
        (block("a", "Core.Case", way(test="(((")), [".exits[0].test", ".exits"]),
        (block("a", "Core.Case", way(test="contact.age / (2 - 2) > 1"), other()), [".exits[0].test"]),
        (block("a", "Core.Case", way(test="contact.age / (0 - 0) = 1"), other()), [".exits[0].test"]),
        (block("a", "Core.Case", way(test="(" * 500 + "1" + ")" * 500), other()), [".exits[0].test"]),
        (block("a", "Core.Case", way(test="1+" * 5000 + "1"), other()), [".exits[0].test"]),
        (block("a", "Core.Case", way(test="contact.x / 0.5 > 1"), other()), []),
        (block("a", "Core.Case", way(test="1"), other(), other()), [".exits"]),
        (block("a", "Core.RunFlow", other()), [".config.flow_id"]),
        (block("a", "Core.RunFlow", other(), flow_id="g"), [".config.flow_id"]),
        (block("a", "Core.Output", other()), [".config.value"]),
        (block("a", "Core.Output", other(), value="1 /"), [".config.value"]),
        (block("a", "Core.SetContactProperty", other()), [".config.set_contact_property"]),
        (
            block("a", "Core.Log", other(), set_contact_property=[{"property_value": "@("}]),
            [".config.set_contact_property[0].property_key", ".config.set_contact_property[0].property_value"],
        ),
        (block("a", "Core.SetGroupMembership", other()), [".config.groups"]),
        (
            block("a", "Core.SetGroupMembership", other(), groups=[{}]),
            [".config.groups[0].group_key", ".config.is_member"],
        ),
        (block("a", ONE, other(), prompt="?"), [".config.choices"]),
        (
            block("a", ONE, other(), prompt="?", choices=[{"test": "((("}, 7]),
            [".config.choices[0].name", ".config.choices[0].test", ".config.choices[1].name"],
        ),
        (
            block("a", MANY, other(), prompt="?", choices=[{"name": "x"}], minimum_choices=2),
            [".config.minimum_choices"],
        ),
        (
            block("a", MANY, other(), prompt="?", choices=[{"name": "x"}], minimum_choices=3, maximum_choices=2),
            [".config.minimum_choices"],
        ),
        (block("a", NUMBER, other(), prompt="?", validation_minimum=5, validation_maximum=1), [
            ".config.validation_minimum"
        ]),
        (block("a", NUMBER, other(), prompt="?", validation_minimum="x", IVR={"max_digits": 0}), [
            ".config.validation_minimum", ".config.IVR.max_digits"
        ]),
        (block("a", OPEN, other(), prompt="?", IVR={"max_duration_seconds": "long"}), [
            ".config.IVR.max_duration_seconds"
        ]),
    ],
)  # fmt: skip
def test_what_a_block_cannot_run_with_is_found(made: dict[str, Any], wrong: list[str]) -> None:
    assert at_first_block(made) == wrong


def test_a_block_whose_tests_may_all_fail_wants_a_default_exit() -> None:
    called = {"url": "https://shop.example/orders"}
    tested = [way(None, test="block.ok")]
    found = [check(only(block("w", "Callsheet.Webhook", *tested, *more, **called))) for more in ([], [other()])]
    assert [[one.path for one in each] for each in found] == [["document.flows[0].blocks[0].exits"], []]
    assert found[0][0].is_warning


def test_a_long_text_is_refused_at_once_wherever_it_stands() -> None:
    long = "@contact.a " * 100_000
    began = time.perf_counter()
    sets = {"property_key": "k", "property_value": long}
    says = flow("f", block("a", MESSAGE, other(), prompt=long, set_contact_property=sets))
    made = container(says, resources=[resource("r", value(long, "SMS"))])
    assert [(one.path.split(".")[-1], one.message) for one in check(made) if not one.is_warning] == [
        (where, "A text has at most 10,000 characters; this one has 1,100,000.")
        for where in ("value", "prompt", "property_value")
    ]
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("seconds", [0, -1, 1.5, True, "60", 10**12])
def test_a_time_out_is_a_number_of_seconds(seconds: object) -> None:
    ask = block("a", OPEN, other(), prompt="?")
    assert paths(only(ask, interaction_timeout=seconds)) == ["document.flows[0].interaction_timeout"]
    assert paths(only(ask, interaction_timeout=60)) == []


@pytest.mark.parametrize(
    ("values", "modes", "languages", "complaints"),
    [
        ([value("Hi", "SMS")], ["SMS"], ["eng"], []),
        ([value("Hi", "TEXT")], ["SMS"], ["eng"], []),
        ([value("Hi", "SMS")], ["TEXT", "USSD"], ["eng"], []),
        ([value("Hi", "SMS")], ["SMS", "IVR"], ["eng"], ["mode IVR"]),
        ([value("Hi", "SMS")], ["SMS"], ["eng", "hin"], ["language hin"]),
        ([value("Hi", "SMS"), value("x.wav", "IVR", content="AUDIO")], ["SMS", "IVR"], ["eng"], []),
        ([value("x.wav", "SMS", content="AUDIO")], ["SMS"], ["eng"], ["mode SMS"]),
        ([value("Hi", language="")], ["SMS", "IVR"], ["eng", "hin"], []),
        ([value("", "SMS")], ["SMS"], ["eng"], ["mode SMS"]),
        ([], ["SMS", "IVR"], ["eng", "hin"], ["mode SMS", "mode IVR"]),
        ([], [], ["eng"], ["mode SMS"]),
        ([value("x.wav", "IVR", content="AUDIO")], ["RICH_MESSAGING"], ["eng"], ["mode SMS"]),
        ([value("Hi", "SMS")], ["SMS"], [], []),
    ],
)
def test_a_resource_has_content_for_every_mode_and_language(
    values: list[Any], modes: list[str], languages: list[str], complaints: list[str]
) -> None:
    says = flow("f", block("a", MESSAGE, other(), prompt=HELLO), supported_modes=modes, languages=languages)
    found = [one for one in check(container(says, resources=[resource(HELLO, *values)])) if not one.is_warning]
    assert [complaint in one.message for complaint, one in zip(complaints, found, strict=True)] == [True] * len(found)
    assert {one.path for one in found} <= {"document.flows[0].blocks[0].config.prompt"}


def test_a_circle_without_a_block_that_waits_is_found_once() -> None:
    turns = [block("a", "Core.Log", other("b")), block("b", "Core.Case", way("a", test="1"), other())]
    assert paths(only(*turns)) == ["document.flows[0].blocks[0]"]
    assert paths(only(block("a", "Core.Log", other("a")))) == ["document.flows[0].blocks[0]"]
    waits = [block("a", "Core.Log", other("b")), block("b", OPEN, other("a"), prompt="?")]
    assert paths(only(*waits)) == []


def runs(uuid: str, other_flow: str, *exits: dict[str, Any]) -> dict[str, Any]:
    return block(uuid, "Core.RunFlow", *(exits or (other(),)), flow_id=other_flow)


def test_circles_go_through_flows_that_run_each_other() -> None:
    itself = container(flow("f", runs("a", "f")))
    each_other = container(flow("f", runs("a", "g")), flow("g", runs("a", "f")))
    assert len(paths(itself)) == len(paths(each_other)) == 1
    asks = flow("g", block("q", OPEN, other(), prompt="?"))
    says = flow("g", block("q", MESSAGE, other(), prompt="!"))
    again = flow("f", runs("a", "g", other("a")))
    assert paths(container(again, asks)) == []
    assert paths(container(again, says)) == ["document.flows[0].blocks[0]"]
    asks_first = flow("f", block("q", OPEN, other("a"), prompt="?"), runs("a", "f"))
    assert paths(container(asks_first)) == []


def test_warnings_let_a_flow_run() -> None:
    choices = [{"name": "yes"}, {"name": "yes"}]
    document = only(
        block("a b", ONE, other("b"), prompt="?", choices=choices),
        {**block("b", OPEN, way(), prompt="?"), "name": "a b"},
        {**block("c", OPEN, other(), prompt="?"), "name": ""},
    )
    assert paths(document) == []
    assert paths(document, warnings=True) == [
        "document.flows[0].blocks[0].name",
        "document.flows[0].blocks[0].config.choices[1].name",
        "document.flows[0].blocks[1].name",
        "document.flows[0].blocks[1].name",
        "document.flows[0].blocks[1].exits",
        "document.flows[0].blocks[2].name",
        "document.flows[0].blocks[2]",
    ]


def long_chain(blocks: int) -> dict[str, Any]:
    kinds = [OPEN if n % 500 == 499 else "Core.Log" for n in range(blocks)]
    ways = [other(f"b{n + 1}" if n + 1 < blocks else None) for n in range(blocks)]
    return only(*(block(f"b{n}", kinds[n], ways[n], prompt="?") for n in range(blocks)))


def test_ten_thousand_blocks_are_checked_and_one_more_is_refused_at_once() -> None:
    assert check(long_chain(MOST_BLOCKS)) == ()
    (refused,) = check(long_chain(MOST_BLOCKS + 1))
    assert (refused.path, "10,001" in refused.message) == ("document", True)


def test_long_circles_and_many_flows_take_time_in_proportion() -> None:
    """A step of the work per block: what took ten times as long for ten times as much would take a minute here."""
    circle = only(
        *(block(f"b{n}", "Core.Log", other(f"b{(n + 1) % 5000}"), way(f"b{n - 1}" if n else None)) for n in range(5000))
    )
    flows = [flow(f"f{n}", runs("a", f"f{n + 1}")) for n in range(4999)]
    many = container(*flows, flow("f4999", block("a", OPEN, other(), prompt="?")))
    started = time.process_time()
    assert len(paths(circle)) == 1
    assert paths(many) == ["document.flows[0].blocks[0]"]
    assert time.process_time() - started < 20


def test_of_many_findings_the_first_are_told_and_how_many_more_there_are() -> None:
    many = only(*(block(f"b{n}", MESSAGE, way("gone"), prompt=NOWHERE) for n in range(300)))
    found = check(many)
    assert len(found) == MOST_FINDINGS
    assert (found[-1].path, found[-1].is_warning) == ("document", False)
    assert "700" in found[-1].message  # two errors of each block, and a warning of all but the first
    assert not any(one.is_warning for one in found)


WORDS = """
    flows blocks exits first_block_id exit_block_id resources uuid type name config prompt message default test choices
    destination_block values content_type modes value languages id language_id flow_id question_prompt digit_prompts
    interaction_timeout supported_modes set_contact_property property_key groups IVR max_digits minimum_choices
"""
KEYS = st.sampled_from(WORDS.split())
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(0, 3)
    | st.floats()
    | st.sampled_from(["a", "b", HELLO, "SMS", "TEXT", MESSAGE, ONE, MANY, NUMBER, OPEN, "Core.Case", "Core.RunFlow"])
    | st.sampled_from(["@(1 / 0)", "@contact.name", "(((", "{{", "=1"])
)
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=30
)


def mutate(data: st.DataObject, node: Any) -> None:
    """Replace a random part of a good document by rubbish."""
    while True:
        places = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not places:
            return
        place = data.draw(st.sampled_from(places))
        if isinstance(node[place], dict | list) and data.draw(st.booleans()):
            node = node[place]
        else:
            node[place] = data.draw(DOCUMENTS)
            return


@given(DOCUMENTS)
def test_no_document_whatever_breaks_the_check(document: object) -> None:
    assert all(one.path.startswith("document") and one.message.endswith(".") for one in check(document))


@given(st.data())
def test_a_damaged_document_is_refused_or_can_be_read(data: st.DataObject) -> None:
    document = copy.deepcopy(SUPPORT)
    for _ in range(data.draw(st.integers(1, 4))):
        mutate(data, document)
    if not paths(document):
        assert read(document).flows
