import signal
import subprocess
import sys
import textwrap

import pytest

from callsheet.engine.failpoints import (
    FAILPOINTS,
    FailpointCountError,
    Failpoints,
    UnknownFailpointError,
)


def run_to_the_end(spec, reaches):
    """Run a process that reaches places and says so, and give what it said and how it ended."""
    program = textwrap.dedent("""
        import sys
        from callsheet.engine.failpoints import Failpoints
        try:
            failpoints = Failpoints.parse(sys.argv[1])
            for name in sys.argv[2].split():
                failpoints.reach(name)
                print(name, flush=True)
        finally:
            print("cleaned up", flush=True)
    """)
    command = [sys.executable, "-c", program, spec, " ".join(reaches)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.splitlines(), done.returncode


def test_a_killed_process_gets_no_chance_to_clean_up():
    said, code = run_to_the_end("after_arm:3", ["before_arm", "after_arm"] * 5)

    assert code == -signal.SIGKILL
    assert said == ["before_arm", "after_arm", "before_arm", "after_arm", "before_arm"]


def test_a_process_that_never_reaches_its_failpoint_lives():
    said, code = run_to_the_end("after_arm:3", ["after_arm", "after_arm", "before_hand"])

    assert code == 0
    assert said[-1] == "cleaned up"


def test_there_is_a_failpoint_before_and_after_each_step_of_reaching_a_contact():
    steps = ("take", "arm", "hand", "record", "turn")
    assert tuple(f"{side}_{step}" for step in steps for side in ("before", "after")) == FAILPOINTS


@pytest.mark.parametrize("text", [None, "", "  ", ","])
def test_nothing_is_armed_unless_asked(text):
    failpoints = Failpoints.parse(text)

    for name in FAILPOINTS:
        failpoints.reach(name)


def test_an_armed_place_strikes_at_its_turn_and_only_once():
    failpoints = Failpoints()
    story = []
    failpoints.call_at("before_hand", lambda: story.append("strike"), nth=3)

    for turn in range(1, 6):
        story.append(turn)
        failpoints.reach("before_hand")
        failpoints.reach("after_hand")

    assert story == [1, 2, 3, "strike", 4, 5]


def test_an_action_may_arm_its_own_place_again():
    failpoints = Failpoints()
    story = []

    def strike():
        story.append("strike")
        failpoints.call_at("before_take", strike, nth=2)

    failpoints.call_at("before_take", strike)
    for turn in range(1, 5):
        story.append(turn)
        failpoints.reach("before_take")

    assert story == [1, "strike", 2, 3, "strike", 4]


def test_a_given_error_comes_out_of_the_engine_at_that_place():
    failpoints = Failpoints()
    failpoints.raise_at("before_record", ConnectionError("the database is gone"), nth=2)

    failpoints.reach("before_record")
    with pytest.raises(ConnectionError, match="the database is gone"):
        failpoints.reach("before_record")
    failpoints.reach("before_record")


def test_a_mistyped_name_tells_which_names_there_are():
    failpoints = Failpoints()
    mistakes = [
        lambda: Failpoints.parse("after_amr:3"),
        lambda: Failpoints.parse("after_arm:3,after_amr"),
        lambda: failpoints.reach("after_amr"),
        lambda: failpoints.kill_at("after_amr"),
        lambda: failpoints.raise_at("after_amr", ValueError()),
    ]
    for mistake in mistakes:
        with pytest.raises(UnknownFailpointError) as caught:
            mistake()
        assert "'after_amr'" in str(caught.value)
        for name in FAILPOINTS:
            assert name in str(caught.value)


@pytest.mark.parametrize("count", ["", "0", "-1", "x", "1.5", "3:4", "²", "1_0"])
def test_a_count_that_is_no_count_is_refused_rather_than_ignored(count):
    with pytest.raises(FailpointCountError):
        Failpoints.parse(f"after_arm:{count}")


def test_several_places_can_be_named_at_once():
    failpoints = Failpoints.parse(" before_arm:2 , after_record ")

    failpoints.reach("before_arm")  # its first reach: lives
