from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from callsheet.core.attempt import UNSENT
from callsheet.core.message import to_send
from callsheet.core.placeholders import normalise
from callsheet.core.template import BadTemplate, EmptyMessage, Unrenderable, compile_text

ASHA = {
    "firstName": "Asha",
    "Last Name": "Rao",
    "amount": "250",
    "vip": "",
    "due": "2026-03-12",
    "phoneNumber": "",
}
NUMBER = "+14155550100"


def rendered(text: str, **more: str) -> str:
    return compile_text(text).render({**ASHA, **more}, NUMBER)


@pytest.mark.parametrize(
    "tag",
    [
        "<First Name>",
        "<first_name>",
        "<FIRSTNAME>",
        "<first-name>",
        "{{First Name}}",
        "{{ First Name }}",
        "{{first_name}}",
        "{{ firstName }}",
        "{{FIRST_NAME}}",
        "{{ first-name }}",
        "{{ contact.first_name }}",
        "{{contact.First Name}}",
        "{{ campaignUserInfo.firstName }}",
        "{{ context.session.UserSession.campaignUserInfo.firstName }}",
        "{{ context.campaignUserInfo.firstName }}",
        "{{- first_name -}}",
        "{{ First Name | strip }}",
        "{% if true %}<First Name>{% endif %}",
        "{% if true %}{{First Name}}{{ campaignUserInfo.nick }}{% endif %}",
    ],
)
@pytest.mark.parametrize("header", ["firstName", "First Name", "first_name", "FIRST-NAME", "firstname"])
def test_every_spelling_finds_the_column(tag: str, header: str) -> None:
    assert compile_text(f"Hi {tag}!").render({header: "Asha"}, NUMBER).replace(" ", "") == "HiAsha!"


def test_the_published_system_template_greets_by_name() -> None:
    welcome = compile_text(to_send("<p>Hello &lt;First Name&gt;,</p><p>welcome to <strong>us</strong>.</p>"))
    assert welcome.render({"firstName": "Asha"}, NUMBER) == "Hello Asha,\nwelcome to us."
    plain = compile_text(to_send("Hello <First Name>, welcome."))
    assert plain.render({"firstName": "Asha"}, NUMBER) == "Hello Asha, welcome."


@pytest.mark.parametrize(
    "text",
    [
        "a < b > c",
        "if a<b then",
        "write to <someone@example.com>",
        "see <https://example.com/a>",
        "I <3 you >",
        "<>",
        "< First Name >",
        "<1st>",
        "<" + "a" * 49 + ">",
        "100% sure, %s %d %(a)s",
        "a } b } {c} }}",
    ],
)
def test_what_is_no_placeholder_is_sent_as_it_is(text: str) -> None:
    compiled = compile_text(text)
    assert compiled.render(ASHA, NUMBER) == text
    assert compiled.fields == ()


def test_a_name_in_another_script_is_a_name() -> None:
    assert (
        compile_text("<नाम> {{ Prénom }} {{ prénom | upcase }}").render({"नाम": "आशा", "PRÉNOM": "Zoé"}, NUMBER)
        == "आशा Zoé ZOÉ"
    )


def test_a_default_stands_in_for_a_blank_or_missing_column_only() -> None:
    text = """{{first_name | default: "there"}} {{vip|default:'no'}} {{a | default: "friend"}} {{b | default: ''}}."""
    assert rendered(text) == "Asha no friend ."
    assert rendered("{% if true %}" + text + "{% endif %}") == "Asha no friend ."


def test_a_missing_column_leaves_nothing_behind() -> None:
    assert rendered("[{{ nick }}] [<Nick Name>] [{{ contact.nick }}]") == "[] [] []"


def test_fields_are_named_once_and_the_missing_ones_can_be_shown_before_a_run() -> None:
    compiled = compile_text("<First Name> {{first_name}} {{ contact.nick }} {{ amount | default: 'x' }}")
    assert compiled.fields == ("First Name", "nick", "amount")
    assert compiled.missing(["firstName", "Amount", "city"]) == ("nick",)
    logic = compile_text(
        "{% assign n = nick | upcase %}{% if contact.vip %}{{ n }} <First Name>{{ amount.size }}{% endif %}"
    )
    assert logic.fields == ("nick", "vip", "First Name", "amount")


