"""No value of a trunk can become a line, a section or a comment of its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.voice.asterisk.sections import NotWritable, Section, write_sections


def read_as_asterisk_does(text: str) -> dict[str, dict[str, str]]:
    """Read a file by the rules of Asterisk's `config.c`: comments, sections, `=` and `=>`."""
    sections: dict[str, dict[str, str]] = {}
    options: dict[str, str] = {}
    for line in text.split("\n"):
        bare, at = "", 0
        while at < len(line):
            if line[at] == ";" and bare.endswith("\\"):
                bare = f"{bare[:-1]};"
            elif line[at] == ";":
                break
            else:
                bare += line[at]
            at += 1
        bare = bare.strip()
        if bare.startswith("["):
            options = sections.setdefault(bare[1 : bare.index("]")], {})
        elif bare:
            name, _, value = bare.partition("=")
            options[name.strip()] = value.removeprefix(">").strip()
    return sections


@given(st.text(max_size=20), st.text(st.sampled_from(';\\=>[]#\n\r ab"')))
def test_whatever_can_be_written_is_read_back_and_nothing_else_is_there(one, other):
    try:
        text = write_sections([Section("trunk", {"username": one, "password": other, "last": "here"})])
    except NotWritable:
        return

    wanted = {name: value for name, value in (("username", one), ("password", other)) if value}
    assert read_as_asterisk_does(text) == {"trunk": {**wanted, "last": "here"}}


@pytest.mark.parametrize(
    "value", ["sesame\n", "sesame\r[b]", " sesame", "sesame ", "sesame\x00", "sesame\u2028b", "sesame" * 900]
)
def test_what_cannot_be_written_is_refused_without_being_named(value):
    with pytest.raises(NotWritable) as refusal:
        write_sections([Section("trunk", {"password": value})])

    assert "password" in str(refusal.value)
    assert "sesame" not in str(refusal.value)


@pytest.mark.parametrize("name", ["", "a]b", "a\nb", "a b"])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(NotWritable):
        write_sections([Section(name)])
