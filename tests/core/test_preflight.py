"""Preflight counts every message once, however the lists are cut into blocks, and keeps no number and no text."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.allowance import UNLIMITED, Allowance, CarrierClass
from callsheet.core.hours import is_open_in_all
from callsheet.core.preflight import MOST_CHARACTERS, MOST_SAMPLES, Person, Tally, median_segments, tally
from callsheet.core.preflight_report import Severity, Speed, blocks, judge, limits_of, named, seconds_of, zone_hours
from callsheet.core.run import Sender
from callsheet.core.segments import USUAL, Writing, measure
from callsheet.core.template import compile_text
from factories import MONDAY_NOON, hours

MOBILE, FIXED = "+919876543210", "+914222345678"
TEXT = "Hi {{name}}, {{code | default: 'none'}}"


def person(serial: int, number: str = MOBILE, spared: str = "", **attributes: str) -> Person:
    return Person(f"cc-{serial}", number, attributes, spared)


def codes(found):
    return [(one.code, one.severity.value, one.contacts) for one in found]


def look(*persons: Person, text: str = TEXT, seconds: float | None = None):
    return judge(tally(compile_text(text), persons), seconds, [], text=text)


def sender(no: int, trunk: Allowance = UNLIMITED, trunk_id: str = "tr", writing: Writing = USUAL, **limits: Any):
    return Sender(
        no, f"s{no}", "", no, None, allowance=Allowance(**limits), trunk_id=trunk_id, trunk_allowance=trunk,
        writing=writing,
    )  # fmt: skip


def seconds(*senders: Sender, persons: int = 300, indians: int = 300, per_minute: float | None = None):
    people = [
        Person(str(i), MOBILE if i < indians else "+12125550123", {}, "", bytes([i % 256, i // 256]))
        for i in range(persons)
    ]
    whole = sum((tally(compile_text("Hi"), people[i : i + 70], senders) for i in range(0, persons, 70)), Tally())
    return seconds_of(whole, limits_of(senders, per_minute))


@given(
    st.lists(st.tuples(st.sampled_from(["", "Asha", "Łukasz", "漢字" * 80, "x" * 400]), st.sampled_from(["", "dnc"]))),
    st.integers(1, 5),
)
def test_any_blocks_add_up_to_the_same(rows, size):
    persons = [person(i, spared=spared, name=name) for i, (name, spared) in enumerate(rows)]
    message = compile_text(TEXT)

    whole = tally(message, persons)
    parts = sum((tally(message, persons[i : i + size]) for i in range(0, len(persons), size)), Tally())

    assert parts == whole
    assert whole.contacts == len(rows)
    assert whole.messages == sum(1 for _, spared in rows if not spared)
    assert whole.segments == sum(measure(f"Hi {name}, none").count for name, spared in rows if not spared)
    assert msgspec.json.decode(msgspec.json.encode(whole), type=Tally) == whole


def test_what_grows_with_the_list_is_not_kept():
    letters = "".join(chr(0x4E00 + i) for i in range(MOST_CHARACTERS + 50))
    whole = sum((tally(compile_text("{{name}}"), [person(i, name=letters[i])]) for i in range(len(letters))), Tally())

    assert len(whole.characters) == MOST_CHARACTERS
    assert len(whole.encodings["UCS-2"].samples) == MOST_SAMPLES
    assert MOBILE not in repr(whole)


def test_the_very_character_is_named_with_its_source():
    text = "Hi {{name}} \u2013 see you"

    found = look(person(1, name="Łukasz"), person(2, name="Asha"), text=text)

    said = {one.message.split(" forces")[0]: (one.message.rsplit(": ", 1)[1], one.contacts) for one in found}
    assert said == {
        "\u2013 U+2013 EN DASH": ("it is in the text itself.", 2),
        "Ł U+0141 LATIN CAPITAL LETTER L WITH STROKE": ("it is in what contacts have in their columns.", 1),
    }
    assert named("\u200d") == "U+200D ZERO WIDTH JOINER"


def test_a_placeholder_is_blank_without_a_column_and_without_a_value():
    some = look(person(1, name="Asha"), person(2, name=" "), person(3))
    everybody = look(person(1, nome="Asha"), person(2))
    liquid = look(person(1, name="Asha"), person(2, name=""), text="{{name | upcase}}!")

    assert codes(some) == [("blank", "warning", 2)]
    assert codes(everybody) == [("blank", "error", 2)]
    assert codes(liquid) == [("blank", "warning", 1)]
    assert some[0].samples == ("cc-2", "cc-3")


def test_the_number_of_a_contact_fills_its_own_column():
    assert look(person(1, phone=""), text="Call {{phone}}") == ()


def test_long_texts_are_told_apart_from_those_that_cannot_be():
    usual = [person(i, name="Asha") for i in range(10)]
    found = look(*usual, person(90, name="x" * 700), person(91, name="x" * 2000), person(92, name="x" * 40_000))

    assert codes(found) == [("too_long", "error", 1), ("many_segments", "warning", 1), ("outlier", "warning", 1)]
    assert [one.samples for one in found] == [("cc-92",), ("cc-91",), ("cc-90",)]


def test_who_cannot_be_sent_anything_blocks_and_who_is_spared_does_not():
    found = look(person(1, name=""), person(2, number="", name="x"), person(3, spared="dnc"), text="{{name}}")

    assert codes(found) == [
        ("nobody", "error", 0),
        ("empty_message", "error", 1),
        ("unreadable_number", "error", 1),
        ("spared_dnc", "info", 1),
    ]
    assert len(blocks(found)) == 3


def test_numbers_that_are_not_mobile_are_found_and_those_that_may_be_are_not():
    found = look(person(1, FIXED, name="a"), person(2, "+12125550123", name="a"), person(3, name="a"))

    assert codes(found) == [("not_mobile", "warning", 1)]


def test_time_is_whole_days_at_a_cap_and_the_rest_at_the_rate():
    assert Speed().seconds_for(10) is None
    assert Speed(2.0).seconds_for(10) == 5
    assert Speed(None, 10).seconds_for(10) == 0
    assert Speed(2.0, 10).seconds_for(11) == 86_400 + 0.5
    assert Speed(2.0, 10).seconds_for(0) == 0
    slow = look(*(person(i, name="a") for i in range(3)), seconds=2 * 86_400)
    assert codes(slow) == [("slow", "warning", 0)]
    assert slow[0].severity is Severity.warning


def test_each_limit_has_its_load_and_the_slowest_decides():
    pool = sender(1, segments_per_second=0.001), sender(2, segments_per_second=0.001)
    slow_class = CarrierClass("in", countries=("IN",), segments_per_second=0.001)

    assert seconds(sender(1)) is None
    assert seconds(sender(1), per_minute=60) == 300
    # Contacts are shared out among members, about evenly.
    assert 150_000 <= seconds(*pool) < 180_000
    assert seconds(*(sender(no, Allowance(0.001), segments_per_second=0.001) for no in (1, 2))) == 300_000
    assert seconds(*(sender(no, Allowance(0.001), f"tr{no}") for no in (1, 2))) == seconds(*pool)
    # Nobody waits for a class but who belongs to it.
    assert seconds(sender(1, classes=(slow_class,)), indians=30) == 30_000
    assert seconds(sender(1, Allowance(classes=(slow_class,)), segments_per_second=1), indians=0) == 300
    # Days of one limit, and the rate of another that everybody has.
    assert seconds(sender(1, Allowance(segments_per_day=100), segments_per_second=1)) == 2 * 86_400 + 100
    assert seconds(sender(1, segments_per_second=2), persons=0) is None


def test_members_of_a_pool_count_segments_as_their_trunks_write_them():
    text, people = "Votre colis est arrivé. " * 6, [person(i) for i in range(3)]

    for writing in (USUAL, Writing("ascii")):
        assert (
            tally(compile_text(text), people, [sender(1, writing=writing)]).segments == 3 * measure(text, writing).count
        )


def test_an_answer_to_help_that_names_nobody_is_found():
    assert codes(judge(tally(compile_text("Hi"), [person(1)]), None, [], text="Hi", has_help=False)) == [
        ("help_without_contact", "warning", 0)
    ]


def test_zones_say_when_they_are_open():
    office = hours("UTC", 9 * 60, 17 * 60)

    here = zone_hours(office, frozenset({"UTC"}), 3, MONDAY_NOON)
    there = zone_hours(office, frozenset({"America/Los_Angeles"}), 2, MONDAY_NOON)
    never = zone_hours(office, frozenset({"America/Los_Angeles", "Asia/Kolkata"}), 1, MONDAY_NOON)

    assert (here.is_open, here.opens_at, here.closes_at.hour) == (True, None, 17)
    assert (there.is_open, there.opens_at.hour, there.closes_at) == (False, 17, None)
    assert never.never
    assert not is_open_in_all(office, frozenset(never.zones), MONDAY_NOON)
    assert codes(judge(Tally(), None, [never], text=""))[1] == ("no_common_hour", "warning", 1)


def test_the_median_is_of_messages():
    assert median_segments({}) == 0
    whole = tally(compile_text("{{name}}"), [person(i, name="x" * (200 if i < 3 else 10)) for i in range(5)])
    assert median_segments(whole.sizes) == 2
