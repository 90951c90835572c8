"""A carrier that breaks its contract neither loses a message nor keeps its place."""

from callsheet.carriers.base import Accepted, Done, NoAnswer, Outbound, SendError, Unwell
from callsheet.core.asking import Leave, nobody_forbids
from callsheet.engine.handed import Handed

MESSAGE = Outbound("a-1", "+12125550100", "+12125550000", "Hello", 1, "cd-1")


class Breaking:
    """Raises, before or after it asked whether the message may leave, or after it answered."""

    def __init__(self, *, asks: bool = False, answers: bool = False) -> None:
        self.asks, self.answers = asks, answers
        self.leave: Leave = nobody_forbids

    def submit(self, _: Outbound, leave: Leave, done: Done) -> None:
        self.leave = leave
        if self.asks:
            assert leave()
        if self.answers:
            done(Accepted("id-1", 1))
        raise RuntimeError("broken")


def told_by(carrier: Breaking) -> list[Accepted | SendError]:
    told: list[Accepted | SendError] = []
    Handed(nobody_forbids, told.append).submit(carrier, MESSAGE)  # type: ignore[arg-type]
    return told


def test_what_certainly_has_not_left_comes_again_and_never_leaves_after_all():
    carrier = Breaking()
    (answer,) = told_by(carrier)
    assert isinstance(answer, Unwell)
    assert not carrier.leave()


def test_what_may_have_left_is_uncertain():
    (answer,) = told_by(Breaking(asks=True))
    assert isinstance(answer, NoAnswer)


def test_an_answer_stands():
    assert told_by(Breaking(asks=True, answers=True)) == [Accepted("id-1", 1)]
