from __future__ import annotations

import json
import time
from importlib import resources
from typing import Any

import pytest

from callsheet.core.flow.check import check
from callsheet.core.flow.oddities import MOST_ODD_KEYS
from core.flow.documents import HELLO, MESSAGE, ONE, block, container, flow, other, resource, value, way


def made(**more: Any) -> dict[str, Any]:
    """Return a document with nothing odd in it."""
    usual = {"supported_modes": ["SMS"], "languages": [{"id": "eng", "iso_639_3": "eng"}], "interaction_timeout": 60}
    says = block("a", MESSAGE, other(), prompt=HELLO)
    return container(flow("f", says, **{**usual, **more}), resources=[resource(HELLO, value("Hi", "SMS"))])


def warned(document: dict[str, Any]) -> dict[str, str]:
    found = check(document)
    assert all(one.is_warning for one in found)
    return {one.path.removeprefix("document"): one.message for one in found}


def test_a_misspelt_key_is_named_where_it_stands_with_the_nearest_one() -> None:
    choice = block("a", ONE, way(None, tets="x"), other(), prompt="?", choices=[{"name": "x", "prompt": "x"}])
    document = container(flow("f", {**choice, "exit": []}, interaction_timeuot=3), resources=[])
    found = warned({**document, "resource": []})
    known = {"resource": "resources", "interaction_timeuot": "interaction_timeout", "exit": "exits", "tets": "test"}
    assert list(found) == [
        ".resource",
        ".flows[0].interaction_timeuot",
        ".flows[0].blocks[0].exit",
        ".flows[0].blocks[0].exits[0].tets",
    ]
    for path, message in found.items():
        assert message.endswith(f"has this name: it is passed over. The nearest is {known[path.split('.')[-1]]}.")


def test_what_the_specification_and_its_drafts_know_is_no_oddity() -> None:
    own: dict[str, Any] = {"vendor_metadata": {"x": 1}, "ui_metadata": {}, "platform_metadata": {}, "label": "x"}
    ways = [way(None, semantic_label="x", config={}, tag="x", test="true", **own), other()]
    says = {**block("a", MESSAGE, *ways, prompt="Hi"), "semantic_label": "x", "tags": ["x"], **own}
    bare = {**flow("f", says, last_modified="2026-01-31T09:30:00Z", **own), "resources": []}
    assert warned(bare) == {}
    assert warned({**container(bare), "description": "x", **own}) == {}


@pytest.mark.parametrize(
    ("more", "paths"),
    [
        ({"supported_modes": ["FAX"]}, [".supported_modes[0]", ".supported_modes"]),
        ({"supported_modes": ["sms", "FAX"]}, [".supported_modes[1]"]),
        ({"supported_modes": ["USSD"]}, [".supported_modes"]),
        ({"supported_modes": "SMS"}, [".supported_modes"]),
        ({"supported_modes": [["SMS"]] * 2}, [".supported_modes[0]", ".supported_modes[1]", ".supported_modes"]),
        ({"supported_modes": []}, []),
        ({"languages": []}, [".languages"]),
        ({"languages": "eng"}, [".languages"]),
        ({"languages": [{"label": "English"}, "eng", 7]}, [".languages[0]", ".languages[2]"]),
    ],
)
def test_a_value_that_means_nothing_is_warned_of(more: dict[str, Any], paths: list[str]) -> None:
    assert list(warned(made(**more))) == [f".flows[0]{path}" for path in paths]


def test_a_default_that_is_neither_true_nor_false_is_warned_of() -> None:
    document = container(flow("f", block("a", MESSAGE, way(None, default="true"), prompt="Hi")))
    assert list(warned(document)) == [".flows[0].blocks[0].exits[0].default"]


def test_no_starter_is_warned_of_anything() -> None:
    folder = resources.files("callsheet.engine") / "starters"
    starters = [json.loads(file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".json")]
    assert starters
    for starter in starters:
        assert [one for one in check(starter) if "passed over" in one.message or "mode" in one.message] == []


def test_very_many_odd_keys_take_no_time() -> None:
    document = made(**{f"interaction_timeou{number}": 1 for number in range(100_000)})
    began = time.process_time()
    assert len(check(document)) == MOST_ODD_KEYS
    assert time.process_time() - began < 10
