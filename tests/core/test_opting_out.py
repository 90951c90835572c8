# ruff: noqa: RUF001 (letters of many scripts)
"""Nobody who asks to be left alone is contacted again, however they write it; nobody else is given up."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core import opting_out
from callsheet.core.opting_out import (
    OPTS_OUT,
    PIECES_FIRST,
    PIECES_LAST,
    READ_FIRST,
    READ_LAST,
    SEEN_FIRST,
    SEEN_LAST,
    Word,
    read_reply,
)

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


LONG = 100_000


@pytest.mark.parametrize(
    "text",
    [
        "stop " * LONG,
        "a" * LONG,
        "“" * LONG,
        "„ “ « " * LONG,
        "dont want " * LONG,
        ">\n" * LONG,
        "\n" * LONG,
        "é" * LONG,
        "ﷺ" * LONG,
        "".join(f"{i}\n" for i in range(LONG)),
        "".join(f"a{i}. " for i in range(LONG)),
        "on " * LONG + "wrote",
    ],
    ids=lambda text: ascii(text[:6]),
)
def test_a_reply_of_any_length_takes_no_more_reading_than_a_long_one(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def counted(text: str, read: Callable[[str], str] = opting_out._plain) -> str:
        plain = read(text)
        sizes.append(max(len(text), len(plain) // 4))
        return plain

    def looked_at(text: str, read: Callable[[str], str] = opting_out._own_words) -> str:
        assert len(text) <= SEEN_FIRST + SEEN_LAST + 3
        return read(text)

    monkeypatch.setattr(opting_out, "_plain", counted)
    monkeypatch.setattr(opting_out, "_own_words", looked_at)
    read_reply(text)

    # Once as a whole, once in lines, once in sentences.
    assert sum(sizes) <= 3 * (READ_FIRST + READ_LAST + 3)
    assert len(sizes) <= 1 + 2 * (PIECES_FIRST + PIECES_LAST)


RANT = "Your last order came late, and nobody at the shop could tell me why. "
QUOTED = "".join(f"> Sale number {i}! Reply STOP to opt out\n" for i in range(200))
FURTHER = "We said more than that, in many words.\n"


@pytest.mark.parametrize(
    "text",
    [
        "STOP\n" + RANT * 100,
        RANT * 100 + "\nSTOP",
        RANT * 100 + "\nPlease stop texting me.\nAda",
        RANT * 100 + "Stop texting me!",
        RANT * 11 + "Stop texting me! " + RANT * 11,
        "\n".join([*(f"size{i}" for i in range(200)), "stop"]),
        "STOP\n\n" + QUOTED,
        QUOTED + "\nSTOP",
        "STOP\n\nOn Monday Ada wrote:\n" + FURTHER * 200,
        "S T O P\n" + RANT * 100,
        "ＳＴＯＰ\u200b.\n" + RANT * 100,
        RANT * 100 + "\nОТПИСАТЬСЯ",
    ],
    ids=range(12),
)
def test_no_length_hides_a_stop_at_the_beginning_or_the_end(text: str) -> None:
    assert read_reply(text) is Word.stop


@pytest.mark.parametrize(
    "text", [QUOTED, "Thank you\n" + QUOTED, "Thank you\n> " + RANT * 100 + "Stop texting me.", RANT * 100]
)
def test_what_is_quoted_at_length_opts_nobody_out(text: str) -> None:
    assert read_reply(text) is Word.none
