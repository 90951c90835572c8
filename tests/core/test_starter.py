"""What is said when a starter is installed, and what it does without it."""

import pytest

from callsheet.core.flow.starter import fill, find_faults, read_starter

DOCUMENT = {
    "name": "Little Flow",
    "description": "Asks.",
    "vendor_metadata": {
        "callsheet": {
            "starter": {
                "parameters": [
                    {"name": "business", "kind": "text", "description": "Who.", "required": True, "example": "Shop"},
                    {
                        "name": "url",
                        "kind": "url",
                        "description": "Where.",
                        "example": "https://example.com",
                        "without": {"leave_out": ["b"], "instead": "c"},
                    },
                ]
            }
        }
    },
    "flows": [
        {
            "languages": [{"id": "eng"}],
            "blocks": [
                {"uuid": "a", "config": {"prompt": "{{business}}"}, "exits": [{"destination_block": "b"}]},
                {"uuid": "b", "config": {"url": "{{url}}/x"}, "exits": [{"destination_block": "c"}]},
                {"uuid": "c", "config": {}, "exits": [{"destination_block": None}]},
            ],
        }
    ],
}
STARTER = read_starter("little-flow", DOCUMENT)


def test_a_starter_says_what_it_wants():
    assert (STARTER.name, STARTER.title, STARTER.languages) == ("little-flow", "Little Flow", ("eng",))
    assert [(one.name, one.is_required) for one in STARTER.parameters] == [("business", True), ("url", False)]
    assert not STARTER.wants_nothing
    assert STARTER.is_called(" LITTLE flow")


def test_what_is_said_stands_in_its_place_and_begins_no_expression():
    document = fill(STARTER, {"business": " me@contact.x {{url}} ", "url": "https://example.com"})
    first, second, _ = document["flows"][0]["blocks"]

    assert first["config"]["prompt"] == "me@@contact.x {{url}}"
    assert second["config"]["url"] == "https://example.com/x"
    assert document["vendor_metadata"] == {"callsheet": {"starter": "little-flow"}}
    assert DOCUMENT["flows"][0]["blocks"][0]["config"]["prompt"] == "{{business}}"


def test_blocks_that_need_what_was_not_said_are_left_out():
    first, last = fill(STARTER, {"business": "Shop"})["flows"][0]["blocks"]

    assert (first["uuid"], last["uuid"]) == ("a", "c")
    assert first["exits"] == [{"destination_block": "c"}]


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"business": "Shop"}, []),
        ({"business": "Shop", "url": "x"}, []),
        ({}, ["parameters.business"]),
        ({"business": "  "}, ["parameters.business"]),
        ({"business": "two\nlines"}, ["parameters.business"]),
        ({"business": "x" * 61}, ["parameters.business"]),
        ({"business": "Shop", "url": ""}, ["parameters.url"]),
        ({"business": "Shop", "uri": "x"}, ["parameters.uri"]),
    ],
)
def test_what_is_wrong_with_what_was_said_is_named(said, wrong):
    assert [fault.path for fault in find_faults(STARTER, said)] == wrong
