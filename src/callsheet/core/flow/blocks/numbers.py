"""Numbers as people write them in a reply."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MOST_DIGITS: Final = 15
"""More digits than these a number of JSON does not keep."""
_LONGEST: Final = 64

_GROUPS: Final = tuple(
    re.compile(rf"\d{{1,3}}(?:{mark}\d{{3}})+|\d{{1,2}}(?:{mark}\d{{2}})*{mark}\d{{3}}")
    for mark in (",", " ", "'", r"\.")
)
"""Thousands apart, or as in India `12,34,567`."""
_SAME: Final = str.maketrans(
    {"\u066b": ".", "\u066c": ",", "\u060c": ",", "\u2019": "'", "\u2212": "-", "\u2013": "-", "_": " "}
)


def read_number(said: str) -> int | float | None:
    """Return the number that a reply is, in the digits of any script; None: it is no number.

    A point is the decimal point; a comma, a blank or `'` stands between thousands where the groups are right
    (`1,234`, `12,34,567`, `1 234`), and one comma before one or two digits is a decimal comma (`2,5`). Where both
    stand, the last one is the decimal one (`1.234,50`). A point at the end ends the sentence. `25 years` is no number.
    """
    if len(said) > _LONGEST:
        return None
    text = "".join(_plain(char) for char in said.translate(_SAME)).strip().rstrip(".!,").rstrip()
    sign, digits = (text[0], text[1:].lstrip()) if text[:1] in ("+", "-") else ("", text)
    whole, fraction = _split(digits)
    joined = _joined(whole)
    if joined is None or (fraction and not fraction.isdecimal()) or len(joined + fraction) > MOST_DIGITS:
        return None
    minus = -1 if sign == "-" else 1
    if not fraction.strip("0"):
        return minus * int(joined)
    return minus * float(f"{joined}.{fraction}")


def _plain(char: str) -> str:
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    return " " if char.isspace() else char


def _split(digits: str) -> tuple[str, str]:
    """Return what stands before and after the decimal sign."""
    point, comma = digits.rfind("."), digits.rfind(",")
    if digits.count(".") == 1 and point > comma:
        return digits[:point] or "0", digits[point + 1 :]
    if digits.count(",") == 1 and (len(digits) - comma - 1 in (1, 2) or point >= 0) and comma > point:
        return digits[:comma] or "0", digits[comma + 1 :]
    return digits, ""


def _joined(whole: str) -> str | None:
    """Return the digits of a whole number without what stands between its groups; None: they are no number."""
    if whole.isdecimal():
        return whole
    if any(groups.fullmatch(whole) for groups in _GROUPS):
        return "".join(char for char in whole if char.isdecimal())
    return None