def test_of_two_headers_with_one_name_the_exact_one_wins_then_the_first() -> None:
    both = {"first_name": "first", "First Name": "exact"}
    assert compile_text("<First Name> {{ firstName }}").render(both, NUMBER) == "exact first"
    assert compile_text("<First Name>").render({"firstName": "a"}, NUMBER) == "a"
    compiled = compile_text("{{ firstName }}")
    # The order in which lists come by must not decide.
    assert [compiled.render(each, NUMBER) for each in (both, {"firstName": "z"}, both)] == ["first", "z", "first"]


hostile = st.sampled_from(
    [
        "{{ amount }}",
        "{% for i in (1..9) %}x{% endfor %}",
        "<First Name>",
        "%s",
        "%(a)s",
        "{{",
        "}}",
        "{% raw %}",
        "\n",
        "&lt;",
    ]
)
values = st.lists(hostile | st.text(max_size=5), max_size=4).map("".join)


@given(values)
@pytest.mark.parametrize("text", ["A {{ city }} B", "A <City> B 100%", "A {% if true %}{{ city }}{% endif %} B"])
def test_what_a_column_contains_is_never_read_as_a_template(text: str, value: str) -> None:
    shown = compile_text(text).render({**ASHA, "city": value}, NUMBER)
    line_ends = value.replace("\r\n", "\n").replace("\r", "\n")
    assert shown.removesuffix(" 100%") in (f"A {value} B", f"A {line_ends} B")


names = st.from_regex(r"[A-Za-z][A-Za-z0-9 _-]{0,20}[A-Za-z0-9]", fullmatch=True)


@given(names, st.text(min_size=1, max_size=20), st.data())
@example("First Name", "x", None)
def test_names_match_without_case_spaces_and_dashes(name: str, value: str, data: st.DataObject | None) -> None:
    assume(name not in ("true", "false", "nil", "null", "empty", "blank"))
    header = name
    if data is not None:
        squeezed = "".join(char for char in name if char not in " _-")
        header = "".join(
            data.draw(st.sampled_from(["", " ", "_", "-"])) + data.draw(st.sampled_from([char.upper(), char.lower()]))
            for char in squeezed
        )
    assert compile_text(f"{{{{ {name} }}}}|<{name}>").render({header: value}, NUMBER) == f"{value}|{value}"


@given(st.text())
@example("ᾳͅ")
@example("\N{MACRON}\N{COMBINING MACRON} \N{COMBINING GRAVE ACCENT BELOW}")
def test_normalising_twice_changes_nothing(name: str) -> None:
    assert normalise(normalise(name)) == normalise(name)


FILLED = {"{{ firstName }}": "Asha", "<Last Name>": "Rao", "{{ x | default: '%' }}": "%", "{{ x }}": ""}
literals = st.text(st.characters(exclude_characters="{<"), max_size=8) | st.sampled_from(["%", "}", "%s"])


@given(st.lists(literals | st.sampled_from(sorted(FILLED))))
def test_literal_text_around_tags_is_kept_to_the_letter(pieces: list[str]) -> None:
    expected = "".join(FILLED.get(piece, piece) for piece in pieces)
    assert compile_text("." + "".join(pieces)).render(ASHA, NUMBER) == "." + expected


