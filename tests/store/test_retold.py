"""A reply that a carrier tells again under another id is one; who says the same twice is heard twice."""

import asyncio

import pytest

from callsheet.core.opting_out import Word
from callsheet.core.part import Part
from callsheet.store.apps import App
from callsheet.store.inbox import Told
from callsheet.store.parts import SealedReply
from callsheet.store.retold import copy_of
from callsheet.store.store import Store
from databases import Place, change, rows
from factories import StillClock, heard, number, trunk_of

ADA = number(0)
ONE, OTHER = "line-1", "line-2"


async def tell(store: Store, app: App, clock: StillClock, *messages: SealedReply) -> Told:
    trunk = await trunk_of(store, app)
    return await store.inbox.hear(app.no, trunk.no, messages, clock.now(), somebody_answers=True)


async def stored(store: Store) -> list[str]:
    return [row.inbound_id for row in await rows(store, "select inbound_id from inbound order by at, inbound_id")]


async def test_another_teller_soon_after_tells_the_same_and_its_stop_holds(store: Store, app: App, clock: StillClock):
    first = heard(store, app, clock, ADA, "STOP", inbound_id="a-1", teller=ONE)
    told = await tell(store, app, clock, first)
    clock.advance(60)
    again = heard(store, app, clock, ADA, "STOP", inbound_id="b-1", teller=OTHER)
    retold = await tell(store, app, clock, again)
    once_more = await tell(store, app, clock, again)

    assert told.words == {Word.stop: 1}
    assert retold.words == once_more.words == {}
    assert retold.stopped == once_more.stopped == told.stopped
    assert await stored(store) == ["b-1"], "it has the name by which it may come again"


async def sources(store: Store) -> list[str]:
    return [row.source for row in await rows(store, "select source from opt_out")]


@pytest.mark.parametrize("part", [None, Part(9, 2, 1)], ids=["whole", "part"])
async def test_a_stop_that_may_be_the_same_opts_out_whoever_was_opted_in_since(
    store: Store, app: App, clock: StillClock, part: Part | None
):
    stop = heard(store, app, clock, ADA, "STOP", inbound_id="a-1", teller=ONE, part=part)
    await tell(store, app, clock, stop)
    await change(store, "delete from opt_out")
    clock.advance(1200)
    told = await tell(store, app, clock, stop)
    again = await tell(store, app, clock, stop)

    assert (told.opted_out, told.answers, told.words) == (1, 1, {})
    assert (again.opted_out, again.answers, again.words) == (0, 0, {})
    assert await sources(store) == ["reply"]
    assert len(await rows(store, "select at from inbound union all select at from inbound_part")) == 1


@pytest.mark.parametrize(("words", "left"), [(["STOP", "START"], []), (["START", "STOP"], ["reply"])])
async def test_of_what_comes_together_with_a_repeated_stop_the_last_word_holds(
    store: Store, app: App, clock: StillClock, words: list[str], left: list[str]
):
    await tell(store, app, clock, heard(store, app, clock, ADA, "STOP", inbound_id="STOP", teller=ONE))
    await tell(store, app, clock, *(heard(store, app, clock, ADA, it, inbound_id=it, teller=ONE) for it in words))

    assert await sources(store) == left


async def test_a_stop_that_the_carrier_names_is_known_for_ever(store: Store, app: App, clock: StillClock):
    stop = heard(store, app, clock, ADA, "STOP", inbound_id="SM1")
    await tell(store, app, clock, stop)
    await tell(store, app, clock, heard(store, app, clock, ADA, "START", inbound_id="SM2"))
    told = await tell(store, app, clock, stop)

    assert told.opted_out == 0
    assert told.stopped, "we may have died before it was effective"
    assert await sources(store) == []


async def test_the_same_teller_knows_one_from_another(store: Store, app: App, clock: StillClock):
    for inbound_id in ("a-1", "a-2"):
        await tell(store, app, clock, heard(store, app, clock, ADA, "1", inbound_id=inbound_id, teller=ONE))

    assert await stored(store) == ["a-1", "a-2"]


