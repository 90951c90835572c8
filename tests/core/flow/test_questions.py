"""Questions: what is shown of them, and what replies mean. Replies are data, whatever stands in them."""

from __future__ import annotations

from typing import Any

import pytest

from callsheet.core.flow.blocks.numbers import read_number
from callsheet.core.flow.effects import LeaveGroups, Say, SetGroup, SetProperty
from callsheet.core.flow.session import Ending, Mode, Plain
from core.flow.documents import (
    HELLO,
    MANY,
    MESSAGE,
    NUMBER,
    ONE,
    OPEN,
    block,
    container,
    converse,
    flow,
    other,
    resource,
    said,
    start,
    value,
    way,
)

ICES = [{"name": "choc", "prompt": "Chocolate"}, {"name": "van", "prompt": "वनीला"}, {"name": "ice cream"}]
STRANGE = [
    "",
    " ",
    "😀",
    "👍🏽",
    "x" * 10_240,
    "@(1/0)",
    "{{ x }}",
    "'; drop table",
    "\x00",
    "مرحبا",
    "\uff11",
    "<b>",
    "@contact",
]


def ask(kind: str, **config: Any) -> dict[str, Any]:
    exits = way("ok", test="ISNUMBER(1) = TRUE"), other("bad")
    thanks = block("ok", MESSAGE, other(), prompt="Thanks"), block("bad", MESSAGE, other(), prompt="Sorry")
    return container(flow("f", block("q", kind, *exits, prompt="?", **config), *thanks))


def answered(document: dict[str, Any], reply: str, **more: Any) -> Plain:
    """Return the value that a reply gave; the texts say that it was invalid."""
    *_, made = converse(document, reply, **more)
    assert made.session.ending is Ending.done
    assert made.visits[0].response == reply
    assert (made.visits[0].value is None) == (said(made) == "Sorry") == bool(made.visits[0].why)
    return made.visits[0].value


@pytest.mark.parametrize(
    ("reply", "name"),
    [
        ("1", "choc"), (" 2. ", "van"), ("३", "ice cream"), ("Choc", "choc"), ("CHOCOLATE!", "choc"),
        ("वनीला", "van"), ("Ice  Cream", "ice cream"), ("1 2", None), ("0", None), ("4", None), ("choco", None),
    ],
)  # fmt: skip
def test_a_choice_is_meant_by_its_number_its_name_or_its_text(reply: str, name: str | None) -> None:
    assert answered(ask(ONE, choices=ICES), reply) == name


def test_drafts_name_choices_by_their_keys() -> None:
    assert answered(ask(ONE, choices={"choc": "Chocolate", "van": "Vanilla"}), "vanilla") == "van"


def test_the_first_choice_whose_test_holds_is_taken() -> None:
    choices = [
        {"name": "small", "test": "block.response < 10"},
        {"name": "any", "test": "ISNUMBER(block.response)"},
        {"name": "word", "test": "block.response = 'WORD'"},
    ]
    asked = ask(ONE, choices=choices)
    assert [answered(asked, reply) for reply in ("5 ", "10", "word", "x")] == ["small", "any", "word", None]


def test_names_that_are_numbers_go_before_places() -> None:
    assert answered(ask(ONE, choices=[{"name": "0"}, {"name": "1"}, {"name": "2"}]), "1") == "1"


@pytest.mark.parametrize(
    ("reply", "names"),
    [
        ("1 3", ["choc", "ice cream"]), ("3,1", ["choc", "ice cream"]), ("1 and 3", ["choc", "ice cream"]),
        ("1 और 2", ["choc", "van"]), ("choc, ice cream", ["choc", "ice cream"]), ("1,1,1", ["choc"]),
        ("1;2;3", None), ("1 9", None), ("", None), ("none of it", None), ("0", None),
    ],
)  # fmt: skip
def test_several_choices_are_taken_each_once_in_the_order_of_the_list(reply: str, names: list[str] | None) -> None:
    assert answered(ask(MANY, choices=ICES, minimum_choices=1, maximum_choices=2), reply) == names


