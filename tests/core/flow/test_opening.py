from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.flow.opening import check, first_message, with_merge_tags
from callsheet.core.template import compile_text

HELLO = "42095857-6782-425d-809b-4226c4d53d4d"
NOWHERE = "00000000-0000-4000-8000-000000000000"


def block(uuid: str, kind: str, *exits: dict[str, Any], **config: Any) -> dict[str, Any]:
    return {"uuid": uuid, "name": uuid, "type": kind, "config": config, "exits": list(exits)}


def way(destination: str | None, **more: Any) -> dict[str, Any]:
    return {"uuid": "e", "name": "x", "destination_block": destination, **more}


def value(text: str, *modes: str, language: str = "eng", content: str = "TEXT") -> dict[str, Any]:
    return {
        "language_id": language,
        "content_type": content,
        "mime_type": "text/plain",
        "modes": list(modes),
        "value": text,
    }


def container(
    *blocks: dict[str, Any], first: str | None = None, values: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Build a container as section "Containers" of the specification shows it."""
    return {
        "specification_version": "1.0.0-rc4",
        "uuid": "c",
        "name": "SMS Support Flow",
        "flows": [
            {
                "uuid": "f",
                "name": "support",
                "languages": [{"id": "eng", "iso_639_3": "eng"}],
                "supported_modes": ["SMS"],
                "first_block_id": first or blocks[0]["uuid"],
                "blocks": list(blocks),
            }
        ],
        "resources": [
            {"uuid": HELLO, "values": [value("Hello @contact.first_name!", "SMS")] if values is None else values}
        ],
    }


SUPPORT = container(
    block("log", "Core.Log", way("case", default=True), message="started"),
    block("case", "Core.Case", way("other", test="contact.vip"), way("hello", default=True)),
    block("other", "MobilePrimitives.Message", way(None), prompt="Hello VIP"),
    block("hello", "MobilePrimitives.Message", way("ask", default=True), prompt=HELLO),
    block("ask", "MobilePrimitives.OpenResponse", way("log", default=True), prompt=HELLO),
)


def test_the_first_message_on_the_default_way_is_the_one_that_is_sent() -> None:
    text = first_message(SUPPORT)
    assert text == "Hello {{ contact.first_name }}!"
    assert compile_text(text).render({"First Name": "Asha"}, "+12025550123") == "Hello Asha!"
    assert check(SUPPORT) == ()


def test_a_bare_flow_with_its_resources_inside_is_taken_too() -> None:
    bare = {**SUPPORT["flows"][0], "resources": SUPPORT["resources"]}
    assert first_message(bare) == first_message(SUPPORT)
    assert check(bare) == ()


def test_resources_keyed_by_uuid_and_flows_without_a_first_block_are_taken() -> None:
    draft = copy.deepcopy(SUPPORT)
    draft["resources"] = {HELLO: {"values": [value("Hi", "sms")]}}
    del draft["flows"][0]["first_block_id"]
    draft["flows"][0]["blocks"][3]["type"] = "MobilePrimitives\\Message"
    assert first_message(draft) == "Hi"
    assert check(draft) == ()


def test_without_a_default_the_only_exit_that_leads_anywhere_is_followed() -> None:
    one = block("a", "Core.Log", way(None), way("b", test="true"))
    many = block("a", "Core.Case", way("b", test="x"), way("c", test="y"))
    b, c = (block(name, "MobilePrimitives.Message", prompt=f"text {name}") for name in "bc")
    assert first_message(container(one, b, c)) == "text b"
    assert first_message(container(many, b, c)) is None


def test_a_default_exit_that_ends_the_flow_ends_it() -> None:
    end = block("a", "Core.Case", way(None, default=True), way("b", test="x"))
    assert first_message(container(end, block("b", "MobilePrimitives.Message", prompt="no"))) is None


def test_a_flow_that_runs_in_circles_does_not_hang() -> None:
    a, b = block("a", "Core.Log", way("b")), block("b", "Core.Log", way("a"))
    assert first_message(container(a, b)) is None
    assert first_message(container(block("a", "Core.Log", way("a", default=True)))) is None


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([value("text", "TEXT"), value("sms", "SMS", "USSD")], "sms"),
        ([value("ivr", "IVR"), value("text", "TEXT")], "text"),
        ([value("fr", "SMS", language="fre"), value("en", "TEXT")], "en"),
        ([value("fr", "SMS", language="fre")], "fr"),
        ([value("hello.wav", "SMS", content="AUDIO")], None),
        ([value("ivr", "IVR")], None),
        ([{"language_id": "eng", "content_type": "TEXT", "value": "no modes"}], "no modes"),
        ([], None),
    ],
)
def test_of_a_resource_the_text_for_sms_in_the_flows_language_is_taken(values: list[Any], text: str | None) -> None:
    assert first_message(container(block("a", "MobilePrimitives.Message", prompt=HELLO), values=values)) == text


def test_a_message_with_nothing_to_show_by_sms_is_passed_over() -> None:
    silent = block("a", "MobilePrimitives.Message", way("b", default=True), prompt=HELLO)
    spoken = block("b", "MobilePrimitives.Message", message="in text")
    assert first_message(container(silent, spoken, values=[value("x.wav", "IVR", content="AUDIO")])) == "in text"


def test_a_resource_that_is_not_there_is_not_sent_as_a_uuid() -> None:
    document = container(block("a", "MobilePrimitives.Message", prompt=NOWHERE))
    assert first_message(document) is None
    (fault,) = check(document)
    assert (fault.path, NOWHERE in fault.message) == ("document.flows[0].blocks[0].config.prompt", True)


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("Hi @contact.name.", "Hi {{ contact.name }}."),
        ("Hi @(contact.First_Name)!", "Hi {{ contact.First_Name }}!"),
        ("@CONTACT.city, @contact.properties.gender", "{{ contact.city }}, {{ contact.gender }}"),
        ("mail foo@contact.com or foo@bar.com", "mail foo@contact.com or foo@bar.com"),
        ("foo@@contact.tel @@ 5", "foo@contact.tel @ 5"),
        ("@(contact.age + 1) @contact @results.x.value", "@(contact.age + 1) @contact @results.x.value"),
        ("<First Name> {{ First Name }}", "<First Name> {{ First Name }}"),
    ],
)
def test_simple_expressions_become_merge_tags_and_all_else_stays(text: str, rewritten: str) -> None:
    assert with_merge_tags(text) == rewritten


def test_every_wrong_thing_is_named_where_it_stands() -> None:
    broken = {
        "flows": [
            {
                "first_block_id": "zz",
                "exit_block_id": "yy",
                "blocks": [
                    {"uuid": "a", "type": "Core.Log", "exits": [way("gone"), way(None), "odd"]},
                    {"uuid": "a", "exits": [way("a", default=True), way("a", default=True)]},
                    {"type": "MobilePrimitives.Message", "config": {}},
                    "odd",
                    block("b", "Core.Log", way(["a"])),  # type: ignore[arg-type]
                ],
            },
            {"blocks": []},
            7,
        ]
    }
    assert [fault.path for fault in check(broken)] == [
        "document.flows[2]",
        "document.flows[0].blocks[1].uuid",
        "document.flows[0].blocks[2].uuid",
        "document.flows[0].blocks[3]",
        "document.flows[0].first_block_id",
        "document.flows[0].exit_block_id",
        "document.flows[0].blocks[0].exits[0].destination_block",
        "document.flows[0].blocks[0].exits[2]",
        "document.flows[0].blocks[1].type",
        "document.flows[0].blocks[1].exits",
        "document.flows[0].blocks[2].config.prompt",
        "document.flows[0].blocks[2].exits",
        "document.flows[0].blocks[4].exits[0].destination_block",
        "document.flows[1].blocks",
    ]
    assert all(fault.message[0].isupper() and fault.message.endswith(".") for fault in check(broken))


def test_a_text_that_cannot_be_sent_is_named_before_a_campaign_starts() -> None:
    (fault,) = check(container(block("a", "MobilePrimitives.Message", prompt="Hi {{name")))
    assert fault.path == "document"
    assert fault.message.startswith("The first message of the flow cannot be sent. Line 1, column 4: {{ is never")


@pytest.mark.parametrize(
    "document", [None, [], "text", 7, {}, {"flows": []}, {"flows": {}}, {"blocks": []}, {"flows": [1]}]
)
def test_what_is_no_flow_is_refused_and_sends_nothing(document: object) -> None:
    assert check(document)
    assert first_message(document) is None


keys = st.sampled_from(
    [
        "flows",
        "blocks",
        "exits",
        "first_block_id",
        "resources",
        "uuid",
        "type",
        "config",
        "prompt",
        "message",
        "default",
        "destination_block",
        "values",
        "content_type",
        "modes",
        "value",
        "languages",
        "id",
        "language_id",
    ]
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(0, 3)
    | st.sampled_from(["a", "b", HELLO, "SMS", "TEXT", "MobilePrimitives.Message"])
)
documents = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=6), max_leaves=30
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
            node[place] = data.draw(documents)
            return


@given(documents)
def test_no_document_whatever_breaks_the_reader(document: object) -> None:
    text = first_message(document)
    assert text is None or text
    check(document)


@given(st.data())
def test_a_damaged_document_is_read_or_refused_but_never_crashes(data: st.DataObject) -> None:
    document = copy.deepcopy(SUPPORT)
    mutate(data, document)
    text = first_message(document)
    assert text is None or isinstance(text, str)
    assert all(fault.path.startswith("document") for fault in check(document))
