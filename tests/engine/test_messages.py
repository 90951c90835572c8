"""What each contact is told, and what becomes of those for whom there is nothing to say, through the real engine."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from callsheet.carriers.base import (
    Accepted,
    Hear,
    Heard,
    InvalidMessage,
    Outbound,
    Receipt,
)
from callsheet.core.asking import nobody_forbids
from callsheet.core.campaign import Status
from callsheet.engine.virtual_time import VirtualClock, run
from engine.world import Passing, world
from factories import MONDAY_NOON, contact, make_campaign, make_list, number


def test_one_contact_whose_text_cannot_be_rendered_does_not_stop_the_others(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            people = [
                contact(w.store, w.app, number(i), attributes=f'{{"amount":"{i}","parts":"{i % 10}"}}')
                for i in range(100)
            ]
            campaign = await make_campaign(w.store, w.app, clock, [await make_list(w.store, w.app, clock, people)])
            await w.run_campaign(campaign, "You owe {{ amount | divided_by: parts }}.")
            await w.until(campaign, Status.completed, longest_seconds=60)
            await clock.sleep(5)
            counters = await w.counters(campaign)
            assert (counters["rejected"], counters["rejected:unrenderable"], counters["delivered"]) == (10, 10, 90)

    run(main, start=MONDAY_NOON)


def test_those_for_whom_there_is_no_text_make_the_others_look_no_shorter(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            people = [
                contact(w.store, w.app, number(i), attributes=f'{{"parts":"{i % 2}"}}')  # half of them have none
                for i in range(200)
            ]
            campaign = await make_campaign(w.store, w.app, clock, [await make_list(w.store, w.app, clock, people)])
            await w.limit(campaign, 10)
            campaign = await w.run_campaign(campaign, "You owe {{ 12 | divided_by: parts }}.")
            await clock.sleep(8)
            assert campaign.run_no is not None
            assert (await w.counters(campaign))["rejected"] > 10
            assert w.conductor.agenda.states[campaign.run_no].segments_guess == 1

    run(main, start=MONDAY_NOON)


class RudeCarrier(Passing):
    """A carrier that says what no database can keep."""

    NONSENSE = "\0\ud800 4" + "x" * 300

    async def open(self, hear: Hear) -> None:
        async def rudely(heard: Sequence[Heard]) -> None:
            await hear([one._replace(code=self.NONSENSE) if isinstance(one, Receipt) else one for one in heard])

        await self.carrier.open(rudely)

    async def send(self, message: Outbound, leave: Callable[[], bool] = nobody_forbids) -> Accepted:
        accepted = await self.carrier.send(message, leave)
        if message.to.endswith("7"):
            raise InvalidMessage(self.NONSENSE)
        return accepted._replace(carrier_id=self.NONSENSE)


def test_a_carrier_that_talks_nonsense_stops_nobody(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            await w.conductor.stop()
            w.wrap = RudeCarrier
            await w.start()
            campaign = await make_campaign(w.store, w.app, clock, [await make_list(w.store, w.app, clock, 20)])
            started = await w.run_campaign(campaign)
            await w.until(campaign, Status.completed, longest_seconds=60)
            await clock.sleep(5)
            assert (await w.counters(campaign))["delivered"] == 20
            assert started.run_no is not None
            attempts = await w.store.reports.attempts(w.app.no, started.run_no)
            assert {event.ref for attempt in attempts for event in attempt.events if event.kind == "accepted"} == {
                " 4" + "x" * 251
            }

    run(main, start=MONDAY_NOON)


def test_nobody_gets_an_empty_message(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            people = [
                contact(w.store, w.app, number(i), attributes=f'{{"Mobile":"","note":"{" " * (i % 4 == 0) or "x"}"}}')
                for i in range(20)
            ]
            campaign = await make_campaign(w.store, w.app, clock, [await make_list(w.store, w.app, clock, people)])
            started = await w.run_campaign(campaign, " <Note> ")
            await w.until(campaign, Status.completed, longest_seconds=60)
            await clock.sleep(5)
            counters = await w.counters(campaign)
            assert (counters["rejected"], counters["rejected:empty_message"], counters["delivered"]) == (5, 5, 15)
            assert {message.text for message in w.sent()} == {" x "}
            attempts = await w.store.reports.attempts(w.app.no, started.run_no or 0)
            codes = Counter(attempt.events[0].code for attempt in attempts if attempt.state == "rejected")
            assert codes == {"empty_message": 5}

    run(main, start=MONDAY_NOON)


def test_each_contact_may_be_told_its_own_number(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            people = [contact(w.store, w.app, number(i), attributes='{"Mobile":""}') for i in range(5)]
            campaign = await make_campaign(w.store, w.app, clock, [await make_list(w.store, w.app, clock, people)])
            await w.run_campaign(campaign, "<Mobile> {{ phoneNumber }}")
            await w.until(campaign, Status.completed, longest_seconds=60)
            assert {(message.to, message.text) for message in w.sent()} == {
                (number(i), f"{number(i)} {number(i)}") for i in range(5)
            }

    run(main, start=MONDAY_NOON)


def test_the_sender_and_the_text_are_those_of_the_campaign(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            people = [contact(w.store, w.app, number(1), attributes='{"First Name":"Ada {{x}}","City":"Bath"}')]
            campaign = await make_campaign(
                w.store, w.app, clock, [await make_list(w.store, w.app, clock, people)], sender="ACME", priority=1
            )
            await w.run_campaign(campaign, 'Dear <First Name> of {{city}} {{nick | default: "friend"}}')
            await w.until(campaign, Status.completed, longest_seconds=60)
            sent = w.sent()[0]
            assert (sent.sender, sent.text, sent.campaign_id) == ("ACME", "Dear Ada {{x}} of Bath friend", campaign.id)

    run(main, start=MONDAY_NOON)


def test_a_damaged_number_is_rejected_and_holds_nobody_up(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            people = [contact(w.store, w.app, number(i)) for i in range(20)]
            people[7] = people[7]._replace(sealed=people[8].sealed)
            campaign = await make_campaign(w.store, w.app, clock, [await make_list(w.store, w.app, clock, people)])
            await w.run_campaign(campaign)
            await w.until(campaign, Status.completed, longest_seconds=60)
            await clock.sleep(5)
            counters = await w.counters(campaign)
            assert (counters["rejected"], counters["rejected:unreadable_number"], counters["delivered"]) == (1, 1, 19)
            assert number(7) not in {message.to for message in w.sent()}

    run(main, start=MONDAY_NOON)
