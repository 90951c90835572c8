"""An advanced campaign whose contacts write back, through an SMSC of others and through kills."""

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from campaign import Kill
from flow_campaign import KILLS, Books, talk_through, talk_through_two

from postgres import create_database, drop_database

# Who has three questions to answer answers one after the other: so many turns there are, however slow the machine is.
SOON = Kill("after_turn", 3)


def check(books: Books, kills: int) -> None:
    assert books.faults() == []
    assert len(books.kills) == kills, "a kill fell beside the conversations"
    assert {one.ending for one in books.conversations.values()} >= {None, "done", "opted_out"}


def test_a_kill_inside_conversations_repeats_nothing_and_loses_nothing() -> None:
    check(asyncio.run(talk_through(36, [SOON], rate=15)), 1)


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_two_kills_inside_five_hundred_conversations_repeat_nothing_and_lose_nothing() -> None:
    books = asyncio.run(talk_through(500, KILLS, rate=25))
    check(books, 2)
    # A kill leaves in doubt what was on its way just then, and nothing else.
    assert len(books.uncertain) < len(books.talks) / 4


async def talk_beside(contacts: int, kill: Kill) -> Books:
    """Let one of two nodes on one PostgreSQL die among conversations."""
    url = await create_database()
    try:
        return await talk_through_two(contacts, kill, rate=15, database=url)
    finally:
        await drop_database(url)


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kill", [Kill("before_turn", 6), Kill("after_turn", 6), Kill("after_hand", 40)], ids=str)
def test_one_of_two_nodes_dies_among_conversations_and_the_other_leads_them_to_their_ends(kill: Kill) -> None:
    books = asyncio.run(talk_beside(150, kill))
    check(books, 1)
    assert len(books.uncertain) < len(books.talks) / 4
