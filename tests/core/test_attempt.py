from itertools import permutations

from hypothesis import example, given
from hypothesis import strategies as st

from callsheet.core.attempt import PENDING, SAID_LENGTH, Kind, advance, as_said, fold
from callsheet.core.ids import decode_attempt, encode_attempt

KINDS = st.lists(st.sampled_from(Kind), max_size=8)


@given(kinds=KINDS)
def test_a_state_never_moves_backwards(kinds: list[Kind]) -> None:
    state = PENDING
    for i, kind in enumerate(kinds):
        after = advance(state, kind)
        assert fold([state, after]) == after or state == PENDING
        assert after == fold(kinds[: i + 1])
        state = after


def test_the_order_of_receipts_does_not_matter() -> None:
    for order in permutations([Kind.uncertain, Kind.accepted, Kind.undelivered, Kind.delivered]):
        assert fold(order) == Kind.delivered


def test_evidence_settles_a_doubt() -> None:
    for evidence in set(Kind) - {Kind.uncertain}:
        assert advance(Kind.uncertain, evidence) == evidence
        assert advance(evidence, Kind.uncertain) == evidence


@given(run_no=st.integers(0, 2**48 - 1), person=st.binary(min_size=16, max_size=16), n=st.integers(0, 2**16 - 1))
def test_an_attempt_id_is_read_back_in_any_case(run_no: int, person: bytes, n: int) -> None:
    text = encode_attempt(run_no, person, n)
    assert decode_attempt(text) == decode_attempt(text.upper()) == (run_no, person, n)
    assert text.isalnum()


@given(text=st.text(max_size=60))
def test_what_is_not_an_attempt_id_is_none(text: str) -> None:
    found = decode_attempt(text)
    assert found is None or encode_attempt(*found) == "".join(text.split()).lower()


@given(st.text(st.characters(), max_size=400))
@example("\0\ud800 4\n")
def test_whatever_a_carrier_says_can_be_stored(words: str) -> None:
    said = as_said(words)
    said.encode()
    assert "\0" not in said
    assert len(said) <= SAID_LENGTH
