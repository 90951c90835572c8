from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from callsheet.core.segments import GSM_BASIC, GSM_EXTENSION, Segments, measure, split

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
FLAG = "\U0001f1eb\U0001f1f7"

gsm_texts = st.text(st.sampled_from(GSM_BASIC + GSM_EXTENSION * 4), max_size=700)
mixed_texts = st.lists(
    st.sampled_from([*GSM_BASIC, *GSM_EXTENSION, "Я", "ç", "\U0001f600", FAMILY, FLAG, "e\u0301", "한", "नि"]),
    max_size=300,
).map("".join)
any_texts = gsm_texts | mixed_texts | st.text(st.characters(), max_size=300)


def units(text: str, encoding: str) -> int:
    if encoding == "GSM-7":
        return sum(2 if char in GSM_EXTENSION else 1 for char in text)
    return sum(2 if ord(char) > 0xFFFF else 1 for char in text)


def test_the_alphabet_is_the_one_of_the_standard() -> None:
    assert len(GSM_BASIC) == len(set(GSM_BASIC)) == 127
    assert len(GSM_EXTENSION) == len(set(GSM_EXTENSION)) == 10
    # Positions of 3GPP TS 23.038 table 1, the escape at 0x1B left out.
    for char, code in {"@": 0x00, "\n": 0x0A, "\r": 0x0D, "_": 0x11, "¡": 0x40, "§": 0x5F, "à": 0x7F}.items():
        place = GSM_BASIC.index(char)
        assert place + (place >= 0x1B) == code


@pytest.mark.parametrize(
    ("text", "encoding", "count", "size"),
    [
        ("", "GSM-7", 1, 0),
        ("a" * 160, "GSM-7", 1, 160),
        ("a" * 161, "GSM-7", 2, 161),
        ("a" * 306, "GSM-7", 2, 306),
        ("a" * 307, "GSM-7", 3, 307),
        ("{" * 80, "GSM-7", 1, 160),
        ("{" * 81, "GSM-7", 2, 162),
        ("a" * 159 + "€", "GSM-7", 2, 161),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 3, 306),
        ("\f", "GSM-7", 1, 2),
        ("line\r\nline", "GSM-7", 1, 10),
        ("Ω" * 160, "GSM-7", 1, 160),
        ("Ç", "GSM-7", 1, 1),
        ("ç", "UCS-2", 1, 1),
        ("я" * 70, "UCS-2", 1, 70),
        ("я" * 71, "UCS-2", 2, 71),
        ("я" * 134, "UCS-2", 2, 134),
        ("я" * 135, "UCS-2", 3, 135),
        ("\U0001f600" * 35, "UCS-2", 1, 70),
        ("я" * 66 + "\U0001f600" + "я" * 66, "UCS-2", 3, 134),
        ("я" + "[" * 70, "UCS-2", 2, 71),
        ("\ud800", "UCS-2", 1, 1),
    ],
)
def test_a_text_at_the_edge_is_not_billed_wrong(text: str, encoding: str, count: int, size: int) -> None:
    measured = measure(text)
    assert (measured.encoding, measured.count, measured.units) == (encoding, count, size)


@pytest.mark.parametrize("char", list("ç`\t\xa0“”\u2019\u2013…\x00\x7f\u0301\U0001f600"))
def test_the_character_that_doubles_the_price_is_named(char: str) -> None:
    assert measure("Hello {there} €5 " + char + "я") == Segments(
        "UCS-2", 1, 18 + len(char.encode("utf-16-le")) // 2, char
    )


def test_a_plain_text_names_no_culprit() -> None:
    assert measure("Hello {there} €5").forcing is None


@given(any_texts)
@example("")
@example(("a" * 152 + "€") * 5)
@example(("я" * 66 + "\U0001f600") * 5)
@example("\U0001f600" * 66 + "[" * 60)
@example("e" + "\u0301" * 200)
@example(FLAG * 60)
@example(FAMILY * 30)
def test_what_is_cut_is_what_was_counted_and_nothing_is_lost(text: str) -> None:
    measured = measure(text)
    parts = split(text)
    assert "".join(parts) == text
    assert len(parts) == measured.count
    single, part = (160, 153) if measured.encoding == "GSM-7" else (70, 67)
    sizes = [units(piece, measured.encoding) for piece in parts]
    assert sum(sizes) == measured.units
    assert max(sizes) <= (single if len(parts) == 1 else part)
    if len(parts) > 1:
        assert all(parts)
        assert measured.units > single
    assert (measured.forcing is None) == (measured.encoding == "GSM-7")


@given(gsm_texts)
def test_no_segment_of_plain_text_is_left_emptier_than_its_next_character_demands(text: str) -> None:
    parts = split(text)
    for piece, after in pairwise(parts):
        assert units(piece, "GSM-7") + units(after[0], "GSM-7") > 153


@given(any_texts)
def test_only_the_alphabet_decides_the_encoding(text: str) -> None:
    outside = [char for char in text if char not in GSM_BASIC + GSM_EXTENSION]
    assert measure(text).forcing == (outside[0] if outside else None)


@given(
    st.integers(0, 80),
    st.sampled_from([FAMILY, FLAG, "e\u0301", "\u2764\ufe0f", "\U0001f44d\U0001f3fd", "नि"]),
)
def test_what_reads_as_one_character_is_not_torn(before: int, cluster: str) -> None:
    text = "я" * before + cluster + "я" * 80
    assert any(cluster in piece for piece in split(text))


@given(st.integers(0, 3), st.integers(100, 200))
def test_flags_are_cut_between_flags(before: int, flags: int) -> None:
    for piece in split("я" * before + FLAG * flags):
        assert piece.replace(FLAG, "").strip("я") == ""


@given(st.text(st.sampled_from("각한글말"), min_size=60, max_size=150))
def test_a_hangul_syllable_written_in_letters_is_not_torn(text: str) -> None:
    letters = unicodedata.normalize("NFD", text)
    assert all(unicodedata.normalize("NFC", piece) in text for piece in split(letters))


def test_a_cluster_longer_than_a_segment_is_cut_rather_than_lost() -> None:
    zalgo = "e" + "\u0301" * 200
    assert [len(piece) for piece in split(zalgo)] == [67, 67, 67]


def test_a_very_long_run_of_flags_takes_no_quadratic_time() -> None:
    assert measure(FLAG * 50_000).count == 3125
