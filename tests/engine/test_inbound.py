"""A STOP is final within a second everywhere; what is answered leaves once, or not at all."""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from callsheet.carriers.base import Inbound, NotConnected, Outbound, Stopped, Throttled
from callsheet.core.asking import nobody_forbids
from callsheet.core.campaign import Status
from callsheet.core.part import Part
from callsheet.engine.talker import TICK_SECONDS
from callsheet.engine.tuning import Tuning
from callsheet.engine.virtual_time import VirtualClock, run
from callsheet.store.inbox import Message
from callsheet.store.replies import TakenReply
from databases import rows
from engine.world import Passing, World, taken, world
from factories import MONDAY_NOON, SENDER, make_definition, make_list, number, opt_out, person_of, trunk_of

TUNING = Tuning(tick_seconds=5.0)
MINUTES = Tuning(tick_seconds=20.0)
"""For those who wait until it is too late: seldom enough."""


async def reply(w: World, to: str, text: str, inbound_id: str = "", part: Part | None = None) -> None:
    """Tell a reply as a carrier does; return when the carrier may acknowledge it."""
    trunk = await trunk_of(w.store, w.app)
    message = Inbound(inbound_id or f"in-{to}-{text}-{w.clock.monotonic()}", to, SENDER, text, w.clock.now(), part)
    await w.conductor.hearing(trunk).hear([message])


async def ongoing(w: World, people: int, rate: float):
    campaign = await w.store.campaigns.create(
        w.app.no, make_definition([await make_list(w.store, w.app, w.clock, people)]), w.clock.now(), unique_names=True
    )
    await w.limit(campaign, rate)
    return await w.run_campaign(campaign)


def answers(w: World, to: str) -> list[str]:
    return [message.text for message in w.sent() if message.to == to and not message.campaign_id]


async def states(w: World) -> list[str]:
    return [row.state for row in await rows(w.store, "select state from reply order by no")]


@pytest.mark.parametrize("stops", [60, pytest.param(400, marks=pytest.mark.full)])
def test_nothing_is_handed_to_a_carrier_after_a_stop_was_heard(tmp_path: Path, stops: int) -> None:
    total = stops * 15 // 4

    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, wire_seconds=0.05, window=100, tuning=TUNING) as w:
            campaign = await ongoing(w, total, 200)
            stopping = w.rng.sample([number(i) for i in range(total)], stops)
            heard_after: dict[str, int] = {}

            async def say_stop(lane: list[str]) -> None:
                for to in lane:
                    await clock.sleep(w.rng.random() * 0.1)
                    began = clock.monotonic()
                    await reply(w, to, w.rng.choice(["STOP", "stop texting me!", "wrong number", "🛑"]))
                    heard_after[to] = w.sent()[-1].id if w.sent() else 0
                    assert clock.monotonic() - began < 1

            await asyncio.gather(*(say_stop(stopping[i::4]) for i in range(4)))
            await w.until(campaign, Status.completed, longest_seconds=600)

            taken = {message.to: message.id for message in w.sent() if message.campaign_id}
            assert not [to for to in stopping if taken.get(to, 0) > heard_after[to]]
            spared = [to for to in stopping if to not in taken]
            assert stops // 8 < len(spared) < stops * 7 // 8
            assert len(taken) == total - len(spared)

    run(main, start=MONDAY_NOON)


def test_many_stops_that_come_together_are_heard_together(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING) as w:
            trunk = await trunk_of(w.store, w.app)
            now = clock.now()
            flood = [Inbound(f"in-{i}", number(i), SENDER, "STOP", now) for i in range(500)]
            forbidden = Counter[str]()
            forbid = w.conductor.listener._forbid

            async def counting(scope) -> None:
                forbidden["calls"] += 1
                forbidden["persons"] += len(scope.persons)
                await forbid(scope)

            w.conductor.listener._forbid = counting
            await w.conductor.hearing(trunk).hear(flood)
            assert forbidden == {"calls": 1, "persons": 500}

    run(main, start=MONDAY_NOON)


