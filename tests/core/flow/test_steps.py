"""Where a session goes: time-outs, what is amiss, the exit block, flows in flows. Whatever comes, it is explained."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.flow.check import check
from callsheet.core.flow.effects import Step
from callsheet.core.flow.given import Closed, Given, ModelAnswered, NoAnswer, Reply, TimedOut, WebhookAnswered
from callsheet.core.flow.manners import CUT, MOST_SAID
from callsheet.core.flow.opening import Opening
from callsheet.core.flow.reading import read
from callsheet.core.flow.session import Awaits, Ending, Mode, Session
from callsheet.core.flow.step import MOST_BLOCKS, MOST_FRAMES, begin, end, step
from callsheet.store.flow_states import read_state, write_state
from core.flow.documents import (
    AT,
    MANY,
    MESSAGE,
    NUMBER,
    ONE,
    OPEN,
    block,
    container,
    converse,
    flow,
    other,
    said,
    start,
    way,
)

LATER = AT + timedelta(hours=1)
ASKS = block("q", OPEN, other("bye"), prompt="?")
BYE = block("bye", MESSAGE, other(), prompt="Bye")
EXIT = block("exit", MESSAGE, other(), prompt="Exit")


def runs(uuid: str, another: str, *exits: dict[str, Any]) -> dict[str, Any]:
    return block(uuid, "Core.RunFlow", *exits, flow_id=another)


def silent(document: dict[str, Any], times: int = 1) -> list[Step]:
    opened = read(document)
    steps = [start(opened)]
    for _ in range(times):
        steps.append(step(opened, steps[-1].session, TimedOut(LATER)))
    return steps


def test_without_a_time_out_a_session_ends_quietly_after_three_days() -> None:
    begun, ended = silent(container(flow("f", ASKS, BYE)))
    assert begun.session.wakes_at == AT + timedelta(days=3)
    assert (ended.session.ending, said(ended)) == (Ending.silent, "")
    assert [visit.why for visit in ended.visits] == ["There was no reply in time."]


def test_a_time_out_leaves_by_the_default_exit() -> None:
    begun, after = silent(container(flow("f", ASKS, BYE, interaction_timeout=60)))
    assert begun.session.wakes_at == AT + timedelta(seconds=60)
    assert (said(after), after.session.ending) == ("Bye", Ending.done)
    assert after.visits[0].why == "There was no reply in time."


def test_a_time_out_goes_to_the_exit_block_first() -> None:
    *_, after = silent(container(flow("f", ASKS, BYE, EXIT, interaction_timeout=60, exit_block_id="exit")))
    assert (said(after), after.session.ending) == ("Exit", Ending.done)


def test_a_silence_in_a_flow_in_a_flow_without_a_way_on_goes_the_way_of_the_one_around_it() -> None:
    inner = flow("inner", block("q", OPEN, way(test="TRUE"), prompt="?"), interaction_timeout=60)
    by_exit = container(flow("outer", runs("run", "inner", other("bye")), BYE), inner)
    by_exit_block = container(flow("outer", runs("run", "inner"), EXIT, exit_block_id="exit"), inner)
    assert [said(silent(document)[-1]) for document in (by_exit, by_exit_block)] == ["Bye", "Exit"]
    *_, ended = silent(container(flow("outer", runs("run", "inner")), inner))
    assert (ended.session.ending, ended.session.why) == (Ending.silent, "There was no reply in time.")


def test_now_and_today_are_those_of_the_contact_else_of_its_campaign() -> None:
    at = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)
    opened = read(container(flow("f", block("a", MESSAGE, other(), prompt="@TODAY() @HOUR(NOW())"))))

    def says(zone: str, **contact: str) -> str:
        made = begin(opened, contact=contact, number="", mode=Mode.sms, at=at, zone=zone)
        assert Opening(opened, lambda: at, zone=zone).render(contact, "") == said(made)
        return said(made)

    assert [says(""), says("Asia/Kolkata")] == ["2026-03-02 22", "2026-03-03 4"]
    assert says("Asia/Kolkata", timeZone="America/New_York") == "2026-03-02 17"
    assert says("Asia/Kolkata", timeZone="nowhere") == "2026-03-03 4"


def test_nobody_is_reminded_for_ever() -> None:
    again = block("q", OPEN, other("q"), prompt="?")
    *_, first, second = silent(container(flow("f", again, interaction_timeout=60)), 2)
    assert (first.session.awaits, said(first)) == (Awaits.reply, "?")
    assert (second.session.ending, said(second)) == (Ending.silent, "")


def test_a_reply_makes_up_for_a_silence() -> None:
    again = read(container(flow("f", block("q", OPEN, other("q"), prompt="?"), interaction_timeout=60)))
    session = start(again).session
    for given_next in (TimedOut(AT), Reply("x", AT), TimedOut(AT), Reply("x", AT)):
        session = step(again, session, given_next).session
    assert (session.ending, session.replies) == (None, 2)


def test_what_follows_from_a_silence_is_unasked_until_somebody_is_there() -> None:
    hook = block("hook", "Callsheet.Webhook", other("q"), url="https://shop.example/orders")
    opened = read(container(flow("f", block("q", OPEN, other("hook"), prompt="?"), hook, interaction_timeout=60)))
    session, unasked = start(opened).session, []
    for given_next in (Reply("x", AT), WebhookAnswered(200, 1, AT), TimedOut(AT), WebhookAnswered(200, 1, AT)):
        session = step(opened, session, given_next).session
        unasked.append(session.is_unasked)
    assert unasked == [False, False, True, True]


@pytest.mark.parametrize(
    ("exits", "exit_block", "ending", "text"),
    [
        ([other("bye")], "exit", Ending.done, "Bye"),
        ([way("bye", test="FALSE")], "exit", Ending.done, "Exit"),
        ([way("bye", test="FALSE")], None, Ending.failed, ""),
    ],
)
def test_what_is_amiss_leads_to_the_default_exit_else_to_the_exit_block_else_to_the_end(
    exits: Sequence[dict[str, Any]], exit_block: str | None, ending: Ending, text: str
) -> None:
    wrong = block("q", MESSAGE, *exits, prompt="@(1 / contact.none)")
    made = start(container(flow("f", wrong, BYE, EXIT, exit_block_id=exit_block)), contact={"none": "0"})
    assert (made.session.ending, said(made)) == (ending, text)
    assert "zero" in made.visits[0].why
    assert ("zero" in made.session.why) is (ending is Ending.failed)


def test_a_test_that_is_amiss_is_no_test_that_holds() -> None:
    case = block("c", "Core.Case", way("exit", test="1 / contact.none > 0"), other("bye"))
    made = start(container(flow("f", case, BYE, EXIT)), contact={"none": "0"})
    assert said(made) == "Bye"
    assert "zero" in made.visits[0].why


def test_the_exit_block_is_gone_to_once() -> None:
    wrong = [block(uuid, MESSAGE, way(test="FALSE"), prompt="@(1 / contact.none)") for uuid in ("a", "b")]
    made = start(container(flow("f", *wrong, exit_block_id="b")), contact={"none": "0"})
    assert made.session.ending is Ending.failed
    assert [visit.name for visit in made.visits] == ["a", "b"]


def test_a_resource_without_the_mode_is_amiss() -> None:
    spoken = {"uuid": "r", "values": [{"language_id": "eng", "modes": ["IVR"], "value": "Hi"}]}
    document = container(flow("f", block("a", MESSAGE, other("bye"), prompt="r"), BYE), resources=[spoken])
    assert said(start(document)) == "Bye"
    assert said(start(document, mode=Mode.ivr)) == "Hi\nBye"


def test_a_flow_runs_in_a_flow_and_its_results_are_seen_from_outside() -> None:
    document = container(
        flow("outer", runs("run", "inner", other("told")), block("told", MESSAGE, other(), prompt="@child.results.q")),
        flow("inner", block("q", OPEN, other(), prompt="@parent.flow asks")),
    )
    begun, after = converse(document, "blue")
    assert (said(begun), said(after)) == ("outer asks", "blue")
    assert len(begun.session.frames) == 2
    assert after.session.ending is Ending.done


def test_a_flow_that_fails_leaves_the_one_around_it_by_its_default_exit() -> None:
    inner = flow("inner", block("q", MESSAGE, way(test="FALSE"), prompt="@(1 / contact.none)"))
    outer = flow("outer", runs("run", "inner", way("exit", test="TRUE"), other("bye")), BYE, EXIT)
    made = start(container(outer, inner), contact={"none": "0"})
    assert (said(made), made.session.ending) == ("Bye", Ending.done)


def test_an_inner_flow_speaks_what_it_can() -> None:
    spoken = {"uuid": "r", "values": [{"language_id": "eng", "value": "Hi"}]}
    outer = flow("outer", runs("run", "inner", other()), languages=["hin"])
    inner = flow("inner", block("a", MESSAGE, other(), prompt="r"), languages=["eng"])
    assert said(start(container(outer, inner, resources=[spoken]), language="hin")) == "Hi"


def test_circles_and_depths_that_nobody_checked_end() -> None:
    circle = start(container(flow("f", block("a", "Core.Log", other("a"), message="x"))))
    assert (circle.session.ending, circle.session.visits) == (Ending.failed, MOST_BLOCKS)
    deep = start(container(flow("f", runs("a", "f", way(test="FALSE")))))
    assert deep.session.ending is Ending.failed
    assert str(MOST_FRAMES) in deep.session.why


def test_what_goes_in_a_circle_says_nothing() -> None:
    circle = flow("f", block("q", OPEN, other("a"), prompt="?"), block("a", MESSAGE, other("a"), prompt="Again"))
    asked, went = converse(container(circle), "yes")
    assert (said(asked), said(went), went.session.ending) == ("?", "", Ending.failed)


def test_an_answer_is_cut_and_its_visit_says_so() -> None:
    echo = block("echo", MESSAGE, other("bye"), prompt="@results.q.response")
    document = container(flow("f", block("q", OPEN, other("echo"), prompt="?"), echo, BYE))
    *_, short = converse(document, "x" * (MOST_SAID - 4))
    *_, long = converse(document, "x" * (MOST_SAID - 3))
    *_, longest = converse(document, "x" * 10_000)
    assert [len(said(each)) for each in (short, long)] == [MOST_SAID, MOST_SAID]
    assert [visit.why for visit in short.visits] == ["", "", ""]
    assert [visit.why for visit in long.visits] == ["", "", CUT]
    assert (len(said(longest).rstrip()), CUT in longest.visits[1].why) == (MOST_SAID, True)
    *_, spoken = converse(document, "x" * 1_900, mode=Mode.ivr)
    assert "x" * 1_900 in said(spoken)


def test_what_answers_a_trigger_is_cut_and_a_campaign_says_all() -> None:
    long = container(flow("f", block("a", MESSAGE, other(), prompt="x" * 3_000)))
    assert len(said(start(long, trigger="hello"))) == MOST_SAID
    assert len(said(start(long))) == len(Opening(read(long), lambda: AT).render({}, "")) == 3_000


def test_a_block_of_an_unknown_type_fails() -> None:
    made = start(container(flow("f", block("a", "Nobody.Knows", other("bye")), BYE)))
    assert (said(made), made.visits[0].why) == ("Bye", "There is no such type of block.")


def test_after_its_end_nothing_changes_a_session() -> None:
    ended = start(container(flow("f", BYE))).session
    opened = read(container(flow("f", BYE)))
    for given_next in (Reply("x", AT), TimedOut(AT), Closed("", AT)):
        assert step(opened, ended, given_next) == Step(ended, (), ())
    assert end(ended, Ending.opted_out) == ended


def test_an_end_from_outside_says_why() -> None:
    session = start(container(flow("f", ASKS, BYE))).session
    ended = end(session, Ending.opted_out, "STOP")
    assert (ended.ending, ended.why, ended.frames, ended.wakes_at) == (Ending.opted_out, "STOP", (), None)


def made_flow(rng: Random, uuid: str, others: Sequence[str]) -> dict[str, Any]:
    """Make a flow of any blocks, with exits that lead anywhere."""
    names = [f"b{n}" for n in range(rng.randint(1, 8))]
    tests = ["block.response = 1", "block.value = 'yes'", "contact.age > 20", "1 / contact.none", "results.b0 = 'x'"]
    choices = [{"name": "yes"}, {"name": "no", "test": rng.choice(tests)}, {"name": "x", "prompt": "@contact.name"}]
    said_texts = ["Hi @contact.name", "@results.b1", "@(1 / contact.none)", "<Name>", ""]
    blocks = []
    for name in names:
        kind = rng.choice(
            [MESSAGE, ONE, MANY, NUMBER, OPEN, "Core.Case", "Core.Log", "Core.Output", "Core.RunFlow", "No.Kind",
             "Core.SetContactProperty", "Core.SetGroupMembership", "Callsheet.Webhook", "Callsheet.HandOver",
             "Callsheet.EndCall", "Callsheet.SetDisposition", "Callsheet.AiAgent"]
        )  # fmt: skip
        exits = [way(rng.choice([*names, None]), test=rng.choice(tests)) for _ in range(rng.randint(0, 2))]
        exits += [other(rng.choice([*names, None]))] if rng.random() < 0.7 else []
        config = {
            "prompt": rng.choice(said_texts), "message": "log", "choices": choices, "value": rng.choice(tests),
            "flow_id": rng.choice([*others, "gone"]), "minimum_choices": rng.randint(0, 2), "validation_maximum": 9,
            "set_contact_property": [{"property_key": rng.choice(["age", "New"]), "property_value": "@block.response"}],
            "groups": [{"group_key": "g"}], "is_member": rng.random() < 0.5, "clear": rng.random() < 0.2,
            "url": "https://example.com/@contact.name", "queue": "Help", "disposition": "done", "endpoint": "main",
            "system_prompt": "Help.", "tools": [], "max_turns": 3, "max_tokens": 100, "max_cost": 1,
            "timeout_seconds": 5,
        }  # fmt: skip
        blocks.append({**block(name, kind, *exits), "config": config})
    more = {"exit_block_id": rng.choice([*names, None])}
    if rng.random() < 0.5:
        more["interaction_timeout"] = 60
    return flow(uuid, *blocks, **more)


GIVEN: st.SearchStrategy[Given] = st.one_of(
    st.builds(
        Reply, st.sampled_from(["1", "yes", "1 2", "", "😀", "7", "x" * 10_240, "@(1/0)"]) | st.text(), st.just(AT)
    ),
    st.builds(TimedOut, st.just(AT)),
    st.builds(WebhookAnswered, st.sampled_from([200, 500]), st.sampled_from([None, {"x": [1]}, "text"]), st.just(AT)),
    st.builds(NoAnswer, st.just("It did not answer."), st.just(AT)),
    st.builds(ModelAnswered, st.text(max_size=20), st.just(()), st.integers(0, 50), st.just(0.1), st.just(AT)),
    st.builds(Closed, st.just("done"), st.just(AT)),
)


def reborn(session: Session) -> Session:
    """Return a session as it comes out of the store."""
    return read_state(write_state(session))


@given(st.integers(0, 2**32), st.lists(GIVEN, max_size=12))
def test_any_flow_with_any_input_goes_on_or_ends_and_says_how(seed: int, inputs: list[Given]) -> None:
    rng = Random(seed)
    uuids = ["f0", "f1", "f2"][: rng.randint(1, 3)]
    document = json.loads(json.dumps(container(*(made_flow(rng, uuid, uuids) for uuid in uuids))))
    check(document)
    opened = read(document)
    contact = {"Name": "Asha @(1/0)", "Age": "30", "None": "0"}
    made = begin(opened, contact=contact, number="+12025550123", mode=rng.choice(list(Mode)), at=AT)
    visits = 0
    for given_next in [None, *inputs]:
        before = made.session
        if given_next is not None:
            made = step(opened, before, given_next)
            again = step(opened, reborn(before), given_next)
            assert again == made, "a stored session replays to the same"
        session = made.session
        assert session.visits == visits + len(made.visits)
        assert [visit.no for visit in made.visits] == list(range(visits + 1, session.visits + 1))
        visits = session.visits
        assert (session.ending is None) == bool(session.frames) == (session.awaits is not Awaits.nothing)
        if session.awaits is Awaits.reply:
            assert session.wakes_at is not None
        if session.ending is Ending.failed:
            assert session.why
        if session.frames and made.visits:
            assert (made.visits[-1].block, made.visits[-1].has_left) == (session.frames[-1].block, False)
