import pytest

from callsheet.core.opting_out import says_stop


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop", " Stop. ", "STOP!!!", "s t o p", "OPT-OUT", "opt out", "Unsubscribe", "CANCEL", "end", "Quit",
     "STOPALL", "revoke", "arrêt", "ARRET", "\uff33\uff34\uff2f\uff30",
     "st\u200bop", "STOP texting me", "Stop, please", "STOP 🛑"],
)  # fmt: skip
def test_people_who_opt_out_are_understood(text: str) -> None:
    assert says_stop(text)


@pytest.mark.parametrize(
    "text", ["", "1", "yes", "I cannot stop by today", "The end is near", "Thanks", "🙂", "stopping by"]
)
def test_other_replies_are_replies(text: str) -> None:
    assert not says_stop(text)
