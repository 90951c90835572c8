import pytest

from callsheet.core.campaign import Move, Status, after
from callsheet.core.errors import WrongState

LEGAL = {
    (Move.edit, "Ready"): "Ready", (Move.edit, "Stopped"): "Ready", (Move.edit, "Completed"): "Ready",
    (Move.start, "Ready"): "Active", (Move.start, "Stopped"): "Active", (Move.start, "Completed"): "Active",
    (Move.start, "Paused"): "Active", (Move.start, "Active"): "Active",
    (Move.pause, "Active"): "Paused", (Move.pause, "Paused"): "Paused",
    (Move.resume, "Paused"): "Active", (Move.resume, "Active"): "Active",
    (Move.stop, "Active"): "Stopped", (Move.stop, "Paused"): "Stopped", (Move.stop, "Stopped"): "Stopped",
    (Move.complete, "Active"): "Completed", (Move.complete, "Paused"): "Completed",
    **{(Move.rerun, status): "Active" for status in ("Ready", "Stopped", "Completed")},
    **{(Move.emergency, status): "Active" for status in ("Ready", "Stopped", "Completed", "Scheduled", "Rescheduled")},
    (Move.come_due, "Scheduled"): "Active", (Move.come_due, "Rescheduled"): "Active",
    (Move.delete, "Preparing"): "Preparing", (Move.delete, "Ready"): "Ready", (Move.delete, "Scheduled"): "Scheduled",
    (Move.delete, "Stopped"): "Stopped", (Move.delete, "Completed"): "Completed",
    (Move.delete, "Rescheduled"): "Rescheduled",
}  # fmt: skip


@pytest.mark.parametrize("move", list(Move))
@pytest.mark.parametrize("status", list(Status))
def test_only_the_documented_moves_are_legal(move: Move, status: Status) -> None:
    expected = LEGAL.get((move, status.value))
    if expected is None:
        with pytest.raises(WrongState, match=status.value):
            after(move, status)
    else:
        assert after(move, status).value == expected


@pytest.mark.parametrize(
    ("move", "status", "sentence"),
    [
        (Move.edit, Status.active, "This campaign is Active and cannot be edited now. Stop it first."),
        (Move.delete, Status.paused, "This campaign is Paused and cannot be deleted now. Stop it first."),
        (
            Move.resume,
            Status.completed,
            "This campaign is Completed and cannot be resumed now. It is not running: a start call starts it.",
        ),
        (Move.start, Status.preparing, "This campaign is Preparing and cannot be started now. Wait until it is Ready."),
    ],
)
def test_a_refused_move_says_what_helps(move: Move, status: Status, sentence: str) -> None:
    with pytest.raises(WrongState) as refused:
        after(move, status)
    assert refused.value.message == sentence