async def test_the_same_words_two_minutes_later_are_another_reply(store: Store, app: App, clock: StillClock):
    await tell(store, app, clock, heard(store, app, clock, ADA, "1", teller=ONE))
    clock.advance(120)
    await tell(store, app, clock, heard(store, app, clock, ADA, "1", teller=OTHER))

    assert len(await stored(store)) == 2


async def test_what_the_carrier_knows_that_we_have_is_not_told_again(store: Store, app: App, clock: StillClock):
    trunk = await trunk_of(store, app)
    await tell(store, app, clock, heard(store, app, clock, ADA, "1", inbound_id="a-1", teller=ONE))
    await store.inbox.acknowledge(app.no, trunk.no, ["a-1"])
    clock.advance(3)
    await tell(store, app, clock, heard(store, app, clock, ADA, "1", inbound_id="b-1", teller=OTHER))

    assert await stored(store) == ["a-1", "b-1"]


async def test_what_the_carrier_knows_that_we_have_is_not_told_again_to_the_second_whose_it_may_be(
    store: Store, app: App, clock: StillClock
):
    trunk = await trunk_of(store, app)
    await tell(store, app, clock, heard(store, app, clock, ADA, "STOP", inbound_id=copy_of("a-1"), teller=ONE))
    await store.inbox.acknowledge(app.no, trunk.no, ["a-1"])
    await tell(store, app, clock, heard(store, app, clock, ADA, "STOP", inbound_id=copy_of("b-1"), teller=OTHER))

    assert len(await stored(store)) == 2


async def test_one_reply_stands_for_one_repetition(store: Store, app: App, clock: StillClock):
    await tell(store, app, clock, heard(store, app, clock, ADA, "1", inbound_id="a-1", teller=ONE))
    clock.advance(1)
    await tell(
        store,
        app,
        clock,
        *(heard(store, app, clock, ADA, "1", inbound_id=name, teller=OTHER) for name in ("b-1", "b-2")),
    )

    assert await stored(store) == ["b-1", "b-2"]


async def test_of_two_equal_replies_both_may_be_told_again(store: Store, app: App, clock: StillClock):
    for teller in (ONE, OTHER):
        names = (f"{teller}-{i}" for i in range(2))
        await tell(store, app, clock, *(heard(store, app, clock, ADA, "1", inbound_id=n, teller=teller) for n in names))

    assert await stored(store) == [f"{OTHER}-0", f"{OTHER}-1"]


@pytest.mark.parametrize(
    "other",
    [
        {"to": number(1)},
        {"text": "2"},
        {"sender": "+447700900123"},
        {"part": Part(1, 2, 1)},
    ],
)
async def test_nothing_else_is_the_same(store: Store, app: App, clock: StillClock, other: dict):
    await tell(store, app, clock, heard(store, app, clock, ADA, "1", teller=ONE))
    more = {"to": ADA, "text": "1"} | other
    await tell(store, app, clock, heard(store, app, clock, **more, teller=OTHER))

    assert len(await rows(store, "select at from inbound union all select at from inbound_part")) == 2


async def test_parts_that_are_told_again_are_one_text(store: Store, app: App, clock: StillClock):
    for teller in (ONE, OTHER):
        for at, text in ((1, "STOP tex"), (2, "ting me")):
            part = Part(9, 2, at)
            await tell(store, app, clock, heard(store, app, clock, ADA, text, part=part, teller=teller))

    assert len(await stored(store)) == 1
    assert len(await rows(store, "select * from inbound_part")) == 2
    assert [row.kind for row in await rows(store, "select kind from reply")] == ["stop"]


async def test_two_nodes_that_hear_it_at_the_same_moment_store_it_once(
    place: Place, store: Store, app: App, clock: StillClock
):
    other = await place.open() if place.kind == "postgres" else store

    for i in range(10):
        tellings = [
            (one, heard(one, app, clock, number(i), "1", inbound_id=f"{teller}-{i}", teller=teller))
            for one, teller in ((store, ONE), (other, OTHER))
        ]
        await asyncio.gather(*(tell(one, app, clock, message) for one, message in tellings))

    assert len(await stored(store)) == 10