@given(st.text(st.sampled_from("{}%|<>ab \n'\":.[]-") | st.sampled_from("{}%"), max_size=60))
def test_any_text_is_either_rendered_or_refused_by_name(text: str) -> None:
    with suppress(BadTemplate, Unrenderable):
        compile_text(text).render(ASHA, NUMBER)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("{% if amount > 100 %}big{% else %}small{% endif %}", "big"),
        ("{% if amount >= 250.0 and amount <= 250 %}same{% endif %}", "same"),
        ("{% if amount == 250 %}number{% endif %}{% if amount == '250' %} text{% endif %}", "number text"),
        ("{% if vip %}yes{% else %}no{% endif %}", "no"),
        ("{% if vip == '' %}a{% endif %}{% if vip == blank %}b{% endif %}{% if vip == nil %}c{% endif %}", "abc"),
        ("{% if nick == '' %}a{% endif %}{% if nick != empty %}b{% endif %}", "a"),
        ("{% if vip > 1 %}a{% endif %}{% if vip < 1 %}b{% endif %}{% if firstName > 1 %}c{% endif %}", ""),
        ("{% if firstName < 'B' %}a{% endif %}{% if firstName != 'Asha' %}b{% endif %}", "a"),
        ("{% unless vip %}plain{% endunless %}", "plain"),
        ("{% case amount %}{% when '250' %}ok{% endcase %}", "ok"),
        ("{% if false == vip or amount == true %}a{% endif %}", ""),
        ("{{ amount | plus: 1 }} {{ vip | plus: 1 }} {{ amount | divided_by: 4.0 }}", "251 1 62.5"),
        ("{{ due | date: '%d %b %Y' }}", "12 Mar 2026"),
        ("{{ '10:30' | date: '%H:%M' }} {{ '10:30' | date: '%d' }} {{ '0' | date: '%Y' }}", "10:30 10:30 1970"),
        ("{{ vip | date: '%d' }}.{{ firstName | date: '%d' }}", ".Asha"),
        ("{{ now }}{{ today }}.", "."),
        ("{{ firstName | replace: 'A', 'U' | upcase }} {{ firstName.size }} {{ contact.size }}", "USHA 4 "),
        ("{% raw %}{{ firstName }} <First Name>{% endraw %} <First Name>", "{{ firstName }} <First Name> Asha"),
        ("{% assign n = Last_Name | append: '!' %}{{ n }} {{ contact['Last Name'] }}", "Rao! Rao"),
        ("{% if session %}a{% endif %}{% if contact.session %}b{% endif %}{% if contact.now %}c{% endif %}", ""),
        ("{% if true %}{{ context.session.UserSession.campaignUserInfo.firstName }}{% endif %}", "Asha"),
        ("{% for part in (1..3) %}{{ part }}{% endfor %}", "123"),
        ("{% comment %} <First Name> {% endcomment %}{{ true }}", "true"),
    ],
)
def test_liquid_reads_columns_as_people_mean_them(text: str, result: str) -> None:
    # Something has to be left of it, or nothing is sent at all.
    assert rendered("." + text) == "." + result


def test_a_column_called_today_is_a_column() -> None:
    assert compile_text("{% if true %}{{ today }}{% endif %}").render({"Today": "Monday"}, NUMBER) == "Monday"


def test_a_column_called_contact_can_be_shown() -> None:
    assert compile_text("{{ contact }} {{ contact.contact }}").render({"Contact": "Asha"}, NUMBER) == "Asha Asha"
    assert (
        compile_text("{% if true %}{{ contact }} {{ contact.contact }}{% endif %}").render({"Contact": "A"}, NUMBER)
        == "A A"
    )


@pytest.mark.parametrize(
    "text",
    [
        "{{ amount | divided_by: vip }}",
        "{{ due | date: '%99999999d' }}",
        "{% for i in (1..amount) %}{% for j in (1..amount) %}x{% endfor %}{% endfor %}",
        "{% assign t = firstName %}{% for i in (1..40) %}{% assign t = t | append: t %}{% endfor %}",
        "{{ firstName" + " | replace: 'a', 'aaaaaaaaaaaaaaaa'" * 9 + " }}",
    ],
)
def test_a_contact_that_breaks_its_message_is_reported_without_its_data(text: str) -> None:
    compiled = compile_text(text)
    with pytest.raises(Unrenderable) as failed:
        compiled.render(ASHA, NUMBER)
    assert str(failed.value).startswith("The message cannot be made from this contact's columns")
    assert failed.value.__cause__ is None
    assert "Asha" not in str(failed.value)


