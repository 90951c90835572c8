"""Cells of a CSV that people open in a spreadsheet, which takes some texts for formulas and runs them."""

from __future__ import annotations

import re

# What makes a cell a formula in one spreadsheet or another (OWASP, CSV Injection), full-width signs included.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def tame(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: a text that begins like one gets an apostrophe.

    A plain E.164 number stays as it is: a spreadsheet can make no more of it than its digits, and programs read it.
    """
    return f"'{cell}" if cell.startswith(FORMULA) and _E164.fullmatch(cell) is None else cell
