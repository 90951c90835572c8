"""A voice campaign by the documented request, through real telephony and through kills."""

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from voice_books import PRESSES, SHARES, Books
from voice_campaign import call_through

MOST_CALLS = 20


def pressed(books: Books) -> dict[str, int]:
    return {digit: sum(number.endswith(ending) for number in books.numbers) for ending, digit in PRESSES.items()}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("contacts", [len(SHARES), pytest.param(30, marks=pytest.mark.full)])
def test_each_number_is_called_as_its_phone_dictates(contacts: int) -> None:
    books = asyncio.run(call_through(contacts, kills=0))
    assert books.faults() == []
    assert {number[-4:] for number in books.numbers} == set(SHARES)
    assert books.pressed == pressed(books)


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_kills_of_the_program_and_of_asterisk_call_nobody_twice() -> None:
    books = asyncio.run(call_through(300, kills=2, most_calls=MOST_CALLS))
    assert books.faults() == []
    # A kill leaves in doubt who was on the line just then, or about to be, and nobody else.
    assert 0 < len(books.struck) <= books.most_struck(MOST_CALLS)