def test_no_choice_at_all_is_an_answer_where_none_is_needed() -> None:
    assert answered(ask(MANY, choices=ICES), "0") == []
    assert answered(ask(MANY, choices=ICES), "13", mode=Mode.ivr) == ["choc", "ice cream"]
    assert answered(ask(MANY, choices=ICES), " ") == []


@pytest.mark.parametrize("reply", ["x" * 10_000, "1 " * 300 + "9", "\U0001f642" * 2_500])
def test_a_long_reply_that_names_no_choice_is_not_taken_for_none_of_them(reply: str) -> None:
    assert answered(ask(MANY, choices=ICES), reply) is None


@pytest.mark.parametrize(
    ("reply", "number"),
    [
        ("42", 42), ("४२", 42), ("٤٢", 42), (" 42. ", 42), ("1,234", 1234), ("12,34,567", 1234567), ("1 234", 1234),
        ("1.234,50", 1234.5), ("2,5", 2.5), ("0.5", 0.5), ("\u0663\u066b\u0665", 3.5), ("-3", -3), ("\u2212 4", -4),
        ("1.000.000", 10**6),
        ("25 years", None), ("", None), ("1e5", None), ("--3", None), ("½", None), ("²", None), ("1,2345", None),
        ("9" * 16, None), ("0x10", None), ("nan", None), ("inf", None), ("1_000", 1000), (".", None), ("-", None),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(reply: str, number: float | None) -> None:
    assert read_number(reply) == number


def test_a_number_out_of_its_bounds_is_no_answer() -> None:
    bounded = ask(NUMBER, validation_minimum=0, validation_maximum=120)
    assert [answered(bounded, reply) for reply in ("0", "120", "-1", "121", "120.5")] == [0, 120, None, None, None]


def test_any_text_answers_an_open_question() -> None:
    assert [answered(ask(OPEN), reply) for reply in (" hi\n", "😀", "  ")] == ["hi", "😀", None]


@pytest.mark.parametrize("kind", [ONE, MANY, NUMBER, OPEN])
@pytest.mark.parametrize("reply", STRANGE)
def test_a_strange_reply_is_data(kind: str, reply: str) -> None:
    *_, made = converse(ask(kind, choices=ICES), reply)
    assert made.session.ending is Ending.done
    assert made.session.visits == 3
    assert made.visits[0].response == reply


def test_a_question_alone_is_shown_with_a_numbered_list() -> None:
    asks = block(
        "q", ONE, other(), question_prompt="Which?", choices=ICES, digit_prompts=["Press 1", "Press 2", "Press 3"]
    )
    document = container(flow("f", asks))
    assert said(start(document)) == "Which?\n1. Chocolate\n2. वनीला\n3. ice cream"
    (spoken,) = start(document, mode=Mode.ivr).effects
    assert isinstance(spoken, Say)
    assert spoken.text.split("\n") == ["Which?", "Chocolate", "Press 1", "वनीला", "Press 2", "ice cream", "Press 3"]
    assert spoken.most_digits == 1


def test_recordings_are_played_one_after_the_other() -> None:
    recorded = [resource(f"r{n}", value(f"{n}.wav", "IVR", content="AUDIO")) for n in range(3)]
    asks = block("q", ONE, other(), question_prompt="r0", choices=[{"name": "a", "prompt": "r1"}], digit_prompts=["r2"])
    effects = start(container(flow("f", asks), resources=recorded), mode=Mode.ivr).effects
    assert [effect.audio for effect in effects if isinstance(effect, Say)] == ["0.wav", "1.wav", "2.wav"]
    assert [effect.most_digits for effect in effects if isinstance(effect, Say)] == [0, 0, 1]


def test_what_a_call_listens_to_is_said() -> None:
    number = container(flow("f", block("q", NUMBER, other(), prompt="?", IVR={"max_digits": 3})))
    text = container(flow("f", block("q", OPEN, other(), prompt="?", IVR={"max_duration_seconds": 20})))
    effects = [start(document, mode=Mode.ivr).effects[0] for document in (number, text)]
    assert [(one.most_digits, one.listens_seconds) for one in effects if isinstance(one, Say)] == [(3, 0), (0, 20)]


def test_blocks_that_say_nothing_do_what_they_are_for() -> None:
    made = start(
        container(
            flow(
                "f",
                block("log", "Core.Log", other("out"), message="Hi @contact.name"),
                block("out", "Core.Output", other("set"), value="contact.age * 2"),
                block(
                    "set", "Core.SetContactProperty", other("add"),
                    set_contact_property=[{"property_key": "twice", "property_value": "@results.out"}],
                ),
                block("add", "Core.SetGroupMembership", other("clear"), groups=[{"group_key": "g"}], is_member=True),
                block("clear", "Core.SetGroupMembership", other(), clear=True),
            )
        ),
        contact={"Name": "Asha", "Age": "21"},
    )  # fmt: skip
    assert made.effects == (SetProperty("twice", "42"), SetGroup("g", "g", is_member=True), LeaveGroups())
    assert [(visit.name, visit.value) for visit in made.visits][:2] == [("log", "Hi Asha"), ("out", 42)]
    assert made.session.contact["twice"] == "42"
    assert made.session.groups == {}


def test_a_column_is_set_however_its_name_is_spelled() -> None:
    sets = {"set_contact_property": [{"property_key": "first_name", "property_value": "Bo"}]}
    made = start(container(flow("f", block("a", MESSAGE, other(), prompt="x", **sets))), contact={"First Name": "Asha"})
    assert made.session.contact == {"First Name": "Bo"}
    assert made.effects[-1] == SetProperty("First Name", "Bo")


def test_a_resource_is_said_in_the_language_of_the_contact() -> None:
    hello = resource(HELLO, value("Hello", "SMS"), value("नमस्ते", "SMS", language="hin"))
    languages = [
        {"id": "eng", "iso_639_3": "eng", "label": "English"},
        {"id": "hin", "iso_639_3": "hin", "label": "Hindi"},
    ]
    document = container(flow("f", block("a", MESSAGE, other(), prompt=HELLO), languages=languages), resources=[hello])
    spoken = [said(start(document, contact={"Language": each})) for each in ("hi", "HIN", "hi_IN", "fr", "")]
    assert spoken == ["नमस्ते"] * 3 + ["Hello"] * 2
    assert said(start(document, language="hin")) == "नमस्ते"


@pytest.mark.parametrize(
    ("flow_speaks", "contact_says"),
    [("ben", "bn"), ("spa", "es-MX"), ("mar", "Marathi"), ("fre", "fr"), ("x-own", "X-Own")],
)
def test_languages_are_known_by_their_codes_and_names(flow_speaks: str, contact_says: str) -> None:
    document = container(flow("f", block("a", MESSAGE, other(), prompt="Hi"), languages=["eng", flow_speaks]))
    assert start(document, language=contact_says).session.language == flow_speaks


@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [
        ("es", "spa"), ("ES-mx", "spa"), ("spa", "spa"), ("mr", "mar"), ("mr_IN", "mar"), ("en", "eng-f"),
        ("en-GB", "eng-m"), ("ma", "eng-f"), ("", "eng-f"),
    ],
)  # fmt: skip
def test_a_language_goes_by_all_its_codes(wanted: str, spoken: str) -> None:
    languages = [
        {"id": "eng-f", "iso_639_3": "eng", "bcp_47": "en-US"}, {"id": "eng-m", "iso_639_3": "eng", "bcp_47": "en-GB"},
        {"id": "spa", "iso_639_3": "spa"}, {"id": "mar", "iso_639_3": "mar", "bcp_47": None},
    ]  # fmt: skip
    document = container(flow("f", block("a", OPEN, other(), prompt="?"), languages=languages))
    assert start(document, contact={"Language": wanted}).session.language == spoken


def test_the_column_of_the_number_is_not_set() -> None:
    sets = {"set_contact_property": [{"property_key": "phone_number", "property_value": "@block.response"}]}
    *_, made = converse(
        container(flow("f", block("q", OPEN, other(), prompt="?", **sets))), "2025550199", contact=PHONE
    )
    assert (made.session.contact, made.effects) == (PHONE, ())
    assert made.visits[0].why == "The column of the phone number is not for flows to set."


PHONE = {"Phone": "", "Name": "Asha"}
