"""The audit log is a chain: writers at once do not fork it, and whatever is done to a line of it is found."""

import asyncio

import pytest

from callsheet.core.audit import GENESIS, ActorKind, Deed, Line
from callsheet.store.audit import Chain
from databases import Place, change, rows
from house.tree import modules

CHAIN = Chain(7)


def deed(number: int, **details: object) -> Deed:
    return Deed(ActorKind.user, f"u-{number}", "POST /v1/apps/{app}/templates", f"cmt-{number}", details)


async def write(store, clock, chain=CHAIN, lines: int = 5) -> None:
    for number in range(lines):
        await store.audit.add(
            chain, deed(number, status=201, word="Größe \N{ROCKET}", deep={"b": [1, None], "a": 0.5}), clock.now()
        )
        clock.advance(1.000_001)


async def test_lines_come_back_as_they_were_written_the_newest_first(store, clock):
    await write(store, clock)

    first = await store.audit.lines(CHAIN, before=None, limit=3)
    rest = await store.audit.lines(CHAIN, before=first[-1].line.seq, limit=3)

    assert [one.line.seq for one in (*first, *rest)] == [5, 4, 3, 2, 1]
    assert rest[-1].line.deed == deed(0, status=201, word="Größe \N{ROCKET}", deep={"b": [1, None], "a": 0.5})
    before = GENESIS
    for one in reversed((*first, *rest)):
        before = one.line.hash(before)
        assert one.hash == before


async def test_a_chain_that_nobody_touched_is_whole(store, clock):
    assert await store.audit.verify(CHAIN) == (0, GENESIS, None)
    await write(store, clock)

    assert await store.audit.verify(CHAIN) == (5, (await store.audit.lines(CHAIN, before=None, limit=1))[0].hash, None)


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("update audit set action = 'DELETE' where seq = 3", 3),
        ("update audit set actor_id = 'u-9' where seq = 1", 1),
        ("update audit set actor_kind = 'engine' where seq = 2", 2),
        ("update audit set actor_kind = 'ghost' where seq = 2", 2),
        ("update audit set at = at + 1 where seq = 4", 4),
        ("update audit set at = 9000000000000000000 where seq = 4", 4),
        ("update audit set thing = '' where seq = 5", 5),
        ("update audit set details = '{}' where seq = 2", 2),
        ("update audit set details = 'nonsense' where seq = 2", 2),
        ("update audit set account_id = 'x' where seq = 3", 3),
        ("update audit set seq = 9 where seq = 2", 2),
        ("update audit set hash = (select hash from audit where seq = 1) where seq = 2", 2),
        ("delete from audit where seq = 1", 1),
        ("delete from audit where seq = 3", 3),
        ("delete from audit where seq = 5", 5),
        ("delete from audit", 1),
        ("update audit_head set seq = 4", 4),
        ("delete from audit_head", 5),
    ],
)
async def test_whatever_is_done_to_a_line_is_found(store, clock, statement, broken):
    await write(store, clock)
    assert await change(store, statement)

    assert (await store.audit.verify(CHAIN)).first_broken == broken


async def test_a_line_that_was_made_to_fit_breaks_the_next(store, clock):
    await write(store, clock)
    first, second = reversed(await store.audit.lines(CHAIN, before=3, limit=2))
    forged = Line(2, second.line.at, deed(99)).hash(first.hash)
    await change(
        store,
        "update audit set actor_id = 'u-99', thing = 'cmt-99', details = '{}', hash = :hash where seq = 2",
        hash=forged,
    )

    assert (await store.audit.verify(CHAIN)).first_broken == 3


async def test_each_app_and_each_account_has_a_chain_of_its_own(store, clock):
    others = [Chain(8), Chain(account_id="a"), Chain(account_id="b")]
    for chain in (CHAIN, *others):
        await write(store, clock, chain, lines=2)
    await change(store, "update audit set thing = 'x' where app = 7 and seq = 1")

    assert (await store.audit.verify(CHAIN)).first_broken == 1
    assert [(await store.audit.verify(chain)).first_broken for chain in others] == [None] * 3
    assert [len(await store.audit.lines(chain, before=None, limit=9)) for chain in others] == [2, 2, 2]


async def test_writers_at_once_do_not_fork_a_chain(place: Place, store, clock):
    stores = [store] if place.kind == "sqlite" else [store, await place.open(), await place.open()]

    async def many(writer: int) -> None:
        for number in range(15):
            await stores[writer % len(stores)].audit.add(CHAIN, deed(number, writer=writer), clock.now())

    await asyncio.gather(*(many(writer) for writer in range(6)))

    assert await rows(store, "select count(*), max(seq) from audit") == [(90, 90)]
    assert (await store.audit.verify(CHAIN)).first_broken is None


async def test_a_chain_longer_than_one_look_is_walked_to_its_end(store, clock, monkeypatch):
    monkeypatch.setattr("callsheet.store.audit._WALKED_AT_ONCE", 2)
    await write(store, clock, lines=7)
    assert (await store.audit.verify(CHAIN)).first_broken is None

    await change(store, "update audit set thing = 'x' where seq = 7")
    assert (await store.audit.verify(CHAIN)).first_broken == 7


def test_nothing_in_the_program_changes_or_deletes_a_line():
    for module in modules():
        assert "update(t.audit)" not in module.text
        assert "delete(t.audit)" not in module.text
        assert "delete(t.audit_head)" not in module.text
