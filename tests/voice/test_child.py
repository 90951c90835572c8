"""A child process may die, hang, eat or print: whoever asks loses nothing, and what is asked twice is asked no more."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from callsheet.voice.child.process import Child, ChildBroke


@pytest.fixture
async def child(monkeypatch) -> AsyncIterator[Child]:
    monkeypatch.setenv("PYTHONPATH", "src:tests")
    child = Child("voice.echo_child")
    yield child
    await child.close()


async def test_nothing_runs_before_it_is_needed_and_questions_are_answered_in_order(child):
    assert child.pid is None
    answers = await asyncio.gather(*(child.ask(b"%d" % number) for number in range(50)))
    assert answers == [b"%d" % number for number in range(50)]


async def test_one_that_dies_over_a_question_is_asked_once_more(child, tmp_path):
    questions = (b"before", b"die-once %s/x" % bytes(tmp_path), b"after")
    answers = await asyncio.gather(*(child.ask(question) for question in questions))
    assert answers == [b"before", b"lived", b"after"]


@pytest.mark.parametrize("question", [b"die", b"spin", b"raise", b"eat"])
async def test_a_question_that_breaks_it_twice_is_given_up_and_the_next_is_answered(child, question):
    with pytest.raises(ChildBroke) as broke:
        await child.ask(question)
    assert "secret" not in str(broke.value)
    assert await child.ask(b"next") == b"next"


async def test_one_that_hangs_is_ended_and_the_next_question_is_answered(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "src:tests")
    child = Child("voice.echo_child", longest_seconds=0.05)
    with pytest.raises(ChildBroke, match="took too long"):
        await child.ask(b"hang")
    child._longest_seconds = 60.0
    assert await child.ask(b"next") == b"next"
    await child.close()


async def test_what_a_library_prints_is_no_answer(child):
    assert await child.ask(b"print") == b"printed"
    assert await child.ask(b"next") == b"next"


async def test_who_gives_up_waiting_does_not_leave_an_answer_for_the_next(child):
    await child.ask(b"first")
    waiting = asyncio.create_task(child.ask(b"hang"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await child.ask(b"next") == b"next"


async def test_one_that_nobody_asks_is_ended_and_begins_again(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "src:tests")
    child = Child("voice.echo_child", idle_seconds=0.0)
    assert await child.ask(b"one") == b"one"
    pid, process = child.pid, child._process
    await process.wait()
    assert await child.ask(b"two") == b"two"
    assert child.pid != pid
    await child.close()


async def test_who_asks_while_it_is_ended_is_told_and_asks_no_other(child):
    await child.ask(b"first")
    waiting = [asyncio.create_task(child.ask(question)) for question in (b"hang", b"next")]
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    await child.close()

    broke = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in broke] == [ChildBroke, ChildBroke]
    assert child.pid is None


async def test_it_is_not_told_what_is_none_of_its_business(child, monkeypatch):
    monkeypatch.setenv("CALLSHEET_SECRET_KEY", "secret")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert await child.ask(b"environment CALLSHEET_SECRET_KEY") == b""
    assert await child.ask(b"environment TZ") == b"Asia/Tokyo"
