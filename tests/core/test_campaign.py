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
    (Move.complete, "Active"): "Completed",
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
