"""The demo promises three zones where it is day and one where it is night, at whatever hour somebody tries it."""

import csv
import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from callsheet.carriers.sandbox.behaviour import BY_ENDING
from callsheet.cli.demo_people import CLOSES_HOUR, ENDINGS, OPENS_HOUR, PLACES, People, around, write_csv
from callsheet.core.phone import Number, candidate_zones

MINUTES = st.integers(min_value=0, max_value=366 * 24 * 60).map(
    lambda m: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=m)
)


def is_open(zone: str, at: datetime) -> bool:
    return OPENS_HOUR <= at.astimezone(ZoneInfo(zone)).hour < CLOSES_HOUR


@given(MINUTES)
def test_three_zones_are_open_and_one_is_closed_whenever_it_is_and_stay_so(now):
    places = around(now)

    assert len({*places.by_day, places.by_night}) == 4
    for minutes in (0, 15, 30):
        later = now + timedelta(minutes=minutes)
        assert all(is_open(place.zone, later) for place in places.by_day)
        assert not is_open(places.by_night.zone, later)


def test_every_number_is_valid_and_may_be_where_its_owner_lives():
    now = datetime(2026, 3, 2, tzinfo=UTC)
    people = [p for hour in range(24) for p in People(around(now + timedelta(hours=hour)), hour, total=400).shuffled()]

    assert {person.zone for person in people} == {place.zone for place in PLACES}
    for person in people:
        number = Number.parse(person.number)
        assert number.e164 == person.number
        assert person.zone in candidate_zones(number)


def test_nobody_comes_twice_and_only_those_who_are_asked_misbehave():
    people = People(around(datetime(2026, 3, 2, tzinfo=UTC)), 1, total=1900)
    endings = [person.number[-4:] for person in people.shuffled()]

    assert len({person.number for person in people.shuffled()}) == 1900
    assert {ending: endings.count(ending) for ending in ENDINGS} == ENDINGS
    assert [ending for ending in endings if ending.startswith("99") and ending not in ENDINGS] == []
    assert set(ENDINGS) == set(BY_ENDING)


def test_those_who_misbehave_live_where_it_is_day():
    places = around(datetime(2026, 3, 2, tzinfo=UTC))
    people = People(places, 1, total=500)

    assert {person.zone for person in people.odd} == {place.zone for place in places.by_day}
    assert {person.zone for person in people.by_night} == {places.by_night.zone}


def test_the_same_seed_makes_the_same_people():
    places = around(datetime(2026, 3, 2, tzinfo=UTC))

    assert People(places, 1, total=400).shuffled() == People(places, 1, total=400).shuffled()
    assert People(places, 1, total=400).shuffled() != People(places, 2, total=400).shuffled()


def test_a_list_has_the_rows_that_were_asked_for():
    places = around(datetime(2026, 3, 2, tzinfo=UTC))
    people = People(places, 1, total=400).shuffled()
    written = write_csv(people, twice=5, bad=7, plain_zone=places.by_day[0].zone)

    rows = list(csv.DictReader(io.StringIO(written.decode())))
    assert len(rows) == 400 + 5 + 7
    assert places.by_day[0].zone not in {row["timeZone"] for row in rows[:400]}
