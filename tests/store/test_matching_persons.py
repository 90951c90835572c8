"""A receipt is given to nobody but the person that it names, and who has a part of a text does not get it again."""

import pytest

from callsheet.core.attempt import Intent, Kind
from callsheet.core.run import Run
from databases import rows
from factories import happening, make_campaign, make_list, start
from store.test_matching import Trunk, trunk

__all__ = ["trunk"]


async def told(trunk: Trunk, run: Run, intent: Intent) -> set[str]:
    attempts = await trunk.store.reports.attempts(run.app, run.no)
    return {event.kind for one in attempts if one.person == intent.person for event in one.events}


@pytest.mark.parametrize("spelled", [("6699", "26265", "1a2b"), ("6699",)])
async def test_an_orphan_goes_to_its_person_though_another_has_an_id_that_looks_alike(
    trunk: Trunk, spelled: tuple[str, ...]
):
    run, (ada, bob) = await trunk.arm(2)
    await trunk.node.tell([ada], Kind.uncertain)
    await trunk.accept(bob, "6699")

    await trunk.hear(trunk.receipt(*spelled, person=ada.person, kind=Kind.undelivered))

    assert await told(trunk, run, bob) == {"accepted"}
    assert await told(trunk, run, ada) == {"uncertain", "undelivered"}
    assert await trunk.parked() == 0


async def test_a_receipt_that_names_somebody_in_flight_waits_for_his_answer_whoever_has_the_id(trunk: Trunk):
    run, (ada, bob) = await trunk.arm(2)
    await trunk.accept(bob, "6699")

    await trunk.hear(trunk.receipt("6699", "26265", "1a2b", person=ada.person))
    trunk.clock.advance(5)
    await trunk.sweep()
    assert (await told(trunk, run, bob), await trunk.parked()) == ({"accepted"}, 1)

    await trunk.accept(ada, "1a2b")
    assert (await told(trunk, run, ada), await trunk.parked()) == ({"accepted", "delivered"}, 0)


@pytest.mark.parametrize(("told_of", "comes_again"), [("du", 0), ("ud", 0), ("uu", 1), ("i", 0)])
async def test_who_has_a_part_of_a_text_does_not_get_it_again(trunk: Trunk, told_of: str, comes_again: int):
    people = await make_list(trunk.store, trunk.app, trunk.clock, 1)
    campaign = await make_campaign(trunk.store, trunk.app, trunk.clock, [people], max_attempts=2)
    run = await start(trunk.store, trunk.app, trunk.clock, campaign)
    (intent,) = await trunk.node.walk_all(run)
    await trunk.accept(intent, "a", "b")

    if told_of == "i":
        await trunk.record([happening(intent, Kind.undelivered, trunk.clock.now(), code="incomplete")])
    for part, said in zip("ab", told_of, strict=False):
        await trunk.hear(trunk.receipt(part, kind=Kind.delivered if said == "d" else Kind.undelivered))

    assert await trunk.kinds(run) == [{"accepted", "undelivered"}]
    assert len(await rows(trunk.store, "select * from retry")) == comes_again


async def test_no_more_receipts_wait_than_there_is_room_for(trunk: Trunk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("callsheet.store.matching.MOST_PARKED", 3)

    first = await trunk.hear(*(trunk.receipt(f"{i}") for i in range(1, 3)))
    second = await trunk.hear(*(trunk.receipt(f"{i}") for i in range(3, 6)))
    assert (first.parked, first.dropped, second.parked, second.dropped) == (2, 0, 1, 2)

    run, (intent,) = await trunk.arm()
    await trunk.accept(intent, "1")
    assert (await trunk.kinds(run), await trunk.parked()) == ([{"accepted", "delivered"}], 2)
    assert (await trunk.hear(trunk.receipt("8"))).parked == 1


async def test_a_sender_that_came_back_on_another_trunk_is_still_known_on_its_first(trunk: Trunk):
    run, (intent,) = await trunk.arm()
    await trunk.node.tell([intent], Kind.uncertain)
    store, now = trunk.store, trunk.clock.advance(60)
    other = await store.apps.create_trunk(
        trunk.app.no, name="Other", carrier="sandbox", takes_any_sender=False, now=now
    )
    assert await store.hot.complete(run), "a sender is not deleted while a run speaks through it"
    (sender,) = await store.senders.of_app(trunk.app.no, after=0, limit=2)
    assert await store.senders.delete(trunk.app.no, sender.id, now)
    await store.senders.put(trunk.app.no, sender.label, other.no, {}, now)

    await trunk.hear(trunk.receipt("9", person=intent.person))

    assert await told(trunk, run, intent) == {"uncertain", "delivered"}
