"""The circuit breaker: it opens on evidence and on nothing else, says why, and finds its way back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core import breaker as b
from callsheet.core.breaker import Breaker, Outcome, Position, lower_bound

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)
TROUBLE = {Outcome.unanswered, Outcome.unwell, Outcome.cut_off}


def after(outcomes, *, breaker: Breaker | None = None, at: datetime = NOW) -> Breaker:
    """Note outcomes a millisecond apart, all of messages that were handed over in the present turn."""
    breaker = breaker or Breaker()
    for outcome in outcomes:
        at += MILLISECOND
        breaker = breaker.note(outcome, at, turn=breaker.turn, jitter=0.5)
    return breaker


def opened(at: datetime = NOW) -> Breaker:
    return after([Outcome.unanswered] * b.IN_ROW, at=at)


def test_a_carrier_that_never_answers_is_given_ten_messages_and_five_in_row_open_it() -> None:
    assert Breaker().room_at(NOW) == b.FIRST_ROOM == 10
    assert after([Outcome.unanswered] * 4).position is Position.closed
    broken = opened()
    assert (broken.position, broken.room_at(NOW)) == (Position.open, 0)
    assert "5 messages in a row" in broken.why


def test_one_answer_between_starts_the_count_anew() -> None:
    almost = [Outcome.unanswered] * 4
    assert after([*almost, Outcome.answered, *almost]).position is Position.closed


@given(st.lists(st.sampled_from([Outcome.answered, Outcome.throttled]), max_size=300))
def test_a_carrier_that_answers_or_slows_us_down_is_never_stopped(outcomes) -> None:
    assert after(outcomes).position is Position.closed


@given(st.lists(st.sampled_from(Outcome), max_size=400))
def test_it_never_opens_without_evidence(outcomes) -> None:
    breaker, in_row, results, seen = Breaker(), 0, [], set()
    for i, outcome in enumerate(outcomes):
        breaker = breaker.note(outcome, NOW + i * MILLISECOND, turn=breaker.turn, jitter=0.0)
        if outcome is Outcome.throttled:
            assert breaker.position is Position.closed
            continue
        if outcome is Outcome.cut_off and Outcome.cut_off in seen:
            # All of it happens within less than a second: it is the same loss.
            continue
        seen.add(outcome)
        trouble = outcome in TROUBLE
        in_row = in_row + 1 if trouble else 0
        results = [*results, outcome][-b.WINDOW :]
        if breaker.position is Position.open:
            troubles = sum(one in TROUBLE for one in results)
            rejected = results.count(Outcome.rejected)
            assert breaker.why.endswith(".")
            assert (
                outcome is Outcome.locked_out
                or in_row >= b.IN_ROW
                or (len(results) >= b.FEWEST and lower_bound(troubles, len(results)) > b.MOST_TROUBLE)
                or (len(results) >= b.FEWEST and lower_bound(rejected, len(results)) > b.MOST_REJECTED)
            )
            return


def test_a_share_of_silence_that_is_not_chance_opens_it_and_the_figures_are_said() -> None:
    one_in_four = [Outcome.unanswered, *[Outcome.answered] * 3] * 13
    broken = after(one_in_four)
    assert broken.position is Position.open
    assert broken.why == (
        "13 of the latest 50 messages got no answer or were not taken in: more than 10%, which is not chance."
        " Out of order since 2026-03-02T12:00:00+00:00."
    )


def test_a_lost_connection_is_one_piece_of_evidence_however_many_messages_were_on_it() -> None:
    lost = after([Outcome.cut_off] * 200, breaker=replace(Breaker(), room_limit=b.MOST_ROOM))
    assert (lost.position, lost.in_row, lost.trouble_bits.bit_count()) == (Position.closed, 1, 1)


def test_connections_that_are_lost_again_and_again_open_it_and_leave_fewer_in_doubt_each_time() -> None:
    breaker, rooms = Breaker(), []
    for i in range(b.IN_ROW):
        rooms.append(breaker.room_at(NOW))
        breaker = after([Outcome.cut_off] * 10, breaker=breaker, at=NOW + i * b.ONE_LOSS)
    assert rooms == [10, 5, 2, 1, 1]
    assert breaker.position is Position.open
    well = after([Outcome.cut_off, *[Outcome.answered] * 8])
    assert (well.position, well.in_row, well.room_at(NOW)) == (Position.closed, 0, 13)


def test_a_clock_that_is_set_back_hides_no_loss() -> None:
    lost = after([Outcome.cut_off])
    assert after([Outcome.cut_off], breaker=lost, at=NOW - timedelta(hours=1)).in_row == 2


def test_it_says_what_the_last_answer_means_and_since_when_it_is_out_of_order() -> None:
    said = {"said": "no_answer", "meaning": "The carrier never answered."}
    broken = Breaker()
    for _ in range(b.IN_ROW):
        broken = broken.note(Outcome.unanswered, NOW, turn=0, jitter=0.5, **said)
    since = "Out of order since 2026-03-02T12:00:00+00:00."
    row = "5 messages in a row got no answer or were not taken in (no_answer)."
    assert broken.why == f"{row} The carrier never answered. {since}"
    assert broken.next_try_at is not None
    tried = broken.wake(broken.next_try_at)
    again = tried.note(Outcome.cut_off, broken.next_try_at, turn=tried.turn, jitter=0.5, said="link_dropped")
    assert again.why == f"It was tried again, and the message lost its connection (link_dropped). {since}"


def test_a_carrier_that_turns_every_second_away_is_stopped_and_one_that_turns_few_away_is_not() -> None:
    half = [Outcome.rejected, Outcome.answered] * 25
    few = ([Outcome.rejected] + [Outcome.answered] * 6) * 40
    assert after(half).position is Position.open
    assert after(few).position is Position.closed


def test_an_account_that_is_refused_opens_it_at_once_with_what_the_carrier_said() -> None:
    broken = Breaker().note(Outcome.locked_out, NOW, turn=0, jitter=0.0, said="20003")
    assert broken.position is Position.open
    assert "(20003)" in broken.why


def test_a_message_is_tried_after_a_pause_then_a_few_and_then_all_flows() -> None:
    broken = opened()
    assert broken.next_try_at is not None
    assert broken.wake(broken.next_try_at - SECOND) is broken
    tried = broken.wake(broken.next_try_at)
    assert (tried.position, tried.room_at(broken.next_try_at)) == (Position.half_open, 1)
    rooms = []
    for _ in range(b.ENOUGH_TRIED):
        tried = after([Outcome.answered], breaker=tried, at=broken.next_try_at)
        rooms.append(tried.room_at(broken.next_try_at))
    assert rooms == [2, 3, 4, b.FIRST_ROOM]
    assert (tried.position, tried.why) == (Position.closed, "")


def test_pauses_double_up_to_a_limit_and_are_spread() -> None:
    broken, pauses = opened(), []
    for _ in range(9):
        assert broken.next_try_at is not None
        at = broken.next_try_at
        broken = broken.wake(at).note(Outcome.unanswered, at, turn=broken.turn + 1, jitter=0.5)
        assert broken.next_try_at is not None
        pauses.append((broken.next_try_at - at) / SECOND)
    assert pauses == [40, 80, 160, 320, 640, 900, 900, 900, 900]
    early = Breaker().note(Outcome.locked_out, NOW, turn=0, jitter=0.0).next_try_at
    late = Breaker().note(Outcome.locked_out, NOW, turn=0, jitter=0.999).next_try_at
    assert (early, late) == (NOW + 15 * SECOND, NOW + 20 * SECOND * (0.75 + 0.999 / 2))


def test_what_was_handed_over_before_it_opened_tells_nothing_of_the_message_that_is_tried() -> None:
    broken = opened()
    assert broken.next_try_at is not None
    tried = broken.wake(broken.next_try_at)
    assert tried.note(Outcome.unanswered, NOW, turn=0, jitter=0.0) is tried
    assert broken.note(Outcome.answered, NOW, turn=broken.turn, jitter=0.0) is broken


def test_whoever_says_that_it_works_again_has_one_message_tried_at_once() -> None:
    assert opened().try_now(NOW).room_at(NOW) == 1
    healthy = after([Outcome.answered] * 30)
    assert healthy.try_now(NOW).position is Position.closed


def test_a_route_that_was_well_long_ago_starts_slowly_again() -> None:
    well = after([Outcome.answered] * 500)
    assert well.room_at(NOW + SECOND) == 510
    assert after([Outcome.answered] * 1000).room_at(NOW + SECOND) == b.MOST_ROOM
    assert well.room_at(NOW + 2 * b.RECENT) == b.FIRST_ROOM
    assert after([Outcome.answered], breaker=well, at=NOW + 2 * b.RECENT).room_limit == b.FIRST_ROOM + 1


def test_an_old_failure_is_no_evidence() -> None:
    almost = after([Outcome.unanswered] * 4)
    assert after([Outcome.unanswered], breaker=almost, at=NOW + 2 * b.RECENT).position is Position.closed


def test_a_clock_that_is_set_back_makes_no_pause_of_hours() -> None:
    broken = opened()
    assert broken.wake(NOW - timedelta(hours=3)).position is Position.half_open


@given(st.integers(0, 200), st.integers(1, 200))
def test_the_bound_is_below_the_share(count: int, of: int) -> None:
    count = min(count, of)
    assert 0 <= lower_bound(count, of) <= count / of


@pytest.mark.parametrize(("count", "of", "bound"), [(0, 50, 0.0), (10, 50, 0.1235), (50, 50, 0.9487)])
def test_the_bound_is_that_of_wilson(count: int, of: int, bound: float) -> None:
    assert lower_bound(count, of) == pytest.approx(bound, abs=0.0002)


def test_a_route_that_is_calm_costs_nothing_more() -> None:
    calm = replace(after([Outcome.answered] * b.WINDOW), room_limit=b.MOST_ROOM)
    assert after([Outcome.answered], breaker=calm) is calm