def test_a_stop_is_confirmed_once_and_help_is_answered_to_whoever_said_it(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING) as w:
            for i in range(3):
                await reply(w, number(0), "STOP", f"in-{i}")
                await reply(w, number(0), "STOP", f"in-{i}")
            await clock.sleep(5)
            assert len(answers(w, number(0))) == 1
            assert w.app.name in answers(w, number(0))[0]
            await reply(w, number(0), "HELP")
            await clock.sleep(5)
            assert len(answers(w, number(0))) == 2
            assert [message.sender for message in w.sent()] == [SENDER] * 2
            await reply(w, number(0), "START")
            await clock.sleep(5)
            assert await w.store.opt_outs.find(w.app.no, person_of(w.store, w.app, number(0))) == []
            assert await states(w) == ["accepted"] * 3
            assert await rows(w.store, "select * from parked_receipt") == [], "no receipt was asked for"

    run(main, start=MONDAY_NOON)


def test_a_stop_in_parts_stops_as_soon_as_it_is_said(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=MINUTES) as w:
            person = person_of(w.store, w.app, number(0))
            await reply(w, number(0), "please take me ", "a", Part(1, 2, 1))
            assert await w.store.opt_outs.find(w.app.no, person) == []
            await reply(w, number(0), "off your list", "b", Part(1, 2, 2))
            assert [one.source for one in await w.store.opt_outs.find(w.app.no, person)] == ["reply"]
            # And one of which the rest never comes.
            await reply(w, number(1), "wrong numb", "c", Part(2, 2, 1))
            await reply(w, number(2), "remove me", "d", Part(3, 2, 1))
            await clock.sleep(400)
            lost = await w.store.opt_outs.find(w.app.no, person_of(w.store, w.app, number(2)))
            assert [one.source for one in lost] == ["reply"]

    run(main, start=MONDAY_NOON)


def test_a_stop_reaches_an_answer_that_was_taken_and_has_not_left(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING) as w:
            me = number(1)
            await reply(w, me, "STOP")
            await clock.sleep(3)
            take, stopped = w.store.replies.take, False

            async def interrupted(nos: Collection[int], now: datetime, lease_seconds: float) -> list[TakenReply]:
                nonlocal stopped
                taken = await take(nos, now, lease_seconds)
                if not stopped:
                    stopped = True
                    await reply(w, me, "STOP", "second")
                return taken

            object.__setattr__(w.store.replies, "take", interrupted)
            await reply(w, me, "START")
            await clock.sleep(5)
            assert stopped
            assert not [text for text in answers(w, me) if "again." in text and "START" not in text]
            assert (await states(w))[1] == "expired"

    run(main, start=MONDAY_NOON)


class Refusing(Passing):
    """A carrier that takes none of our answers for a while."""

    refusals = 0
    error: Exception = Throttled()

    async def send(self, message: Outbound, leave=nobody_forbids):
        if message.reference.startswith("r-") and Refusing.refusals:
            Refusing.refusals -= 1
            raise Refusing.error
        return await self.carrier.send(message, leave)


@pytest.mark.parametrize(
    ("refusals", "error", "ended", "sent"),
    [(3, Throttled(), "accepted", 1), (10**6, NotConnected(), "expired", 0), (1, Stopped(), "rejected", 0)],
)
def test_a_carrier_that_refuses_is_asked_again_until_it_is_too_late(
    tmp_path: Path, refusals: int, error: Exception, ended: str, sent: int
) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=MINUTES) as w:
            await w.conductor.stop()
            Refusing.refusals, Refusing.error = refusals, error
            w.wrap = Refusing
            await w.start()
            await reply(w, number(0), "STOP")
            await clock.sleep(310)
            assert await states(w) == [ended]
            assert len(answers(w, number(0))) == sent

    run(main, start=MONDAY_NOON)


class Lost(RuntimeError):
    """The process died here."""


@pytest.mark.parametrize(("place", "sent", "state"), [("before_hand", 0, "uncertain"), ("after_hand", 1, "uncertain")])
def test_a_crash_around_a_confirmation_never_sends_two(tmp_path: Path, place: str, sent: int, state: str) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=MINUTES) as w:
            w.failpoints.raise_at(place, Lost())
            await reply(w, number(0), "STOP")
            await clock.sleep(2)
            await w.conductor.stop()
            await w.start()
            await clock.sleep(600)
            assert len(answers(w, number(0))) == sent
            assert await states(w) == [state]

    run(main, start=MONDAY_NOON)


