"""A receipt that does not carry our reference is given to nobody's attempt but its own."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.attempt import PENDING, Kind, fold
from callsheet.core.ids import NO_RUN, AttemptKey, encode_attempt, hint_of
from callsheet.core.matching import (
    PARKED_SPAN,
    Candidate,
    Hit,
    LooseReceipt,
    as_receipts_write,
    attribute,
    canonical,
    canonical_ids,
    choose,
    contact_number,
    fill,
    look_again_at,
    name_of_text,
    tell_part,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADA, BOB = b"a" * 16, b"b" * 16


def receipt(*ids: str, person: bytes = ADA, hint: int | None = None, parked_no: int = 0) -> LooseReceipt:
    return LooseReceipt(1, 1, ids, person, Kind.delivered, NOON, NOON, "", "", hint, parked_no)


def candidate(run_no: int, state: str = Kind.uncertain, *, hours: float = 1, person: bytes = ADA) -> Candidate:
    return Candidate(AttemptKey(run_no, person, 1), NOON - timedelta(hours=hours), state)


def hit(carrier_id: str, person: bytes, day: int = 0) -> Hit:
    return Hit(day, carrier_id, AttemptKey(1, person, 1), NOON + timedelta(days=day), 1, ())


@pytest.mark.parametrize(
    ("written", "kept"),
    [("00aB", "ab"), ("0", "0"), ("000", "0"), ("", ""), (" 7\n", "7"), ("x y", "xy"), ("a\0b", "ab")],
)
def test_an_id_is_kept_in_one_spelling(written: str, kept: str):
    assert canonical(written) == kept


def test_no_id_is_kept_twice_or_empty():
    assert canonical_ids(["0A", "a", "", "b"]) == ("a", "b")


@given(st.integers(min_value=1, max_value=1 << 64))
def test_a_receipt_in_the_other_base_is_among_the_spellings_of_its_answer(number: int):
    assert str(number) in as_receipts_write(f"{number:x}")
    assert f"{number:x}" in as_receipts_write(str(number))


@given(st.text(max_size=80))
def test_whatever_a_carrier_writes_is_an_id_or_none(written: str):
    assert canonical(canonical(written)) == canonical(written)
    if canonical(written):
        assert canonical(written) in as_receipts_write(canonical(written))


@given(st.text(max_size=30))
def test_whatever_a_carrier_writes_for_a_contact_is_a_number_or_none(written: str):
    found = contact_number(written)
    assert found is None or (found[0] == "+" and found[1:].isdecimal())


@pytest.mark.parametrize("written", ["12125550100", "+12125550100", "0012125550100", "+1 (212) 555-0100"])
def test_a_contact_is_known_however_its_number_is_written(written: str):
    assert contact_number(written) == "+12125550100"


def meant(*args: object) -> Hit | None:
    match = choose(*args)  # type: ignore[arg-type]
    return match.hit if match else None


def test_of_several_hits_the_person_decides_then_the_spelling_then_the_time():
    hits = [hit("a", ADA, 0), hit("a", BOB, 1), hit("10", BOB, 2)]

    assert meant(receipt("a", "10"), hits) == hits[0]
    assert meant(receipt("a", "10", person=b""), hits) == hits[1]


def test_a_guess_that_names_nobody_whom_we_know_waits_once():
    assert choose(receipt("a", "10"), [hit("10", BOB)]) is None
    assert meant(receipt("a", "10", parked_no=1), [hit("10", BOB)]) == hit("10", BOB)
    assert meant(receipt("a"), [hit("a", BOB)]) == hit("a", BOB)


@pytest.mark.parametrize("state", list(Kind))
def test_a_receipt_of_one_person_is_never_given_to_another(state: Kind):
    for ids in [("a",), ("a", "10"), ("10", "a")]:
        match = choose(receipt(*ids, parked_no=1), [hit("a", BOB)], [candidate(1, state)])
        assert match is None or match.key.person == ADA
        assert (match is not None) == (state is Kind.uncertain)


def test_an_orphan_settles_the_one_attempt_that_it_can_mean():
    assert attribute(receipt("x"), [candidate(1)]) == candidate(1).key
    assert attribute(receipt("x"), [candidate(1), candidate(2, Kind.accepted)]) == candidate(1).key


@pytest.mark.parametrize(
    "candidates",
    [
        [],
        [candidate(1, Kind.accepted)],
        [candidate(1, Kind.delivered)],
        [candidate(1, PENDING)],
        [candidate(1), candidate(2)],
        [candidate(1), candidate(2, PENDING)],
        [candidate(1, hours=72.1)],
        [candidate(1, hours=-0.1)],
        [candidate(1, person=BOB)],
    ],
)
def test_an_orphan_settles_nothing_where_it_may_mean_another(candidates: list[Candidate]):
    assert attribute(receipt("x"), candidates) is None


def test_a_hint_decides_between_two_and_one_that_fits_none_decides_for_none():
    two = candidate(2)
    hint = hint_of(encode_attempt(*two.key))

    assert attribute(receipt("x", hint=hint), [candidate(1), two, candidate(3, PENDING)]) == two.key
    assert attribute(receipt("x", hint=hint), [candidate(1)]) is None


@given(
    st.integers(1, 5).flatmap(
        lambda parts: st.lists(
            st.tuples(st.integers(0, parts - 1), st.sampled_from([Kind.delivered, Kind.undelivered, Kind.rejected]))
        ).flatmap(lambda told: st.tuples(st.just(parts), st.just(told), st.permutations(told)))
    )
)
def test_the_order_of_receipts_does_not_decide_whether_all_parts_arrived(told: tuple):
    parts, *orders = told

    def play(order: list[tuple[int, Kind]]) -> tuple[dict[str, str], bool]:
        states = {str(part): "" for part in range(parts)}
        said = []
        for part, kind in order:
            states[str(part)], whole, _ = tell_part(states, str(part), kind, parts)
            said.append(whole)
        return states, fold(kind for kind in said if kind) == Kind.delivered

    first, second = map(play, orders)
    assert first == second
    assert first[1] == all(state == Kind.delivered for state in first[0].values())


def test_a_text_is_undelivered_when_nothing_of_it_is_on_its_way_and_incomplete_when_the_person_has_some():
    ok, lost = Kind.delivered, Kind.undelivered
    assert tell_part({"a": "", "b": ""}, "a", lost, 2) == (lost, None, False)
    assert tell_part({"a": lost, "b": ""}, "b", lost, 2) == (lost, lost, False)
    assert tell_part({"a": lost, "b": ""}, "b", ok, 2) == (ok, lost, True)
    assert tell_part({"a": ok, "b": ""}, "b", lost, 2) == (lost, lost, True)
    assert tell_part({"a": ok, "b": "", "c": ""}, "b", lost, 3) == (lost, lost, True)
    assert tell_part({"a": ok, "b": lost}, "b", ok, 2) == (ok, ok, False)


@pytest.mark.parametrize("kind", [Kind.accepted, Kind.delivered, Kind.undelivered])
def test_parts_whose_ids_we_know_say_nothing_of_a_text_that_has_more(kind: Kind):
    assert tell_part({"a": kind, "b": ""}, "b", kind, 3) == (kind, None, False)


def test_an_orphan_is_taken_for_a_part_that_is_missing_once_and_for_no_more_than_there_are():
    text = hit(name_of_text(AttemptKey(1, ADA, 1)), ADA)._replace(parts=2, others=("a",))

    assert fill(text, receipt("b", "11")) == ("a", "b")
    whole = text._replace(others=("a", "b"))
    assert fill(whole, receipt("b")) == ("a", "b")
    assert fill(whole, receipt("c")) is None
    assert fill(text, receipt()) is None


def test_no_carrier_can_give_the_id_by_which_a_text_is_remembered():
    name = name_of_text(AttemptKey(1, ADA, 1))
    assert canonical(name) != name
    assert name_of_text(AttemptKey(NO_RUN, ADA, 1 << 40)) != name


def test_an_answer_of_ours_that_may_be_meant_keeps_an_orphan_from_an_attempt():
    ours = Candidate(AttemptKey(NO_RUN, ADA, 70_000), NOON, PENDING)

    assert attribute(receipt("x"), [candidate(1), ours]) is None
    assert attribute(receipt("x"), [ours._replace(state=Kind.uncertain)]) == ours.key
    assert attribute(receipt("x", hint=hint_of(encode_attempt(1, ADA, 1))), [candidate(1), ours]) == (1, ADA, 1)


def test_a_receipt_that_waits_is_looked_for_ever_more_rarely_and_at_its_end_once_more():
    at, looks = NOON, 0
    while at < NOON + PARKED_SPAN:
        after = look_again_at(NOON, at, looks)
        assert timedelta(0) < after - at <= timedelta(hours=1)
        at, looks = after, looks + 1

    assert at == NOON + PARKED_SPAN
    assert looks < 100
