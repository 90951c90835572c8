"""Addresses: what kind of number stands before each, and whether its plus is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_INTERNATIONAL: Final = 1
_NATIONAL: Final = 2
_LONGEST_SHORT_CODE: Final = 8


Address = tuple[int, int, str]
"""An address on the wire: type of number, numbering plan, and the address itself."""


@dataclass(frozen=True, slots=True)
class AddressRules:
    """How a trunk wants addresses: pairs of type of number and numbering plan."""

    international: tuple[int, int] = (1, 1)
    """A sender that is a number with its country code."""
    short_code: tuple[int, int] = (3, 0)
    """A sender of at most 8 digits without a plus."""
    alphanumeric: tuple[int, int] = (5, 0)
    """A sender that is a name."""
    destination: tuple[int, int] = (1, 1)
    plus: bool = False
    """Whether numbers are written with their plus."""


_USUAL: Final = AddressRules()


def source_of(sender: str, rules: AddressRules = _USUAL) -> Address:
    """Write a sender: a number, a short code or a name, as its characters tell."""
    if sender.isalpha():
        return (*rules.alphanumeric, sender)
    digits = sender.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return (*rules.alphanumeric, sender)
    if digits == sender and len(digits) <= _LONGEST_SHORT_CODE:
        return (*rules.short_code, sender)
    return (*rules.international, f"+{digits}" if rules.plus else digits)


def destination_of(number: str, rules: AddressRules = _USUAL) -> Address:
    """Write the number of a contact."""
    digits = number.removeprefix("+")
    return (*rules.destination, f"+{digits}" if rules.plus else digits)


def number_of(ton: int, value: str) -> str:
    """Read an address: a number that says that it is international gets its plus; others stay as they came."""
    value = value.strip()
    if ton == _INTERNATIONAL and value.isdigit():
        return f"+{value.removeprefix('00')}"
    return value


def is_national(ton: int) -> bool:
    """Tell whether an address says that it is a number without its country code."""
    return ton == _NATIONAL
