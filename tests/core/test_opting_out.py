"""Nobody who asks to be left alone is contacted again, however they write it; nobody else is given up."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.opting_out import LONGEST, OPTS_OUT, Word, read_reply

CORPUS = Path(__file__).with_name("replies.txt")
RECALL = 0.995
MOST_FALSE_ALARMS = 0.02


def corpus() -> list[tuple[Word, str]]:
    found: list[tuple[Word, str]] = []
    label = Word.none
    for line in CORPUS.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            label = Word(line.strip("[]"))
        elif line and not line.startswith("#"):
            found.append((label, line.replace("\\n", "\n")))
    return found


def test_nearly_everybody_who_opts_out_is_understood() -> None:
    opting_out = [text for label, text in corpus() if label in OPTS_OUT]
    missed = [text for text in opting_out if read_reply(text) not in OPTS_OUT]
    assert len(opting_out) > 700
    assert 1 - len(missed) / len(opting_out) >= RECALL, missed


def test_ordinary_replies_are_taken_for_opt_outs_hardly_ever() -> None:
    ordinary = [text for label, text in corpus() if label not in OPTS_OUT]
    alarms = [text for text in ordinary if read_reply(text) in OPTS_OUT]
    assert len(ordinary) > 350
    assert len(alarms) / len(ordinary) <= MOST_FALSE_ALARMS, alarms


def test_help_and_start_are_told_from_everything_else() -> None:
    wrong = [(label, text) for label, text in corpus() if label in {Word.help, Word.start} if read_reply(text) != label]
    taken = [text for label, text in corpus() if label is Word.none if read_reply(text) in {Word.help, Word.start}]
    assert not wrong
    assert not taken


def test_a_plain_word_is_no_matter_of_doubt() -> None:
    doubted = [text for label, text in corpus() if label is Word.stop if read_reply(text) is Word.doubt]
    assert not doubted


@pytest.mark.parametrize("word", ["STOP", "Unsubscribe", "ARRÊT", "İPTAL", "СТОП", "रोकें", "退订", "수신거부"])
@pytest.mark.parametrize(
    "around", ["{}", " {}\n", "{}!", "“{}”", "{}\n-- \nAda", "> Sale! Reply STOP\n\n{}", "\u200b{}\ufeff", "*{}* 🙏"]
)
def test_what_stands_around_a_word_does_not_hide_it(word: str, around: str) -> None:
    assert read_reply(around.format(word)) is Word.stop


@given(st.text())
def test_whatever_comes_is_read(text: str) -> None:
    assert read_reply(text) in Word


def test_a_very_long_reply_does_not_hold_up_others() -> None:
    for text in (
        "stop " * LONGEST,
        "a" * 10 * LONGEST,
        "“" * LONGEST,
        "dont want " * LONGEST,
        ">\n" * LONGEST,
        "é" * LONGEST,
    ):
        began = time.process_time()
        read_reply(text)
        assert time.process_time() - began < 1
