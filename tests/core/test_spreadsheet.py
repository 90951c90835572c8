"""A cell that somebody sent us is never run by a spreadsheet, and a number stays a number."""

import pytest

from callsheet.core.spreadsheet import FORMULA, tame


@pytest.mark.parametrize("sign", FORMULA)
def test_a_text_that_begins_like_a_formula_gets_an_apostrophe(sign: str):
    assert tame(f'{sign}cmd|" /C calc"!A0') == f'\'{sign}cmd|" /C calc"!A0'


@pytest.mark.parametrize("text", ["", "Ada", "a=b", "1-2", "'=1", "+919876543210"])
def test_what_is_harmless_stays_as_it_is(text: str):
    assert tame(text) == text


@pytest.mark.parametrize("text", ["+1", "+91 98765 43210", "+919876543210+1", "+91987654321012345", "+0919876543210\n"])
def test_what_only_looks_like_a_number_is_made_safe(text: str):
    assert tame(text) == f"'{text}"
