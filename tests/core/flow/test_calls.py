"""Flows in calls: what is pressed, who answered, silences, voicemail; as the specification describes the mode IVR."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.flow.check import check
from callsheet.core.flow.effects import AwaitBeep, EndCall, HandOver, Say, Step, Transfer
from callsheet.core.flow.gathering import MOST_KEYS, Gathering, gathering_of
from callsheet.core.flow.given import Closed, ModelAnswered, PutThrough, Reply, TimedOut
from callsheet.core.flow.reading import read
from callsheet.core.flow.rehearsal import Cue, rehearse
from callsheet.core.flow.session import Awaits, Ending, Mode, Session
from callsheet.core.flow.step import HUNG_UP, end, patience_seconds, prompts_again, step
from callsheet.core.transferring import Transferred
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
    resource,
    said,
    start,
    value,
    way,
)

VOICEMAIL = "Callsheet.LeaveVoicemail"
KEYS = st.text("0123456789*#", max_size=80)
YES_NO = [{"name": "yes"}, {"name": "no"}]


def call(document: dict[str, Any], *replies: str, **more: Any) -> list[Step]:
    """Begin a session in a call, and give it what is pressed; return all steps."""
    return converse(document, *replies, mode=Mode.ivr, **more)


def asked(kind: str, **config: Any) -> Say:
    """Return what a question says in a call."""
    document = container(flow("f", block("q", kind, other(), prompt="?", **config)))
    effect = start(document, mode=Mode.ivr).effects[-1]
    assert isinstance(effect, Say)
    return effect


@pytest.mark.parametrize(
    ("kind", "config", "most_digits", "ends_with"),
    [
        (ONE, {"choices": YES_NO}, 1, "#"),
        (ONE, {"choices": [{"name": str(number)} for number in range(12)]}, 2, "#"),
        (ONE, {"choices": [{"name": "a", "test": "block.response = 7"}]}, 1, "#"),
        (ONE, {"choices": [{"name": "a", "test": "OR(block.response = 10, block.response = 7)"}]}, 2, "#"),
        (ONE, {"choices": [{"name": "a", "test": "block.response = '#'"}]}, 1, ""),
        (ONE, {"choices": [{"name": "a", "ivr_test": {"test_expression": "block.response = 42"}}]}, 2, "#"),
        (MANY, {"choices": YES_NO}, 2, "#"),
        (MANY, {"choices": YES_NO, "maximum_choices": 1}, 1, "#"),
        (MANY, {"choices": [{"name": str(number)} for number in range(12)]}, 0, "#"),
        (NUMBER, {"IVR": {"max_digits": 4}}, 4, "#"),
        (NUMBER, {"ivr": {"max_digits": 4}}, 4, "#"),
        (NUMBER, {}, 0, "#"),
        (OPEN, {"IVR": {"end_recording_digits": "*9"}}, 0, "*9"),
        (OPEN, {"ivr": {"end_recording_digits": 0}}, 0, "0"),
        (OPEN, {}, 0, "#"),
    ],
)
def test_a_question_says_what_is_listened_to(
    kind: str, config: dict[str, Any], most_digits: int, ends_with: str
) -> None:
    said = asked(kind, **config)
    assert (said.most_digits, said.ends_with) == (most_digits, ends_with)


def test_keys_that_nobody_has_do_not_end_a_recording() -> None:
    asks = container(flow("f", block("q", OPEN, other(), prompt="?", IVR={"end_recording_digits": "x"})))
    assert [finding.path for finding in check(asks)] == ["document.flows[0].blocks[0].config.IVR.end_recording_digits"]


def test_a_choice_may_have_a_test_of_its_own_for_calls() -> None:
    choices = [{"name": "a", "test": "block.response = 'a'", "ivr_test": {"test_expression": "block.response = 7"}}]
    document = container(flow("f", block("q", ONE, other(), prompt="?", choices=choices)))
    assert [call(document, "7")[-1].visits[0].value, converse(document, "A")[-1].visits[0].value] == ["a", "a"]
    assert [call(document, "a")[-1].visits[0].value, converse(document, "7")[-1].visits[0].value] == [None, None]


def test_a_keypad_has_no_point() -> None:
    document = container(flow("f", block("q", NUMBER, other(), prompt="?")))
    assert call(document, "12*5")[-1].visits[0].value == 12.5
    assert converse(document, "12*5")[-1].visits[0].value is None


def test_an_open_question_keeps_the_recording() -> None:
    document = container(flow("f", block("q", OPEN, other(), prompt="?")))
    assert call(document, "rec-1")[-1].visits[0].value == "rec-1"
    assert call(document, "")[-1].visits[0].why == "The reply is empty."


def test_a_key_that_is_no_choice_leads_where_the_document_says() -> None:
    asks = block("q", ONE, way("bye", test="block.value = 'yes'"), other("q"), prompt="?", choices=YES_NO)
    document = container(flow("f", asks, BYE))
    first, wrong, right = call(document, "9", "1")
    assert (said(first), said(wrong), said(right)) == ("?", "?", "Bye")
    assert wrong.visits[0].why == "The reply is none of the choices."


ASKS = block("q", ONE, other("bye"), prompt="?", choices=YES_NO)
BYE = block("bye", MESSAGE, other(), prompt="Bye")
EXIT = block("exit", MESSAGE, other(), prompt="Exit")


def test_a_silence_in_a_call_leads_to_the_default_exit() -> None:
    document = read(container(flow("f", ASKS, BYE, EXIT, exit_block_id="exit")))
    begun = start(document, mode=Mode.ivr)
    assert begun.session.wakes_at == AT + timedelta(seconds=10)
    assert patience_seconds(document, begun.session, AT) == 10
    after = step(document, begun.session, TimedOut(AT))
    assert (said(after), after.session.ending) == ("Bye", Ending.done)


@pytest.mark.parametrize(("seconds", "waits"), [(5, 5), (120, 120), (86_400, 10)])
def test_a_call_waits_as_long_as_its_flow_says_unless_that_is_meant_for_messages(seconds: int, waits: int) -> None:
    document = read(container(flow("f", ASKS, BYE, interaction_timeout=seconds)))
    assert patience_seconds(document, start(document, mode=Mode.ivr).session, AT) == waits


def test_a_time_out_that_the_flow_gives_leads_to_its_exit_block() -> None:
    document = read(container(flow("f", ASKS, BYE, EXIT, exit_block_id="exit", interaction_timeout=5)))
    after = step(document, start(document, mode=Mode.ivr).session, TimedOut(AT))
    assert said(after) == "Exit"


def test_nobody_is_asked_for_ever() -> None:
    again = block("q", ONE, other("q"), prompt="?", choices=YES_NO)
    document = read(container(flow("f", again)))
    session, times = start(document, mode=Mode.ivr).session, 0
    while session.frames:
        session, times = step(document, session, TimedOut(AT)).session, times + 1
    assert (times, session.ending) == (2, Ending.silent)


def test_a_language_that_is_chosen_is_spoken_from_then_on() -> None:
    texts = resource("r", value("Bye", "IVR"), value("नमस्ते", "IVR", language="hin"))
    asks = block("q", ONE, other("bye"), prompt="?", choices=[{"name": "eng"}, {"name": "hin"}],
                 set_contact_property=[{"property_key": "language", "property_value": "@block.value"}])  # fmt: skip
    document = container(
        flow("f", asks, block("bye", MESSAGE, other(), prompt="r"), languages=["eng", "hin"]), resources=[texts]
    )
    assert [said(call(document, digit)[-1]) for digit in "12"] == ["Bye", "नमस्ते"]
    unspoken = {"q": {"property_key": "language", "property_value": "tam"}}
    document["flows"][0]["blocks"][0]["config"]["set_contact_property"] = [unspoken["q"]]
    assert said(call(document, "2")[-1]) == "Bye"


def test_a_flow_knows_who_answered() -> None:
    branch = block("who", "Core.Case", way("vm", test="call.answered_by = 'machine'"), other("hello"))
    voicemail = block("vm", VOICEMAIL, other(), prompt="After the beep", longest_wait_seconds=12)
    hello = block("hello", MESSAGE, other(), prompt="Hello, @call.answered_by")
    document = container(flow("f", branch, voicemail, hello))
    (left,) = call(document, answered_by="machine")
    assert [type(effect) for effect in left.effects] == [AwaitBeep, Say, EndCall]
    assert (left.effects[0], said(left)) == (AwaitBeep("vm", 12.0), "After the beep")
    assert left.session.ending is Ending.done
    assert said(call(document, answered_by="human")[0]) == "Hello, human"
    assert said(start(document)) == "Hello, "
    assert read_state(write_state(call(document, answered_by="unsure")[0].session)).answered_by == "unsure"


def test_the_word_call_still_stands_for_itself() -> None:
    choices = [{"name": "call"}, {"name": "mail"}]
    asks = block("q", ONE, way("bye", test="block.value = call"), other(), prompt="?", choices=choices)
    assert said(converse(container(flow("f", asks, BYE)), "1")[-1]) == "Bye"


def test_a_voicemail_is_left_in_calls_only() -> None:
    document = container(flow("f", block("vm", VOICEMAIL, other("bye"), prompt="x"), BYE))
    assert said(start(document)) == "Bye"
    assert [(finding.path, finding.is_warning) for finding in check(document)] == [
        ("document.flows[0].blocks[0].config", True)
    ]
    spoken = container(flow("f", block("vm", VOICEMAIL, other(), longest_wait_seconds=0), supported_modes=["IVR"]))
    assert {finding.path.rsplit(".", 1)[1] for finding in check(spoken)} == {"prompt", "longest_wait_seconds"}


def test_whoever_hangs_up_ends_it() -> None:
    session = end(start(container(flow("f", ASKS, BYE)), mode=Mode.ivr).session, Ending.hung_up, HUNG_UP)
    assert (session.frames, session.ending, session.why) == ((), Ending.hung_up, "The contact hung up.")


def test_what_was_asked_is_asked_again_without_moving() -> None:
    document = read(container(flow("f", BYE | {"exits": [other("q")]}, ASKS)))
    begun = start(document, mode=Mode.ivr)
    (again,) = prompts_again(document, begun.session, AT)
    assert (again.text, again.most_digits) == ("?", 1)
    assert prompts_again(document, end(begun.session, Ending.hung_up), AT) == ()


def test_what_a_model_said_last_is_said_again_and_not_asked_again() -> None:
    agent = block("agent", "Callsheet.AiAgent", other(), endpoint="e", system_prompt="s", prompt="Hello")
    document = read(container(flow("f", agent)))
    session: Session = start(document, mode=Mode.ivr).session
    assert [again.text for again in prompts_again(document, session, AT)] == ["Hello"]
    session = step(document, session, Reply("1", AT)).session
    session = step(document, session, ModelAnswered("One more?", (), 1, 0.0, AT)).session
    assert [again.text for again in prompts_again(document, session, AT)] == ["One more?"]


def test_who_is_handed_over_hears_the_prompt_again_and_is_not_handed_over_twice() -> None:
    hands = block("h", "Callsheet.HandOver", other(), queue="Support", prompt="Please hold")
    document = read(container(flow("f", hands)))
    begun = start(document, mode=Mode.ivr)
    assert begun.session.awaits is Awaits.transfer
    assert [type(effect) for effect in begun.effects] == [Say, Transfer]
    assert [again.text for again in prompts_again(document, begun.session, AT)] == ["Please hold"]


def test_what_became_of_a_transfer_is_a_result_and_leads_on() -> None:
    to = {"number": "@contact.desk", "answer_seconds": 12, "queue": "Support"}
    hands = block("h", "Callsheet.HandOver", way("q", test="block.value = 'connected'"), other(), **to)
    document = read(container(flow("f", hands, ASKS | {"exits": [other("q")]})))
    begun = start(document, mode=Mode.ivr, contact={"desk": "+12125550123"})
    assert begun.effects == (Transfer("h", "+12125550123", "Support", 12),)
    talked = step(document, begun.session, PutThrough(Transferred.connected, AT))
    alone = step(document, begun.session, PutThrough(Transferred.busy, AT))
    assert [(visit.value, visit.why) for visit in talked.visits[:1]] == [("connected", "")]
    assert talked.session.awaits is Awaits.reply
    assert [(visit.value, visit.why) for visit in alone.visits] == [("busy", "The other side was busy.")]
    assert (alone.session.ending, alone.session.disposition) == (Ending.done, "Agent Transfer Error")


@pytest.mark.parametrize(
    ("waiting", "heard"), [("Please hold, @contact.name", ("Please hold, Ann", "")), ("m", ("", "Hold music"))]
)
def test_what_a_caller_hears_while_somebody_else_is_called_is_for_the_flow_to_say(
    waiting: str, heard: tuple[str, str]
) -> None:
    hands = block("h", "Callsheet.HandOver", other(), number="+12125550123", waiting=waiting)
    music = resource("m", value("Hold music", "IVR", content="AUDIO"))
    document = read(container(flow("f", hands), resources=[music]))
    (wanted,) = start(document, mode=Mode.ivr, contact={"name": "Ann"}).effects
    assert isinstance(wanted, Transfer)
    assert (wanted.waiting_text, wanted.waiting_audio) == heard


def test_who_cannot_be_put_through_waits_in_the_inbox_where_the_flow_says_so() -> None:
    hands = block("h", "Callsheet.HandOver", other(), queue="Support", when_nobody="inbox", note="Angry")
    document = read(container(flow("f", hands)))
    begun = start(document, mode=Mode.ivr)
    handed = step(document, begun.session, PutThrough(Transferred.no_agents, AT))
    assert handed.effects == (HandOver("h", "Support", "Angry"),)
    assert handed.session.awaits is Awaits.person
    assert step(document, handed.session, Closed("Solved", AT)).session.disposition == "Solved"


def test_a_rehearsal_of_a_call_ends_when_the_contact_hangs_up() -> None:
    document = read(container(flow("f", ASKS | {"exits": [other("q")]}, BYE)))
    cues = [Cue(Reply("1", AT), 5), Cue(TimedOut(AT), 5), Cue(None, 1), Cue(Reply("1", AT), 1)]
    turns = list(rehearse(document, start(document, mode=Mode.ivr), AT, cues))
    assert [turn.was_taken for turn in turns] == [True, True, True, True, False]
    assert (turns[3].step.session.ending, turns[3].why) == (Ending.hung_up, "The contact hung up.")
    assert turns[-1].at == AT + timedelta(seconds=5 + 10 + 1 + 1)


def press(gathering: Gathering, keys: str) -> Gathering:
    for key in keys:
        gathering = gathering.press(key)
    return gathering


@given(keys=KEYS, most=st.integers(0, 20), ends_with=st.sampled_from(["#", "", "*#"]))
def test_what_is_gathered_is_what_was_pressed_up_to_its_end(keys: str, most: int, ends_with: str) -> None:
    gathered = press(Gathering(most, ends_with), keys)
    digits = gathered.digits
    assert keys.startswith(digits)
    assert not set(digits) & set(ends_with)
    assert len(digits) <= (most or MOST_KEYS)
    is_ended = keys[len(digits) : len(digits) + 1] in set(ends_with) and len(keys) > len(digits)
    assert gathered.is_done == (is_ended or len(digits) == (most or MOST_KEYS))
    assert gathered.is_done or digits == keys
    assert gathered.waits_seconds == (0 if gathered.is_done else 3 if digits else 10)


def test_one_key_is_enough_where_one_names_a_choice() -> None:
    begun = start(container(flow("f", ASKS, BYE)), mode=Mode.ivr)
    assert gathering_of(begun.effects, 10).press("1").reply(AT) == Reply("1", AT)
    assert gathering_of((), 7).reply(AT) == TimedOut(AT)


def test_a_hash_alone_is_an_empty_reply() -> None:
    assert Gathering().press("#").reply(AT) == Reply("", AT)
