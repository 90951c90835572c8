"""Through an SMSC of others, whatever breaks: nobody is texted twice, nobody is lost, who is in doubt is shown."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from campaign import Kill, Server
from smpp_campaign import (
    AT_HOME,
    Books,
    everybody_of,
    kill_inside,
    plan,
    through_smpp,
    until_completed,
    until_told,
)

from postgres import create_database, drop_database
from strangers.node_smpp import NodeSmpp

CONTACTS = 200
UNANSWERED = 30
DROP = {"answer_first": CONTACTS - UNANSWERED, "withhold": UNANSWERED, "drop_after_withheld": True, "record": True}


async def drop_link(tmp_path: Path, smsc: NodeSmpp, holds: list[Callable[[Books], bool]]) -> list[Books]:
    """Run a campaign into a link that drops with 30 of 200 unanswered; return the books when they say each thing."""
    server = Server(tmp_path / "data", "", AT_HOME)
    try:
        await server.start()
        async with server.client() as client:
            campaign_id = await through_smpp(client, smsc.port, everybody_of(3, CONTACTS), 5_000, window=100)
            await client.compat.campaigns.start(campaign_id)
            await until_completed(client, campaign_id)
            return [await until_told(client, smsc, CONTACTS, one) for one in holds]
    finally:
        server.stop()


def unanswered(smsc: NodeSmpp) -> set[str]:
    """Return whom the SMSC took and gave no answer."""
    taken: list[dict[str, Any]] = smsc.submits()
    return {f"+{one['destination_addr']}" for one in taken[CONTACTS - UNANSWERED :]}


def test_whoever_was_unanswered_when_the_link_dropped_is_listed_and_not_texted_again(node_smpp, tmp_path):
    smsc = node_smpp(receipt_delay_ms=-1, **DROP)

    (books,) = asyncio.run(drop_link(tmp_path, smsc, [lambda one: len(one.uncertain) == UNANSWERED]))

    assert books.faults() == []
    assert books.uncertain == unanswered(smsc)
    assert books.states == {"accepted": CONTACTS - UNANSWERED, "uncertain": UNANSWERED}
    counters = smsc.counters()
    assert (counters["taken"], counters["duplicates"]) == (CONTACTS, 0)


def test_the_receipts_of_the_unanswered_settle_them(node_smpp, tmp_path):
    smsc = node_smpp(receipt_delay_ms=1_000, **DROP)

    (books,) = asyncio.run(drop_link(tmp_path, smsc, [lambda one: one.states["delivered"] == CONTACTS]))

    assert books.faults() == []
    assert smsc.counters()["taken"] == CONTACTS
    assert sum(1 for one in books.attempts if one.number in unanswered(smsc)) == UNANSWERED


def check(books: Books, kills: int) -> None:
    assert books.faults() == []
    assert len(books.kills) == kills, "a kill fell beside the campaign"
    # Whom the SMSC took has a receipt; whoever is in doubt never reached it.
    assert books.uncertain == set(books.latest) - set(books.taken)
    assert set(books.states) <= {"delivered", "uncertain"}


# At their rate so many last for seconds longer than the kills: a machine may stand still meanwhile.
@pytest.mark.parametrize("contacts", [2_500, pytest.param(4_000, marks=pytest.mark.full)])
def test_two_kills_inside_a_campaign_text_nobody_twice_and_lose_nobody(contacts: int):
    kills = [Kill(seconds=1.0), Kill("before_record", 6)]
    check(asyncio.run(kill_inside(contacts, kills, rate=250)), len(kills))


@pytest.mark.full
def test_two_kills_beside_postgresql_text_nobody_twice_and_lose_nobody():
    kills = [Kill(seconds=1.0), Kill("before_record", 6)]

    async def run() -> Books:
        url = await create_database()
        try:
            return await kill_inside(2_500, kills, rate=250, database=url)
        finally:
            await drop_database(url)

    check(asyncio.run(run()), len(kills))


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_six_kills_in_thirty_thousand_contacts_text_nobody_twice_and_lose_nobody():
    kills = plan(6, seed=1)
    check(asyncio.run(kill_inside(30_000, kills, rate=1_500)), len(kills))