def test_a_crash_before_a_confirmation_was_taken_leaves_it_to_the_next_process(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING) as w:
            w.conductor.replier.stop()
            await clock.sleep(1)
            await reply(w, number(0), "STOP")
            await clock.sleep(60)
            assert answers(w, number(0)) == []
            await w.conductor.stop()
            await w.start()
            await clock.sleep(5)
            assert len(answers(w, number(0))) == 1

    run(main, start=MONDAY_NOON)


class Knowing(Passing):
    """A carrier to which people said STOP."""

    async def send(self, message: Outbound, leave=nobody_forbids):
        if message.to == number(0):
            raise Stopped
        return await self.carrier.send(message, leave)


def test_who_said_stop_to_the_carrier_is_opted_out_here_too(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING) as w:
            await w.conductor.stop()
            w.wrap = Knowing
            await w.start()
            campaign = await ongoing(w, 3, 10)
            await w.until(campaign, Status.completed, longest_seconds=60)
            await clock.sleep(1)
            found = await w.store.opt_outs.find(w.app.no, person_of(w.store, w.app, number(0)))
            assert [one.source for one in found] == ["carrier"]
            await reply(w, number(0), "START")
            assert await w.store.opt_outs.find(w.app.no, person_of(w.store, w.app, number(0))) == []

    run(main, start=MONDAY_NOON)


def test_answers_keep_the_pace_of_their_sender(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING) as w:
            trunk = await trunk_of(w.store, w.app)
            await w.store.senders.put(w.app.no, SENDER, trunk.no, {"segments_per_second": 2.0}, clock.now())
            for i in range(40):
                await reply(w, number(i), "HELP")
            began = clock.monotonic()
            while len(w.sent()) < 40:
                await clock.sleep(0.1)
                assert clock.monotonic() - began < 60
            assert clock.monotonic() - began > 15

    run(main, start=MONDAY_NOON)


def test_a_slow_sender_holds_up_no_confirmation_of_another(tmp_path: Path) -> None:
    other = "+447700900777"

    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING) as w:
            trunk = await trunk_of(w.store, w.app)
            await w.store.senders.put(w.app.no, SENDER, trunk.no, {"segments_per_second": 0.5}, clock.now())
            for i in range(80):
                await reply(w, number(i), "HELP")
            await clock.sleep(5)
            asked = clock.monotonic()
            await reply(w, number(400), "STOP")
            stop = Inbound("in-other", number(401), other, "STOP", clock.now())
            await w.conductor.hearing(trunk).hear([stop])
            await clock.sleep(3)
            assert len(answers(w, number(401))) == 1, "another sender"
            while not answers(w, number(400)):
                await clock.sleep(0.5)
            assert clock.monotonic() - asked < 15, "the same sender: a STOP before a HELP"

    run(main, start=MONDAY_NOON)


def test_a_reply_is_answered_at_once_however_rarely_the_store_is_asked(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING) as w:
            got, looks = taken(w), Counter[str]()
            look = w.conductor.talker.look

            async def counting() -> bool:
                looks["all"] += 1
                return await look()

            w.conductor.talker.look = counting
            await clock.sleep(60)
            assert looks["all"] <= 60 / TICK_SECONDS + 1
            await clock.sleep(TICK_SECONDS / 2)
            await reply(w, number(0), "one")
            await clock.sleep(0.1)
            assert got == ["one"]

    run(main, start=MONDAY_NOON)


def test_replies_are_taken_in_order_and_again_when_who_takes_them_breaks(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING) as w:
            got: list[str] = []
            open_for = w.store.flow_sessions.open_for

            async def breaking(app: int, messages: Sequence[Message], now: datetime) -> int:
                got.extend(message.text for message in messages)
                if got.count("two") == 1:
                    raise Lost
                return await open_for(app, messages, now)

            w.store.flow_sessions.open_for = breaking
            await opt_out(w.store, w.app, clock, number(1))
            for text in ("one", "two", "three", "HELP"):
                await reply(w, number(0), text)
            await clock.sleep(10)
            assert got == ["one", "two", "two", "three"], "those that follow wait for the one that broke"

    run(main, start=MONDAY_NOON)
