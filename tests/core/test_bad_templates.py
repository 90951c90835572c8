"""A text that cannot be read is refused with its place, before anybody is contacted."""

import sys

import pytest

from callsheet.core.errors import Invalid
from callsheet.core.template import BadTemplate, compile_text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Hi {{name", "Line 1, column 4: {{ is never closed: write }} behind the column's name."),
        ("Hi\nyou {% if", "Line 2, column 5: {% is never closed"),
        ("<First Name>\n <Last Name> {% if vip %}", "Line 2, column 14: {% if %} is never closed: write {% endif %}"),
        ("{% case vip %}", "write {% endcase %}"),
        ("{% raw %}", "{% raw %} is never closed: write {% endraw %}"),
        ("{% comment %}", "write {% endcomment %}"),
        ("{% endif %}", "{% endif %} belongs to no tag that is open here."),
        ("{% if a %}{% elseif b %}{% endif %}", "Write {% elsif %} in the place of {% elseif %}."),
        ("{% foo %}", "There is no tag {% foo %}. There are: if, unless"),
        (
            "<First Name> {{ amount | nofilter }}",
            "Line 1, column 26: There is no filter nofilter. There are: abs, append",
        ),
        ("{{First Name | upcase}} {% if a == %}x{% endif %}", "Line 1, column 25: Something is missing here"),
        ("{% if a = 'x' %}{% endif %}", "Line 1, column 9: To compare, write == in the place of =."),
        ("{% if a && b %}{% endif %}", "Write the words and, or"),
        ("{% if First Name %}x{% endif %}", 'contact["First Name"]'),
        ("{{ a | default 'x' }}", "A filter begins with | and its argument with a colon"),
        ("{{ a | default: “x” }}", "Write straight quotation marks"),
        ("{{ 'abc }}", "This quotation mark is never closed."),
        ("{{ a | }}", "The name of a filter is missing after the |"),
        ("{{{ a }}}", "There is a brace too many"),
        ("{% assign a %}", "Write {% assign name = value %}."),
        ("{% for a of b %}{% endfor %}", "Write {% for part in parts %}."),
        ("{% %}", "The name of the tag is missing"),
        ("{% include 'other' %}", "Line 1, column 4: A message cannot use {% include %}."),
        ("{% render 'other' %}", "A message cannot use {% render %}."),
        ("{{ }}", "Line 1, column 1"),
        ("{{ 'now' | date: '%Y' }}", "cannot ask for 'now': write the date, or give it in a column."),
        ("{% for i in (1..100000) %}x{% endfor %}", "The loops of a message make at most 1,000 turns."),
        ("{% if a %}" * 30, "Tags or brackets lie too deep in each other here."),
        ("x" * 10_001, "A message has at most 10,000 characters; this one has 10,001."),
        ("{{ a }}" * 501, "at most 500 placeholders"),
        (
            "{{ " + "a[" * 50 + "b" + "]" * 50 + " }}",
            "Line 1, column 102: Tags or brackets lie too deep in each other here.",
        ),
        ("{{ " + "a[" * 3000 + "b" + "]" * 3000 + " }}", "lie too deep in each other here."),
        ("{% if " + "a and " * 1000 + "b %}x{% endif %}", "lie too deep in each other here."),
    ],
)
def test_a_text_that_cannot_be_read_is_refused_with_its_place(text: str, complaint: str) -> None:
    with pytest.raises(BadTemplate) as refused:
        compile_text(text)
    assert isinstance(refused.value, Invalid)
    (field,) = refused.value.fields
    assert field.path == "message.message"
    assert complaint in field.message
    assert field.message.endswith(".")


@pytest.mark.parametrize("frames", [1_000, 20_000])
def test_how_deep_brackets_may_lie_does_not_depend_on_who_calls(frames: int) -> None:
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(frames)
    try:
        deepest = compile_text("{{ " + "a[" * 48 + "b" + "]" * 48 + " }}x")
        for levels in (49, 500, 3000):
            with pytest.raises(BadTemplate):
                compile_text("{{ " + "a[" * levels + "b" + "]" * levels + " }}x")
    finally:
        sys.setrecursionlimit(usual)

    assert deepest.render({"a": "", "b": ""}, "+14155550100") == "x"