@pytest.mark.parametrize(
    "name",
    [
        *("Name (x)", "2nd name", "empty", "true", "5", "a.b", "a.size", "Straße", "Größe/cm", "E-mail (work)"),
        *(
            "R&D",
            "Kid's name",
            "Price [EUR]",
            "Discount %",
            "C++",
            "Is it?",
            "#1",
            "Due, at last",
            "(1..3)",
            "contact.x",
        ),
    ],
)
def test_a_column_with_any_name_can_be_used(name: str) -> None:
    columns = {name: "Asha", "firstName": "Rao"}
    assert compile_text(f"[{{{{ {name} }}}}]").render(columns, NUMBER) == "[Asha]"
    assert compile_text(f"[<{name}>]").render(columns, NUMBER) == "[Asha]"
    assert compile_text(f"{{{{ {name.upper()} | default: 'x' }}}}").render(columns, NUMBER) == "Asha"
    assert (
        compile_text(f"<{name}>{{{{- {name} | upcase -}}}} {{{{ first_name }}}}").render(columns, NUMBER)
        == "AshaASHARao"
    )
    assert compile_text(f"<{name}> {{{{ {name} }}}}").missing([*columns, "phone"]) == ()


def test_a_header_comes_before_what_a_placeholder_means_otherwise() -> None:
    text = "{{ true }} {{ amount.size }} {{ 5 }} <5>"
    assert rendered(text) == "true 3 5 <5>"
    assert rendered(text, **{"True": "yes", "amount.size": "L", "5": "five"}) == "yes L five five"
    # Each row of headers has its own reading of one and the same text.
    compiled = compile_text(text)
    assert [compiled.render(each, NUMBER) for each in ({"5": "five"}, {"amount": "xy"})] == [
        "true  five five",
        "true 2 5 <5>",
    ]


def test_a_variable_of_the_text_comes_before_a_header_of_its_name() -> None:
    assert rendered("{% assign amount = 'mine' %}{{ amount }}") == "mine"


@pytest.mark.parametrize(
    "tag", ["<Mobile>", "{{ mobile }}", "<Phone Number>", "{{phoneNumber}}", "{{ mobile | slice: 0, 12 }}"]
)
def test_the_number_stands_in_for_the_column_that_held_it(tag: str) -> None:
    columns = {"Mobile": "", "Tel": "none"}
    assert compile_text(f"{tag} {{{{ tel }}}}").render(columns, NUMBER) == f"{NUMBER} none"
    assert compile_text(tag).missing(list(columns)) == ()


def test_the_documented_names_find_the_columns_that_a_list_has_for_them() -> None:
    columns = {"Forename": "Asha", "Surname": "Rao", "tz": "Asia/Kolkata", "priority": "3", "ID": "A-17", "Cell": ""}
    text = "<First Name> {{ lastName }} {{ timeZone }} <Contact Priority> {{ unique_id }} {{ phone number }}"
    expected = f"Asha Rao Asia/Kolkata 3 A-17 {NUMBER}"
    assert compile_text(text).render(columns, NUMBER) == expected
    assert compile_text(text + "{% if true %}{% endif %}").render(columns, NUMBER) == expected
    assert compile_text(text).render({"First Name": "own", **columns}, NUMBER).startswith("own Rao")


@pytest.mark.parametrize(
    "text", ["{{ vip }}", " <Vip>\n", "{% if vip %}x{% endif %}", "{{ vip | default: ' ' }}", "\u00a0"]
)
def test_a_message_of_which_nothing_is_left_is_not_sent(text: str) -> None:
    compiled = compile_text(text)
    with pytest.raises(EmptyMessage):
        compiled.render(ASHA, NUMBER)


def test_what_cannot_be_rendered_is_known_to_have_reached_no_carrier() -> None:
    assert {Unrenderable.code, EmptyMessage.code} < UNSENT


def test_what_has_a_default_is_not_missed() -> None:
    for more in ("", "{% if true %}{% endif %}"):
        compiled = compile_text("{{ a | default: 'x' }} {{ b }} <c> {{ d.e }} <2x> {{ 2y }} {{ contact.f }}" + more)
        assert compiled.missing(["phone", "B", "D.E"]) == ("c", "2y", "f")


def test_many_shapes_of_contacts_do_not_pile_up_in_memory() -> None:
    compiled = compile_text("{{ a }}")
    for number in range(1000):
        assert compiled.render({"A": "x", f"column {number}": "y"}, NUMBER) == "x"
    assert len(compiled._plans) <= 64
