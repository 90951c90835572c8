"""What a person is told about a contact is what the gate says: every gate answers, and the next moment is one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callsheet.core.campaign import Named, Status
from callsheet.core.day_use import UsedUp
from callsheet.core.gate import Facts
from callsheet.core.run import NORMALLY, AppSettings, Execution, Launch, OutsideHours
from callsheet.core.walk import Group
from callsheet.core.why import Gate, Place, Ruling, Standing, Why, explain, judge_day, judge_trunk
from factories import MONDAY_NOON, hours, make_definition

NOW = MONDAY_NOON
LIST = Named(1, "cl-1", "Customers")
CLEAR = Facts(on_dnc=False, opted_out=False)


def place(zone: str | None = None, *, is_wanted: bool = True) -> Place:
    return Place(LIST, "cc-1", Group(1, 1, zone, frozenset(), 0), is_wanted)


STANDING = Standing(Status.active, NORMALLY, CLEAR, (place(),))


def ask(settings: AppSettings | None = None, *, start: int = 0, end: int = 1440, **changes: object) -> Why:
    definition = make_definition([], hours=hours(start=start, end=end))
    return explain(replace(STANDING, **changes), definition, settings or AppSettings(), NOW)


def ruling(why: Why, gate: Gate) -> Ruling:
    answers = [*why.answers, *(answer for one in why.places for answer in (one.filter, one.hours))]
    (found,) = {answer.ruling for answer in answers if answer.gate is gate}
    return found


def test_whom_nothing_holds_may_be_contacted_now():
    why = ask()

    assert (why.may_be_contacted, why.next_at) == (True, NOW)
    assert {ruling(why, gate) for gate in set(Gate) - {Gate.trunk, Gate.daily_cap}} == {Ruling.passes}
    assert judge_trunk("", None).ruling is Ruling.passes


def test_a_trunk_that_takes_nothing_says_why_and_when_it_is_tried_again():
    answer = judge_trunk("5 messages in a row got no answer.", NOW)

    assert (answer.ruling, answer.until) == (Ruling.waits, NOW)
    assert answer.sentence == "The sender's trunk takes no messages now. 5 messages in a row got no answer."


def test_nobody_may_be_contacted_while_the_trunk_takes_nothing():
    later = NOW + timedelta(minutes=5)
    for until, next_at in ((later, later), (None, None), (NOW - timedelta(minutes=1), NOW)):
        route = [judge_trunk("It is out of order.", until)]
        why = explain(STANDING, make_definition([], hours=hours(start=0, end=1440)), AppSettings(), NOW, route)
        assert (why.may_be_contacted, why.next_at) == (False, next_at)


def test_a_day_that_is_used_up_holds_a_person_back_until_the_next_one():
    tomorrow = NOW + timedelta(hours=12)
    definition = make_definition([], hours=hours(start=0, end=1440))
    full = explain(STANDING, definition, AppSettings(), NOW, [judge_day(UsedUp("sn-1", tomorrow))])
    free = explain(STANDING, definition, AppSettings(), NOW, [judge_day(None)])

    assert (full.may_be_contacted, full.next_at) == (False, tomorrow)
    assert (free.may_be_contacted, free.next_at) == (True, NOW)
    assert full.answers[-1].reason == "daily_cap"
    assert full.answers[-1].sentence == "The segments of the day are used up. The limit is that of sn-1."


@pytest.mark.parametrize(
    ("changes", "gate", "reason"),
    [
        ({"facts": CLEAR._replace(on_dnc=True)}, Gate.dnc, "dnc"),
        ({"facts": CLEAR._replace(opted_out=True)}, Gate.opted_out, "opted_out"),
        ({"facts": CLEAR._replace(reached=True)}, Gate.reached, "reached"),
        ({"dealt_with": "delivered"}, Gate.duplicate, "delivered"),
        ({"places": ()}, Gate.contact_list, ""),
    ],
)
def test_what_stops_a_person_leaves_no_next_moment(changes, gate, reason):
    why = ask(**changes)

    (answer,) = [one for one in why.answers if one.gate is gate]
    assert (answer.ruling, answer.reason) == (Ruling.stops, reason)
    assert answer.sentence
    assert (why.may_be_contacted, why.next_at) == (False, None)


def test_a_campaign_that_does_not_run_contacts_nobody_but_the_next_moment_is_told():
    why = ask(status=Status.paused)

    assert ruling(why, Gate.campaign) is Ruling.waits
    assert (why.may_be_contacted, why.next_at) == (False, NOW)


def test_the_next_moment_is_when_everything_that_waits_has_come_and_the_hours_are_open_then():
    facts = CLEAR._replace(capped_until=NOW + timedelta(hours=5))

    why = ask(start=9 * 60, end=13 * 60, facts=facts, due_at=NOW + timedelta(hours=2), due_reason="refused")

    assert {ruling(why, gate) for gate in (Gate.cap, Gate.duplicate)} == {Ruling.waits}
    assert ruling(why, Gate.hours) is Ruling.passes
    # At 17:00 the hours are closed: it is the next morning.
    assert why.next_at == (NOW + timedelta(days=1)).replace(hour=9)
    assert not why.may_be_contacted


def test_of_several_rows_the_earliest_counts_and_each_shows_its_zones():
    rows = (place("Asia/Tokyo"), place("America/New_York", is_wanted=False), place("Europe/Paris"))

    why = ask(start=9 * 60, end=20 * 60, places=rows)

    assert [sorted(one.zones) for one in why.places] == [["Asia/Tokyo"], ["America/New_York"], ["Europe/Paris"]]
    assert [one.hours.ruling for one in why.places] == [Ruling.waits, Ruling.waits, Ruling.passes]
    assert why.places[1].filter.ruling is Ruling.stops
    assert why.places[1].next_at is None
    assert (why.may_be_contacted, why.next_at) == (True, NOW)


def test_an_emergency_waits_for_no_hours():
    launch = Launch(Execution.emergency, reason="A flood")

    assert not ask(start=0, end=60).may_be_contacted
    assert ask(start=0, end=60, launch=launch).may_be_contacted


def test_where_closed_hours_skip_a_contact_there_is_no_next_moment():
    why = ask(AppSettings(outside_hours=OutsideHours.skip), start=0, end=60)

    assert ruling(why, Gate.hours) is Ruling.stops
    assert why.next_at is None


def test_a_repeat_that_is_due_passes():
    why = ask(dealt_with="refused", due_at=NOW, due_reason="refused")

    assert (ruling(why, Gate.duplicate), why.may_be_contacted) == (Ruling.passes, True)


def test_every_ruling_that_can_be_has_its_sentence():
    cases = [ask(), ask(status=Status.ready), ask(facts=Facts(on_dnc=True, opted_out=True))]
    answers = [answer for why in cases for answer in why.answers]

    assert all(answer.sentence for answer in answers)
