from __future__ import annotations

from typing import Any

import pytest

from callsheet.core.flow.amiss import BadExpression
from callsheet.core.flow.opening import Opening
from callsheet.core.flow.reading import read
from callsheet.core.flow.wording import read_wording, with_merge_tags
from callsheet.core.template import EmptyMessage, Unrenderable
from core.flow.documents import AT, HELLO, MESSAGE, ONE, OPEN, block, container, flow, other, resource, value, way

NUMBER = "+12025550123"
ASHA = {"First Name": "Asha", "Language": "hi", "Plan": "gold"}

BRANCHING = container(
    flow(
        "support",
        block("log", "Core.Log", other("case"), message="started"),
        block("case", "Core.Case", way("gold", test="contact.plan = 'gold'"), other("hello")),
        block("gold", MESSAGE, other("ask"), prompt="Dear @contact.first_name, a word on your gold plan."),
        block("hello", MESSAGE, other("ask"), prompt=HELLO),
        block("ask", ONE, other("after"), question_prompt="Which?", choices=[{"name": "Pay"}, {"name": "Call"}]),
        block("after", MESSAGE, other(), prompt="Not said before the reply, @contact.nobody."),
        languages=[{"id": "eng", "iso_639_3": "eng"}, {"id": "hin", "iso_639_3": "hin"}],
    ),
    resources=[resource(HELLO, value("Hello @contact.first_name!", "SMS"), value("नमस्ते!", "SMS", language="hin"))],
)


def opening(document: Any) -> Opening:
    return Opening(read(document), lambda: AT)


def says(*blocks: dict[str, Any], **more: Any) -> Opening:
    return opening(container(flow("f", *blocks, **more)))


def test_it_says_to_each_contact_what_its_way_says_until_the_first_question() -> None:
    made = opening(BRANCHING)
    asks = "Which?\n1. Pay\n2. Call"
    assert made.render(ASHA, NUMBER) == f"Dear Asha, a word on your gold plan.\n{asks}"
    assert made.render({**ASHA, "Plan": ""}, NUMBER) == f"नमस्ते!\n{asks}"
    assert made.render({"First Name": "Bo"}, NUMBER) == f"Hello Bo!\n{asks}"


def test_it_names_the_columns_that_it_shows_on_the_way_of_a_contact() -> None:
    made = opening(BRANCHING)
    assert made.fields == ("first_name",)
    assert made.missing(["First Name"]) == ()
    assert made.missing(["Name"]) == ("first_name",)
    assert made.blanks(ASHA) == ()
    assert made.blanks({**ASHA, "First Name": " "}) == ("first_name",)


def test_its_text_as_written_stands_for_it() -> None:
    assert opening(BRANCHING).as_written() == "Hello {{ contact.first_name }}!\nWhich?"
    assert says(block("a", "Core.Log", other(), message="x")).as_written() is None


def test_a_flow_that_speaks_to_some_contacts_only_has_a_text() -> None:
    gold = block("case", "Core.Case", way("inner", test="contact.plan = 'gold'"), other())
    made = opening(
        container(
            flow("outer", gold, block("inner", "Core.RunFlow", other(), flow_id="inner")),
            flow("inner", block("log", "Core.Log", other("a"), message="x"), block("a", MESSAGE, other(), prompt="Hi")),
        )
    )
    assert made.as_written() == "Hi"
    assert made.render(ASHA, NUMBER) == "Hi"
    with pytest.raises(EmptyMessage):
        made.render({}, NUMBER)


def test_what_is_said_after_a_reply_is_no_opening() -> None:
    assert says(block("a", OPEN, other("b")), block("b", MESSAGE, other(), prompt="Hi")).as_written() is None


def test_placeholders_of_messages_are_taken_in_prompts() -> None:
    made = says(block("a", MESSAGE, other(), prompt="Hi <First Name>, {{ city | default: 'there' }} @contact.plan"))
    assert made.render(ASHA, NUMBER) == "Hi Asha, there gold"
    assert made.blanks({"First Name": "", "Plan": "x"}) == ("First Name",)
    assert made.missing(["Plan"]) == ("First Name",) or made.missing(["Plan"]) == ()


def test_what_stands_in_a_column_is_never_read_as_an_expression() -> None:
    made = says(block("a", MESSAGE, other(), prompt="Hi @contact.name <Name>"))
    assert made.render({"Name": "@(1/0) {{x}} <Name>"}, NUMBER) == "Hi @(1/0) {{x}} <Name> @(1/0) {{x}} <Name>"


def test_the_number_stands_in_for_its_column() -> None:
    made = says(block("a", MESSAGE, other(), prompt="@contact.phone @contact.tel"))
    assert made.render({"Phone": "2025550123", "Tel": "x"}, NUMBER).startswith(NUMBER)
    assert made.blanks({"Phone": "", "Tel": "x"}) == ()


def test_a_flow_that_says_nothing_to_a_contact_sends_nothing() -> None:
    with pytest.raises(EmptyMessage):
        says(
            block("a", "Core.Case", way("b", test="contact.vip"), other()), block("b", MESSAGE, other(), prompt="VIP")
        ).render(ASHA, NUMBER)
    with pytest.raises(EmptyMessage):
        says(block("a", MESSAGE, other(), prompt="@contact.nothing")).render(ASHA, NUMBER)
    with pytest.raises(Unrenderable, match="zero"):
        says(block("a", MESSAGE, way(), prompt="@(1 / contact.none)")).render({"None": "0"}, NUMBER)


def test_what_was_said_before_something_was_amiss_is_said() -> None:
    made = says(block("a", MESSAGE, other("b"), prompt="Hi"), block("b", MESSAGE, way(), prompt="@(1 / contact.none)"))
    assert made.render({"None": "0"}, NUMBER) == "Hi"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([value("text", "TEXT"), value("sms", "SMS", "USSD")], "sms"),
        ([value("ivr", "IVR"), value("text", "TEXT")], "text"),
        ([value("fr", "SMS", language="fre"), value("en", "TEXT")], "fr"),
        ([value("fr", "SMS", language="fre")], "fr"),
        ([value("hello.wav", "SMS", content="AUDIO"), value("any")], "any"),
        ([{"language_id": "eng", "content_type": "TEXT", "value": "no modes"}], "no modes"),
    ],
)
def test_a_flow_without_languages_speaks_any(values: list[Any], text: str) -> None:
    document = container(flow("f", block("a", MESSAGE, other(), prompt=HELLO)), resources=[resource(HELLO, *values)])
    assert opening(document).render({}, NUMBER) == text


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


def test_a_placeholder_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(BadExpression, match="never closed"):
        read_wording("Hi {{name")


def test_beside_an_expression_a_placeholder_is_text() -> None:
    made = says(block("a", OPEN, other(), prompt='@(IF(1 < 2, "<b>", "no")) {{ x }}'))
    assert made.render({}, NUMBER) == "<b> {{ x }}"
