"""Replies are stored once, and what comes of them is one transaction: opt-outs, answers, notices."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from callsheet.core.answering import MOST_IN_A_DAY, ReplyState
from callsheet.core.campaign import Channel
from callsheet.core.opting_out import Word
from callsheet.core.part import Part
from callsheet.core.run import AppSettings
from callsheet.store.apps import App
from callsheet.store.due_replies import MOST_OF_SENDER
from callsheet.store.inbox import PART_WAITS, Told
from callsheet.store.parts import SealedReply
from callsheet.store.store import Store
from databases import Place, change, rows
from factories import StillClock, change_settings, heard, number, person_of, trunk_of

ADA, BEA = number(0), number(1)


async def tell(store: Store, app: App, clock: StillClock, *messages: SealedReply) -> Told:
    trunk = await trunk_of(store, app)
    return await store.inbox.hear(app.no, trunk.no, messages, clock.now())


async def say(store: Store, app: App, clock: StillClock, text: str, to: str = ADA) -> Told:
    return await tell(store, app, clock, heard(store, app, clock, to, text))


async def sources(store: Store, app: App, to: str = ADA) -> list[str]:
    return [one.source for one in await store.opt_outs.find(app.no, person_of(store, app, to))]


async def answers(store: Store) -> list[str]:
    return [row.kind for row in await rows(store, "select kind from reply order by no")]


async def notices(store: Store) -> list[str]:
    return [notice.kind for notice in await store.outbox.peek(100)]


async def test_a_stop_opts_out_and_is_confirmed_once(store: Store, app: App, clock: StillClock):
    first = await say(store, app, clock, "Stop!")
    again = await say(store, app, clock, "STOP I said")

    assert (first.opted_out, again.opted_out) == (1, 0)
    assert first.stopped == again.stopped == {person_of(store, app, ADA)}
    assert await sources(store, app) == ["reply"]
    assert await answers(store) == ["stop"]
    assert await notices(store) == ["message.received", "contact.opted_out", "message.received"]


async def test_what_one_person_says_is_nobody_elses(store: Store, app: App, clock: StillClock):
    told = await tell(store, app, clock, heard(store, app, clock, ADA, "stop"), heard(store, app, clock, BEA, "ok"))

    assert told.words == {Word.stop: 1, Word.none: 1}
    assert await sources(store, app, BEA) == []


async def test_a_reply_that_is_told_again_is_one_and_its_stop_holds(store: Store, app: App, clock: StillClock):
    message = heard(store, app, clock, ADA, "stop", inbound_id="in-x")

    tellings = await asyncio.gather(*(tell(store, app, clock, message, message) for _ in range(5)))

    assert sorted(told.opted_out for told in tellings) == [0, 0, 0, 0, 1]
    assert all(told.stopped for told in tellings), "we may have died before it was effective"
    assert len(await rows(store, "select * from inbound")) == 1
    assert await answers(store) == ["stop"]


async def test_stops_that_come_at_the_same_time_are_confirmed_once(
    place: Place, store: Store, app: App, clock: StillClock
):
    other = await place.open() if place.kind == "postgres" else store
    stores = [store, other] * 5

    await asyncio.gather(*(say(one, app, clock, "STOP") for one in stores))

    assert await answers(store) == ["stop"]
    assert len(await rows(store, "select * from inbound")) == len(stores)


async def test_start_gives_back_what_their_stop_took_and_nothing_else(store: Store, app: App, clock: StillClock):
    ada, bea = person_of(store, app, ADA), person_of(store, app, BEA)
    await say(store, app, clock, "wrong number")
    await say(store, app, clock, "STOP")
    await say(store, app, clock, "STOP", BEA)
    await store.opt_outs.add(app.no, Channel.sms, "api", [bea], clock.now())
    assert await sources(store, app) == ["doubt", "reply"]

    clock.advance(1)
    await say(store, app, clock, "START")
    await say(store, app, clock, "START", BEA)

    assert await sources(store, app) == []
    assert await sources(store, app, BEA) == ["api"]
    history = await store.histories.of(app.no, ada, before=None, limit=10)
    assert {one.reason for one in history.lifted} == {"START"}
    # Who stays opted out by somebody else's word is not told that messages come again.
    assert await answers(store) == ["stop", "stop", "start"]
    assert (await notices(store)).count("contact.opted_in") == 2


@pytest.mark.parametrize("text", ["YES", "START"])
async def test_a_yes_of_somebody_who_is_not_opted_out_is_a_reply_like_any_other(
    store: Store, app: App, clock: StillClock, text: str
):
    told = await say(store, app, clock, text)

    assert told.words == {Word.none: 1}
    assert await answers(store) == []


async def test_stop_and_start_in_one_moment_are_all_kept(store: Store, app: App, clock: StillClock):
    for text in ("STOP", "START") * 3:
        await say(store, app, clock, text)

    history = await store.histories.of(app.no, person_of(store, app, ADA), before=None, limit=10)
    assert len(history.lifted) == 3
    assert await sources(store, app) == []


async def test_help_is_answered_whoever_asks(store: Store, app: App, clock: StillClock):
    await say(store, app, clock, "STOP")
    await say(store, app, clock, "help?")

    assert await answers(store) == ["stop", "help"]
    assert await sources(store, app) == ["reply"]


async def test_whoever_was_opted_out_already_gets_no_confirmation(store: Store, app: App, clock: StillClock):
    await store.opt_outs.add(app.no, Channel.sms, "api", [person_of(store, app, ADA)], clock.now())

    await say(store, app, clock, "STOP")

    assert await sources(store, app) == ["api", "reply"]
    assert await answers(store) == []


async def test_a_carrier_that_answers_stop_itself_is_not_doubled(store: Store, app: App, clock: StillClock):
    await change(store, "update trunk set carrier_answers_stop = 1")

    await say(store, app, clock, "STOP")

    assert await sources(store, app) == ["reply"]
    assert await answers(store) == []


async def test_two_robots_do_not_talk_for_ever(store: Store, app: App, clock: StillClock):
    for _ in range(15):
        clock.advance(1500)
        for text in ("HELP", "STOP", "START"):
            await say(store, app, clock, text)

    assert Counter(await answers(store)) == dict.fromkeys(("stop", "help", "start"), MOST_IN_A_DAY)
    clock.advance(timedelta(hours=24).total_seconds())
    await say(store, app, clock, "HELP")
    assert len(await answers(store)) == 3 * MOST_IN_A_DAY + 1


async def test_no_kind_of_answer_takes_the_place_of_another(store: Store, app: App, clock: StillClock):
    for _ in range(5):
        await say(store, app, clock, "HELP")
    for text in ("STOP", "START") * 3:
        clock.advance(1)
        await say(store, app, clock, text)

    assert Counter(await answers(store)) == {"help": 3, "stop": 3, "start": 3}
    clock.advance(timedelta(hours=1).total_seconds())
    await say(store, app, clock, "HELP")
    assert Counter(await answers(store))["help"] == 4


async def test_who_said_stop_is_not_told_that_our_messages_come_again(store: Store, app: App, clock: StillClock):
    for text in ("STOP", "START", "STOP"):
        await say(store, app, clock, text)
    trunk = await trunk_of(store, app)
    due, _ = await store.replies.due(clock.now(), trunks=[trunk.no], limit=10)

    taken = [await store.replies.take([one.no], clock.now(), 60) for one in due]

    assert len([one for one in taken if one]) == 2
    ended = await rows(store, "select kind, state, code from reply order by no")
    assert [(row.kind, row.state, row.code) for row in ended] == [
        ("stop", "taken", ""), ("start", "expired", "opted_out"), ("stop", "taken", "")
    ]  # fmt: skip


async def test_a_few_answers_of_each_sender_are_due_at_once_the_most_urgent_first(
    store: Store, app: App, clock: StillClock
):
    many = [
        heard(store, app, clock, number(i), "HELP", sender="+447700900900") for i in range(100, MOST_OF_SENDER + 120)
    ]
    await tell(store, app, clock, *many)
    for to, text in ((number(30), "STOP"), (number(31), "HELP")):
        clock.advance(1)
        await tell(store, app, clock, heard(store, app, clock, to, text, sender="+447700900901"))
    clock.advance(1)
    await tell(store, app, clock, heard(store, app, clock, number(32), "STOP", sender="+447700900900"))
    trunk = await trunk_of(store, app)

    due, _ = await store.replies.due(clock.now(), trunks=[trunk.no], limit=1000)

    of = Counter(one.source.sender for one in due)
    assert of == {"+447700900900": MOST_OF_SENDER, "+447700900901": 2}
    kinds = dict(await rows(store, "select no, kind from reply"))
    assert [kinds[one.no] for one in due] == ["stop"] * 2 + ["help"] * MOST_OF_SENDER
    rest, _ = await store.replies.due(clock.now(), trunks=[trunk.no], resting=[due[0].source], limit=1000)
    assert {one.source.sender for one in rest} == {"+447700900900", "+447700900901"} - {due[0].source.sender}


async def test_an_app_says_what_is_answered_or_nothing(store: Store, app: App, clock: StillClock):
    await change_settings(store, app, AppSettings(stop_reply="", help_reply="{{brand}} is at shop.example"))

    await say(store, app, clock, "STOP")
    await say(store, app, clock, "HELP")

    assert await answers(store) == ["help"]
    history = await store.histories.of(app.no, person_of(store, app, ADA), before=None, limit=10)
    assert [(one.text, one.state, one.word) for one in history.entries if one.place.kind.name == "answer"] == [
        (f"{app.name} is at shop.example", ReplyState.waiting, "help")
    ]


async def test_a_text_in_parts_is_one_reply_in_whatever_order_they_come(store: Store, app: App, clock: StillClock):
    texts = ["Dear shop, it was ", "a pleasure, but I must say ", "STOP texting me"]
    parts = [heard(store, app, clock, ADA, text, part=Part(7, 3, i)) for i, text in enumerate(texts, 1)]

    early = await tell(store, app, clock, parts[2])
    assert early.stopped, "a part that says STOP does not wait for the others"
    assert await sources(store, app) == ["reply"]
    await tell(store, app, clock, parts[0])
    await tell(store, app, clock, parts[0])
    await tell(store, app, clock, parts[1])
    await tell(store, app, clock, *parts)

    page = await store.inbox.page(app.no, person=None, word=None, after=None, limit=10)
    assert page is not None
    assert [(one.text, one.word) for one in page] == [("".join(texts), Word.stop)]
    assert await answers(store) == ["stop"]


async def test_the_longest_text_that_there_is_becomes_whole(store: Store, app: App, clock: StillClock):
    parts = [heard(store, app, clock, ADA, f"{i}.", part=Part(7, 255, i)) for i in range(1, 256)]

    await tell(store, app, clock, *parts[:0:-1])
    assert await store.inbox.page(app.no, person=None, word=None, after=None, limit=10) == []
    await tell(store, app, clock, parts[0])

    page = await store.inbox.page(app.no, person=None, word=None, after=None, limit=10)
    assert [one.text for one in page or ()] == ["".join(f"{i}." for i in range(1, 256))]


async def test_a_text_that_does_not_become_whole_is_taken_as_it_is(store: Store, app: App, clock: StillClock):
    await tell(store, app, clock, heard(store, app, clock, ADA, "remove me from", part=Part(9, 2, 1)))
    assert await store.inbox.hear_overdue(clock.now()) == []
    clock.advance(PART_WAITS.total_seconds() + 1)

    ((no, told),) = await store.inbox.hear_overdue(clock.now())

    assert no == app.no
    assert told.stopped
    assert await store.inbox.hear_overdue(clock.now()) == []
    page = await store.inbox.page(app.no, person=None, word=None, after=None, limit=10)
    assert [one.text for one in page or ()] == ["remove me from…"]


async def test_parts_that_two_nodes_hear_at_once_meet(place: Place, store: Store, app: App, clock: StillClock):
    other = await place.open() if place.kind == "postgres" else store
    for reference in range(10):
        parts = [heard(store, app, clock, ADA, "ab"[i], part=Part(reference, 2, i + 1)) for i in range(2)]
        await asyncio.gather(tell(store, app, clock, parts[0]), tell(other, app, clock, parts[1]))

    page = await store.inbox.page(app.no, person=None, word=None, after=None, limit=50)
    assert [one.text for one in page or ()] == ["ab"] * 10


async def test_replies_wait_for_who_answers_them_one_of_a_person_at_a_time(store: Store, app: App, clock: StillClock):
    trunk = await trunk_of(store, app)
    for text in ("one", "two", "STOP"):
        clock.advance(1)
        message = heard(store, app, clock, ADA, text)
        await store.inbox.hear(app.no, trunk.no, [message], clock.now(), somebody_answers=True)
    message = heard(store, app, clock, BEA, "other")
    await store.inbox.hear(app.no, trunk.no, [message], clock.now(), somebody_answers=True)

    first = await store.inbox.waiting(clock.now(), 10, 60)
    assert [one.text for one in first] == ["one", "other"]
    assert await store.inbox.waiting(clock.now(), 10, 60) == []
    await store.flow_sessions.open_for(app.no, first[:1], clock.now())
    assert [one.text for one in await store.inbox.waiting(clock.now(), 10, 60)] == ["two"]
    # Whoever died over it left it to others.
    clock.advance(61)
    assert {one.text for one in await store.inbox.waiting(clock.now(), 10, 60)} == {"two", "other"}


async def test_pages_of_replies_go_from_the_newest_on(store: Store, app: App, clock: StillClock):
    for i in range(5):
        clock.advance(1)
        await say(store, app, clock, f"reply {i}")
    first = await store.inbox.page(app.no, person=None, word=None, after=None, limit=3)
    assert first is not None
    second = await store.inbox.page(app.no, person=None, word=Word.none, after=first[-1].id, limit=3)

    assert [one.text for one in [*first, *(second or ())]] == [f"reply {i}" for i in (4, 3, 2, 1, 0)]
    assert await store.inbox.page(app.no, person=None, word=None, after="ms-nothing", limit=3) is None


async def test_an_answer_is_taken_once_and_never_again(place: Place, store: Store, app: App, clock: StillClock):
    await say(store, app, clock, "STOP")
    trunk = await trunk_of(store, app)
    (due,), _ = await store.replies.due(clock.now(), trunks=[trunk.no], limit=10)
    other = await place.open() if place.kind == "postgres" else store

    taken = await asyncio.gather(*(one.replies.take([due.no], clock.now(), 60) for one in [store, other] * 3))

    assert [one.number for each in taken for one in each] == [ADA]
    clock.advance(61)
    assert (await store.replies.sweep(clock.now())).uncertain == 1
    assert await store.replies.due(clock.now(), trunks=[trunk.no], limit=10) == ([], None)
    assert await store.replies.take([due.no], clock.now(), 60) == []
    assert [row.number_sealed for row in await rows(store, "select number_sealed from reply")] == [b""]


async def test_a_confirmation_that_comes_too_late_does_not_come(store: Store, app: App, clock: StillClock):
    await say(store, app, clock, "STOP")
    clock.advance(timedelta(minutes=5).total_seconds())

    assert (await store.replies.sweep(clock.now())).expired == 1
    assert [row.state for row in await rows(store, "select state from reply")] == ["expired"]


async def test_nothing_is_answered_while_all_sending_is_stopped(store: Store, app: App, clock: StillClock):
    await say(store, app, clock, "HELP")
    trunk = await trunk_of(store, app)
    (due,), _ = await store.replies.due(clock.now(), trunks=[trunk.no], limit=10)
    await store.sending.stop(app.no, "Wrong list", "me", clock.now())

    assert await store.replies.take([due.no], clock.now(), 60) == []
    none_due, again_at = await store.replies.due(clock.now(), trunks=[trunk.no], limit=10)
    assert (none_due, again_at) == ([], clock.now() + timedelta(hours=1)), "it is worth it for so long"
    clock.advance(3600)
    assert (await store.replies.sweep(clock.now())).expired == 1
